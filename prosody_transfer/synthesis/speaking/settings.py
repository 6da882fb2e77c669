"""How a text is spoken."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import UsageError

LONGEST_SILENCE = 10.0


class SpeakSettings(Config):
    """Settings of `speak`.

    `prosody`: a model of text, "KIND" or "KIND:OPTION"; "" is the usual one, "plain" that by phones and punctuation
    alone, see `choice`. `tune`: how sentences end, "" as
    their kind has it. `sentence_silence`: least and most seconds between sentences; `paragraph_silence` is added
    between paragraphs. `seed`: of these.
    """

    prosody: str = ""
    tune: Literal["", "rise", "fall"] = ""
    length_scale: Annotated[float, msgspec.Meta(ge=0.25, le=4.0)] = 1.0
    sentence_silence: tuple[float, float] = (0.3, 0.6)
    paragraph_silence: Annotated[float, msgspec.Meta(ge=0.0, le=LONGEST_SILENCE)] = 0.5
    seed: int = 1


def check_settings(settings: SpeakSettings) -> SpeakSettings:
    """The same; UsageError where a number is out of range."""
    low, high = settings.sentence_silence
    if not 0 <= low <= high <= LONGEST_SILENCE:
        remedy = f"give seconds from 0 to {LONGEST_SILENCE:g}, such as 0.3-0.6"
        raise UsageError(f"{low:g} to {high:g} is out of range", place="sentence_silence", remedy=remedy)
    if not 0.25 <= settings.length_scale <= 4:
        raise UsageError(f"{settings.length_scale:g} is out of range", place="length_scale", remedy="give 0.25 to 4")
    return settings


def parse_silence(written: str) -> tuple[float, float]:
    """"0.3-0.6", or "0.4", to least and most seconds.

    Raises:
        UsageError: It is neither.

    >>> parse_silence("0.3-0.6"), parse_silence("1")
    ((0.3, 0.6), (1.0, 1.0))
    """
    found = re.fullmatch(r"([0-9]{0,4}\.?[0-9]{1,6})(?:-([0-9]{0,4}\.?[0-9]{1,6}))?", written.strip())
    if not found:
        remedy = "give seconds, or least and most of them: 0.3-0.6"
        raise UsageError(f"{written[:40]!r} is no silence", place="--sentence-silence", remedy=remedy)
    low = float(found[1])
    return low, float(found[2]) if found[2] else low
