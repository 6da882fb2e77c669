"""What a listener's browser sends: checked against the key, and kept as results/SESSION.json."""

from __future__ import annotations

import re
import threading
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec

from prosody_transfer.core.atomic import remove_leftovers, write_atomically
from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import RECORD_BYTES, read_bytes
from prosody_transfer.evaluation.listening.design import Key

FORMAT = "ptx-ratings-1"
MOST_BYTES = 2_000_000
MOST_SESSIONS = 10_000
LONGEST_NAME, LONGEST_COMMENT = 80, 2000
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Rating(Config):
    """One slider.

    Attributes:
        score: 0 to 100.
        seconds: Spent on the page until it was set; pauses in which the page was hidden are not counted.
    """

    page: str
    aspect: str
    stimulus: str
    score: Annotated[int, msgspec.Meta(ge=0, le=100)]
    seconds: Annotated[float, msgspec.Meta(ge=0, le=1e7)]


class Session(Config, omit_defaults=True):
    """One listener's ratings so far; `started` and `finished` are ISO 8601, `finished` None while it goes on.

    `revision` counts the changes, in its browser; 0 where they are not counted.
    """

    format: Literal["ptx-ratings-1"]
    test: str
    session: str
    listener: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
    started: str
    finished: str | None
    ratings: list[Rating]
    comments: dict[str, Annotated[str, msgspec.Meta(max_length=LONGEST_COMMENT)]]
    revision: Annotated[int, msgspec.Meta(ge=0, lt=10**12)] = 0


class Kept(NamedTuple):
    """What is on the disk now: its revision, and whether it is the very session that was to be kept."""

    saved: bool
    revision: int


class SessionFiles:
    """The sessions of one test, each in results/SESSION.json; several threads may use it.

    The revision lies in the file, with what it is the revision of: neither is there without the other, whenever the
    server is killed.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        remove_leftovers(self.folder / "results")
        self._names = self.names()
        self._counting = threading.Lock()
        self._locks = [threading.Lock() for _ in range(64)]  # so that few sessions wait for each other

    def names(self) -> set[str]:
        """Of all that are on the disk."""
        return {path.name for path in (self.folder / "results").glob("*.json")}

    def keep(self, session: Session) -> Kept:
        """Write a session that has been parsed, unless a later revision is there, or another of the same number.

        Changes that are not counted (revision 0) replace each other.

        Raises:
            UsageError: There are too many.
            OutputError: It can't be written.
        """
        with self._locks[hash(session.session) % len(self._locks)]:
            stored = self._stored(session.session)
            if stored is None:
                self._count(f"{session.session}.json")
            elif stored == session:  # sent again: the answer was lost
                return Kept(True, stored.revision)
            elif stored.revision and stored.revision >= session.revision:
                return Kept(False, stored.revision)
            save_session(self.folder, session)
        return Kept(True, session.revision)

    def _stored(self, session: str) -> Session | None:
        """What is on the disk; None where that is nothing, or is none."""
        try:
            data = read_bytes(self.folder / "results" / f"{session}.json", RECORD_BYTES, UsageError)
            return msgspec.json.decode(data, type=Session)
        except (UsageError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # what is damaged is replaced: every revision is whole

    def _count(self, name: str) -> None:
        with self._counting:
            if len(self._names) >= MOST_SESSIONS:
                self._names = self.names()  # some may have been taken away
            if name not in self._names and len(self._names) >= MOST_SESSIONS:
                raise UsageError(f"are of more than {MOST_SESSIONS} sessions", place="ratings")
            self._names.add(name)


def parse_session(data: bytes, key: Key, revision: int | None = None) -> Session:
    """Check what came in; nothing of it is trusted.

    Args:
        revision: Replaces the document's own.

    Raises:
        UsageError: It is too long, is not such a document, is of another test, or rates what is not in the key.
    """
    if len(data) > MOST_BYTES:
        raise _refusal(f"are {len(data)} bytes, over {MOST_BYTES}")
    try:
        session = msgspec.json.decode(data, type=Session)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(f"are not in the format {FORMAT}: {error}") from None
    if session.test != key.test:
        raise _refusal(f"are of the test {session.test[:64]!r}, not of {key.test!r}")
    if not _UUID.fullmatch(session.session):
        raise _refusal("have no session number")
    if not session.listener.isprintable() or not session.listener.strip():
        raise _refusal("have no listener's name that can be printed")
    for moment in (session.started, session.finished):
        if moment is not None and not _is_moment(moment):
            raise _refusal("have a time that is none")
    _check_ratings(session, key)
    if revision is None:
        return session
    return msgspec.structs.replace(session, revision=revision)  # type: ignore[type-var]


def save_session(folder: str | Path, session: Session) -> Path:
    """Write results/SESSION.json under a listening folder, whole or not at all; the session must have been parsed.

    Raises:
        OutputError: It can't be written.
    """
    path = Path(folder) / "results" / f"{session.session}.json"
    write_atomically(path, msgspec.json.format(msgspec.json.encode(session), indent=1) + b"\n", folder=True)
    return path


def _check_ratings(session: Session, key: Key) -> None:
    pages = {page.page: page for page in key.pages}
    seen = set()
    for rating in session.ratings:
        what = (rating.page, rating.aspect, rating.stimulus)
        page = pages.get(rating.page)
        if page is None or rating.stimulus not in page.stimuli or rating.aspect not in key.aspects:
            raise _refusal("rate what is not in this test")
        if what in seen:
            raise _refusal("rate a stimulus twice")
        seen.add(what)
    if not set(session.comments) <= set(pages):
        raise _refusal("comment on a page that is not in this test")


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) <= 40


def _refusal(problem: str) -> UsageError:
    return UsageError(problem, place="ratings", remedy="nothing was written")
