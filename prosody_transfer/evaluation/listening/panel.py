"""All ratings of a listening test together: every file that is there, each checked, none fatal for the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import read_bytes
from prosody_transfer.evaluation.listening.design import OVERALL, Key, read_key
from prosody_transfer.evaluation.listening.ratings import (
    MOST_BYTES,
    Problems,
    Rating,
    Session,
    printable,
    read_session,
)
from prosody_transfer.evaluation.listening.webmushra_results import read_results

PLAIN_NAME = re.compile(r"[\w(][\w .,()@+~-]{0,150}\.(json|csv)", re.IGNORECASE)


@dataclass(frozen=True)
class Panel:
    """What a panel of listeners rated.

    Attributes:
        test, kind, title: Of the test; kind is "naturalness", "similarity", "prosody", or "" if it is not known.
        reference: A true hidden reference is among the stimuli.
        aspects: What was rated, in the order of the test.
        ratings: One for each listener, page, aspect and stimulus.
        comments: (listener, page, text).
        problems: What was left out or is incomplete, a line each.
        failed: Files of which nothing could be used.
    """

    test: str
    kind: str
    title: str
    reference: bool
    aspects: tuple[str, ...]
    ratings: tuple[Rating, ...]
    comments: tuple[tuple[str, str, str], ...] = ()
    problems: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def read_panel(path: str | Path) -> Panel:
    """The ratings of a test.

    Args:
        path: A folder of results (key.json lies beside it), the listening folder itself, one session's .json, or a
            results .csv of webMUSHRA. Without a key.json, a .csv is read with its conditions as the systems.

    Raises:
        UsageError: There is no such path, no key where one is needed, or no rating that can be used.
    """
    path = Path(path)
    files, key = _files(path), find_key(path)
    if key is None and any(file.suffix.lower() == ".json" for file in files):
        remedy = "give the results folder inside the folder that ptx listen build made"
        raise UsageError("there is no key.json beside it", place=str(path), remedy=remedy)
    problems, sessions, failed = Problems(), [], []
    for file in files:
        place = printable(file.name)
        found = list(_read(file, key, place, problems))
        sessions += [(session, place) for session in found]
        if not any(session.ratings for session in found):
            failed.append(place)
    kept = _once(sessions, problems)
    ratings = _merge(kept, problems)
    if not ratings:
        lines = problems.lines()
        problem = f"no ratings that can be used in {len(files)} file{'s' * (len(files) != 1)}"
        raise UsageError(problem + (f" ({lines[0]})" if lines else ""), place=str(path), remedy="check the folder")
    comments = [(s.listener, page, text) for s in kept for page, text in s.comments.items()]
    return Panel(*_facts(key, ratings), tuple(ratings), tuple(comments), tuple(problems.lines()), tuple(failed))


def find_key(path: Path) -> Key | None:
    """The key of the test that a folder or file of results belongs to; None where there is none.

    Raises:
        UsageError: There is one that can't be read.
    """
    near = path if path.is_dir() else path.parent
    for folder in (near, near.parent):
        if os.path.lexists(folder / "key.json"):
            return read_key(folder)
    return None


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise UsageError("there is no such file or folder", place=str(path), remedy="check the path")
    if not path.is_dir():
        return [path]
    folder = path / "results" if (path / "key.json").exists() else path
    try:
        names = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", place=str(folder), remedy="check the path") from None
    return [file for file in names if file.suffix.lower() in (".json", ".csv") and not file.name.startswith(".")]


def _read(file: Path, key: Key | None, place: str, problems: Problems) -> Iterator[Session]:
    """The sessions in a file."""
    if not PLAIN_NAME.fullmatch(file.name):
        problems.add(place, "is not a name that a session is saved under; left out (rename it to use it)")
        return
    try:
        if not file.is_file():  # a pipe would never end
            problems.add(place, "is not a file; left out")
            return
        if file.stat().st_size > MOST_BYTES:
            problems.add(place, f"is larger than {MOST_BYTES // 1_000_000} MB; left out")
            return
        data = read_bytes(file, MOST_BYTES, UsageError)
    except (OSError, UsageError) as error:
        problems.add(place, f"cannot be read ({getattr(error, 'strerror', error)}); left out")
        return
    if file.suffix.lower() == ".csv":
        yield from read_results(data, key, place, problems)
    elif key is not None:
        session = read_session(data, key, place, problems)
        if session is not None:
            yield session


def _once(sessions: list[tuple[Session, str]], problems: Problems) -> list[Session]:
    """Each session once: of copies the fullest. Says which are incomplete."""
    best: dict[str, tuple[Session, str]] = {}
    for session, place in sessions:
        known = best.get(session.session)
        if known is None:
            best[session.session] = session, place
            continue
        fuller = len(session.ratings) > len(known[0].ratings)
        if fuller:
            best[session.session] = session, place
        used, left = (place, known[1]) if fuller else (known[1], place)
        problems.add(left, f"holds the session {session.session!r} of {used} again; the fuller one is used")
    for session, place in best.values():
        if not session.finished:
            n = len(session.ratings)
            used = f"{n} rating{'s' * (n != 1)}" + (", used" if n else "")
            problems.add(place, f"the session of {session.listener!r} was not finished ({used})")
    return [session for session, _ in best.values()]


def _merge(sessions: list[Session], problems: Problems) -> list[Rating]:
    """All ratings; where one listener rated a stimulus in several sessions, the latest counts."""
    ratings: dict[tuple[str, str, str, str], Rating] = {}
    again: dict[str, set[tuple[str, ...]]] = {}
    for session in sorted(sessions, key=lambda s: s.started):
        for rating in session.ratings:
            place = (rating.listener, rating.page, rating.aspect, rating.stimulus)
            if place in ratings:
                again.setdefault(rating.listener, set()).add(place)
            ratings[place] = rating
    for listener, places in again.items():
        n = len(places)
        what = f"rated {n} stimul{'us' if n == 1 else 'i'} in more than one session; the latest counts"
        problems.add(f"listener {listener!r}", what)
    return list(ratings.values())


def _facts(key: Key | None, ratings: list[Rating]) -> tuple[str, str, str, bool, tuple[str, ...]]:
    """Test, kind, title, whether there is a hidden reference, and aspects."""
    hidden = any(rating.role == "reference" for rating in ratings)
    if key is not None:
        return key.test, key.kind, key.title or key.test, key.reference and hidden, key.aspects
    return "", "", "webMUSHRA results", hidden, OVERALL
