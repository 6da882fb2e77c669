"""Gains of other readings: the two passes find what trying every reading finds."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.alignment.evidence import LEAST_FRAMES, free_phones, spoken_words, weigh
from prosody_transfer.alignment.score import score_words
from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.phones import PHONES, phone_id

phones = st.lists(st.sampled_from(["K", "AE1", "T", "S", "IH0"]), min_size=1, max_size=3).map(tuple)
some_words = st.lists(st.lists(phones, min_size=1, max_size=2), min_size=1, max_size=3)


def random_posteriors(frames, seed):
    logits = np.random.default_rng(seed).normal(0, 2, (frames, 40))
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def room_for(words, spare):
    return 2 * sum(max(map(len, w)) for w in words) + spare + LEAST_FRAMES


@settings(max_examples=50, deadline=None)
@given(some_words, st.integers(0, 8), st.integers(0, 10**6))
def test_leaving_a_word_out_gains_what_the_shorter_transcript_scores(words, spare, seed):
    posteriors = random_posteriors(room_for(words, spare), seed)
    found = weigh(posteriors, words, np.zeros(len(posteriors) + 1))
    assert found.total == pytest.approx(score_words(posteriors, words).total, abs=1e-2)
    for i in range(len(words)):
        without = score_words(posteriors, words[:i] + words[i + 1 :]).total
        assert found.unsaid[i] == pytest.approx(without - found.total, abs=1e-2)


@settings(max_examples=25, deadline=None)
@given(some_words, st.integers(0, 4), st.integers(0, 10**6))
def test_other_phones_are_tried_at_every_place(words, spare, seed):
    posteriors = random_posteriors(room_for(words, spare), seed)
    size = len(posteriors)
    free = np.concatenate([[0.0], np.cumsum(np.random.default_rng(seed).normal(-1, 1, size))])
    found = weigh(posteriors, words, free)

    def best(before, after):
        scores = [-np.inf]
        for start in range(size + 1):
            for end in range(start + LEAST_FRAMES, size + 1):
                if fits(before, start) and fits(after, size - end):
                    scores.append(total(before, 0, start) + free[end] - free[start] + total(after, end, size))
        return max(scores)

    least = 2
    fits = lambda part, frames: least * sum(min(map(len, w)) for w in part) <= frames
    total = lambda part, a, b: score_words(posteriors[a:b], part, minimum_frames=least).total
    for i in range(len(words)):
        assert found.other[i] == pytest.approx(best(words[:i], words[i + 1 :]) - found.total, abs=1e-2)
    for i in range(len(words) + 1):
        assert found.between[i] == pytest.approx(best(words[:i], words[i:]) - found.total, abs=1e-2)


def heard(text, frames=6, sure=0.95):
    """What a recogniser that hears well makes of words."""
    said = ["SIL", *(p for word in text.split() for p in pronounce(word)[0]), "SIL"]
    rows = np.full((len(said) * frames, 40), (1 - sure) / 39, np.float32)
    rows[np.arange(len(rows)), np.repeat([phone_id(p) for p in said], frames)] = sure
    ends = np.arange(len(said) + 1) * frames * 256 / 24000
    spans = tuple(PhoneInterval(p.rstrip("012"), *ends[i : i + 2]) for i, p in enumerate(said))
    return Alignment(spans, (), ends[-1], "recogniser", rows[::frames], rows)


def evidence(said, written):
    found = heard(said)
    free = free_phones(found, np.full((40, 40), np.log(1 / 40)), 24000, 256)
    return weigh(found.frames, [pronounce(w) for w in written.split()], free)


def test_a_right_transcript_has_nothing_against_it():
    found = evidence("we saw seven horses today", "we saw seven horses today")
    assert max(found.unsaid.max(), found.other.max(), found.between.max()) < 1


@pytest.mark.parametrize(("written", "kind", "at"), [
    ("we saw seven yellow horses today", "unsaid", 3),
    ("we saw seven mountains today", "other", 3),
    ("we saw seven today", "between", 3),
    ("saw seven horses today", "between", 0),
    ("we saw seven horses", "between", 4),
])  # fmt: skip
def test_a_wrong_word_is_where_most_is_gained(written, kind, at):
    found = evidence("we saw seven horses today", written)
    gains = getattr(found, kind)
    assert gains.argmax() == at and gains[at] > 15


def test_free_phones_are_the_sum_of_what_was_heard():
    found = heard("cat")
    free = free_phones(found, np.zeros((40, 40)), 24000, 256)
    assert free.shape == (len(found.frames) + 1,) and free[0] == 0
    assert free[6] == pytest.approx(6 * np.log(0.95), abs=1e-4)
    assert free[7] - free[6] < np.log(0.95) - 1, "a change of phone costs"


def test_words_have_the_phones_within_them():
    spans = (("SIL", 0, 0.1), ("K", 0.1, 0.2), ("AE1", 0.2, 0.3), ("SIL", 0.3, 0.4), ("T", 0.4, 0.5))
    words = (WordInterval("ka", 0.1, 0.3), WordInterval("-", 0.3, 0.3), WordInterval("t", 0.4, 0.5))
    part = Alignment(tuple(PhoneInterval(*s) for s in spans), words, 0.5)
    assert spoken_words(part) == [(0, ("K", "AE1")), (2, ("T",))]


def test_it_costs_a_few_milliseconds():
    words = [pronounce(w) for w in "the quick brown fox jumped over a lazy dog and went home".split()]  # noqa: SIM905
    posteriors, free = random_posteriors(469, 2), np.zeros(470)
    weigh(posteriors, words, free)
    begin = time.process_time()
    for _ in range(3):
        weigh(posteriors, words, free)
    assert (time.process_time() - begin) / 3 < 0.08, "9 ms for 5 s; much more on a busy machine"
    assert len(PHONES) == posteriors.shape[1]
