"""What a listener said: the ratings of one session, checked one by one; what can't be used costs only itself."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prosody_transfer.evaluation.listening.design import Key, Page, Role

RATINGS_FORMAT = "ptx-ratings-1"
MOST_BYTES = 20_000_000  # of a file of ratings; a long session has 100 kB
NOT_A_SCORE = "not a number from 0 to 100"


class Rating(NamedTuple):
    """One position of one slider.

    Attributes:
        stimulus: Its opaque name.
        system, role: What that stands for.
        score: 0 to 100.
        seconds: Spent on the page until then; NaN if unknown.
        repeat: Given on a page that repeats another.
    """

    listener: str
    session: str
    page: str
    item: str
    aspect: str
    stimulus: str
    system: str
    role: Role
    score: float
    seconds: float
    repeat: bool


@dataclass(frozen=True)
class Session:
    """What one listener rated in one sitting. `started` is ISO 8601 or ""; `finished` False where it was broken off."""

    session: str
    listener: str
    ratings: tuple[Rating, ...]
    started: str = ""
    comments: dict[str, str] = field(default_factory=dict)
    finished: bool = True


class Problems:
    """What could not be used, a line for each kind of trouble and file: `place: what, where first, what was done`."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], str] = {}

    def add(self, place: str, problem: str) -> None:
        """One line."""
        self._lines.append(f"{printable(place)}: {printable(problem, 300)}")

    def count(self, place: str, kind: str, example: Any) -> None:
        """One of several of the same kind: they become one line with their number and the first of them."""
        self._counts[place, kind] += 1
        self._first.setdefault((place, kind), printable(repr(example), 60))

    def lines(self) -> list[str]:
        counted = []
        for (place, kind), n in self._counts.items():
            what = f"{n} rating{'s' * (n > 1)} {kind}, first {self._first[place, kind]}; left out"
            counted.append(f"{printable(place)}: {what}")
        return self._lines + counted


def printable(text: str, most: int = 120) -> str:
    """Text from a stranger, safe to print: control characters and lone surrogates are written out, and it is short.

    >>> printable("anna\\n\\x1b[2J")
    'anna\\\\n\\\\x1b[2J'
    """
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 3] + "..."


def read_session(data: bytes, key: Key, place: str, problems: Problems) -> Session | None:
    """The ratings of one session's file; what can't be used is told to `problems` and left out.

    Args:
        data: The file: JSON as `ptx listen serve` or the page's own save button writes it.
        key: Of the test that was rated.
        place: The file's name, for `problems`.

    Returns:
        None, and one line in `problems`, where nothing of it can be used.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        problems.add(place, f"is not JSON ({error}); left out")
        return None
    wrong = _refusal(found, key)
    if wrong:
        problems.add(place, f"{wrong}; left out")
        return None
    session = printable(found["session"])
    listener = printable(str(found.get("listener") or "").strip()) or session
    pages = {page.page: page for page in key.pages}
    ratings: dict[tuple[str, str, str], Rating] = {}
    for given in found["ratings"]:
        rating = _rating(given, key, pages, listener, session, place, problems)
        if rating is not None:
            ratings[rating.page, rating.aspect, rating.stimulus] = rating  # a slider moved twice: where it stayed
    said = found.get("comments")
    comments = {p: printable(c, 2000) for p, c in said.items() if isinstance(c, str) and c.strip() and p in pages} \
        if isinstance(said, dict) else {}  # fmt: skip
    started, finished = printable(str(found.get("started") or "")), bool(found.get("finished"))
    return Session(session, listener, tuple(ratings.values()), started, comments, finished)


def _refusal(found: Any, key: Key) -> str:
    """Why a file is not one session of this test; "" if it is."""
    if not isinstance(found, dict) or found.get("format") != RATINGS_FORMAT:
        return f"is not a session's ratings (no format {RATINGS_FORMAT!r})"
    if found.get("test") != key.test:
        return f"belongs to another test ({printable(repr(found.get('test')), 60)}, not {key.test!r})"
    if not isinstance(found.get("session"), str) or not found["session"]:
        return "names no session"
    if not isinstance(found.get("ratings"), list):
        return "holds no list of ratings"
    return ""


def _rating(
    given: Any, key: Key, pages: dict[str, Page], listener: str, session: str, place: str, problems: Problems
) -> Rating | None:
    """One entry of a session's list of ratings, if it makes sense."""
    fields = given if isinstance(given, dict) else {}
    page, aspect, name, score = (fields.get(field) for field in ("page", "aspect", "stimulus", "score"))
    if not isinstance(given, dict):
        problems.count(place, "not in the form of one", given)
    elif not isinstance(page, str) or page not in pages:
        problems.count(place, "of an unknown page", page)
    elif not isinstance(aspect, str) or aspect not in key.aspects:
        problems.count(place, "of an unknown aspect", aspect)
    elif not isinstance(name, str) or name not in pages[page].stimuli:
        problems.count(place, "of an unknown stimulus", name)
    elif (number := as_score(score)) is None:
        problems.count(place, NOT_A_SCORE, score)
    else:
        return make_rating(listener, session, pages[page], aspect, name, number, as_seconds(given.get("seconds")))
    return None


def make_rating(
    listener: str, session: str, page: Page, aspect: str, stimulus: str, score: float, seconds: float
) -> Rating:
    """A rating, its stimulus looked up on its page."""
    known = page.stimuli[stimulus]
    return Rating(
        listener, session, page.page, page.item, aspect, stimulus, known.system, known.role, score, seconds,
        page.repeat_of is not None,
    )  # fmt: skip


def as_score(value: Any) -> float | None:
    """A score, if it is a number from 0 to 100.

    >>> as_score(50), as_score(101), as_score("50"), as_score(True)
    (50.0, None, None, None)
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number and 0 <= value <= 100 else None


def as_seconds(value: Any) -> float:
    """A time, NaN where it is none."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number and 0 <= value < 1e7 else math.nan
