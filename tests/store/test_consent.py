"""A consent names who agreed, to what, and until when; any other file gives one clear line."""

from __future__ import annotations

import datetime
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.store.consent import TEMPLATE, UNLIMITED, Consent, check_consent, parse_consent, read_consent

TEXT = """\
# what Jane signed
Who: Jane Doe
purposes: audiobooks of Doe & Sons; tests, too
date: 2024-01-31
until: 2030-12-31
contact: jane: jane@example.org
"""
JANE = Consent(
    who="Jane Doe", purposes=("audiobooks of Doe & Sons", "tests, too"), date="2024-01-31", until="2030-12-31",
    contact="jane: jane@example.org",
)  # fmt: skip
TOML = """\
who = "Jane Doe"
purposes = ["audiobooks of Doe & Sons", "tests, too"]
date = 2024-01-31
until = "2030-12-31"
contact = "jane: jane@example.org"
"""


@pytest.mark.parametrize("text", [TEXT, TOML, json.dumps(JANE.to_dict()), "\ufeff" + TEXT.replace("\n", "\r\n")])
def test_three_ways_to_say_the_same(tmp_path, text):
    (tmp_path / "consent.txt").write_text(text, encoding="utf8", newline="")
    assert read_consent(tmp_path / "consent.txt") == JANE


def test_it_ends_after_its_last_day():
    assert not JANE.expired(datetime.date(2030, 12, 31))
    assert JANE.expired(datetime.date(2031, 1, 1))
    assert not Consent(who="a", purposes=("b",), date="2000-01-01", until=UNLIMITED).expired(datetime.date(9999, 1, 1))
    assert Consent(who="a", purposes=("b",), date="2000-01-01", until="2000-01-02").expired()


def test_its_line_says_all():
    line = JANE.line()
    assert all(part in line for part in (JANE.who, JANE.date, JANE.until, JANE.contact, *JANE.purposes))


@pytest.mark.parametrize(("change", "problem"), [
    (("Who: Jane Doe\n", ""), "does not say 'who'"),
    (("Who: Jane Doe", "who:"), "does not say 'who'"),
    (("until: 2030-12-31\n", ""), "does not say 'until'"),
    (("audiobooks of Doe & Sons; tests, too", ";"), "purpose"),
    (("2030-12-31", "next year"), "until 'next year' is no date"),
    (("2030-12-31", "2030-02-31"), "until '2030-02-31' is no date"),
    (("2024-01-31", "20240131"), "date '20240131' is no date"),
    (("2030-12-31", "2020-01-01"), "lies before its date"),
    (("2024-01-31", "2999-01-01"), "lies in the future"),
    (("contact:", "telephone:"), "unknown key 'telephone'"),
    (("contact:", "who:"), ":6: says 'who' twice"),
    (("# what", "what"), ":1: has no 'key: value'"),
    (("Jane Doe", "Jane\x07Doe"), "control characters"),
    (("Jane Doe", "J" * 501), "longer than 500"),
    (("tests, too", "; ".join("p" * 400 for _ in range(4))), "longer than the 1500 bytes"),
])  # fmt: skip
def test_what_is_refused(change, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        parse_consent(TEXT.replace(*change), "consent.txt")
    assert str(caught.value).startswith("consent.txt") and "\n" not in str(caught.value)


@pytest.mark.parametrize("key", range(4))
def test_the_template_itself_is_refused(key):
    filled = dict(zip(("who", "purposes", "date", "until"), ("Jane", "tests", "2024-01-31", "unlimited"), strict=True))
    lines = [line.partition(": ") for line in TEMPLATE.splitlines()[:4]]
    text = "".join(f"{k}: {v if i == key else filled[k]}\n" for i, (k, _, v) in enumerate(lines))
    with pytest.raises(UsageError):
        parse_consent(text)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"who: " + b"x" * 70_000, b'{"who": [}', b"[" * 5000, b"{" * 5000]
)
def test_files_that_are_none(tmp_path, content):
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_consent(tmp_path / "c")
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="cannot be read"):
        read_consent(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="cannot be read"):
        read_consent(tmp_path)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200) | st.text(alphabet='who:purpsedatntilc ;#\n="{}[]0123456789-', max_size=120))
def test_any_text_gives_a_consent_or_one_line(text):
    try:
        found = parse_consent(text)
    except UsageError as error:
        assert "\n" not in str(error)
    else:
        assert found.who and found.purposes and found.line().isprintable()


words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)


@settings(deadline=None, max_examples=100)
@given(words, st.lists(words, min_size=1, max_size=4), st.dates(datetime.date(1990, 1, 1), datetime.date(2024, 1, 1)))
def test_what_is_written_is_read(who, purposes, date):
    text = f"who: {who}\npurposes: {'; '.join(purposes)}\ndate: {date.isoformat()}\nuntil: unlimited"
    wanted = Consent(who=who, purposes=tuple(purposes), date=date.isoformat(), until=UNLIMITED)
    if UNLIMITED in (who.lower(), *(p.lower() for p in purposes)):
        return
    assert parse_consent(text) == check_consent(wanted)
    assert parse_consent(json.dumps(wanted.to_dict())) == wanted


@pytest.mark.parametrize("key", ["who", "contact", "date", "until"])
def test_half_a_pair_that_json_can_spell_is_one_line(key: str) -> None:
    data = {"who": "Ann", "purposes": ["tests"], "date": "2024-05-01", "until": "unlimited", "contact": ""}
    with pytest.raises(UsageError) as raised:
        parse_consent(json.dumps({**data, key: "\ud800"}))
    str(raised.value).encode("utf8")
