"""Ratings in rows and columns: listeners by items by systems."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prosody_transfer.evaluation.listening.design import Role
from prosody_transfer.evaluation.listening.ratings import Rating

ROLE_ORDER: tuple[Role, ...] = ("reference", "natural", "system", "anchor")


@dataclass(frozen=True)
class Cube:
    """Ratings of one aspect: `scores` (L, I, S), NaN where there is none; repeated pages are not in it."""

    listeners: tuple[str, ...]
    items: tuple[str, ...]
    systems: tuple[str, ...]
    roles: tuple[Role, ...]
    scores: np.ndarray


def make_cube(ratings: Sequence[Rating]) -> Cube:
    """Ratings in rows and columns: systems by role and name; several ratings of a cell are averaged.

    Names are in the order that people expect: "item 9" before "item 10".
    """
    listeners = tuple(sorted({r.listener for r in ratings}, key=_natural))
    items = tuple(sorted({r.item for r in ratings}, key=_natural))
    roles: dict[str, Role] = {}
    for r in ratings:
        roles.setdefault(r.system, r.role)
    systems = tuple(sorted(roles, key=lambda name: (ROLE_ORDER.index(roles[name]), _natural(name))))
    shape = len(listeners), len(items), len(systems)
    sums, counts = np.zeros(shape), np.zeros(shape)
    at = tuple({name: i for i, name in enumerate(names)} for names in (listeners, items, systems))
    for r in ratings:
        cell = at[0][r.listener], at[1][r.item], at[2][r.system]
        sums[cell] += r.score
        counts[cell] += 1
    scores = np.divide(sums, counts, out=np.full(shape, np.nan), where=counts > 0)
    return Cube(listeners, items, systems, tuple(roles[name] for name in systems), scores)


def _natural(name: str) -> tuple[tuple[str, int, str], ...]:
    """
    >>> sorted(["item 10", "item 9", "Item 1"], key=_natural)
    ['Item 1', 'item 9', 'item 10']
    """
    parts = re.findall(r"([^0-9]*)([0-9]*)", name)
    return (*((text.lower(), int(digits or -1), "") for text, digits in parts), ("", -1, name))
