"""What marks ask of words, put into lengths and contours: emphasis, and SSML's rate, pitch and volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prosody_transfer.synthesis.speaking.outline import SEMITONE, Outline
from prosody_transfer.synthesis.speaking.wishes import Wishes
from prosody_transfer.text.prosody_tokens import Tokens

# By level: how prominent the model is told that the word was, how much longer its stressed syllable is, how many
# semitones its accent stands above the highest other of the sentence, and dB.
LEVELS = {
    "strong": (2.5, 1.25, 2.0, 4.0), "moderate": (1.8, 1.12, 0.5, 2.0), "reduced": (0.1, 0.9, None, -2.0),
    "none": (0.1, 1.0, None, 0.0),
}  # fmt: skip
AFTER = 0.7  # what is left of the other words' accents where one is strong
ENERGY_SHARE = 0.3  # of a plan's energy, is what the decoder of the shipped model follows
LEAD, SHORTEST_FRAMES = 6, 2


def heard(wishes: Sequence[Wishes]) -> list[float | None]:
    """How prominent each word is to be; None where it is left to the model."""
    return [LEVELS[wish.emphasis][0] if wish.emphasis else None for wish in wishes]


def scaled_lengths(
    tokens: Tokens, frames: np.ndarray, pauses: np.ndarray, wishes: Sequence[Wishes], length_scale: float,
    frames_per_second: float,
) -> np.ndarray:  # fmt: skip
    """Whole frames of each token, (P,) int64.

    Args:
        frames: (P,) float, as predicted.
        pauses: (P,) bool, which gaps are pauses.
    """
    wanted = np.where(tokens.is_gap & ~pauses, 0.0, frames) * length_scale
    for i, wish in enumerate(wishes):
        own = tokens.word == i
        wanted[own] /= wish.rate
        if wish.emphasis:
            wanted[own & _stressed(tokens, i)] *= LEVELS[wish.emphasis][1]
        if wish.pause is not None:
            wanted[own & tokens.is_gap] = wish.pause * frames_per_second
    phone = ~tokens.is_gap
    wanted[phone] = np.maximum(wanted[phone], SHORTEST_FRAMES)
    wanted[tokens.is_gap & (wanted < SHORTEST_FRAMES)] = 0.0
    ends = np.round(np.cumsum(wanted)).astype(np.int64)
    return np.diff(ends, prepend=0)


def _stressed(tokens: Tokens, word: int) -> np.ndarray:
    """(P,) bool, the stressed vowel of a word and what begins its syllable; in a word without, all of it."""
    own = (tokens.word == word) & ~tokens.is_gap
    main = np.flatnonzero(own & (tokens.classes[1] == 2))
    if not len(main):
        return own
    found = np.zeros(len(own), bool)
    found[max(0, main[-1] - 1) : main[-1] + 1] = True
    return found & own


def emphasise(outline: Outline, wishes: Sequence[Wishes]) -> None:
    """Accents of words that are emphasised, and the pitch and loudness that is asked for."""
    strong = [i for i, wish in enumerate(wishes) if wish.emphasis == "strong"]
    if strong:
        _lower_others(outline, strong)
    tops = {i: _top(outline, i) for i in range(len(wishes))}
    for i, wish in enumerate(wishes):
        if wish.emphasis:
            _, _, above, decibels = LEVELS[wish.emphasis]
            others = [top for j, top in tops.items() if not wishes[j].emphasis]
            if above is not None:
                _raise(outline, i, max([*others, tops[i]]) + above * SEMITONE)
            else:
                _flatten(outline, i)
            _louder(outline, i, decibels)
        if wish.semitones:
            start, stop = outline.span(i)
            outline.log_f0[start:stop] += wish.semitones * SEMITONE
        if wish.decibels:
            _louder(outline, i, wish.decibels)


def _top(outline: Outline, word: int) -> float:
    start, stop = outline.nucleus(word)
    return float(outline.log_f0[start:stop].max()) if stop > start else 0.0


def _lower_others(outline: Outline, strong: Sequence[int]) -> None:
    """Accents of the other words, nearer to the line that joins their lows."""
    base = float(np.percentile(outline.log_f0, 25))
    spared = np.zeros(outline.n_frames, bool)
    for word in strong:
        start, stop = outline.span(word)
        spared[start:stop] = True
    above = ~spared & (outline.log_f0 > base)
    outline.log_f0[above] = base + AFTER * (outline.log_f0[above] - base)


def _raise(outline: Outline, word: int, target: float) -> None:
    """A rise and fall over the word whose top, in its stressed vowel, is `target`."""
    start, stop = outline.span(word)
    a, b = outline.nucleus(word)
    peak = (a + 0.45 * (b - a)) if b > a else (start + stop) / 2
    first, last = max(0, min(start, a - LEAD)), min(outline.n_frames, max(stop, b + LEAD))
    time = np.arange(first, last)
    bump = np.interp(time, [first, peak, last], [0.0, 1.0, 0.0])
    bump = 0.5 - 0.5 * np.cos(np.pi * bump)
    here = outline.log_f0[first:last]
    at = min(max(round(peak) - first, 0), len(here) - 1)
    outline.log_f0[first:last] = here + bump * max(0.0, target - here[at])
    outline.voice(a, b)


def _flatten(outline: Outline, word: int) -> None:
    """The melody between the word's edges, straight."""
    start, stop = outline.span(word)
    outline.log_f0[start:stop] = np.linspace(outline.log_f0[start], outline.log_f0[stop - 1], stop - start)


def _louder(outline: Outline, word: int, decibels: float) -> None:
    start, stop = outline.span(word)
    outline.energy_db[start:stop] += decibels / ENERGY_SHARE

