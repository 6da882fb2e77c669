"""How well words fit a recogniser's frame posteriors: forced alignment, and each word against the best of all phones.

The ratio is the goodness of pronunciation of Witt and Young (2000) with the frame-wise best phone as what competes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prosody_transfer.alignment.band import best_path_within
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE
from prosody_transfer.text.lexicon import Pronunciation, pronounce
from prosody_transfer.text.phones import PHONE_IDS, split_stress

FLOOR = 1e-4  # a posterior's least value: one frame heard quite wrong must not outweigh ten right ones
MINIMUM_FRAMES = 2  # a phone's, where there is room for it
MAX_CELLS = 64_000_000  # frames times states, a byte each, up to which all ways are kept
Word = str | Sequence[Pronunciation]


@dataclass(frozen=True)
class ScoredPhone:
    """A phone on the frame axis.

    Attributes:
        phone: ARPABET, vowels with the stress digit where the pronunciation had one.
        start, end: Frames; the end is exclusive.
        per_frame: Mean natural-log posterior of the phone over its frames, `log(FLOOR)` to 0.
        ratio: The same less that of each frame's best phone: 0 (it is the best everywhere) down to `log(FLOOR)`.
    """

    phone: str
    start: int
    end: int
    per_frame: float
    ratio: float


@dataclass(frozen=True)
class ScoredWord:
    """A word: its phones in the pronunciation that fits best, and their means weighted by frames (as for a phone)."""

    word: str
    phones: tuple[ScoredPhone, ...]
    per_frame: float
    ratio: float

    @property
    def start(self) -> int:
        """Its first frame."""
        return self.phones[0].start

    @property
    def end(self) -> int:
        """The frame after its last."""
        return self.phones[-1].end

    @property
    def pronunciation(self) -> Pronunciation:
        """The phones that were chosen."""
        return tuple(p.phone for p in self.phones)


@dataclass(frozen=True)
class ScoredWords:
    """The best path of a sequence of words through a recording.

    Attributes:
        total: Sum over all T frames, pauses too, of the natural-log posteriors along the path. Of two readings of the
            same frames the one with the larger total fits better.
        per_frame: `total` / T.
        ratio: Mean over all frames of the log posterior less that of the frame's best phone, `log(FLOOR)` to 0.
        words: In order, one for each given.
    """

    total: float
    per_frame: float
    ratio: float
    words: tuple[ScoredWord, ...]


def score_words(posteriors: np.ndarray, words: Sequence[Word], *, minimum_frames: int = MINIMUM_FRAMES) -> ScoredWords:
    """Align words with posteriors by Viterbi; before, between and after them there may be silence.

    About 1 ms of CPU a second of audio. Memory: T times twice the number of phones in bytes, `MAX_CELLS` at most; more
    is aligned in a band (`band.best_path_within`).

    Args:
        posteriors: (T, 40), each row a distribution over `text.phones.PHONES` (`recognise.phone_posteriors`).
        words: Each a spoken word, which the lexicon pronounces, or the pronunciations to choose from. None at all: the
            score of silence.
        minimum_frames: Every phone's least length; fewer, down to 1, where T leaves no room.

    Raises:
        TranscriptError: There are more phones than frames, or a word cannot be pronounced.

    >>> rows = np.full((6, 40), 1e-4)
    >>> rows[[0, 1, 2, 3, 4, 5], [0, 20, 20, 2, 2, 31]] = 1.0
    >>> found = score_words(rows, ["cat"], minimum_frames=1)
    >>> [(p.phone, p.start, p.end) for p in found.words[0].phones], round(found.total, 3)
    ([('K', 1, 3), ('AE1', 3, 5), ('T', 5, 6)], 0.0)
    """
    logs = np.log(np.maximum(posteriors, FLOOR)).astype(np.float32)
    names = [w if isinstance(w, str) else "" for w in words]
    choices = [_distinct(pronounce(w) if isinstance(w, str) else w) for w in words]
    shortest = sum(min(map(len, variants)) for variants in choices)
    if shortest > len(logs):
        raise TranscriptError(
            f"{shortest} phones are too many for {len(logs)} frames of audio",
            remedy="check that the words belong to this recording",
        )
    lattice = Lattice(choices, max(1, min(minimum_frames, len(logs) // max(shortest, 1))))
    within = len(logs) * len(lattice.phone) <= MAX_CELLS
    path = best_path(lattice, logs) if within else best_path_within(lattice, logs)
    frame = logs[np.arange(len(logs)), lattice.phone[path]]
    ratios = frame - logs.max(1)
    scored = [_word(lattice, i, name, path, frame, ratios) for i, name in enumerate(names)]
    total = float(frame.sum(dtype=np.float64))
    size = max(len(logs), 1)
    return ScoredWords(total, total / size, float(ratios.sum(dtype=np.float64)) / size, tuple(scored))


def _distinct(variants: Sequence[Pronunciation]) -> list[Pronunciation]:
    """One for each stressless form, the first of its kind."""
    return list({tuple(split_stress(p)[0] for p in v): tuple(v) for v in reversed(variants)}.values())[::-1]


class Lattice:
    """States of a sequence of words, each a choice of pronunciations, with an optional silence around every word.

    A state's predecessors are itself (where `loop` is 0), the state before it (where `chain` is 0) and, for the few
    states that begin a word or a silence, those in `sources`.

    Attributes:
        phone: (S,) index into PHONES.
        loop, chain: (S,) float32, 0 where the step is allowed and -inf where not.
        entries: (E,) states that something other than the state before them leads to.
        sources: (E, K) the states that lead there, filled up with S.
        starts, ends: States in which a path may begin and end.
        word, slot: (S,) which word a state belongs to and which of its phones it is; -1 for silences.
        variants: For every state the pronunciation that it is part of, as an index into `choices[word]`.
        first, last: For each word, the states that begin and that end it.
        silences: (W + 1,) the silence before each word and the one after all.
    """

    def __init__(self, choices: Sequence[Sequence[Pronunciation]], minimum_frames: int) -> None:
        self.choices = choices
        rows: list[tuple[int, float, float, int, int, int]] = []  # phone, loop, chain, word, slot, variant
        entries: list[tuple[int, list[int]]] = []
        self.first: list[list[int]] = []
        self.last: list[list[int]] = []
        silences = []
        before: list[int] = []  # what may come right before the next word, but for the silence
        for i in range(len(choices) + 1):
            silences.append(len(rows))
            entries.append((len(rows), before))
            rows.append((PHONE_IDS[SILENCE], 0.0, -np.inf, -1, -1, 0))
            if i == len(choices):
                break
            first, last = [], []
            for v, variant in enumerate(choices[i]):
                first.append(len(rows))
                entries.append((len(rows), [*before, silences[-1]]))
                for slot, phone in enumerate(variant):
                    plain = PHONE_IDS[split_stress(phone)[0]]
                    for k in range(minimum_frames):
                        begins, stays = slot == k == 0, k == minimum_frames - 1
                        step = (0.0 if stays else -np.inf, -np.inf if begins else 0.0)
                        rows.append((plain, *step, i, slot, v))
                last.append(len(rows) - 1)
            self.first.append(first)
            self.last.append(last)
            before = last
        self.silences = np.array(silences)
        self.starts = [silences[0], *(self.first[0] if self.first else [])]
        self.ends = [silences[-1], *before]
        self.phone, self.word, self.slot, self.variants = (np.array([r[c] for r in rows]) for c in (0, 3, 4, 5))
        self.loop, self.chain = (np.array([r[c] for r in rows], np.float32) for c in (1, 2))
        self.entries = np.array([state for state, _ in entries])
        self.sources = np.full((len(entries), max(1, *(len(s) for _, s in entries))), len(rows))
        for row, (_, sources) in enumerate(entries):
            self.sources[row, : len(sources)] = sources


def best_path(lattice: Lattice, logs: np.ndarray) -> np.ndarray:
    """The best state for each frame, (T,) int, given (T, 40) log posteriors; empty for no frames."""
    count, size = len(logs), len(lattice.phone)
    entries, sources, phone = lattice.entries, lattice.sources, lattice.phone
    rows = np.arange(len(entries))
    moved, chosen = np.zeros((count, size), bool), np.zeros((count, len(entries)), np.uint8)
    if not count:
        return np.zeros(0, int)
    score = np.full(size + 1, -np.inf, np.float32)  # the last is nobody's: what `sources` are filled up with
    score[lattice.starts] = logs[0, phone[lattice.starts]]
    move = np.empty(size, np.float32)
    for t in range(1, count):
        np.add(score[: size - 1], lattice.chain[1:], out=move[1:])
        arriving = score[sources]
        chosen[t] = best = arriving.argmax(1)
        move[entries] = arriving[rows, best]
        stay = score[:size] + lattice.loop
        np.greater(move, stay, out=moved[t])
        np.maximum(move, stay, out=stay)
        np.add(stay, logs[t].take(phone), out=score[:size])
    path = np.empty(count, int)
    entry_of = {int(state): row for row, state in enumerate(entries)}
    state = max(lattice.ends, key=lambda s: score[s])
    for t in range(count - 1, -1, -1):
        path[t] = state
        if t and moved[t, state]:
            row = entry_of.get(state)
            state = state - 1 if row is None else int(sources[row, chosen[t, row]])
    return path


def _word(
    lattice: Lattice, index: int, name: str, path: np.ndarray, frame: np.ndarray, ratios: np.ndarray
) -> ScoredWord:
    inside = np.flatnonzero(lattice.word[path] == index)
    slots = lattice.slot[path[inside]]
    variant = lattice.choices[index][lattice.variants[path[inside[0]]]]
    edges = [*np.searchsorted(slots, np.arange(len(variant))).tolist(), len(slots)]
    phones = []
    for phone, begin, end in zip(variant, edges, edges[1:], strict=False):
        start, stop = int(inside[begin]), int(inside[end - 1]) + 1
        phones.append(
            ScoredPhone(phone, start, stop, float(frame[start:stop].mean()), float(ratios[start:stop].mean()))
        )
    return ScoredWord(name, tuple(phones), float(frame[inside].mean()), float(ratios[inside].mean()))
