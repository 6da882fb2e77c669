"""What a marked text says besides its words."""

from __future__ import annotations

from dataclasses import dataclass

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.phones import PHONES, is_vowel, split_stress

LEVELS = ("none", "reduced", "moderate", "strong")


@dataclass(frozen=True)
class Emphasis:
    """Characters `start` to `end` said with more or less stress than by themselves: one of `LEVELS`."""

    start: int
    end: int
    level: str = "strong"


@dataclass(frozen=True)
class Phones:
    """Characters `start` to `end` said as these phones, vowels with stress digits."""

    start: int
    end: int
    phones: tuple[str, ...]


@dataclass(frozen=True)
class Break:
    """A pause before character `at`, seconds; 0 is none where there would be one."""

    at: int
    seconds: float


@dataclass(frozen=True)
class Prosody:
    """Characters `start` to `end` faster by `rate`, higher by `semitones`, louder by `decibels`; marks may nest."""

    start: int
    end: int
    rate: float = 1.0
    semitones: float = 0.0
    decibels: float = 0.0


Mark = Emphasis | Phones | Break | Prosody


@dataclass(frozen=True)
class Marked:
    """What is said, and what the marks say of it.

    Attributes:
        text: Without marks; in place of `[[W ER1 D]]` a word that sounds so.
        marks: In order of where they begin.
    """

    text: str
    marks: tuple[Mark, ...] = ()


def phones_of(written: str, place: str) -> tuple[str, ...]:
    """Phones that are written with spaces between.

    Raises:
        TranscriptError: There are none, or one is no phone, or a vowel without its stress; `place` is named.

    >>> phones_of("W ER1 D", "text:1:1")
    ('W', 'ER1', 'D')
    """
    phones = tuple(written.upper().split())
    if not phones:
        raise TranscriptError("holds no phones", place=place, remedy="write them as in [[W ER1 D]]")
    for phone in phones:
        bare, stress = split_stress(phone)
        if bare not in PHONES[1:] or (stress and not is_vowel(bare)):
            remedy = "write the phones of the CMU dictionary, as in W ER1 D"
            raise TranscriptError(f"{phone[:20]!r} is no phone", place=place, remedy=remedy)
        if is_vowel(bare) and not stress:
            remedy = f"write {phone}0, {phone}1 or {phone}2"
            raise TranscriptError(f"the vowel {phone} has no stress", place=place, remedy=remedy)
    return phones
