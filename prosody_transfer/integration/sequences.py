"""Components that work on whole sequences: encoders, one by one, side by side, or all at once on a provider."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property

from prosody_transfer.core.errors import ModelError
from prosody_transfer.core.ports import Port
from prosody_transfer.integration.components import Component, Ledger, SequenceBlock, register
from prosody_transfer.integration.networks import Handle
from prosody_transfer.integration.runtimes import Tensors


@register("SequenceNetwork")
class SequenceNetwork(SequenceBlock):
    """One network of the addon, run on whole sequences; not run where the caller gives its results already.

    Args:
        network: Its name.
        provider: Where it runs; where the others do if None.
    """

    def __init__(self, network: str, provider: str | None = None) -> None:
        self.network, self.provider = network, provider

    @cached_property
    def handle(self) -> Handle:
        return self.setting.networks.handle(self.network, self.place, self.provider)

    def plan(self, ledger: Ledger) -> None:
        if self.handle.spec.state:
            remedy = "use a component that streams, such as Decoder"
            raise ModelError(f"the network {self.network!r} runs chunk by chunk", place=self.place, remedy=remedy)
        results = frozenset(port.name for port in self.handle.spec.outputs)
        for port in self.handle.spec.inputs:
            ledger.ask(port, self.place, results)
        for port in self.handle.spec.outputs:
            ledger.give(port)

    def run(self, tensors: Tensors) -> Tensors:
        if all(port.name in tensors for port in self.handle.spec.outputs):
            return {}
        found = self.handle.run(tensors)
        return {port.name: found[port.name] for port in self.handle.spec.outputs}


@register("SequenceBlockContainer")
class SequenceBlockContainer(SequenceBlock):
    """SequenceBlocks as one. Those that do not wait for each other run side by side.

    Args:
        blocks: In any order in which each comes after what it needs.
    """

    def __init__(self, blocks: list[SequenceBlock]) -> None:
        for block in blocks:
            if not isinstance(block, SequenceBlock):
                raise TypeError(f"{type(block).__name__} is no SequenceBlock")
        if not blocks:
            raise ValueError("holds no blocks")
        self.blocks = blocks
        self.needs: list[set[int]] = []  # of each block, which others it waits for

    def inside(self) -> Iterable[tuple[str, Component]]:
        return [(f"blocks[{i}]", block) for i, block in enumerate(self.blocks)]

    def plan(self, ledger: Ledger) -> None:
        made: dict[str, int] = {}
        self.needs = []
        for i, block in enumerate(self.blocks):
            asked = Recorder(ledger)
            block.plan(asked)
            self.needs.append({made[name] for name in asked.names if name in made})
            for name, port in asked.given.items():
                if ledger.given.get(name) is not port:
                    ledger.give(port)
                    made[name] = i

    def run(self, tensors: Tensors) -> Tensors:
        found: list[Tensors | None] = [None] * len(self.blocks)
        while left := [i for i, result in enumerate(found) if result is None]:
            ready = [i for i in left if all(found[other] is not None for other in self.needs[i])]
            known = {**tensors}
            for result in found:
                known |= result or {}
            for i, result in zip(ready, self._run([self.blocks[i] for i in ready], known), strict=True):
                found[i] = result
        whole: Tensors = {}
        for result in found:
            whole |= result or {}
        return whole

    def _run(self, blocks: list[SequenceBlock], known: Tensors) -> list[Tensors]:
        if len(blocks) == 1:
            return [blocks[0].run(known)]
        with ThreadPoolExecutor(len(blocks)) as pool:
            return list(pool.map(lambda block: block.run(known), blocks))


class Recorder(Ledger):
    """A ledger that notes what one block asks for, and passes it on."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.given, self.wanted, self.spared = dict(ledger.given), ledger.wanted, ledger.spared
        self.names: list[str] = []

    def ask(self, port: Port, place: str, unless: frozenset[str] | None = None) -> None:
        self.names.append(port.name)
        super().ask(port, place, unless)


@register("Encoders")
class Encoders(SequenceBlockContainer):
    """All encoders that the addon names, created by the framework and run as soon as what they need is there."""

    provider: str | None = None

    def __init__(self) -> None:
        self.needs = []

    @cached_property
    def blocks(self) -> list[SequenceBlock]:  # type: ignore[override]
        networks = self.setting.networks
        names = networks.names("encoder")
        if not names:
            remedy = "leave it out, or use an addon whose networks have the role encoder"
            raise ModelError("the addon has no encoders", place=self.place, remedy=remedy)
        made: list[SequenceBlock] = []
        for name in self._in_order(names):
            block = SequenceNetwork(name, self.provider)
            block.place, block.setting = f"{self.place} {name}", self.setting
            made.append(block)
        return made

    def _in_order(self, names: list[str]) -> list[str]:
        """Each after those whose results it takes."""
        specs = {name: self.setting.networks.handle(name, self.place, self.provider).spec for name in names}
        makers = {port.name: name for name, spec in specs.items() for port in spec.outputs}
        ordered: list[str] = []
        while len(ordered) < len(names):
            free = [
                name for name in names if name not in ordered
                and all(makers.get(port.name, name) in (*ordered, name) for port in specs[name].inputs)
            ]  # fmt: skip
            if not free:
                waiting = ", ".join(name for name in names if name not in ordered)
                problem = f"encoders wait for each other: {waiting}"
                raise ModelError(problem, place=self.place, remedy="give their outputs other names")
            ordered += free
        return ordered


@register("CustomizedEncoders")
class CustomizedEncoders(Encoders):
    """The same, all at once on the provider that the addon's configuration names (`provider` in addon.json)."""

    @property
    def provider(self) -> str:  # type: ignore[override]
        return self.setting.provider

    def run(self, tensors: Tensors) -> Tensors:
        """Every encoder is handed over at the beginning, and begins when the last of what it needs is there."""
        with ThreadPoolExecutor(len(self.blocks)) as pool:
            tasks: list[Future[Tensors]] = []
            for block, needs in zip(self.blocks, self.needs, strict=True):
                tasks.append(pool.submit(self._after, block, tensors, [tasks[i] for i in sorted(needs)]))
            whole: Tensors = {}
            for task in tasks:
                whole |= task.result()
            return whole

    @staticmethod
    def _after(block: SequenceBlock, tensors: Tensors, tasks: list[Future[Tensors]]) -> Tensors:
        known = dict(tensors)
        for task in tasks:
            known |= task.result()
        return block.run(known)
