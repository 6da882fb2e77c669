"""Components that stream: upsampler, decoder, stacks and pipelines of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cached_property

import numpy as np

from prosody_transfer.core.errors import ModelError, ShapeError
from prosody_transfer.core.ports import Port
from prosody_transfer.integration.components import (
    Component,
    Flow,
    Ledger,
    SequenceBlock,
    Stream,
    StreamableBlock,
    check_fit,
    join,
    register,
    steps,
)
from prosody_transfer.integration.networks import Handle
from prosody_transfer.integration.runtimes import Tensors


def positions(durations: np.ndarray, index: np.ndarray, first: int = 0) -> np.ndarray:
    """Where each frame stands in its phone, (1, 3, T): fraction passed, log duration, frames to the nearer edge.

    Args:
        durations: (1, P) frames per phone.
        index: (T,) which phone each frame belongs to.
        first: The first frame's number.
    """
    starts = (np.cumsum(durations[0]) - durations[0])[index].astype(np.float32)
    length = np.maximum(durations[0][index], 1).astype(np.float32)
    passed = np.arange(first, first + len(index), dtype=np.float32) - starts
    edge = np.clip(np.minimum(passed, length - 1 - passed), 0, 10)
    rows = [(passed + np.float32(0.5)) / length - np.float32(0.5), np.log(length) - np.float32(2.0), edge / 5]
    return np.stack(rows)[None].astype(np.float32)


def refuse_before(before: Flow | None, place: str) -> None:
    """ModelError where something stands before what begins a stream."""
    if before is not None:
        remedy = "take it out, or put it first"
        raise ModelError("begins a stream, and something stands before it", place=place, remedy=remedy)


@register("Upsampler")
class Upsampler(StreamableBlock):
    """Repeats what encoders made of phones and of steps, for as many frames as the durations say.

    From the caller: `durations` (B, P) frames per phone, and `latent_index` (B, T), which step of the embedding each
    frame takes, where an encoder makes one. It adds `position`, see `positions`. B is 1. All else that the caller gives
    along T comes along.
    """

    starts = True

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        refuse_before(before, self.place)
        self.ledger = ledger
        ledger.ask(Port(name="durations", axes=("B", "P"), dtype="int64"), self.place)
        self.repeated = [name for name, port in ledger.given.items() if port.axes[-1] == "P"]
        self.held = [name for name, port in ledger.given.items() if str(port.axes[-1]).startswith("R")]
        if self.held:
            ledger.ask(Port(name="latent_index", axes=("B", "T"), dtype="int64"), self.place)
        made = [ledger.given[name] for name in (*self.repeated, *self.held)]
        ports = [Port(name=port.name, dtype=port.dtype, axes=(*port.axes[:-1], "T")) for port in made]
        position = Port(name="position", axes=("B", 3, "T"))
        setting = self.setting
        flow = Flow(setting.frame_rate, setting.chunk_frames, Fraction(0), {}, open=True)
        return flow.with_ports(*ports, position)

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        durations = sequence["durations"]
        if durations.shape[0] != 1 or (durations < 0).any():
            raise ShapeError(f"takes one line's durations, got {durations.shape}", place=self.place)
        ends, total = np.cumsum(durations[0]), int(durations.sum())
        along = [name for name, port in self.ledger.wanted.items() if port.axes[-1] == "T" and name in sequence]
        for name in along:
            if sequence[name].shape[-1] != total:
                problem = f"{name} has {sequence[name].shape[-1]} frames, the durations add up to {total}"
                raise ShapeError(problem, place=self.place)
        size = self.setting.chunk_frames
        for start in range(0, max(total, 1), size):  # one empty chunk where there are no frames
            part = slice(start, min(total, start + size))
            frames = np.arange(part.start, part.stop)
            index = np.minimum(np.searchsorted(ends, frames, "right"), len(ends) - 1)
            chunk = {name: sequence[name][..., index] for name in self.repeated}
            chunk |= {name: sequence[name][..., part] for name in along}
            if self.held:
                chunk |= {name: sequence[name][..., sequence["latent_index"][0, part]] for name in self.held}
            yield {**chunk, "position": positions(durations, index, part.start)}


@register("Frames")
class Frames(StreamableBlock):
    """Frames that the caller gives, as a stream: what stands before a vocoder that is used by itself."""

    starts = True

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        refuse_before(before, self.place)
        self.ledger = ledger
        return Flow(self.setting.frame_rate, self.setting.chunk_frames, Fraction(0), {}, open=True)

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        along = [name for name, port in self.ledger.wanted.items() if port.axes[-1] == "T"]
        sizes = {name: sequence[name].shape[-1] for name in along}
        if len(set(sizes.values())) > 1:
            raise ShapeError(f"inputs of different lengths: {sizes}", place=self.place)
        total, size = max(sizes.values(), default=0), self.setting.chunk_frames
        for start in range(0, max(total, 1), size):
            yield {name: sequence[name][..., start : start + size] for name in along}


class NetworkStream(StreamableBlock):
    """A network that runs chunk by chunk and remembers what it needs. `step_with` is what subclasses change.

    Args:
        network: Its name.
    """

    behind = Fraction(0)  # seconds of look-ahead of all before it

    def __init__(self, network: str = "decoder") -> None:
        self.network = network

    @cached_property
    def handle(self) -> Handle:
        return self.setting.networks.handle(self.network, self.place)

    @property
    def is_fixed(self) -> bool:
        """Whether every chunk has to have one size."""
        return self.setting.networks.shapes == "fixed" and bool(self.handle.spec.fixed.get("T"))

    @property
    def chunk(self) -> int:
        """Frames that the network is given at a time."""
        return max(self.handle.spec.fixed["T"]) if self.is_fixed else self.setting.chunk_frames

    def first_chunk(self) -> int:
        """Frames of the first chunk, see `Setting.latency`."""
        return self.chunk if self.is_fixed else self.setting.first_chunk(self.behind)

    def frame_ports(self) -> list[Port]:
        """What it is given frame by frame, besides the mask."""
        return [port for port in self.handle.spec.inputs if port.axes[-1] == "T" and port.name != "mask"]

    def made(self) -> list[Port]:
        """What it adds to the stream."""
        return list(self.handle.spec.outputs)

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        if before is None:
            remedy = "put an Upsampler, or another source of frames, before it"
            raise ModelError("takes frames, and stands first", place=self.place, remedy=remedy)
        if before.rate != self.setting.frame_rate:
            problem = f"takes {float(self.setting.frame_rate):g} frames a second, and gets {float(before.rate):g} steps"
            raise ModelError(problem, place=self.place, remedy="put it before what makes samples")
        if not all(port.axes[-1] == "T" for port in self.handle.spec.outputs):
            remedy = "put it among the encoders, as a SequenceNetwork"
            raise ModelError(f"the network {self.network!r} makes no frames", place=self.place, remedy=remedy)
        for port in self.frame_ports():
            take(port, ledger, before, self.place)
        for port in self.handle.spec.inputs:
            if port.axes[-1] != "T":
                ledger.ask(port, self.place)
        self.behind = before.latency
        latency = before.latency + Fraction(self.handle.spec.lag) / before.rate
        return before.with_ports(*self.made(), chunk=self.chunk, latency=latency)

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        assert source is not None
        for chunk, found in self.aligned(sequence, source):
            yield {**chunk, **found}

    def aligned(self, sequence: Tensors, source: Stream) -> Iterator[tuple[Tensors, Tensors]]:
        """Pieces of what comes in, each with what the network makes of it, however late."""
        spec = self.handle.spec
        constant = {p.name: sequence[p.name] for p in spec.inputs if p.axes[-1] != "T"}
        states = [self.handle.initial_state() for _ in range(self.passes())]
        waiting = _Queue()
        skip, ended, wanted = spec.lag, False, self.first_chunk()
        like: Tensors = {}
        while not ended or waiting.size:
            chunk = {} if ended else source.read(wanted)
            like = like or {name: value[..., :0] for name, value in chunk.items()}
            count = steps(chunk)
            ended = ended or count < wanted
            waiting.put(chunk)
            if not waiting.size:  # the stream was empty
                yield like, self.nothing()
                return
            # At the end, as many masked frames as it takes; where sizes are fixed, whole chunks of them.
            size = waiting.size + skip if ended and not self.is_fixed else wanted
            wanted = self.chunk
            found, states = self.step_with(self._filled(chunk or like, count, size), constant, states)
            fresh = {name: value[..., min(skip, size) :] for name, value in found.items()}
            skip -= min(skip, size)
            ready = min(steps(fresh), waiting.size)
            if ready:
                fresh = {name: value[..., :ready] for name, value in fresh.items()}
                yield waiting.take(ready), fresh

    def passes(self) -> int:
        """How many times the network runs on each chunk, each with a memory of its own."""
        return 1

    def step_with(self, fed: Tensors, constant: Tensors, states: list[Tensors]) -> tuple[Tensors, list[Tensors]]:
        """One chunk through the network: its outputs, and the new states."""
        found, state = self.step(fed, constant, states[0])
        return found, [state]

    def step(self, fed: Tensors, constant: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """One chunk through the network, with one state."""
        found = self.handle.run({**fed, **constant, **state})
        outputs = {port.name: found[port.name] for port in self.handle.spec.outputs}
        return outputs, {port.name: found[f"next_{port.name}"] for port in self.handle.spec.state}

    def nothing(self) -> Tensors:
        """No frames of what it makes."""
        return {p.name: np.zeros(p.shape({"B": 1, "T": 0, "N": 0}), np.float32) for p in self.made()}

    def _filled(self, chunk: Tensors, count: int, size: int) -> Tensors:
        """A chunk of `size` frames: masked ones after the real ones."""
        fed = {}
        for port in self.frame_ports():
            value = chunk[port.name]
            extra = size - value.shape[-1]
            fed[port.name] = np.pad(value, [(0, 0)] * (value.ndim - 1) + [(0, extra)]) if extra else value
        fed["mask"] = np.arange(size)[None] < count
        return fed


class _Queue:
    """What waits for the network's results."""

    def __init__(self) -> None:
        self.pieces: list[Tensors] = []
        self.size = 0

    def put(self, piece: Tensors) -> None:
        if steps(piece):
            self.pieces.append(piece)
            self.size += steps(piece)

    def take(self, count: int) -> Tensors:
        whole = join(self.pieces) if len(self.pieces) > 1 else self.pieces[0]
        self.pieces, self.size = [], 0
        self.put({name: value[..., count:] for name, value in whole.items()})
        return {name: value[..., :count] for name, value in whole.items()}


