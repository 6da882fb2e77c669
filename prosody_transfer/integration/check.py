"""Does an addon keep its promises on this machine? Each contract, on each runtime, with made-up inputs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from prosody_transfer.core.errors import DependencyError, PtxError
from prosody_transfer.core.ports import Port, axis_size
from prosody_transfer.integration.addon import Addon, open_addon
from prosody_transfer.integration.fixed import run_fixed
from prosody_transfer.integration.layer import Layer, build_layer
from prosody_transfer.integration.networks import Networks
from prosody_transfer.integration.runtimes import RUNTIMES, Tensors

SIZES = {"B": 1, "P": 9, "W": 7, "T": 61, "R": 59, "N": 64}
ONE_FRAME = {"B": 1, "P": 1, "W": 1, "T": 1, "R": 1, "N": 1}
CHUNKS = (1, 7, 32, 200)
CLOSE = 1e-5  # of full scale: chunk sizes and fixed shapes
SAME = 2e-4  # of full scale: one runtime against another
RUBBISH = 7.0  # what padding holds
# About what a network meets: mean and deviation of inputs, by name.
_USUAL = {"mel": (-5.0, 1.5), "source_mel": (-5.0, 1.5), "pitch": (5.0, 0.1), "loudness": (-10.0, 8.0),
          "level": (5.2, 0.0), "contour": (0.0, 0.2), "sharpening": (0.1, 0.0), "strength": (0.8, 0.0),
          "f0_range_scale": (1.0, 0.0), "f0_shift_semitones": (0.0, 0.0), "pitch_kept": (1.0, 0.0),
          "keep": (1.0, 0.0), "known": (0.0, 0.0), "pace": (0.0, 0.2)}  # fmt: skip


class Check(NamedTuple):
    """One contract.

    Attributes:
        name: What is promised.
        runtime: On what; "" where none runs.
        works: None where it can't be said here.
        found: Figures, or what is wrong.
    """

    name: str
    runtime: str
    works: bool | None
    found: str


def made_up(ports: Mapping[str, Port] | Sequence[Port], sizes: Mapping[str, int] = SIZES, seed: int = 0) -> Tensors:
    """Inputs that a network or a layer could meet; the same for the same seed.

    Args:
        sizes: Of each letter of the axes.
    """
    draw = np.random.default_rng(seed)
    made: Tensors = {}
    for port in ports.values() if isinstance(ports, Mapping) else ports:
        shape = port.shape(dict(sizes))
        mean, deviation = _USUAL.get(port.name, (0.0, 0.5))
        if port.name.endswith("durations"):
            made[port.name] = _durations(draw, shape[-1], sizes["R" if port.name.startswith("source") else "T"])
        elif port.dtype == "bool":
            mask = port.name.endswith("mask") or port.name == "counted"
            made[port.name] = np.ones(shape, bool) if mask else draw.random(shape) < 0.6
        elif port.name == "voice":
            made[port.name] = np.zeros(shape, np.int64)
        elif port.dtype == "int64":
            rising = np.minimum(np.arange(shape[-1]) // 8, max(0, axis_size("R/8", dict(sizes)) - 1))
            index = np.broadcast_to(rising, shape) if port.name.endswith("index") else draw.integers(0, 4, shape)
            made[port.name] = index.astype(np.int64)
        else:
            made[port.name] = (mean + deviation * draw.standard_normal(shape)).astype(np.float32)
    return made


def _durations(draw: np.random.Generator, count: int, total: int) -> np.ndarray:
    """(1, P) that add up to `total`."""
    edges = np.sort(draw.integers(0, total + 1, count - 1))
    return np.diff(np.concatenate([[0], edges, [total]]))[None].astype(np.int64)


def distance(found: Tensors, expected: Tensors) -> float:
    """The largest difference of two results, as a share of each tensor's full scale; infinite for other shapes.

    The full scale of a waveform is 1, of anything else its largest value.
    """
    worst = 0.0
    for name, value in expected.items():
        if found[name].shape != value.shape:
            return float("inf")
        if value.size:
            scale = 1.0 if name == "waveform" else max(float(np.abs(value).max()), 1e-6)
            worst = max(worst, float(np.abs(found[name].astype(float) - value.astype(float)).max()) / scale)
    return worst


def check_addon(folder: str | Path, runtimes: Sequence[str] = tuple(RUNTIMES)) -> list[Check]:
    """All contracts of an addon.

    Raises:
        ModelError: It can't be read at all.
    """
    addon = open_addon(folder)
    checks = [*_files(addon)]
    if not all(check.works for check in checks):
        return checks
    first: dict[str, Tensors] = {}
    for runtime in runtimes:
        try:
            networks = Networks([addon], runtime)
            for name in addon.config.networks:
                checks += _network(networks, name, runtime, first)
            if addon.config.stack:
                checks += _stack(addon, runtime, networks)
        except DependencyError as error:
            checks.append(Check("runs", runtime, None, error.problem))
        except PtxError as error:
            checks.append(Check("runs", runtime, False, str(error)))
    return checks


def _files(addon: Addon) -> Iterator[Check]:
    for name in addon.config.networks:
        try:
            values = addon.parameters(name)
            count = sum(value.size for value in values.values())
            finite = all(np.isfinite(value).all() for value in values.values())
            found = f"{len(addon.symbols(name))} bytes of symbols, {count} parameters"
            yield Check(f"{name}: files", "", finite, found if finite else "holds values that are not finite")
        except PtxError as error:
            yield Check(f"{name}: files", "", False, str(error))


def _network(networks: Networks, name: str, runtime: str, first: dict[str, Tensors]) -> Iterator[Check]:
    """One network by itself: shapes, padding, and against the runtime before."""
    handle = networks.handle(name)
    spec = handle.spec
    inputs = {**made_up(spec.inputs), **handle.initial_state()}
    found = handle.run(inputs)
    outputs = {port.name: found[port.name] for port in spec.outputs}
    wrong = [p.text() for p in spec.outputs if outputs[p.name].shape != p.shape(SIZES)]
    finite = all(np.isfinite(value).all() for value in outputs.values())
    yield Check(f"{name}: shapes", runtime, not wrong and finite, ", ".join(wrong) or "as addon.json says")
    if spec.fixed and not spec.state:
        fixed = run_fixed(handle.runtime, name, spec, inputs, SIZES, RUBBISH)
        yield _near(f"{name}: rubbish in the padding", runtime, distance(fixed, outputs), CLOSE)
    if name in first:
        yield _near(f"{name}: as the runtime before", runtime, distance(outputs, first[name]), SAME)
    first.setdefault(name, outputs)


def _stack(addon: Addon, runtime: str, networks: Networks) -> Iterator[Check]:
    """The whole: chunks of any size, two streams, fixed shapes, nothing and one frame, its latency."""
    build = lambda chunk, shared=networks: build_layer(
        [addon], networks=shared, chunk_frames=chunk, frames_given=True
    )  # fmt: skip
    whole = build(512)
    inputs, other = made_up(whole.inputs), made_up(whole.inputs, seed=1)
    expected = whole.run(inputs)
    worst = max(distance(build(chunk).run(inputs), expected) for chunk in CHUNKS)
    yield _near(f"chunks of {', '.join(map(str, CHUNKS))}", runtime, worst, CLOSE)
    layer = build(7)
    yield _near("two streams at once", runtime, max(_interleaved(layer, inputs, other)), CLOSE)
    fixed = build(32, Networks([addon], runtime, shapes="fixed"))
    yield _near("fixed shapes", runtime, distance(fixed.run(inputs), expected), CLOSE)
    for name, sizes in (("one frame", ONE_FRAME), ("no frames", {**ONE_FRAME, "T": 0})):
        found = whole.run(made_up(whole.inputs, sizes))
        finite = all(np.isfinite(value).all() for value in found.values())
        size = {name: value.shape[-1] for name, value in found.items()}
        wanted = {int(sizes["T"] * whole.flow.rate / whole.setting.frame_rate)}
        if not any(port.name == "durations" or port.axes[-1] == "T" for port in whole.inputs.values()):
            wanted = {next(iter(size.values()))}  # of a text: the stack itself finds how long it is
        right = finite and set(size.values()) == wanted
        yield Check(name, runtime, right, f"{min(wanted)} steps" if right else f"gives {size}")
    seconds = float(whole.flow.latency)
    stated = abs(seconds - addon.config.latency) < 1e-4
    yield Check("latency", runtime, stated, f"{seconds:.4f} s; addon.json says {addon.config.latency:.4f}")


def _interleaved(layer: Layer, first: Tensors, second: Tensors) -> Iterator[float]:
    """How far two streams of one layer, read in turns, are from each alone."""
    streams = [layer.stream(first), layer.stream(second)]
    pieces: list[list[Tensors]] = [[], []]
    for _ in range(10_000):
        chunks = [stream.read(5) for stream in streams]
        for chunk, found in zip(chunks, pieces, strict=True):
            found.append(chunk)
        if not any(value.shape[-1] for chunk in chunks for value in chunk.values()):
            break
        if layer.flow.rate > 1000:  # samples: the rest in one go
            for stream, found in zip(streams, pieces, strict=True):
                found.append(stream.read_all())
            break
    for inputs, found in zip((first, second), pieces, strict=True):
        joined = {name: np.concatenate([piece[name] for piece in found], -1) for name in found[0]}
        yield distance(joined, layer.run(inputs))


def _near(name: str, runtime: str, distance: float, limit: float) -> Check:
    return Check(name, runtime, distance <= limit, f"differs by {distance:.1e} of full scale; {limit:.0e} at most")


def speed(runtime: str, seconds: float = 5.0) -> float:
    """How much faster than speech the shipped phone recogniser runs here, one thread; raises as `open_runtime`."""
    from prosody_transfer.store.weights import shipped

    addon = open_addon(shipped("recogniser").parent)
    handle = Networks([addon], runtime).handle("recogniser")
    assert addon.config.features is not None
    frames = round(seconds * addon.config.features.sample_rate / addon.config.features.hop_length)
    inputs = made_up(handle.spec.inputs, {**SIZES, "T": frames})
    handle.run(inputs)
    began = time.perf_counter()
    handle.run(inputs)
    return seconds / max(time.perf_counter() - began, 1e-6)
