"""What a listening test shows: means with intervals, every pair of systems tested, effects, and what to trust."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.listening.comparisons import Comparison, compare
from prosody_transfer.evaluation.listening.cube import ROLE_ORDER, Cube, make_cube
from prosody_transfer.evaluation.listening.design import Role
from prosody_transfer.evaluation.listening.effects import Effect, effect
from prosody_transfer.evaluation.listening.panel import Panel
from prosody_transfer.evaluation.listening.ratings import Rating
from prosody_transfer.evaluation.listening.screening import Screening, screen
from prosody_transfer.evaluation.statistics import Interval, bootstrap

ALL_ASPECTS = "all aspects"  # their mean, for each listener and item
FEW_LISTENERS = 20  # BS.1534-3, 4.2: data from no more than 20 assessors are often sufficient


@dataclass(frozen=True)
class SystemScore:
    """One system: mean of its ratings with a 95 % bootstrap interval over listeners, and their median."""

    system: str
    role: Role
    mean: Interval
    median: float
    listeners: int
    items: int


@dataclass(frozen=True)
class Aspect:
    """Everything about one aspect."""

    name: str
    cube: Cube
    systems: tuple[SystemScore, ...]
    comparisons: tuple[Comparison, ...]
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Analysis:
    """Everything about a test. `notes` say what weakens it."""

    panel: Panel
    screening: Screening
    aspects: tuple[Aspect, ...]
    notes: tuple[str, ...]


def analyse(panel: Panel, *, baseline: str | None = None) -> Analysis:
    """Screen the listeners, then score, compare and measure every system, for each aspect and for their mean.

    Args:
        baseline: The system that effects are measured against. None: see `find_effects`.

    Raises:
        UsageError: Every listener is excluded, or there is no such baseline.
    """
    screening = screen(panel)
    kept = set(screening.kept)
    if not kept:
        reasons = "; ".join(f"{check.listener}: {check.reason}" for check in screening.excluded[:3])
        remedy = "look at their ratings; the rule is in docs/listening.md"
        raise UsageError(f"screening excluded every listener ({reasons})", place=panel.title, remedy=remedy)
    ratings = [r for r in panel.ratings if r.listener in kept and not r.repeat]
    names = {r.system for r in ratings}
    if baseline is not None and baseline not in names:
        raise UsageError(f"no system {baseline!r}", place="--baseline", remedy=f"known are {', '.join(sorted(names))}")
    cubes = {aspect: make_cube([r for r in ratings if r.aspect == aspect]) for aspect in panel.aspects}
    cubes = {aspect: cube for aspect, cube in cubes.items() if cube.scores.size}
    if len(cubes) > 1:
        cubes = {ALL_ASPECTS: make_cube(_whole(ratings, len(cubes))), **cubes}
    comparisons = compare(list(cubes.values()))
    aspects = tuple(
        Aspect(name, cube, score_systems(cube), found, find_effects(cube, baseline))
        for (name, cube), found in zip(cubes.items(), comparisons, strict=True)
    )
    return Analysis(panel, screening, aspects, tuple(_notes(panel, screening, aspects)))


def _whole(ratings: list[Rating], aspects: int) -> list[Rating]:
    """Ratings of what its listener rated in every aspect: a mean over fewer would be of something else."""
    different = {(r.listener, r.item, r.system, r.aspect) for r in ratings}
    rated = Counter(place[:3] for place in different)
    return [r for r in ratings if rated[r.listener, r.item, r.system] == aspects]


def score_systems(cube: Cube) -> tuple[SystemScore, ...]:
    """Mean, interval and median of each system."""
    found = []
    for k, (name, role) in enumerate(zip(cube.systems, cube.roles, strict=True)):
        rated = np.isfinite(cube.scores[..., k])
        values = cube.scores[..., k][rated]
        mean = bootstrap(values, np.nonzero(rated)[0])  # type: ignore[arg-type]
        counts = int(rated.any(1).sum()), int(rated.any(0).sum())
        found.append(SystemScore(name, role, mean, float(np.median(values)), *counts))
    return tuple(found)


def find_effects(cube: Cube, baseline: str | None = None) -> tuple[Effect, ...]:
    """Systems against `baseline`; without one, each system against every system and anchor with a lower mean.

    Gap closure is towards the hidden reference, or the natural recording where there is none.
    """
    top = next((k for role in ROLE_ORDER[:2] for k, found in enumerate(cube.roles) if found == role), None)
    nothing = np.full(cube.scores.shape[:2], np.nan)
    found = []
    for s, b in itertools.permutations(range(len(cube.systems)), 2):
        difference = cube.scores[..., s] - cube.scores[..., b]
        difference = difference[np.isfinite(difference)]
        if cube.roles[s] != "system" or not difference.size:
            continue
        lower = cube.roles[b] in ("system", "anchor") and (difference.mean(), b) > (0.0, s)
        if not (cube.systems[b] == baseline if baseline else lower):
            continue
        reference = top if top not in (s, b) else None
        third = nothing if reference is None else cube.scores[..., reference]
        names = cube.systems[s], cube.systems[b], "" if reference is None else cube.systems[reference]
        found.append(effect(np.stack([cube.scores[..., s], cube.scores[..., b], third], -1), names))
    return tuple(found)


def _notes(panel: Panel, screening: Screening, aspects: tuple[Aspect, ...]) -> list[str]:
    notes = []
    listeners, items = len(screening.kept), max((len(aspect.cube.items) for aspect in aspects), default=0)
    if listeners < FEW_LISTENERS:
        counted = f"{listeners} listener{'s' * (listeners != 1)}"
        notes.append(f"{counted}: ITU-R BS.1534-3, 4.2, says that {FEW_LISTENERS} are often sufficient.")
    if listeners < 2 or items < 2:
        notes.append("No verdicts: at least two listeners and two items are needed, and many more to find anything.")
    if 3 * len(screening.excluded) > len(screening.listeners):
        notes.append("Over a third of the listeners were excluded: the task may have been unclear.")
    return notes