def take(port: Port, ledger: Ledger, before: Flow, place: str) -> None:
    """Find what a component takes frame by frame: in the stream, or from the caller.

    Raises:
        ModelError: It is in neither, or does not fit.
    """
    if port.name in before.ports:
        check_fit(before.ports[port.name], port, place)
    elif before.open and port.name not in ledger.given:
        ledger.ask(port, place)
    else:
        made = ", ".join(sorted(before.ports)) or "nothing"
        problem = f"takes {port.text()}, which nothing before it makes (there is {made})"
        raise ModelError(problem, place=place, remedy="put what makes it before, such as an Upsampler")


@register("Decoder")
class Decoder(NetworkStream):
    """The addon's decoder: frames in, mel-spectrogram frames out."""


@register("StreamableStack")
class StreamableStack(StreamableBlock):
    """StreamableBlocks one after another: each makes its data from that of the one before.

    Args:
        stack: At least one.
    """

    def __init__(self, stack: list[StreamableBlock]) -> None:
        for block in stack:
            if not isinstance(block, StreamableBlock):
                raise TypeError(f"{type(block).__name__} is no StreamableBlock")
        if not stack:
            raise ValueError("holds no blocks")
        self.stack = stack

    @property
    def starts(self) -> bool:  # type: ignore[override]
        return self.stack[0].starts

    def inside(self) -> Iterable[tuple[str, Component]]:
        return [(f"stack[{i}]", block) for i, block in enumerate(self.stack)]

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        for block in self.stack:
            before = block.plan(ledger, before)
        assert before is not None
        return before

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        for block in self.stack[:-1]:
            source = block.stream(sequence, source)
        return self.stack[-1].chunks(sequence, source)


