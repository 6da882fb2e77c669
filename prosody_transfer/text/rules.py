"""What a rule for reading is, and how the readings of parts make those of a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeVar

Choice = TypeVar("Choice")
MOST = 8  # readings of one token
_END = r"(?=[\"'()\[\]{}<>*_~».,;:!?|\\^]*(?:\s|$))"


@dataclass(frozen=True)
class Context:
    """What stands around.

    Attributes:
        before, after: The words beside it, without punctuation.
        lead, rest: The line before it and after it, cut.
        shouted: All is in capitals.
        quoted: An odd number of quotation marks stands before it.
    """

    before: str = ""
    after: str = ""
    lead: str = ""
    rest: str = ""
    shouted: bool = False
    quoted: bool = False


@dataclass(frozen=True)
class Rule:
    """A written shape and what speakers make of it.

    Attributes:
        name: Of its kind, for tests and messages.
        pattern: Matched where a token begins; it must end where one ends.
        say: The readings, likeliest first, as words with blanks between them; none where the shape means something
            else. A "|" parts what belongs to the written tokens, where there are as many parts as tokens.
    """

    name: str
    pattern: re.Pattern[str]
    say: Callable[[re.Match[str], Context], Sequence[str]]


def rule(
    name: str, pattern: str, say: Callable[[re.Match[str], Context], Sequence[str]], *, case: bool = False
) -> Rule:
    """A rule whose pattern ends at a token's end; capitals count only with `case`."""
    return Rule(name, re.compile(f"(?:{pattern}){_END}", 0 if case else re.IGNORECASE), say)


def distinct(readings: Iterable[str], most: int = MOST) -> list[str]:
    """Without doubles and empty ones, the first `most`.

    >>> distinct(["one  two", "", "one two", "three"])
    ['one two', 'three']
    """
    return list(dict.fromkeys(" ".join(r.split()) for r in readings if r.strip()))[:most]


def combine(*parts: Sequence[str], most: int = MOST) -> list[str]:
    """One of each part in order, those of the likeliest parts first.

    >>> combine(["a", "b"], ["c", "d"])
    ['a c', 'a d', 'b c', 'b d']
    """
    return distinct((" ".join(p for p in picked if p) for picked in products(parts, 3 * most)), most)


def products(parts: Sequence[Sequence[Choice]], most: int) -> list[tuple[Choice, ...]]:
    """The first `most` choices of one from each part, in the order of the sum of their ranks."""
    if not all(parts):
        return []
    heap: list[tuple[int, tuple[int, ...]]] = [(0, (0,) * len(parts))]
    seen = {heap[0][1]}
    found: list[tuple[Choice, ...]] = []
    varied = [i for i, part in enumerate(parts) if len(part) > 1][-most:]  # the last ones' second choices fill them
    while heap and len(found) < most:
        cost, ranks = heappop(heap)
        found.append(tuple(part[r] for part, r in zip(parts, ranks, strict=True)))
        for i in varied:
            if ranks[i] + 1 < len(parts[i]):
                following = (*ranks[:i], ranks[i] + 1, *ranks[i + 1 :])
                if following not in seen:
                    seen.add(following)
                    heappush(heap, (cost + 1, following))
    return found
