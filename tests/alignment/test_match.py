from __future__ import annotations

import random
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.alignment import match
from prosody_transfer.alignment.match import Mismatch, align_sequences, find_mismatch
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.phones import PHONES, phone_class

SPOKEN = PHONES[1:]
sequences = st.lists(st.sampled_from([*PHONES, "AH0", "IY1"]), max_size=30)


def speech(words):
    return [p for word in words.split() for p in pronounce(word)[0]]


ARTICLE = (
    "the quick brown fox jumped over a lazy dog while seven hungry travellers waited beside an ancient wooden bridge "
    "and talked about the weather until the morning train arrived from the northern mountains"
)
OTHER = "please remember to bring enough sandwiches because our favourite restaurant closes early every wednesday"


def recogniser(phones, seed=0, errors=0.25):
    """What a phone recogniser makes of phones: mostly confusions of a kind, some gaps and additions."""
    rng = random.Random(seed)
    heard = []
    for phone in phones:
        plain = phone.rstrip("012")
        if rng.random() >= errors:
            heard.append(plain)
            continue
        kind = rng.random()
        if kind < 0.6:
            heard.append(rng.choice([p for p in SPOKEN if phone_class(p) == phone_class(plain)]))
        elif kind < 0.75:
            heard.append(rng.choice(SPOKEN))
        elif kind < 0.85:
            heard += [plain, rng.choice(SPOKEN)]
    return heard


@given(sequences, sequences)
@settings(deadline=None)
def test_each_phone_is_used_once_and_in_order(expected, recognised):
    pairs = align_sequences(expected, recognised)
    for side, phones in ((0, expected), (1, recognised)):
        assert [p[side] for p in pairs if p[side] is not None] == [i for i, x in enumerate(phones) if x != "SIL"]
    assert (None, None) not in pairs


def cost(expected, recognised, pairs):
    total = 0
    for i, j in pairs:
        if i is None or j is None:
            total += 2
        else:
            a, b = expected[i].rstrip("012"), recognised[j].rstrip("012")
            total += 0 if a == b else 1 if phone_class(a) == phone_class(b) else 2
    return total


@given(st.lists(st.sampled_from(["K", "T", "S", "AA", "IH1", "N"]), max_size=9),
       st.lists(st.sampled_from(["K", "T", "S", "AA", "IH", "N"]), max_size=9))  # fmt: skip
@settings(deadline=None, max_examples=150)
def test_cost_is_that_of_a_plain_edit_distance(a, b):
    table = [[2 * (i + j) for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            same = cost([x], [y], [(0, 0)])
            table[i][j] = min(table[i - 1][j - 1] + same, table[i - 1][j] + 2, table[i][j - 1] + 2)
    assert cost(a, b, align_sequences(a, b)) == table[-1][-1]


@given(sequences)
@settings(deadline=None)
def test_the_same_matches_itself(phones):
    assert find_mismatch(phones, phones) is None
    assert all(i == j for i, j in align_sequences(phones, phones))


@given(sequences, sequences)
@settings(deadline=None)
def test_places_lie_inside(expected, recognised):
    found = find_mismatch(expected, recognised)
    if found is not None:
        assert 0 <= found.expected_start <= found.expected_end <= len(expected)
        assert 0 <= found.recognised_start <= found.recognised_end <= len(recognised)
        assert found.reason and found.rate > 0


@pytest.mark.parametrize("seed", range(20))
def test_recogniser_errors_are_forgiven(seed):
    expected = speech(ARTICLE)
    assert find_mismatch(expected, recogniser(expected, seed)) is None
    assert find_mismatch(expected[:15], recogniser(expected[:15], seed)) is None


@pytest.mark.parametrize("seed", range(10))
def test_another_text_is_found_out(seed):
    assert isinstance(find_mismatch(speech(ARTICLE), recogniser(speech(OTHER), seed)), Mismatch)
    assert find_mismatch(speech("good morning everybody"), recogniser(speech("see you next summer"), seed)) is not None


@pytest.mark.parametrize("seed", range(10))
def test_missing_added_and_exchanged_words_are_found_where_they_are(seed):
    words = ARTICLE.split()
    before = len(speech(" ".join(words[:9])))
    without = find_mismatch(speech(ARTICLE), recogniser(speech(" ".join(words[:9] + words[13:])), seed))
    assert without is not None and without.reason.startswith("missing")
    gone = len(speech(" ".join(words[9:13])))
    assert before - 6 <= without.expected_start < without.expected_end <= before + gone + 6
    more = " ".join([*words[:9], "everlasting", "happiness", *words[9:]])
    added = find_mismatch(speech(ARTICLE), recogniser(speech(more), seed))
    assert added is not None and added.reason.startswith("added") and abs(added.expected_start - before) <= 6
    other = " ".join(words[:9]) + " " + " ".join(OTHER.split()[:8]) + " " + " ".join(words[17:])
    exchanged = find_mismatch(speech(ARTICLE), recogniser(speech(other), seed))
    assert exchanged is not None and before - 12 <= exchanged.expected_start <= before + 60


def test_nothing_heard_and_nothing_expected():
    assert find_mismatch([], []) is None and find_mismatch(["SIL"], ["SIL"]) is None
    assert find_mismatch(speech(OTHER), ["SIL"]).reason.startswith("missing")
    assert find_mismatch(["SIL"], speech(OTHER)).reason.startswith("added")


def test_a_long_recording_fits_in_time_and_memory():
    rng = random.Random(1)
    expected = [rng.choice(SPOKEN) for _ in range(6000)]
    heard = recogniser(expected, 2)
    tracemalloc.start()
    begin = time.process_time()
    assert find_mismatch(expected, heard) is None
    seconds, peak = time.process_time() - begin, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6, f"{peak / 1e6:.0f} MB"
    assert seconds < 10, "3 s without the memory tracer; doubled and more for slow machines"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PHONES[1:9]), max_size=40), st.lists(st.sampled_from(PHONES[1:9]), max_size=40))
def test_halving_finds_an_alignment_as_cheap(expected, recognised):
    """Long sequences are cut in two where the best path crosses; that must not cost anything."""
    cost = lambda pairs: sum(match._pair_cost(expected, recognised, pair) for pair in pairs)
    whole = align_sequences(expected, recognised)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(match, "MAX_CELLS", 30)
        halved = align_sequences(expected, recognised)
    assert cost(halved) == cost(whole)
    for side, sequence in ((0, expected), (1, recognised)):
        assert [pair[side] for pair in halved if pair[side] is not None] == list(range(len(sequence)))
