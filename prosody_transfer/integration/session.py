"""A layer that is given its frames as they come, and gives what is final as soon as it is."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping

import numpy as np

from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration.components import Component, Stream, steps
from prosody_transfer.integration.layer import Layer
from prosody_transfer.integration.runtimes import Tensors
from prosody_transfer.integration.streams import Frames, StreamableStack


class Session:
    """One stream through a layer whose frames the caller gives, pushed instead of pulled.

    Streams are pulled (`components.Stream`), and a pull can't be answered with "not yet". So no more is read than
    what has been given surely makes: the layer's latency, and a chunk for each of its components, stay behind.

    Args:
        layer: Made with `frames_given`.
        constant: Tensors without time that its components ask for.

    Raises:
        ModelError: The layer makes its frames by itself.
    """

    def __init__(self, layer: Layer, constant: Mapping[str, np.ndarray] | None = None) -> None:
        block = layer.block
        if not isinstance(block, StreamableStack) or not isinstance(block.stack[0], Frames):
            raise ModelError("begins a stream by itself", place=block.place, remedy="build it with frames_given=True")
        self._flow = layer.flow
        self._names = [name for name, port in layer.inputs.items() if port.axes[-1] == "T"]
        self._per_frame = self._flow.rate / layer.setting.frame_rate  # steps of the output a frame
        chunk = max(layer.setting.chunk_frames, math.ceil(self._flow.chunk / self._per_frame))
        behind = math.ceil(self._flow.latency * layer.setting.frame_rate)
        self.frames_behind = behind + sum(map(_leaves, block.stack[1:])) * chunk - 1
        self._waiting: deque[Tensors] = deque()
        self._given = self._read = 0
        self._ended = False
        stream = Stream(self._feed())
        for part in block.stack[1:]:
            stream = part.stream(dict(constant or {}), stream)
        self._stream = stream

    def push(self, frames: Mapping[str, np.ndarray]) -> Tensors:
        """Give the next frames, as many as there are; what is final comes back, maybe no step of it."""
        piece = {name: frames[name] for name in self._names}
        self._given += steps(piece)
        self._waiting.append(piece)
        ready = int((self._given - self.frames_behind) * self._per_frame) - self._read
        return self._take(ready)

    def finish(self) -> Tensors:
        """All that is left: no more frames come."""
        self._ended = True
        return self._take(1 << 62) if self._given else self._nothing()

    def _take(self, count: int) -> Tensors:
        if count <= 0:
            return self._nothing()
        found = {name: value for name, value in self._stream.read(count).items() if name in self._flow.ports}
        self._read += steps(found)
        return found

    def _nothing(self) -> Tensors:
        sizes = {"B": 1, "T": 0, "N": 0}
        return {name: np.zeros(port.shape(sizes), np.float32) for name, port in self._flow.ports.items()}

    def _feed(self) -> Iterator[Tensors]:
        while self._waiting or not self._ended:
            if not self._waiting:
                raise RuntimeError("a component reads further ahead than the latency that it states")
            yield self._waiting.popleft()


def _leaves(component: Component) -> int:
    """Components that hold no others."""
    inside = [below for _, below in component.inside()]
    return sum(map(_leaves, inside)) if inside else 1
