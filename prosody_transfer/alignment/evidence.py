"""What a recogniser's frame posteriors say for and against each word of a transcript, beyond how well all of them fit.

Three other readings of the same frames are compared with the transcript: a word is not said; some other phones are said
in its place; some phones are said between two words. The gain of each is in nats. Any number of words costs two passes:
what is best up to a frame and before a word, and what is best from there on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prosody_transfer.alignment.recognise import BIGRAM_WEIGHT, SWITCH_PENALTY
from prosody_transfer.alignment.score import FLOOR, MINIMUM_FRAMES, Lattice
from prosody_transfer.core.types import SILENCE, Alignment
from prosody_transfer.text.lexicon import Pronunciation
from prosody_transfer.text.phones import PHONE_IDS, split_stress

LEAST_FRAMES = 3  # of phones that stand for a word


@dataclass(frozen=True)
class Evidence:
    """Gains in nats over the transcript's own score; what is right stays below about 0 where the recogniser hears well.

    Attributes:
        total: The transcript's score, as `score.ScoredWords.total`.
        unsaid: (W,) of the transcript without this word.
        other: (W,) with any phones for this word.
        between: (W + 1,) with any phones before each word and after the last.
    """

    total: float
    unsaid: np.ndarray
    other: np.ndarray
    between: np.ndarray


def weigh(posteriors: np.ndarray, words: Sequence[Sequence[Pronunciation]], free: np.ndarray) -> Evidence:
    """Evidence for and against each word.

    Args:
        posteriors: (T, 40) of `recognise.phone_posteriors`, T at least the number of phones.
        words: Each the pronunciations to choose from, (W,).
        free: (T + 1,) what any phones cost up to a frame: `free_phones`.
    """
    logs = np.log(np.maximum(posteriors, FLOOR)).astype(np.float32)
    shortest = max(1, sum(min(map(len, variants)) for variants in words))
    least = max(1, min(MINIMUM_FRAMES, len(logs) // shortest))
    backwards = [[variant[::-1] for variant in variants] for variants in words[::-1]]
    before = _junctions(Lattice(words, least), logs)
    after = _junctions(Lattice(backwards, least), logs[::-1])[::-1, ::-1]
    total = float(before[-1, -1])
    begun = np.maximum.accumulate(before - free, axis=1)  # free phones that began at the best of all earlier frames
    ended = after + free
    size = len(logs) + 1
    skip = min(LEAST_FRAMES, size - 1)
    gain = lambda a, b: (a[:, : size - skip] + b[:, skip:]).max(1) - total
    return Evidence(total, (before[:-1] + after[1:]).max(1) - total, gain(begun[:-1], ended[1:]), gain(begun, ended))


def free_phones(heard: Alignment, bigram: np.ndarray, sample_rate: int, hop_length: int) -> np.ndarray:
    """(T + 1,) the score of the phones that were recognised without a transcript, summed up to each frame.

    Args:
        heard: From `recognise.recognise_phones`.
        bigram: (40, 40) natural-log probability of the second phone after the first.
    """
    assert heard.frames is not None
    size = len(heard.frames)
    path = np.repeat([PHONE_IDS[p.phone] for p in heard.phones], heard.durations(size, sample_rate, hop_length))
    steps = np.log(np.maximum(heard.frames[np.arange(size), path], FLOOR)).astype(float)
    changes = np.flatnonzero(np.diff(path)) + 1
    steps[changes] += BIGRAM_WEIGHT * bigram[path[changes - 1], path[changes]] - SWITCH_PENALTY
    return np.concatenate([[0.0], np.cumsum(steps)])


def _junctions(lattice: Lattice, logs: np.ndarray) -> np.ndarray:
    """(W + 1, T + 1): the best score of the first t frames when all words before the w-th, and no more, are over."""
    count, size = len(lattice.choices), len(lattice.phone)
    done = np.full((count + 1, 1 + max((len(last) for last in lattice.last), default=0)), size)
    done[:, 0] = lattice.silences
    for i, last in enumerate(lattice.last):
        done[i + 1, 1 : 1 + len(last)] = last
    found = np.full((count + 1, len(logs) + 1), -np.inf, np.float32)
    found[0, 0] = 0.0
    score = np.full(size + 1, -np.inf, np.float32)
    move = np.empty(size, np.float32)
    for t, row in enumerate(logs):
        if t:
            np.add(score[: size - 1], lattice.chain[1:], out=move[1:])
            move[lattice.entries] = score[lattice.sources].max(1)
            stay = score[:size] + lattice.loop
            np.maximum(move, stay, out=stay)
            np.add(stay, row.take(lattice.phone), out=score[:size])
        else:
            score[lattice.starts] = row[lattice.phone[lattice.starts]]
        found[:, t + 1] = score[done].max(1)
    return found


def spoken_words(part: Alignment) -> list[tuple[int, Pronunciation]]:
    """The words of an alignment that have phones: their index in `part.words`, and the phones."""
    owner: dict[int, list[str]] = {}
    ends = np.array([w.end for w in part.words])
    for phone in part.phones:
        middle = (phone.start + phone.end) / 2
        at = int(np.searchsorted(ends, middle, side="right"))
        if phone.phone != SILENCE and at < len(ends) and part.words[at].start <= middle:
            owner.setdefault(at, []).append(phone.phone)
    return [(i, tuple(phones)) for i, phones in sorted(owner.items())]


def plain(phones: Sequence[str]) -> Pronunciation:
    """Phones without their stress."""
    return tuple(split_stress(p)[0] for p in phones)
