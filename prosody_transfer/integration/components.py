"""The two kinds of component that an integration layer is made of, and the registry that builds them from JSON.

A `SequenceBlock` takes whole tensors and gives whole tensors. A `StreamableBlock` makes data on demand: from another
StreamableBlock, from what SequenceBlocks have made, or from both. A new component extends one of the two and is
registered by name; that is all it has to do.

Source: Amazon Science, "Scalable framework lets multiple text-to-speech models coexist" (2023).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.core.ports import Port
from prosody_transfer.integration.networks import Networks
from prosody_transfer.integration.runtimes import Tensors
from prosody_transfer.models import registry

TIME_AXES = ("T", "N")  # mel frames and samples: the last axis of what streams


@dataclass
class Setting:
    """What components are built into.

    Attributes:
        networks: The addon's.
        features: What its mels are.
        chunk_frames: How many frames a network is given at a time, unless the addon fixes it.
        provider: What `CustomizedEncoders` runs on.
        latency: Seconds of look-ahead of the whole stack, once it is put together. A network's first chunk is so much
            longer that all after it get theirs: one long step is quicker than several short ones.
        first_frames: As `chunk_frames`, of the first chunk: few for the first sound to be out sooner. None: as others.
    """

    networks: Networks
    features: MelConfig
    chunk_frames: int = 32
    provider: str = "cpu"
    latency: Fraction = Fraction(0)
    first_frames: int | None = None

    def first_chunk(self, behind: Fraction) -> int:
        """Frames of the first chunk of a component, given the look-ahead of all before it in seconds."""
        size = min(self.chunk_frames, self.first_frames or self.chunk_frames)
        return size + max(0, int((self.latency - behind) * self.frame_rate))

    @property
    def frame_rate(self) -> Fraction:
        """Frames a second."""
        return Fraction(self.features.sample_rate, self.features.hop_length)


@dataclass(frozen=True)
class Flow:
    """What leaves a StreamableBlock, found when the stack is put together.

    Attributes:
        rate: Steps a second.
        chunk: Steps that are made at a time, at most.
        latency: Seconds beyond a step that must be known before it can be made.
        ports: What every chunk holds; the last axis is "T" or "N".
        open: Whatever else the caller gives along the last axis comes along.
    """

    rate: Fraction
    chunk: int
    latency: Fraction
    ports: Mapping[str, Port]
    open: bool = False

    def with_ports(self, *ports: Port, **changes: Any) -> Flow:
        """The same with more, or other, ports."""
        return replace(self, ports={**self.ports, **{port.name: port for port in ports}}, **changes)


class Ledger:
    """Who makes what, and what is left for the caller to give.

    Attributes:
        given: What SequenceBlocks make, by name.
        wanted: What the caller has to give, by name.
        spared: By name of what is wanted: a caller who gives all of these need not give it. None: it is always wanted.
    """

    def __init__(self) -> None:
        self.given: dict[str, Port] = {}
        self.wanted: dict[str, Port] = {}
        self.spared: dict[str, frozenset[str] | None] = {}

    def ask(self, port: Port, place: str, unless: frozenset[str] | None = None) -> None:
        """Note that a component needs a tensor; ModelError where what there is does not fit (both are shown).

        Args:
            unless: The caller gives what it is needed for, by these names.
        """
        there = self.given.get(port.name) or self.wanted.get(port.name)
        if port.name not in self.given:
            before = self.spared.get(port.name, unless)
            self.spared[port.name] = None if before is None or unless is None else before | unless
        if there is None:
            self.wanted[port.name] = port
        else:
            check_fit(there, port, place)

    def give(self, port: Port) -> None:
        """Note that a SequenceBlock makes a tensor."""
        self.given[port.name] = port


def check_fit(there: Port, asked: Port, place: str) -> None:
    """ModelError where one port can't be fed to another; both are shown."""
    sizes = len(there.axes) == len(asked.axes) and all(
        a == b or not (isinstance(a, int) and isinstance(b, int)) for a, b in zip(there.axes, asked.axes, strict=True)
    )
    if there.dtype != asked.dtype or not sizes:
        problem = f"takes {asked.text()}, but there is {there.text()}"
        raise ModelError(problem, place=place, remedy="use components and networks of one model")


