"""Pieces: nothing is lost or doubled where a recording is cut, neither frames nor phones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.analysis.pieces import MAXIMUM_SECONDS, cut, join_alignments, join_features, slice_alignment
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.core.units import samples_to_frames
from prosody_transfer.features.extract import extract

RATE, HOP = 24000, 256


@pytest.fixture(scope="module")
def long_clip(clip) -> np.ndarray:
    """46 s with pauses of several lengths, not a whole number of hops long."""
    rng = np.random.default_rng(0)
    parts = [np.concatenate([clip, np.zeros(9000 + 777 * i, np.float32)]) for i in range(13)]
    joined = np.concatenate([*parts, clip[:1234]])
    return (joined + rng.normal(0, 1e-4, len(joined))).astype(np.float32)


def test_pieces_lie_end_to_end(long_clip):
    pieces = cut(long_clip, MelConfig())
    assert len(pieces) > 2
    assert pieces[0].start == 0 and pieces[-1].end == len(long_clip)
    first = 0
    for piece in pieces:
        assert piece.start % HOP == 0 and piece.first_frame == piece.start // HOP == first
        assert piece.end - piece.start <= MAXIMUM_SECONDS * RATE + HOP
        assert piece.features.n_samples == piece.end - piece.start
        first += piece.features.n_frames
    assert [a.end for a in pieces[:-1]] == [b.start for b in pieces[1:]]
    assert first == samples_to_frames(len(long_clip), HOP)


def test_pieces_are_measured_as_the_whole_is(long_clip):
    """A margin around every piece leaves no trace of the cuts in mel and energy. F0 is tracked piece by piece, in the
    register of the piece, so it may differ a little."""
    joined, expected = join_features(cut(long_clip, MelConfig())), extract(long_clip, MelConfig())
    assert joined.n_frames == expected.n_frames and joined.n_samples == expected.n_samples == len(long_clip)
    assert np.abs(joined.mel - expected.mel).max() < 1e-4
    assert np.abs(joined.energy_db - expected.energy_db).max() < 1e-3
    assert (joined.voiced != expected.voiced).mean() < 0.01
    both = joined.voiced & expected.voiced
    assert np.median(np.abs(joined.log_f0 - expected.log_f0)[both]) < 1e-3


@settings(max_examples=25, deadline=None)
@given(st.integers(2048, 40000))
def test_one_piece_is_the_plain_measurement(size):
    waveform = np.random.default_rng(size).normal(0, 0.05, size).astype(np.float32)
    (piece,) = cut(waveform, MelConfig())
    expected = extract(waveform, MelConfig())
    assert piece.features.n_frames == expected.n_frames and np.array_equal(piece.features.mel, expected.mel)


@pytest.mark.parametrize("extra", [0, 1, 255])
def test_a_cut_near_the_limit_loses_no_frame(extra):
    waveform = np.random.default_rng(0).normal(0, 0.05, 20 * RATE + 1 + extra).astype(np.float32)
    pieces = cut(waveform, MelConfig())
    assert len(pieces) == 2
    found = join_features(pieces)
    assert found.n_frames == samples_to_frames(len(waveform), HOP) == found.energy_db.size


def alignment(*phones: tuple[str, float], words: tuple = ()) -> Alignment:
    ends = np.cumsum([length for _, length in phones]).round(9).tolist()
    made = [PhoneInterval(name, start, end) for (name, _), start, end in zip(phones, [0.0, *ends], ends, strict=False)]
    return Alignment(tuple(made), words, ends[-1], "made-up")


def test_slice_by_hand():
    words = (WordInterval("a", 0.0, 0.5), WordInterval("b", 0.5, 1.5))
    given = alignment(("AH0", 0.5), ("K", 0.5), ("T", 0.5), (SILENCE, 0.5), words=words)
    part = slice_alignment(given, 0.5, 1.25)
    assert part.phones == (PhoneInterval("K", 0.0, 0.5), PhoneInterval("T", 0.5, 0.75))
    assert part.words == (WordInterval("b", 0.0, 0.75),) and part.duration == 0.75


def test_a_slice_outside_is_silence():
    assert slice_alignment(alignment(("AH0", 0.5)), 2.0, 3.0).phones == (PhoneInterval(SILENCE, 0.0, 1.0),)


def test_rounding_makes_no_slivers():
    given = alignment(("AH0", 0.3), ("K", 0.3))
    assert [p.phone for p in slice_alignment(given, 0.0, 0.3 + 1e-9).phones] == ["AH0"]
    assert [p.phone for p in slice_alignment(given, 0.3 - 1e-9, 0.6).phones] == ["K"]


def test_posteriors_follow_their_phones():
    given = alignment(("AH0", 0.5), ("K", 0.5), ("T", 0.5))
    rows = np.eye(40, dtype=np.float32)[[3, 20, 31]]
    given = Alignment(given.phones, (), given.duration, "recogniser", rows)
    assert np.array_equal(slice_alignment(given, 0.4, 0.9).posteriors, rows[:2])
    joined = join_alignments([slice_alignment(given, 0.0, 1.0), slice_alignment(given, 1.0, 1.5)], [0.0, 1.0], 1.5)
    assert np.array_equal(joined.posteriors, rows)
    mixed = join_alignments([given, alignment(("S", 1.0))], [0.0, 1.5], 2.5)
    assert mixed.posteriors is None and mixed.aligner == "recogniser+made-up"


def test_silences_that_meet_become_one():
    one, two = alignment(("K", 0.5), (SILENCE, 0.5)), alignment((SILENCE, 0.25), ("T", 0.5))
    joined = join_alignments([one, two], [0.0, 1.0], 1.75)
    assert joined.phones == (
        PhoneInterval("K", 0.0, 0.5),
        PhoneInterval(SILENCE, 0.5, 1.25),
        PhoneInterval("T", 1.25, 1.75),
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["AH0", "K", SILENCE]), st.floats(0.02, 1.0)), min_size=1, max_size=12),
    st.lists(st.floats(0.05, 0.95), max_size=4),
)
def test_slices_cover_their_pieces_and_join_again(phones, shares):
    given = alignment(*phones)
    edges = [
        0.0,
        *sorted({round(s * given.duration, 3) for s in shares} - {0.0, round(given.duration, 3)}),
        given.duration,
    ]
    parts = [slice_alignment(given, a, b) for a, b in zip(edges, edges[1:], strict=False)]
    for part, start, end in zip(parts, edges, edges[1:], strict=False):
        assert part.phones[0].start == pytest.approx(0, abs=1e-5)
        assert part.phones[-1].end == pytest.approx(end - start, abs=1e-5)
        assert all(a.end == b.start for a, b in zip(part.phones, part.phones[1:], strict=False))
    joined = join_alignments(parts, edges[:-1], given.duration)
    assert joined.phones[-1].end == pytest.approx(given.duration)
    at = lambda a, t: next(p.phone for p in a.phones if p.end > t)
    for time in np.linspace(0.0005, given.duration - 0.01, 20):
        near_an_edge = min(abs(time - p.end) for p in given.phones) < 1e-3
        assert near_an_edge or at(joined, time) == at(given, time)