@register("StreamablePipeline")
class StreamablePipeline(StreamableBlock):
    """Exactly one SequenceBlock, and exactly one StreamableBlock that makes data from its results.

    Args:
        sequence_block: Runs once, when a stream begins.
        streamable_block: Gets its results, and the caller's tensors.
    """

    def __init__(self, sequence_block: SequenceBlock, streamable_block: StreamableBlock) -> None:
        if not isinstance(sequence_block, SequenceBlock):
            raise TypeError("sequence_block is no SequenceBlock")
        if not isinstance(streamable_block, StreamableBlock):
            raise TypeError("streamable_block is no StreamableBlock")
        self.sequence_block, self.streamable_block = sequence_block, streamable_block

    @property
    def starts(self) -> bool:  # type: ignore[override]
        return self.streamable_block.starts

    def inside(self) -> Iterable[tuple[str, Component]]:
        return [("sequence_block", self.sequence_block), ("streamable_block", self.streamable_block)]

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        inner = Ledger()
        inner.given = dict(ledger.given)  # what is made here is known here alone
        inner.wanted, inner.spared = ledger.wanted, ledger.spared
        self.sequence_block.plan(inner)
        return self.streamable_block.plan(inner, before)

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        made = self.sequence_block.run(sequence)
        return self.streamable_block.chunks({**sequence, **made}, source)
