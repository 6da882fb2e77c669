"""addon.json, typed: what an addon says of itself. Unknown keys are refused."""

from __future__ import annotations

import re
from typing import Any, Literal

from prosody_transfer.core.config import Config, MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.core.ports import Port

FORMAT = 1
NAME = "addon.json"
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")  # no separator, no leading dot: it can't leave the folder
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,59}")
SHA256 = re.compile(r"[0-9a-f]{64}")
Role = Literal["encoder", "decoder", "vocoder", "other"]


class Network(Config):
    """One exported network: a named set of symbols and parameters.

    Attributes:
        symbols: An ONNX file without weights; `symbols_sha256` is of its bytes.
        parameters: A safetensors file. Several networks may share it.
        tensors: Names of those that the symbols take; the graph's initializers are called so.
        inputs, outputs: What it takes and gives, in order.
        state: What it remembers from chunk to chunk: `NAME` goes in, zeros before the first chunk; `next_NAME` comes
            out.
        role: "encoder": run by `Encoders`; "decoder", "vocoder": by the component of that name; "other": by itself.
        lag: Frames by which the outputs come later than the inputs.
        reach: {axis: positions to either side that a result depends on}; an axis that is not named can't be split.
        fixed: {axis: sizes for runtimes whose tensors have one size each}.
    """

    symbols: str
    symbols_sha256: str
    parameters: str
    parameters_sha256: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    tensors: tuple[str, ...]
    state: tuple[Port, ...] = ()
    role: Role = "other"
    lag: int = 0
    reach: dict[str, int] = {}
    fixed: dict[str, tuple[int, ...]] = {}


class AddonVoice(Config):
    """A voice of an acoustic model.

    Attributes:
        row: Of the parameter `speaker_table.weight`.
        log_f0_median: ln Hz.
        phone_log_frames: (V,) mean ln frames of each phone.
        sharpening: How much detail the decoder loses of it.
    """

    row: int
    log_f0_median: float
    phone_log_frames: tuple[float, ...]
    sharpening: tuple[float, float] = (0.1, 0.1)


class AddonConfig(Config):
    """What addon.json holds.

    Attributes:
        kind: Of model, as `models.registry` has it; the torch runtime builds its network by it.
        features: What its mels are.
        phones: Names of the phones, in the order of the `phones` input.
        voices: By name.
        latent_unit: What the prosody embedding has a step for.
        networks: By name.
        stack: How components are wired; a list of components, each {"type": NAME, ...}. Empty where a program runs the
            networks itself.
        latency: Seconds of look-ahead of the whole stack.
        provider: What `CustomizedEncoders` runs on.
        settings: What else of the network's settings a caller needs.
        licence: Of the parameters.
    """

    kind: str
    features: MelConfig | None
    networks: dict[str, Network]
    licence: str
    format: int = FORMAT
    phones: tuple[str, ...] = ()
    voices: dict[str, AddonVoice] = {}
    latent_unit: Literal["frames", "phone", "word", "utterance"] = "frames"
    stack: tuple[dict[str, Any], ...] = ()
    latency: float = 0.0
    provider: str = "cpu"
    settings: dict[str, Any] = {}

    def check(self, place: str) -> AddonConfig:
        """Itself; ModelError where a name, hash, axis or size can't be."""
        for name, network in self.networks.items():
            here = f"{place}: networks.{name[:60]}"
            names = [port.name for port in (*network.inputs, *network.state)]
            for word in (name, *names, *(port.name for port in network.outputs)):
                if not IDENTIFIER.fullmatch(word):
                    raise ModelError(f"{word[:60]!r} is no name", place=here, remedy="take small letters, digits and _")
            if len(set(names)) < len(names):
                raise ModelError("two inputs have one name", place=here, remedy="export it again")
            for file in (network.symbols, network.parameters):
                if not FILE.fullmatch(file):
                    problem = f"names the file {file[:80]!r}"
                    raise ModelError(problem, place=here, remedy="its files lie in its own folder, by plain names")
            if not (SHA256.fullmatch(network.symbols_sha256) and SHA256.fullmatch(network.parameters_sha256)):
                raise ModelError("has a checksum that is none", place=here, remedy="export it again")
            for port in (*network.inputs, *network.outputs, *network.state):
                port.check(here)
            sizes = [*network.reach.values(), network.lag, *(s for sizes in network.fixed.values() for s in sizes)]
            rising = all(list(fixed) == sorted(set(fixed)) and fixed and fixed[0] for fixed in network.fixed.values())
            if not rising or not all(0 <= size <= 1 << 20 for size in sizes):
                raise ModelError(f"has a size that can't be: {sizes}", place=here, remedy="export it again")
        return self
