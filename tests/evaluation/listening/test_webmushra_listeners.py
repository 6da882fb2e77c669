"""Who rated: names, sessions, or neither, in tables as programs and spreadsheets leave them."""

from __future__ import annotations

import csv
import io

import pytest

from prosody_transfer.evaluation.listening.ratings import Problems
from prosody_transfer.evaluation.listening.webmushra_results import read_results

TAIL = ["trial_id", "rating_stimulus", "rating_score", "rating_time", "rating_comment"]


def table(people: list[dict[str, str]], *, mark: str = ",", left_out: tuple[str, ...] = (), comment: str = "") -> str:
    """A table in which everybody rates two stimuli of two trials; the n-th gives scores that are n lower."""
    head = [k for k in ("session_test_id", *people[0], *TAIL) if k not in left_out]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=mark, lineterminator="\n")
    writer.writerow(head)
    for n, person in enumerate(people):
        for trial in ("t1", "t2"):
            for stimulus, score in (("reference", 98 - n), ("A", 70 - n)):
                given = dict(zip(TAIL, (trial, stimulus, score, 9000, comment), strict=True))
                row = {"session_test_id": "x", **person, **given}
                writer.writerow([row[k] for k in head])
    return out.getvalue()


def listeners(text: str | bytes) -> tuple[list[str], list[str]]:
    """Listeners, each once, all with four ratings; and the problems."""
    problems = Problems()
    sessions = read_results(text.encode() if isinstance(text, str) else text, None, "mushra.csv", problems)
    assert all(len(session.ratings) == 4 for session in sessions), [len(s.ratings) for s in sessions]
    return [session.listener for session in sessions], problems.lines()


SAME = {"age": "25", "gender": "male"}


def test_anonymous_sessions_are_told_apart_by_their_number():
    people = [{**SAME, "session_uuid": f"uuid-{n}"} for n in range(6)]
    assert listeners(table(people)) == ([f"uuid-{n}" for n in range(6)], [])


def test_without_a_number_who_rates_the_same_again_is_another():
    assert listeners(table([SAME] * 3)) == (["25 male", "25 male (2)", "25 male (3)"], [])
    mixed = [SAME, {"age": "31", "gender": "female"}, SAME]
    assert listeners(table(mixed))[0] == ["25 male", "31 female", "25 male (2)"]
    once = table([SAME])
    assert listeners(once + once)[0] == ["25 male"], "a table that was put behind itself is nobody new"


@pytest.mark.parametrize("nothing", ["", " ", "-", "anonymous", "N/A", "None", "Anon"])
def test_an_address_that_is_none_gives_way_to_the_session(nothing):
    people = [{"email": nothing, "session_uuid": f"u{n}"} for n in range(3)]
    assert listeners(table(people))[0] == ["u0", "u1", "u2"]
    one = [{"email": "anna@b.c", "session_uuid": "u8"}, *people[:1]]
    assert listeners(table(one))[0] == ["anna@b.c", "u0"]


def test_an_address_is_surer_than_a_name():
    people = [{"name": "Anna", "e-mail": f"{n}@b.c", "session_uuid": f"u{n}"} for n in range(2)]
    assert listeners(table(people))[0] == ["0@b.c", "1@b.c"]
    people[1]["e-mail"] = ""
    assert listeners(table(people))[0] == ["0@b.c", "Anna"]


def test_somebody_who_comes_twice_is_one_listener_in_two_sessions():
    problems = Problems()
    people = [{"Participant_ID": "7", "session_uuid": f"u{n}"} for n in range(2)]
    sessions = read_results(table(people).encode(), None, "mushra.csv", problems)
    assert [(s.listener, s.session) for s in sessions] == [("7", "u0"), ("7", "u1")]


@pytest.mark.parametrize("left_out", [("rating_comment",), ("rating_time",), ("rating_time", "rating_comment")])
def test_columns_that_some_versions_lack(left_out):
    people = [{**SAME, "session_uuid": f"u{n}"} for n in range(2)]
    assert listeners(table(people, left_out=left_out)) == (["u0", "u1"], [])


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_whatever_a_spreadsheet_makes_of_it(mark, end, encoding):
    people = [{**SAME, "session_uuid": f"u{n}"} for n in range(2)]
    text = table(people, mark=mark, comment='très "bon";\nvraiment, oui').replace("\n", end)
    assert listeners(text.encode(encoding)) == (["u0", "u1"], [])
    problems = Problems()
    first = read_results(text.encode(encoding), None, "mushra.csv", problems)[0]
    assert first.comments["t1"].startswith('très "bon";') and first.comments["t1"].endswith("vraiment, oui")


def test_decimal_commas_blank_rows_and_comments_that_were_dropped():
    text = table([{**SAME, "session_uuid": "u"}], mark=";").replace(";98;", ";97,5;")
    lines = text.splitlines()
    text = "\n".join([lines[0], ";" * 8, lines[1], *(line.removesuffix(";") for line in lines[2:])])
    problems = Problems()
    (session,) = read_results(text.encode(), None, "mushra.csv", problems)
    assert [r.score for r in session.ratings] == [97.5, 70, 97.5, 70] and problems.lines() == []


def test_two_tables_put_together_each_with_its_mark():
    tables = ("\ufeff" + table([{**SAME, "session_uuid": f"u{n}"}]) for n in range(2))
    assert listeners("".join(tables)) == (["u0", "u1"], [])