class Component:
    """What both kinds have in common. `place` and `setting` are filled in by `build`, before `plan`.

    Attributes:
        place: Where in the JSON it stands, for messages.
    """

    place: str = "stack"
    setting: Setting

    def inside(self) -> Iterable[tuple[str, Component]]:
        """The components that it holds, each with where it stands."""
        return ()


class SequenceBlock(Component):
    """Whole tensors in, whole tensors out."""

    def plan(self, ledger: Ledger) -> None:
        """Say what it needs (`ledger.ask`) and makes (`ledger.give`). Nothing need be said."""

    def run(self, tensors: Tensors) -> Tensors:
        """Its results, given what the caller and the SequenceBlocks before it have made; neither is changed."""
        raise NotImplementedError


class Stream:
    """Data on demand: however it is made, it is read in pieces of any size.

    Args:
        chunks: What makes it, a piece of any size at a time; the last axis of each tensor is time.
    """

    def __init__(self, chunks: Iterator[Tensors]) -> None:
        self._chunks, self._held, self._last = chunks, [], {}  # type: ignore[var-annotated]

    def read(self, count: int) -> Tensors:
        """The next `count` steps of every tensor; fewer at the end, and then none, for ever."""
        size = sum(steps(chunk) for chunk in self._held)
        while size < count and (chunk := next(self._chunks, None)) is not None:
            self._last = chunk
            if steps(chunk):
                self._held.append(chunk)
                size += steps(chunk)
        if not self._held:
            return {name: value[..., :0] for name, value in self._last.items()}
        joined = join(self._held) if len(self._held) > 1 else self._held[0]
        rest = {name: value[..., count:] for name, value in joined.items()}
        self._held = [rest] if steps(rest) else []
        return {name: value[..., :count] for name, value in joined.items()}

    def read_all(self) -> Tensors:
        """All that is left."""
        return self.read(1 << 62)


def steps(tensors: Tensors) -> int:
    """How many steps a piece of a stream has."""
    return next((value.shape[-1] for value in tensors.values()), 0)


def join(pieces: list[Tensors]) -> Tensors:
    """Consecutive pieces as one."""
    return {name: np.concatenate([piece[name] for piece in pieces], -1) for name in pieces[0]}


class StreamableBlock(Component):
    """Makes data on demand. To change what streams by, `process` is enough; who makes it overrides `chunks`.

    A block keeps nothing of a stream in itself: what is remembered lives in the generator that `chunks` returns, so
    that any number of streams run side by side.

    Attributes:
        starts: Whether it begins a stream; all others stand after another StreamableBlock.
    """

    starts: bool = False

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        """What leaves it.

        Args:
            ledger: Who makes what.
            before: What comes in; None where it stands first.

        Raises:
            ModelError: It can't stand here; the message says where and what would help.
        """
        if before is None:
            problem = f"{type(self).__name__} makes nothing of its own, and stands first"
            raise ModelError(problem, place=self.place, remedy="put what it changes before it, such as an Upsampler")
        return before

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        """The data, piece by piece.

        Args:
            sequence: What the caller and the SequenceBlocks have made.
            source: The StreamableBlock before it; None where it stands first.
        """
        assert source is not None
        chunk = source.read(self.setting.chunk_frames)
        yield self.process(chunk)  # a stream without a step goes through as well: it says what it would hold
        while steps(chunk := source.read(self.setting.chunk_frames)):
            yield self.process(chunk)

    def process(self, chunk: Tensors) -> Tensors:
        """One piece of a stream, as `chunks` passes it on."""
        raise NotImplementedError

    def stream(self, sequence: Tensors, source: Stream | None = None) -> Stream:
        """Begin a stream."""
        return Stream(self.chunks(sequence, source))


T = TypeVar("T", bound=type)
REGISTRY: dict[str, type[SequenceBlock] | type[StreamableBlock]] = {}


def register(name: str) -> Callable[[T], T]:
    """Give a component the name by which stacks refer to it."""

    def add(cls: T) -> T:
        if not issubclass(cls, SequenceBlock | StreamableBlock):
            raise TypeError(f"{cls.__name__} is neither a SequenceBlock nor a StreamableBlock")
        if REGISTRY.get(name, cls) is not cls:
            raise ValueError(f"two components are called {name}")
        REGISTRY[name] = cls
        return cls

    return add


def load_components() -> None:
    """Register the components of every model; each lies in its model's folder."""
    for kind in registry.kinds():
        if (model := registry.get(kind)).components:
            model.load("components")
