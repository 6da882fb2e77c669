"""Words against frame posteriors: the best path is the best, and its parts are where and what they say."""

from __future__ import annotations

import itertools
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.alignment.score import FLOOR, score_words
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.phones import PHONE_IDS, phone_id

SIL = PHONE_IDS["SIL"]
FEW = ("K", "AE1", "T", "S", "IH0")
pronunciations = st.lists(st.sampled_from(FEW), min_size=1, max_size=3).map(tuple)
given_words = st.lists(st.lists(pronunciations, min_size=1, max_size=3), max_size=3)


def random_posteriors(frames, seed, sharp=2.0):
    logits = np.random.default_rng(seed).normal(0, sharp, (frames, 40))
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def spoken(phones, frames=4, sure=0.9):
    """Posteriors of a recogniser that hears exactly these phones, so many frames each."""
    rows = np.full((len(phones) * frames, 40), (1 - sure) / 39)
    rows[np.arange(len(rows)), np.repeat([phone_id(p) for p in phones], frames)] = sure
    return rows


def sentence(text):
    return [p for word in text.split() for p in pronounce(word)[0]]


def second_opinion(posteriors, words, minimum):
    """The best total, by plain dynamic programming over each choice of pronunciations and of pauses."""
    logs = np.log(np.maximum(posteriors, FLOOR))
    best = -np.inf
    for variants in itertools.product(*words):
        for pauses in itertools.product([False, True], repeat=len(words) + 1):
            units = [(SIL, 1)] * pauses[0]
            for variant, pause in zip(variants, pauses[1:], strict=True):
                units += [(phone_id(p), minimum) for p in variant] + [(SIL, 1)] * pause
            table = np.full((len(logs) + 1, len(units) + 1), -np.inf)
            table[0, 0] = 0
            for j, (phone, least) in enumerate(units, 1):
                for end in range(1, len(logs) + 1):
                    for start in range(0, end - least + 1):
                        table[end, j] = max(table[end, j], table[start, j - 1] + logs[start:end, phone].sum())
            best = max(best, table[-1, -1])
    return best


@settings(max_examples=60, deadline=None)
@given(given_words, st.integers(0, 6), st.integers(1, 2), st.integers(0, 10**6))
def test_the_total_is_the_best_of_all_paths(words, spare, minimum, seed):
    frames = minimum * sum(min(map(len, w)) for w in words) + spare + 1
    posteriors = random_posteriors(frames, seed)
    found = score_words(posteriors, words, minimum_frames=minimum)
    assert found.total == pytest.approx(second_opinion(posteriors, words, minimum), abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(given_words, st.integers(0, 30), st.integers(0, 10**6))
def test_words_lie_in_order_and_their_scores_are_their_frames(words, spare, seed):
    frames = sum(min(map(len, w)) for w in words) + spare + 1
    posteriors = random_posteriors(frames, seed)
    logs = np.log(np.maximum(posteriors, FLOOR))
    found = score_words(posteriors, words)
    assert len(found.words) == len(words) and found.per_frame == pytest.approx(found.total / frames)
    rest, at = 0.0, 0
    for word, variants in zip(found.words, words, strict=True):
        assert word.pronunciation in variants and word.start >= at
        rest += logs[at : word.start, SIL].sum()
        for phone, following in itertools.pairwise(word.phones):
            assert phone.end == following.start
        for phone in word.phones:
            own = logs[phone.start : phone.end, phone_id(phone.phone)]
            assert phone.end > phone.start and phone.per_frame == pytest.approx(own.mean(), abs=1e-4)
            gap = own - logs[phone.start : phone.end].max(1)
            assert phone.ratio == pytest.approx(gap.mean(), abs=1e-4) and np.log(FLOOR) <= phone.ratio <= 0
            rest += own.sum()
        at = word.end
    assert rest + logs[at:, SIL].sum() == pytest.approx(found.total, abs=1e-3)


def test_what_is_said_is_found_where_it_is_said():
    phones = ["SIL", *sentence("the old"), "SIL", "SIL", *sentence("house"), "SIL"]
    found = score_words(spoken(phones), ["the", "old", "house"])
    assert [p for w in found.words for p in w.pronunciation] == [p for p in phones if p != "SIL"]
    at = [i for i, p in enumerate(phones) if p != "SIL"]
    assert [(p.start, p.end) for w in found.words for p in w.phones] == [(4 * i, 4 * i + 4) for i in at]
    assert found.ratio == pytest.approx(0, abs=1e-6) and all(w.ratio == pytest.approx(0, abs=1e-6) for w in found.words)


def test_the_pronunciation_that_was_used_is_chosen():
    for variant in pronounce("tomato"):
        found = score_words(spoken([*sentence("a ripe"), *variant]), ["a", "ripe", "tomato"])
        assert found.words[-1].pronunciation == variant and found.ratio == pytest.approx(0, abs=1e-6)


def test_a_wrong_word_scores_worse_than_its_neighbours():
    rows = spoken(["SIL", *sentence("we saw seven horses today"), "SIL"])
    found = score_words(rows, ["we", "saw", "several", "houses", "today"])
    ratios = [w.ratio for w in found.words]
    assert max(ratios[2:4]) < min(ratios[0], ratios[1], ratios[4]) - 0.5
    right = score_words(rows, ["we", "saw", "seven", "horses", "today"])
    assert right.total > found.total + 10


def test_no_words_are_silence_and_no_frames_are_nothing():
    assert score_words(spoken(["SIL"]), []).ratio == pytest.approx(0, abs=1e-6)
    assert score_words(spoken(["SIL", "AA"]), []).ratio < -1
    empty = score_words(np.zeros((0, 40)), [])
    assert (empty.total, empty.words) == (0.0, ())


def test_more_phones_than_frames_are_refused():
    rows = spoken(["K", "AE", "T"], frames=1)
    assert score_words(rows, ["cat"]).words[0].pronunciation == ("K", "AE1", "T")
    with pytest.raises(TranscriptError, match="6 phones are too many for 3 frames"):
        score_words(rows, ["cat", "cat"])


def test_it_is_quick_and_small():
    words = ["the", "quick", "brown", "fox", "jumped", "over", "a", "lazy", "dog", "and", "went", "home"]
    rows = random_posteriors(469, 1)
    score_words(rows, words)
    begin = time.process_time()
    for _ in range(5):
        score_words(rows, words)
    assert (time.process_time() - begin) / 5 < 0.05, "8 ms for 5 s of audio; six times that for slow machines"
    tracemalloc.start()
    score_words(random_posteriors(469 * 4, 1), words * 4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6, f"{peak / 1e6:.1f} MB for 20 s"
