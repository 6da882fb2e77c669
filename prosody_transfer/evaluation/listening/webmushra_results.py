"""Results as webMUSHRA writes them (`mushra.csv`), in both directions; see `webmushra` for its configuration."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable

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

REFERENCE = "reference"  # webMUSHRA's own name of the hidden reference, which it adds to every trial by itself
ANCHORS = ("anchor35", "anchor70")  # of those that it can make
BEFORE, AFTER = "session_test_id", ("trial_id", "rating_stimulus", "rating_score", "rating_time", "rating_comment")
SESSION = "session_uuid"  # older versions have no such column
LISTENER_COLUMNS = ("listener", "name", "participant", "email")


def write_results(test: str, ratings: Iterable[Rating], comments: Iterable[tuple[str, str, str]] = ()) -> str:
    """Ratings as webMUSHRA's `mushra.csv`: a row a rating, conditions by their systems' names, times in milliseconds.

    Args:
        test: Its id.
        comments: (listener, page, text).
    """
    said = {(listener, page): text for listener, page, text in comments}
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([BEFORE, "listener", SESSION, *AFTER])
    for r in ratings:
        time = "" if math.isnan(r.seconds) else round(r.seconds * 1000)
        name = REFERENCE if r.role == "reference" else r.system
        comment = said.get((r.listener, r.page), "")
        row = [test, r.listener, r.session, trial_id(r.page, r.aspect), name, f"{r.score:.12g}", time, comment]
        writer.writerow(row)
    return buffer.getvalue()


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
    head, names = rows[0][1], _columns(rows[0][1])
    if names is None:
        columns = ", ".join((BEFORE, *AFTER[:4]))
        problems.add(place, f"is not webMUSHRA's results (a listener's column, {columns} are needed); left out")
        return []
    known = {trial_id(page.page, aspect): (page, aspect) for page in key.pages for aspect in key.aspects} if key else {}
    ratings: dict[tuple[str, str], dict[tuple[str, str, str], Rating]] = {}
    comments: dict[tuple[str, str], dict[str, str]] = {}
    for line, row in rows[1:]:
        if row == head:  # files put one after the other
            continue
        if len(row) != len(head):
            problems.count(place, f"with more or fewer than {len(head)} columns", f"line {line}")
            continue
        fields = dict(zip(head, row, strict=True))
        if key is not None and fields[BEFORE] != key.test:
            problems.count(place, "of another test", fields[BEFORE])
            continue
        who = _who(fields, names)
        rating = _rating(fields, who, key, known, place, problems)
        if rating is not None:
            ratings.setdefault(who, {})[rating.page, rating.aspect, rating.stimulus] = rating
            said = fields.get(AFTER[4], "").strip()
            if said:
                comments.setdefault(who, {}).setdefault(rating.page, printable(said, 2000))
    return [Session(who[1], who[0], tuple(found.values()), "", comments.get(who, {})) for who, found in ratings.items()]


def _rows(data: bytes, place: str, problems: Problems) -> list[tuple[int, list[str]]]:
    """(line number, cells); a comma or a semicolon stands between cells."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.add(place, "is not UTF-8 text; left out")
        return []
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if row:
                rows.append((reader.line_num, row))
    except csv.Error as error:
        problems.add(place, f"is broken from line {reader.line_num} on ({error}); what stands before is used")
    if not rows:
        problems.add(place, "is empty; left out")
    return rows


def _columns(head: list[str]) -> tuple[str, ...] | None:
    """The columns that together say who the listener is; None where the table is not webMUSHRA's."""
    if BEFORE not in head or not set(AFTER) - {AFTER[4]} <= set(head) or len(set(head)) != len(head):
        return None
    asked = [name for name in head if name not in (BEFORE, SESSION, *AFTER)]
    named = [name for wanted in LISTENER_COLUMNS for name in asked if name.lower() == wanted]
    return tuple(named[:1] or asked) or ((SESSION,) if SESSION in head else None)


def _who(fields: dict[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    """(listener, session) of a row; each stands for the other where one is missing."""
    listener = printable(" ".join(fields[name].strip() for name in names).strip())
    session = printable(fields.get(SESSION, "").strip())
    return listener or session, session or listener


def _rating(
    fields: dict[str, str], who: tuple[str, str], key: Key | None, known: dict[str, tuple[Page, str]], place: str,
    problems: Problems,
) -> Rating | None:  # fmt: skip
    """A row, if it makes sense."""
    trial, name, given, time = (fields[column].strip() for column in AFTER[:4])
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
    try:
        return float(text)
    except ValueError:
        return None
