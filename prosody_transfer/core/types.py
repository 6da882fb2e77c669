"""What travels between the rooms: aligned phones and words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from prosody_transfer.core.units import boundaries_to_durations

if TYPE_CHECKING:
    import numpy as np

SILENCE = "SIL"


class PhoneInterval(NamedTuple):
    """One aligned phone. `phone` is ARPABET with the stress digit on vowels ("AH0"), or "SIL"; times in seconds."""

    phone: str
    start: float
    end: float


class WordInterval(NamedTuple):
    """One aligned word; times in seconds. `word` is as it was written in the transcript."""

    word: str
    start: float
    end: float


@dataclass(frozen=True)
class Alignment:
    """Phones and words on the time axis of one recording.

    The phones cover [0, duration] without gaps or overlaps; pauses are phones named "SIL".

    Attributes:
        phones: In order; the first starts at 0, the last ends at `duration`.
        words: In order; may be empty (recognised phones have no words).
        duration: Seconds.
        aligner: Who made it ("pocketsphinx", "ptx", "mfa", "viter", "textgrid", "recogniser").
        posteriors: None when the phones are known; otherwise (P, 40) float32, each row a distribution over
            `prosody_transfer.text.phones.PHONES`, for phones that were recognised rather than told.
        frames: (T, 40) float32, the same for each frame, where the phones were just recognised; otherwise None.
    """

    phones: tuple[PhoneInterval, ...]
    words: tuple[WordInterval, ...]
    duration: float
    aligner: str = ""
    posteriors: np.ndarray | None = field(default=None, compare=False, repr=False)
    frames: np.ndarray | None = field(default=None, compare=False, repr=False)

    def durations(self, n_frames: int, sample_rate: int, hop_length: int) -> list[int]:
        """Frames per phone, (P,), sum = `n_frames` = T."""
        return boundaries_to_durations([p.end for p in self.phones], n_frames, sample_rate, hop_length)

    def shifted(self, offset: float) -> Alignment:
        """The same, `offset` seconds later (used to join pieces of a long recording)."""
        phones = tuple(PhoneInterval(p, s + offset, e + offset) for p, s, e in self.phones)
        words = tuple(WordInterval(w, s + offset, e + offset) for w, s, e in self.words)
        return Alignment(phones, words, self.duration, self.aligner, self.posteriors)
