"""Results as webMUSHRA writes them (`mushra.csv`), in both directions; see `webmushra` for its configuration."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable

from prosody_transfer.core.keys import fold, name_key
from prosody_transfer.core.tables import Figure, csv_text, text_of
from prosody_transfer.evaluation.listening.design import OVERALL, Key, Page, Role, Stimulus
from prosody_transfer.evaluation.listening.ratings import (
    NOT_A_SCORE,
    Problems,
    Rating,
    Session,
    as_score,
    as_seconds,
    make_rating,
    printable,
)
from prosody_transfer.evaluation.listening.webmushra import hidden_reference, trial_id
from prosody_transfer.text.encoding import decode

REFERENCE = "reference"  # webMUSHRA's own name of the hidden reference, which it adds to every trial by itself
ANCHORS = ("anchor35", "anchor70")  # of those that it can make
BEFORE, AFTER = "session_test_id", ("trial_id", "rating_stimulus", "rating_score", "rating_time", "rating_comment")
SESSION = "session_uuid"  # older versions have no such column
NEEDED = (BEFORE, *AFTER[:3])  # what some versions lack beside: the time and the comment
# Columns that say who somebody is, the surest first; compared without case and marks. Age and gender do not say it.
LISTENER_COLUMNS = (
    "listener", "listenerid", "participant", "participantid", "subject", "subjectid", "userid", "workerid",
    "prolificpid", "email", "emailaddress", "mail", "username", "user", "name",
)  # fmt: skip
NO_NAMES = ("", "-", "--", ".", "?", "x", "none", "no", "na", "n/a", "anon", "anonymous", "anonym", "null", "undefined")


def write_results(test: str, ratings: Iterable[Rating], comments: Iterable[tuple[str, str, str]] = ()) -> str:
    """Ratings as webMUSHRA's `mushra.csv`: a row a rating, conditions by their systems' names, times in milliseconds.

    Args:
        test: Its id.
        comments: (listener, page, text).
    """
    said = {(listener, page): text for listener, page, text in comments}
    rows: list[list[object]] = [[BEFORE, "listener", SESSION, *AFTER]]
    for r in ratings:
        time = None if math.isnan(r.seconds) else round(r.seconds * 1000)
        name = REFERENCE if r.role == "reference" else r.system
        comment = said.get((r.listener, r.page), "")
        score = Figure(f"{r.score:.12g}")
        rows.append([test, r.listener, r.session, trial_id(r.page, r.aspect), name, score, time, comment])
    return csv_text(rows)


def read_results(data: bytes, key: Key | None, place: str, problems: Problems) -> list[Session]:
    """The sessions in webMUSHRA's `mushra.csv`; rows that can't be used are told to `problems`.

    Args:
        data: The file.
        key: Of the test that `write_config` was given: trials are looked up there, and conditions by their opaque or
            their systems' names. None: the trials are the items, the conditions the systems.
        place: The file's name, for `problems`.
    """
    rows = _rows(data, place, problems)
    if not rows:
        return []
    head, people = rows[0][1], People.of(rows[0][1])
    if people is None:
        columns = ", ".join(NEEDED)
        problems.add(place, f"is not webMUSHRA's results (a listener's column, {columns} are needed); left out")
        return []
    known = {trial_id(page.page, aspect): (page, aspect) for page in key.pages for aspect in key.aspects} if key else {}
    ratings: dict[tuple[str, str], dict[tuple[str, str, str], Rating]] = {}
    comments: dict[tuple[str, str], dict[str, str]] = {}
    for line, row in rows[1:]:
        if row == head:  # files put one after the other
            continue
        if len(row) == len(head) - 1 and head[-1] == AFTER[4]:  # an empty comment, which some programs drop
            row = [*row, ""]
        if len(row) != len(head):
            problems.count(place, f"with more or fewer than {len(head)} columns", f"line {line}")
            continue
        fields = dict(zip(head, row, strict=True))
        if key is not None and fields[BEFORE] != key.test:
            problems.count(place, "of another test", fields[BEFORE])
            continue
        who = people.who(fields)
        rating = _rating(fields, who, key, known, place, problems)
        if rating is not None:
            ratings.setdefault(who, {})[rating.page, rating.aspect, rating.stimulus] = rating
            said = fields.get(AFTER[4], "").strip()
            if said:
                comments.setdefault(who, {}).setdefault(rating.page, printable(said, 2000))
    return [Session(who[1], who[0], tuple(found.values()), "", comments.get(who, {})) for who, found in ratings.items()]


def _rows(data: bytes, place: str, problems: Problems) -> list[tuple[int, list[str]]]:
    """(line number, cells), the heading's without blanks; a comma, a semicolon or a tab stands between cells."""
    text = decode(data)
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    rows: list[tuple[int, list[str]]] = []
    head: list[str] = []
    try:
        for row in reader:
            plain = [cell.strip("\ufeff \t").strip('"') for cell in row]
            head = head or plain
            if any(row) or not rows:
                again = plain == head  # files put one after the other
                rows.append((reader.line_num, head if again else [text_of(cell) for cell in row]))
    except csv.Error as error:
        problems.add(place, f"is broken from line {reader.line_num} on ({error}); what stands before is used")
    if not rows:
        problems.add(place, "is empty; left out")
    return rows


