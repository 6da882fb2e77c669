"""A given alignment brought onto the recording that it is given with; refused where it can't belong to it."""

from __future__ import annotations

from prosody_transfer.alignment.base import fill_gaps
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment, WordInterval
from prosody_transfer.text.phones import PHONE_IDS, split_stress

MOST_APART = 0.5  # s, of an alignment's length and its recording's
ROUNDED = 0.02  # s at the end that are a rounding, not a pause


def require_room(alignment: Alignment, n_frames: int) -> None:
    """Refuse an alignment with more phones than there are frames.

    Raises:
        TranscriptError: It is so.
    """
    if (count := len(alignment.phones)) > n_frames:
        seconds = f"{alignment.duration:.2f} s"
        remedy = "check that the words belong to this recording"
        raise TranscriptError(f"{count} phones are too many for {seconds} of audio", remedy=remedy)


def require_length(given: float, duration: float) -> None:
    """Refuse an alignment that is not as long as the recording, both in seconds, by half a second and more."""
    if abs(given - duration) > MOST_APART:
        problem = f"the TextGrid is {given:.2f} s long, the recording {duration:.2f} s"
        raise TranscriptError(problem, remedy="give the TextGrid that belongs to this recording")


def fit(alignment: Alignment, duration: float) -> Alignment:
    """A given alignment on the recording's own length, without gaps; refused when that is half a second off."""
    require_length(alignment.duration, duration)
    if unknown := [p.phone for p in alignment.phones if split_stress(p.phone)[0] not in PHONE_IDS]:
        remedy = "give ARPABET, such as AH0, and SIL for pauses"
        raise TranscriptError(f"{unknown[0]!r} is no phone of ours", remedy=remedy)
    given = list(alignment.phones)
    if given and 0 < duration - given[-1].end < ROUNDED:
        given[-1] = given[-1]._replace(end=duration)
    phones = fill_gaps(given, duration)
    if all(p.phone == SILENCE for p in phones):
        raise TranscriptError("there are no phones in the alignment", remedy="give the words instead")
    words = tuple(WordInterval(w.word, w.start, min(w.end, duration)) for w in alignment.words if w.start < duration)
    posteriors = alignment.posteriors if len(phones) == len(alignment.phones) else None
    return Alignment(phones, words, duration, alignment.aligner or "textgrid", posteriors)
