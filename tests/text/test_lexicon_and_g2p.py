from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.dictionary import _blob, lookup
from prosody_transfer.text.g2p import guess
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.phones import (
    CLASSES,
    PHONE_IDS,
    PHONES,
    VOWELS,
    is_vowel,
    phone_class,
    phone_id,
    split_stress,
    stress_id,
)


def test_phone_set():
    assert len(PHONES) == 40 and PHONES[0] == "SIL" and list(PHONES[1:]) == sorted(PHONES[1:])
    assert len(VOWELS) == 15
    assert {phone_class(p) for p in PHONES} == set(CLASSES)
    assert all(phone_id(p) == PHONE_IDS[p] for p in PHONES)
    assert phone_id("OW2") == phone_id("OW") and stress_id("OW2") == 3 and stress_id("S") == 0


def test_every_line_of_the_dictionary_is_found_by_search():
    lines = _blob().decode("ascii").strip("\n").split("\n")
    assert len(lines) > 130_000
    for line in [*lines[::997], lines[0], lines[-1]]:
        word, phones = line.split(" ", 1)
        assert tuple(phones.split()) in lookup(word)


def test_dictionary_holds_only_our_phones_and_every_vowel_has_stress():
    phones = {p for line in _blob().decode("ascii").split("\n") for p in line.split(" ")[1:]}
    assert {split_stress(p)[0] for p in phones} == set(PHONES) - {"SIL"}
    assert all(bool(split_stress(p)[1]) == is_vowel(p) for p in phones)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", max_size=8))
@settings(deadline=None, max_examples=200)
def test_search_agrees_with_a_plain_scan(word):
    found = _blob().find(f"\n{word} ".encode()) >= 0 if word else False
    assert bool(lookup(word)) == found


@pytest.mark.parametrize("word", ["", " ", "a b", "\n", "naïve", "zzz\nqq", "a "])
def test_lookup_of_what_is_no_word(word):
    assert lookup(word) == []


def test_variants_in_order_and_case_ignored():
    assert lookup("READ") == [("R", "EH1", "D"), ("R", "IY1", "D")]


def test_endings_by_rule():
    assert pronounce("abacus's") == [p + ("IH0", "Z") for p in lookup("abacus")]
    assert lookup("calhoun's") == []
    assert pronounce("calhoun's") == [p + ("Z",) for p in lookup("calhoun")]
    assert pronounce("walkin'")[0] == ("W", "AO1", "K", "IH0", "N")


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("wug", "W AH1 G"),
        ("blicket", "B L IH1 K AH0 T"),
        ("mimsy", "M IH1 M Z IY0"),
        ("activationist", "AE2 K T IH0 V EY1 SH AH0 N IH0 S T"),
    ],
)
def test_words_outside_the_dictionary(word, phones):
    assert not lookup(word)
    assert " ".join(guess(word)) == phones


def test_network_mostly_agrees_with_the_dictionary():
    """Published: 9.5 % of phones wrong. Stress counts as part of a vowel here."""
    lines = _blob().decode("ascii").strip("\n").split("\n")
    words = [line.split(" ")[0] for line in lines[::1500]]
    words = [w for w in words if "'" not in w and len(w) > 2]
    best = [max(len(set(guess(w)) & set(v)) / len(set(v)) for v in lookup(w)) for w in words]
    assert len(words) > 70
    assert sum(best) / len(best) > 0.85


@given(st.text(min_size=1, max_size=30))
@settings(deadline=None, max_examples=30)
def test_any_word_has_a_pronunciation_or_an_error_that_names_it(word):
    try:
        variants = pronounce(word)
    except TranscriptError as error:
        assert "cannot be pronounced" in str(error)
        assert not any(c in "abcdefghijklmnopqrstuvwxyz" for c in word.lower())
    else:
        assert variants and all(v for v in variants)
        assert all(split_stress(p)[0] in PHONE_IDS and (is_vowel(p) == (stress_id(p) > 0)) for v in variants for p in v)


def test_text_is_light_to_import():
    rooms = {
        "text": ("normalise", "g2p", "lexicon", "transcript", "phones"),
        "alignment": ("base", "match", "textgrid", "pocketsphinx", "ptx", "mfa", "viter"),
    }
    names = ", ".join(f"prosody_transfer.{room}.{module}" for room, modules in rooms.items() for module in modules)
    code = (
        f"import sys, {names}\n"
        "bad = {'torch', 'scipy', 'inflect', 'pocketsphinx', 'soxr', 'viter', 'safetensors'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
