"""Whether the times of a TextGrid can belong to a recording: its phones against what is heard at their times."""

from __future__ import annotations

import numpy as np

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE, Alignment
from prosody_transfer.text.phones import PHONE_IDS, split_stress

_REMEDY = "give the TextGrid that belongs to this recording; --no-check takes it all the same"
TOLERANCE = 2  # frames; borders that people set are as far from an aligner's
# The share of frames with a phone at which that phone is heard. Of 88 recordings, 60 of them real: .89 in the middle
# and .29 at least as they are, .26 with borders 30 ms off; with phones of others, or their own moved by .2 s or more,
# .05 in the middle and .23 at most. Where phones were found within words, moved words still have .34 (.2 s), .16 (.4 s)
# and .11 (.8 s) in the middle, right ones .51 at least. Noise lowers all; there the recogniser is less sure, and less
# is demanded, down to nothing.
LEAST, LEAST_ANCHORED = 0.20, 0.28
SURE, NO_JUDGE = 0.72, 0.62


def agreement(alignment: Alignment, posteriors: np.ndarray, frame_seconds: float) -> tuple[float, float, float]:
    """How far what is heard agrees with phones at their times.

    Args:
        posteriors: (T, 40), each row a distribution over `text.phones.PHONES`.
        frame_seconds: Between two frames.

    Returns:
        Of the frames in which a phone is said to be: the share in which it is heard (within `TOLERANCE`), and that in
        which silence is. And how sure the recogniser was: its best posterior, averaged over what it took for speech.
    """
    given = np.zeros(len(posteriors), int)
    for phone, start, end in alignment.phones:
        given[max(0, round(start / frame_seconds)) : max(0, round(end / frame_seconds))] = PHONE_IDS[
            split_stress(phone)[0]
        ]
    heard = posteriors.argmax(1)
    spoken = given != PHONE_IDS[SILENCE]
    speech = heard != PHONE_IDS[SILENCE]
    sure = float(posteriors[speech].max(1).mean()) if speech.any() else 1.0
    if not spoken.any():
        return 1.0, 0.0, sure
    padded = np.pad(heard, TOLERANCE, mode="edge")
    near = np.zeros(len(given), bool)
    for shift in range(2 * TOLERANCE + 1):
        near |= padded[shift : shift + len(given)] == given
    return float(near[spoken].mean()), float((~speech)[spoken].mean()), sure


def check_times(alignment: Alignment, posteriors: np.ndarray, frame_seconds: float, *, least: float = LEAST) -> None:
    """Refuse a TextGrid that belongs to another recording, or to another cut of this one.

    Args:
        alignment, posteriors, frame_seconds: As for `agreement`.
        least: The share that is demanded of a clean recording; `LEAST_ANCHORED` where phones were found within words.

    Raises:
        TranscriptError: Its phones are heard elsewhere, or not at all.
    """
    share, silent, sure = agreement(alignment, posteriors, frame_seconds)
    doubt = min(1.0, max(0.0, (sure - NO_JUDGE) / (SURE - NO_JUDGE)))
    if share >= least * doubt:
        return
    where = f"; {100 * silent:.0f} % of its speech lies where the recording is silent" if silent > 0.4 else ""
    problem = f"the times of the TextGrid cannot belong to this recording: {100 * share:.0f} % of its phones are heard"
    raise TranscriptError(f"{problem} where it has them{where}", remedy=_REMEDY)
