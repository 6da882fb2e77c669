"""How much text a recording can hold: what can't be said in it is refused before anything is measured."""

from __future__ import annotations

from prosody_transfer.core.errors import MismatchError

LETTERS_A_PHONE = 3  # "though" has six letters and two phones; digits and abbreviations have more phones than signs
MOST_PHONES = 40  # a second, and so many beside; the fastest speakers reach 20


def least_phones(text: str) -> int:
    """Fewer phones than this no reading of a text has.

    >>> least_phones("Though it was 5 o'clock.")
    6
    """
    return sum(map(str.isalnum, text)) // LETTERS_A_PHONE


def require_time(text: str, seconds: float) -> None:
    """Refuse a text that can't be said in a recording.

    Args:
        text: What is surely said in it.

    Raises:
        MismatchError: It would take more than `MOST_PHONES` phones a second.
    """
    if (count := least_phones(text)) > MOST_PHONES * (seconds + 1):
        problem = f"the transcript does not match the audio: {count} phones or more for {seconds:.1f} s"
        raise MismatchError(problem, remedy="check that the words belong to this recording")
