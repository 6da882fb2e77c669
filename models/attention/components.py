"""What the attention model needs around its networks, as components."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from prosody_transfer.core.ports import Port
from prosody_transfer.integration.components import Flow, Ledger, Stream, StreamableBlock, register
from prosody_transfer.integration.runtimes import Tensors
from prosody_transfer.integration.streams import refuse_before, take
from prosody_transfer.models.copycat.config import F0_SCALE, HIGHEST_HZ, LOWEST_HZ

_REMEMBERED = ("first", "second", "context", "weights", "past")


@register("AttentiveDecoder")
class AttentiveDecoder(StreamableBlock):
    """Attends to phones and makes frames, step after step, each hearing the last frame of the step before.

    From the caller: `durations` (B, P), of which only the sum is used: how many frames to make. Makes `coarse`,
    `context`, and `attended` (B, P, T), how much of each phone there is in each frame. B is 1.
    """

    starts = True

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        refuse_before(before, self.place)
        self.handle = self.setting.networks.handle("attention", self.place)
        spec = self.handle.spec
        ledger.ask(Port(name="durations", axes=("B", "P"), dtype="int64"), self.place)
        for port in spec.inputs:
            if port.name not in (*_REMEMBERED, "previous"):
                ledger.ask(port, self.place)
        axes = {port.name: port.axes for port in spec.outputs}
        self.size = int(axes["made"][-1])
        flow = Flow(self.setting.frame_rate, self.setting.chunk_frames, Fraction(0), {})
        return flow.with_ports(
            Port(name="coarse", axes=("B", axes["made"][1], "T")),
            Port(name="context", axes=("B", axes["new_context"][1], "T")), Port(name="attended", axes=("B", "P", "T")),
        )  # fmt: skip

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        left, count = int(sequence["durations"].sum()), sequence["phone_mask"].shape[1]
        state = self.initial_state(count)
        fixed = {port.name: sequence[port.name] for port in self.handle.spec.inputs if port.name in sequence}
        made = {"coarse": state["previous"][..., None], "context": state["context"][..., None]}
        yield {name: value[..., :0] for name, value in {**made, "attended": state["weights"][..., None]}.items()}
        while left > 0:
            found = self.handle.run({**fixed, **state})
            state = {name: found[f"new_{name}"] for name in _REMEMBERED}
            state["previous"] = found["made"][..., -1]
            size = min(left, self.size)
            left -= size
            repeated = lambda value, size=size: np.repeat(value[..., None], size, -1)
            yield {
                "coarse": found["made"][..., :size], "context": repeated(state["context"]),
                "attended": repeated(state["weights"]),
            }  # fmt: skip

    def initial_state(self, count: int) -> Tensors:
        """Nothing said, the first of `count` phones attended to."""
        inputs = {port.name: port for port in self.handle.spec.inputs}
        shape = lambda name: inputs[name].shape({"B": 1, "P": count})
        zeros = {name: np.zeros(shape(name), np.float32) for name in (*_REMEMBERED, "previous")}
        zeros["weights"][:, :1] = zeros["past"][:, :1] = 1.0
        return zeros


@register("OwnMelody")
class OwnMelody(StreamableBlock):
    """F0 and voicing as the decoder itself predicts them.

    Makes `pitch` (ln Hz) and `voiced` (0 or 1) for the vocoder. From the caller, one number each: `level` (ln Hz),
    `f0_range_scale`, `f0_shift_semitones`.
    """

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        flow = super().plan(ledger, before)
        for name in ("own_log_f0", "voicing_logit"):
            take(Port(name=name, axes=("B", "T")), ledger, flow, self.place)
        for name in ("level", "f0_range_scale", "f0_shift_semitones"):
            ledger.ask(Port(name=name, axes=("B",)), self.place)
        return flow.with_ports(*(Port(name=name, axes=("B", "T")) for name in ("pitch", "voiced")))

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        assert source is not None
        scale, shift, level = (float(sequence[n][0]) for n in ("f0_range_scale", "f0_shift_semitones", "level"))
        while True:
            chunk = source.read(self.setting.chunk_frames)
            contour = chunk["own_log_f0"] * F0_SCALE * scale + shift * np.log(2) / 12 + level
            pitch = np.clip(contour, np.log(LOWEST_HZ), np.log(HIGHEST_HZ)).astype(np.float32)
            yield {**chunk, "pitch": pitch, "voiced": (chunk["voicing_logit"] > 0).astype(np.float32)}
            if not pitch.shape[-1]:
                return
