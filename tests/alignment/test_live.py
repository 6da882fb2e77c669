"""Phones while they are spoken: the same path as the whole one where nothing is cut short, and never a look ahead."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.alignment.live import LiveDecoder, LivePhone
from prosody_transfer.alignment.recognise import viterbi
from prosody_transfer.text.phones import PHONES

STEP = 256 / 24000


def rows(seed: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors (T, 40) that stay with a phone for some frames, and a log bigram."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.integers(0, 40, frames), rng.integers(2, 9, frames))[:frames]
    logits = rng.normal(0, 1.0, (frames, 40))
    logits[np.arange(frames), truth] += 4.0
    found = np.exp(logits)
    return found / found.sum(1, keepdims=True), np.log(rng.dirichlet(np.ones(40), 40))


def runs(path: np.ndarray) -> list[tuple[str, int, int]]:
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    return [(PHONES[path[a]], a, b) for a, b in zip(edges, edges[1:], strict=False)]


def frames_of(found: list[LivePhone]) -> list[tuple[str, int, int]]:
    return [(p.phone, round(p.start / STEP), round(p.end / STEP)) for p in found]


@given(st.integers(0, 10_000), st.integers(2, 150), st.lists(st.integers(0, 20), max_size=8))
def test_with_all_the_time_in_the_world_it_is_the_best_path(seed: int, frames: int, sizes: list[int]) -> None:
    posteriors, bigram = rows(seed, frames)
    decoder = LiveDecoder(bigram, STEP, lag=1000)
    found, at = [], 0
    for size in [*sizes, frames]:
        found += decoder.push(posteriors[at : at + size])
        at += size
    assert frames_of(found + decoder.finish()) == runs(viterbi(np.log(posteriors + 1e-6), bigram))


@given(st.integers(0, 10_000))
def test_what_is_said_is_not_unsaid_and_no_frame_is_left_out(seed: int) -> None:
    posteriors, bigram = rows(seed, 200)
    whole, one = LiveDecoder(bigram, STEP), LiveDecoder(bigram, STEP)
    found = whole.push(posteriors)
    single = [phone for row in posteriors for phone in one.push(row[None])]
    assert frames_of(found) == frames_of(single), "of blocks of any size"
    early = frames_of(LiveDecoder(bigram, STEP).push(posteriors[:120]))
    assert early and frames_of(found)[: len(early)] == early, "whatever comes after"
    told = frames_of(found + whole.finish())
    assert told[0][1] == 0 and told[-1][2] == 200
    assert all(a[2] == b[1] for a, b in zip(told, told[1:], strict=False))
    assert all(0.0 <= p.confidence <= 1.0 and p.known >= p.end - 1e-9 for p in found)


def test_a_phone_is_known_soon_after_it_is_over() -> None:
    posteriors, bigram = rows(3, 400)
    found = LiveDecoder(bigram, STEP).push(posteriors)
    assert len(found) > 40
    assert np.quantile([p.known - p.end for p in found], 0.95) <= 9 * STEP


def test_nothing_heard_is_nothing_said() -> None:
    decoder = LiveDecoder(np.zeros((40, 40)), STEP)
    assert decoder.push(np.zeros((0, 40))) == [] == decoder.finish()


def test_one_frame_is_a_phone() -> None:
    decoder = LiveDecoder(np.zeros((40, 40)), STEP)
    assert decoder.push(np.eye(40)[[7]]) == []
    assert frames_of(decoder.finish()) == [(PHONES[7], 0, 1)]