class People:
    """Who gave a row's rating: the name that they gave; else the session, which webMUSHRA numbers by itself.

    Where neither is there, all that was asked stands for the listener, and who rates the same again with other scores
    is another: webMUSHRA writes a session's rows together.

    Args:
        named: Columns of names, the surest first.
        asked: Whatever else was asked.
    """

    def __init__(self, named: tuple[str, ...], asked: tuple[str, ...]) -> None:
        self.named, self.asked = named, asked
        self._numbers: dict[str, int] = {}
        self._rated: dict[str, dict[tuple[str, str], str]] = {}

    @classmethod
    def of(cls, head: list[str]) -> People | None:
        """None where the table is not webMUSHRA's."""
        if not set(NEEDED) <= set(head) or len(set(head)) != len(head):
            return None
        asked = tuple(name for name in head if name not in (BEFORE, SESSION, *AFTER))
        key = lambda name: "".join(c for c in fold(name) if c.isalnum())
        named = tuple(name for wanted in LISTENER_COLUMNS for name in asked if key(name) == wanted)
        return cls(named, asked) if asked or SESSION in head else None

    def who(self, fields: dict[str, str]) -> tuple[str, str]:
        """(listener, session) of a row; each stands for the other where one is missing; ("", "") for nobody."""
        session = printable(fields.get(SESSION, "").strip())
        said = {name: fields[name].strip() for name in self.named or self.asked}
        named = (said[name] for name in self.named if name == "listener" or name_key(said[name]) not in NO_NAMES)
        listener = printable(next(filter(None, named), ""))
        if not listener and not session:
            listener = self._told_apart(printable(" ".join(said.values()).strip()), fields)
        return listener or session, session or listener

    def _told_apart(self, answers: str, fields: dict[str, str]) -> str:
        place, score = (fields[AFTER[0]], fields[AFTER[1]]), fields[AFTER[2]]
        rated = self._rated.setdefault(answers, {})
        if rated.get(place, score) != score:
            rated.clear()
            self._numbers[answers] = self._numbers.get(answers, 1) + 1
        rated[place] = score
        number = self._numbers.get(answers, 1)
        return answers if number == 1 or not answers else f"{answers} ({number})"


def _rating(
    fields: dict[str, str], who: tuple[str, str], key: Key | None, known: dict[str, tuple[Page, str]], place: str,
    problems: Problems,
) -> Rating | None:  # fmt: skip
    """A row, if it makes sense."""
    trial, name, given, time = (fields.get(column, "").strip() for column in AFTER[:4])
    score = as_score(_number(given))
    if not who[0]:
        problems.count(place, "of nobody", trial)
        return None
    if key is None:
        trial, name = printable(trial), printable(name)
        role: Role = "reference" if name == REFERENCE else "anchor" if name in ANCHORS else "system"
        page, aspect = Page(page=trial, item=trial, stimuli={name: Stimulus(system=name, role=role)}), OVERALL[0]
    elif trial in known:
        page, aspect = known[trial]
        hidden = hidden_reference(page)
        systems = {stimulus.system: opaque for opaque, stimulus in page.stimuli.items()}
        name = name if name in page.stimuli else hidden if name == REFERENCE and hidden else systems.get(name, name)
    else:
        problems.count(place, "of an unknown page", trial)
        return None
    if name not in page.stimuli:
        problems.count(place, "of an unknown stimulus", name)
    elif score is None:
        problems.count(place, NOT_A_SCORE, given)
    else:
        seconds = as_seconds(_number(time)) / 1000
        return make_rating(*who, page, aspect, name, score, seconds)
    return None


def _number(text: str) -> float | None:
    """Also with a decimal comma, which goes with semicolons between cells."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
