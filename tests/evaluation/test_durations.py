"""Figures of timing: by hand, and as laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval
from prosody_transfer.evaluation.durations import FIGURES, duration_figures, npvi, pauses
from prosody_transfer.text.phones import PHONES


def aligned(*phones: tuple[str, float]) -> Alignment:
    """Phones and their milliseconds, from 0 on."""
    ends = np.cumsum([ms for _, ms in phones]) / 1000
    starts = np.append(0, ends[:-1])
    intervals = [PhoneInterval(p, float(a), float(b)) for (p, _), a, b in zip(phones, starts, ends, strict=True)]
    return Alignment(tuple(intervals), (), float(ends[-1]))


CAT = (("SIL", 100.0), ("K", 80.0), ("AE1", 120.0), ("T", 60.0))
SAT = (("S", 100.0), ("AE1", 140.0), ("T", 50.0), ("SIL", 200.0))


@st.composite
def utterances(draw):
    """12 to 30 phones, with pauses among them, a silence at both ends."""
    spoken = draw(st.lists(st.sampled_from(PHONES[1:]), min_size=12, max_size=30))
    lengths = draw(st.lists(st.integers(20, 250), min_size=len(spoken), max_size=len(spoken), unique=True))
    gaps = draw(st.dictionaries(st.integers(0, len(spoken) - 2), st.integers(150, 600), max_size=3))
    out = [(SILENCE, 90.0)]
    for i, (phone, ms) in enumerate(zip(spoken, lengths, strict=True)):
        out.append((phone, float(ms)))
        if i in gaps:
            out.append((SILENCE, float(gaps[i])))
    return [*out, (SILENCE, 110.0)]


def test_by_hand():
    """K 80 -> 90, AE 120 -> 100, T 60 -> 60: 10 ms on average. Borders 100, 180, 300, 360 -> 100, 190, 290, 350."""
    judged = (("SIL", 100.0), ("K", 90.0), ("AE0", 100.0), ("T", 60.0), ("SIL", 10.0))
    values = duration_figures(aligned(*CAT), aligned(*judged))
    assert values["phone_mae_ms"] == pytest.approx(10)
    assert values["boundary_mae_ms"] == pytest.approx((0 + 10 + 10 + 10) / 4)
    assert values["rate_ratio"] == pytest.approx((3 / 0.250) / (3 / 0.260))
    assert values["phones_matched"] == 1 and values["duration_correlation"] is None, "3 phones are too few"
    assert values["npvi_difference"] is None and values["pause_f1"] is None


def test_pauses_by_hand():
    """Reference: 200, 160 and 300 ms. Judged: the first 60 ms longer, the second missing, the third 100 ms late."""
    a = ("AE1", 300.0)
    reference = aligned(a, (SILENCE, 200), a, (SILENCE, 160), a, (SILENCE, 300), a, (SILENCE, 900))
    assert pauses(reference) == [pytest.approx(p) for p in ((0.3, 0.5), (0.8, 0.96), (1.26, 1.56))]
    judged = aligned(a, (SILENCE, 260), a, (SILENCE, 149), ("AE1", 351), (SILENCE, 300), a)
    assert pauses(judged) == [pytest.approx(p) for p in ((0.3, 0.56), (1.36, 1.66))]
    values = duration_figures(reference, judged)
    assert values["pause_precision"] == pytest.approx(1 / 2)
    assert values["pause_recall"] == pytest.approx(1 / 3)
    assert values["pause_f1"] == pytest.approx(2 / 5)
    without = duration_figures(reference, aligned(*[a] * 4))
    assert (without["pause_precision"], without["pause_recall"], without["pause_f1"]) == (None, 0, 0)


def test_silences_in_a_row_are_one_pause():
    assert pauses(aligned(("T", 50), (SILENCE, 80), (SILENCE, 90), ("AE1", 50))) == [pytest.approx((0.05, 0.22))]


def test_npvi_by_hand():
    """Vowels 100, 150+50 (one interval), then after a silence 80 and 120: |100-200|/150 and |80-120|/100, times 100."""
    speech = aligned(
        ("K", 30), ("AA1", 100), ("T", 40), ("IY0", 150), ("AH0", 50), (SILENCE, 20), ("EH1", 80), ("N", 50),
        ("OW0", 120),
    )  # fmt: skip
    assert npvi(speech) == pytest.approx(100 * (100 / 150 + 40 / 100) / 2)
    assert npvi(aligned(("AA1", 100), (SILENCE, 200), ("AA1", 100))) is None
    even = aligned(("AA1", 100), ("T", 40), ("AA1", 100))
    uneven = aligned(("AA1", 150), ("T", 40), ("AA1", 50))
    assert duration_figures(even, uneven)["npvi_difference"] == pytest.approx(100)


def test_sequences_may_differ():
    """A phone left out, one put in, one misheard: the rest is compared."""
    reference = aligned(*CAT, *SAT)
    judged = aligned(
        ("SIL", 100.0), ("G", 80.0), ("AE1", 120.0), ("S", 160.0), ("AE1", 140.0), ("AH0", 0.0), ("T", 50.0),
        ("SIL", 200.0),
    )  # fmt: skip
    values = duration_figures(reference, judged)
    assert values["phones_matched"] == pytest.approx(5 / 6)
    assert values["phone_mae_ms"] == pytest.approx(60 / 5), "only S is longer"
    assert values["rate_ratio"] == pytest.approx(1, abs=1e-9)


def test_nothing_spoken_says_nothing():
    silent = aligned((SILENCE, 500.0))
    for pair in ((silent, aligned(*CAT)), (aligned(*CAT), silent), (silent, silent)):
        values = duration_figures(*pair)
        assert values.pop("phones_matched") in (None, 0.0) and set(values.values()) == {None}


def test_definitions_belong_to_figures():
    assert sorted(duration_figures(aligned(*CAT), aligned(*CAT))) == sorted(f.key for f in FIGURES)


@given(utterances())
@settings(max_examples=25, deadline=None)
def test_the_same_alignment_is_perfect(phones):
    values = duration_figures(aligned(*phones), aligned(*phones))
    assert values["phone_mae_ms"] == 0 == values["boundary_mae_ms"]
    assert values["duration_correlation"] == values["rate_ratio"] == values["phones_matched"] == 1
    assert values["npvi_difference"] in (0, None)
    assert {values["pause_precision"], values["pause_recall"], values["pause_f1"]} in ({1.0}, {None})


@given(utterances(), st.floats(1.05, 3))
@settings(max_examples=25, deadline=None)
def test_slower_speech_moves_the_rate_and_not_the_correlation(phones, factor):
    slower = [(p, ms * factor) for p, ms in phones]
    values = duration_figures(aligned(*phones), aligned(*slower))
    assert values["rate_ratio"] == pytest.approx(1 / factor)
    assert values["duration_correlation"] == pytest.approx(1)
    spoken = [ms for p, ms in phones if p != SILENCE]
    assert values["phone_mae_ms"] == pytest.approx((factor - 1) * np.mean(spoken), abs=1e-6)
    assert values["npvi_difference"] == pytest.approx(0, abs=1e-9) or values["npvi_difference"] is None


@given(utterances(), st.integers(1, 10), st.integers(10, 100))
@settings(max_examples=25, deadline=None)
def test_one_stretched_phone(phones, at, more):
    spoken = [i for i, (p, _) in enumerate(phones) if p != SILENCE]
    stretched = list(phones)
    stretched[spoken[at]] = (phones[spoken[at]][0], phones[spoken[at]][1] + more)
    values = duration_figures(aligned(*phones), aligned(*stretched))
    assert values["phone_mae_ms"] == pytest.approx(more / len(spoken), abs=1e-6)
    assert values["duration_correlation"] < 1 and values["rate_ratio"] < 1
    assert values["boundary_mae_ms"] > 0


@given(utterances(), st.integers(76, 140))
@settings(max_examples=25, deadline=None)
def test_pauses_out_of_place_are_missed(phones, late):
    pairs = aligned(*phones), aligned((phones[0][0], phones[0][1] + late), *phones[1:])
    values = duration_figures(*pairs)
    assert values["pause_f1"] == (0 if pauses(pairs[0]) else None)
    assert values["boundary_mae_ms"] == pytest.approx(late, abs=1e-6) and values["phone_mae_ms"] < 1e-6
