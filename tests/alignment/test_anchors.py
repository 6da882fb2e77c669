"""Words whose times are known: the times stay, the phones are found inside; times that can't be right are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.alignment.anchors import Anchors, align_anchors
from prosody_transfer.alignment.times import agreement, check_times
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.phones import PHONE_IDS, split_stress

HOP = 0.0125


def posteriors_of(phones, duration, sure=0.9):
    rows = np.full((round(duration / HOP), 40), (1 - sure) / 39, np.float32)
    for phone, start, end in phones:
        rows[round(start / HOP) : round(end / HOP)] = (1 - sure) / 39
        rows[round(start / HOP) : round(end / HOP), PHONE_IDS[split_stress(phone)[0]]] = sure
    return rows


def said(words, start=0.3, seconds=0.08, gap=0.2):
    """Phones and words, `seconds` a phone, with silence between the words."""
    phones, spans, at = [PhoneInterval("SIL", 0.0, start)], [], start
    for word in words:
        begin = at
        for phone in pronounce(word)[0]:
            phones.append(PhoneInterval(phone, at, at + seconds))
            at += seconds
        spans.append(WordInterval(word, begin, at))
        phones.append(PhoneInterval("SIL", at, at + gap))
        at += gap
    return phones, spans, at


def refuse(start, end, text):
    raise TranscriptError("could not be aligned")


def test_phones_are_found_where_they_are_and_words_stay():
    phones, spans, duration = said(["purple", "elephants", "sing"])
    found = align_anchors(Anchors.of([(s, e, w) for w, s, e in spans], duration), posteriors_of(phones, duration), HOP,
                          duration, refuse)  # fmt: skip
    assert found.words == tuple(spans) and found.aligner == "anchored"
    assert [p.phone for p in found.phones] == [p.phone for p in phones]
    assert all(abs(a.start - b.start) < HOP for a, b in zip(found.phones, phones, strict=True))


def test_spans_of_several_words_hold_their_pauses():
    phones, spans, duration = said(["purple", "elephants", "sing"])
    whole = Anchors.of([(0.1, duration - 0.05, "ANNA: Purple, elephants [laughs] sing!")], duration)
    found = align_anchors(whole, posteriors_of(phones, duration), HOP, duration, refuse)
    assert [w.word for w in found.words] == ["Purple", "elephants", "sing"] and "[laughs]" in whole.note
    assert all(abs(a.start - b.start) < 2 * HOP for a, b in zip(found.words, spans, strict=True))


def test_utterances_go_to_the_aligner():
    asked = []

    def align(start, end, text):
        asked.append((start, end, text))
        return Alignment((PhoneInterval("AA1", 0.0, end - start),), (WordInterval("x", 0.0, end - start),), end - start)

    anchors = Anchors.of([(0.5, 1.5, "Shall we?"), (2.0, 2.3, "we go")], 3.0)
    found = align_anchors(anchors, np.full((240, 40), 1 / 40, np.float32), HOP, 3.0, align)
    assert asked == [(0.5, 1.5, "Shall we?")] and found.words[0] == WordInterval("x", 0.5, 1.5)


words = st.sampled_from(["purple", "elephants", "a", "I", "1998", "it's", "strengths", "go on", "well-known", "$3.50"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(words, st.floats(0.005, 0.7), st.floats(0, 0.3)), min_size=1, max_size=6), st.integers(0, 99))
def test_phones_never_leave_their_words_whatever_is_heard(rows, seed):
    at, spans = 0.1, []
    for word, length, gap in rows:
        spans.append((at, at + length, word))
        at += length + gap
    duration = at + 0.1
    heard = np.random.default_rng(seed).dirichlet(np.full(40, 0.1), round(duration / HOP)).astype(np.float32)
    found = align_anchors(Anchors.of(spans, duration), heard, HOP, duration, refuse)
    assert found.phones[0].start == 0 and found.phones[-1].end == duration
    for start, end, word in spans:
        if " " not in word:
            assert WordInterval(word, start, end) in found.words
        inside = [p for p in found.phones if p.phone != "SIL" and p.start < end - 1e-9 and p.end > start + 1e-9]
        assert inside and all(start - 1e-9 <= p.start < p.end <= end + 1e-9 for p in inside)


def test_what_lies_beyond_the_recording_is_cut_off():
    phones, spans, duration = said(["purple", "sing"])
    anchors = Anchors.of([*((s, e, w) for w, s, e in spans), (duration + 1, duration + 2, "more")], duration)
    found = align_anchors(anchors, posteriors_of(phones, duration), HOP, duration, refuse)
    assert len(found.words) == 2 and found.phones[-1].end == duration


SENTENCE = "the quick brown fox jumps over a lazy dog while twenty purple elephants sing"
TEXT = SENTENCE.split()


@pytest.mark.parametrize(("moved", "refused"), [(0.0, False), (0.02, False), (0.4, True), (1.0, True)])
def test_times_that_are_moved_are_refused(moved, refused):
    phones, _, duration = said(TEXT, gap=0.05)
    given = Alignment(tuple(PhoneInterval(p, s + moved, e + moved) for p, s, e in phones), (), duration)
    heard = posteriors_of(phones, duration)
    if not refused:
        return check_times(given, heard, HOP)
    with pytest.raises(
        TranscriptError, match="times of the TextGrid cannot belong to this recording: .* % of its phones"
    ):
        check_times(given, heard, HOP)


def test_words_in_silence_are_refused_and_it_is_said():
    phones, _, duration = said(TEXT)
    given = Alignment(tuple(PhoneInterval(p, s + duration, e + duration) for p, s, e in phones), (), 2 * duration)
    with pytest.raises(TranscriptError, match="lies where the recording is silent"):
        check_times(
            given,
            posteriors_of(phones, 2 * duration) + posteriors_of([("SIL", duration, 2 * duration)], 2 * duration),
            HOP,
        )


def test_a_recogniser_in_doubt_refuses_nothing():
    phones, _, duration = said(TEXT)
    given = Alignment(tuple(PhoneInterval(p, s + 1, e + 1) for p, s, e in phones), (), duration)
    heard = posteriors_of(phones, duration, sure=0.6)
    assert agreement(given, heard, HOP)[0] < 0.2
    check_times(given, heard, HOP)
