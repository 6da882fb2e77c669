"""A whole integration layer: what an addon's `stack` describes, put together, checked, and ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import prosody_transfer.integration.sequences  # noqa: F401 (registers its components)
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError, ShapeError
from prosody_transfer.integration.addon import Addon
from prosody_transfer.integration.build import build
from prosody_transfer.integration.components import Flow, Ledger, Setting, Stream, StreamableBlock
from prosody_transfer.integration.networks import Networks
from prosody_transfer.integration.runtimes import Shapes, Tensors
from prosody_transfer.integration.streams import StreamableStack


class Layer:
    """Components that fit together.

    Attributes:
        block: The whole, as one StreamableBlock.
        inputs: What a caller has to give, by name; the letters of the axes are those of `core.ports.Port`. What only an
            encoder takes may be left out where that encoder's results are given instead: it is not run then.
        flow: What comes out: its rate, chunks, ports, and the look-ahead of all components together.
    """

    def __init__(self, block: StreamableBlock, setting: Setting) -> None:
        self.block, self.setting = block, setting
        ledger = Ledger()
        self.flow: Flow = block.plan(ledger, None)
        setting.latency = self.flow.latency
        self.inputs, self._spared = dict(ledger.wanted), ledger.spared

    def stream(self, inputs: Mapping[str, np.ndarray]) -> Stream:
        """Begin to make the output of one line; any number of streams may be under way.

        Raises:
            ShapeError: An input is missing or has another number of axes; what is asked for is shown.
        """
        for name, port in self.inputs.items():
            spared = self._spared.get(name)
            if name not in inputs and spared is not None and spared <= set(inputs):
                continue
            if name not in inputs:
                raise ShapeError(f"is not given {port.text()}", place=self.block.place)
            if np.ndim(inputs[name]) != len(port.axes):
                raise ShapeError(f"takes {port.text()}, got {np.shape(inputs[name])}", place=self.block.place)
        return self.block.stream(dict(inputs))

    def run(self, inputs: Mapping[str, np.ndarray]) -> Tensors:
        """The whole output of one line at once."""
        return self.stream(inputs).read_all()


def build_layer(
    addons: Sequence[Addon], stack: Sequence[Any] | None = None, *, runtime: str = "onnx", provider: str = "cpu",
    shapes: Shapes = "dynamic", chunk_frames: int = 32, networks: Networks | None = None,
    frames_given: bool = False, first_frames: int | None = None,
) -> Layer:  # fmt: skip
    """Put together what a stack describes.

    Args:
        addons: Whose networks the components run.
        stack: A list of components; the addons' own, one after another, if None.
        chunk_frames: How many frames networks are given at a time: few for the first sound to be out soon, many for
            less work in all. Results are the same.
        networks: Already open, instead of opening the addons'.
        frames_given: Where the first component begins no stream, as a vocoder's, the caller gives its frames.
        first_frames: Frames of the first chunk; None for `chunk_frames`.

    Raises:
        ModelError: A component or network is unknown, or the composition impossible; the message has the place and the
            remedy.
    """
    networks = networks or Networks(addons, runtime, provider, shapes)
    features = next((a.config.features for a in networks.addons if a.config.features), None) or MelConfig()
    others = [a for a in networks.addons if a.config.features not in (None, features)]
    if others:
        problem = "was made for other features than the addon before it"
        raise ModelError(problem, place=others[0].place, remedy="use addons of the same features")
    first = networks.addons[0].config
    setting = Setting(networks, features, chunk_frames, first.provider, first_frames=first_frames)
    spec = list(stack) if stack is not None else [part for addon in networks.addons for part in addon.config.stack]
    if not spec:
        raise ModelError("has an empty stack", place=networks.addons[0].place, remedy="give its components")
    blocks = []
    for i, part in enumerate(spec):
        block = build(part, setting, f"stack[{i}]")
        if not isinstance(block, StreamableBlock):
            remedy = "put it into a StreamablePipeline, as its sequence_block"
            raise ModelError("is a SequenceBlock", place=block.place, remedy=remedy)
        blocks.append(block)
    if frames_given and not blocks[0].starts:
        blocks.insert(0, build({"type": "Frames"}, setting))
    whole = blocks[0] if len(blocks) == 1 else StreamableStack(blocks)
    whole.setting = setting
    return Layer(whole, setting)
