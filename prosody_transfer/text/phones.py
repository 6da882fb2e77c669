"""The phone set: 39 ARPABET phones and silence, and what kind of sound each is."""

from __future__ import annotations

from prosody_transfer.core.types import SILENCE

VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
_CLASSES = {
    "silence": (SILENCE,),
    "vowel": VOWELS,
    "stop": ("B", "CH", "D", "G", "JH", "K", "P", "T"),
    "fricative": ("DH", "F", "HH", "S", "SH", "TH", "V", "Z", "ZH"),
    "nasal": ("M", "N", "NG"),
    "liquid": ("L", "R", "W", "Y"),
}
CLASSES = tuple(_CLASSES)
_CLASS_OF = {phone: name for name, members in _CLASSES.items() for phone in members}
PHONES = (SILENCE, *sorted(phone for phone in _CLASS_OF if phone != SILENCE))
"""The 40 classes: "SIL", then 39 phones in alphabetical order, without stress."""
PHONE_IDS = {phone: i for i, phone in enumerate(PHONES)}


def split_stress(phone: str) -> tuple[str, str]:
    """A phone and its stress digit; the digit is "" where there is none.

    >>> split_stress("AH0"), split_stress("K"), split_stress("SIL")
    (('AH', '0'), ('K', ''), ('SIL', ''))
    """
    return (phone[:-1], phone[-1]) if phone[-1:] in ("0", "1", "2") else (phone, "")


def phone_id(phone: str) -> int:
    """Index into `PHONES`; the stress digit does not matter.

    Raises:
        KeyError: It is no phone of ours.

    >>> phone_id("SIL"), phone_id("AA1"), phone_id("ZH")
    (0, 1, 39)
    """
    return PHONE_IDS[split_stress(phone)[0]]


def stress_id(phone: str) -> int:
    """0 for consonants, silence and vowels whose stress is not known; 1, 2, 3 for the stress digits 0, 1, 2.

    >>> [stress_id(p) for p in ("SIL", "K", "AH0", "AH1", "AH2", "AH")]
    [0, 0, 1, 2, 3, 0]
    """
    digit = split_stress(phone)[1]
    return int(digit) + 1 if digit else 0


def phone_class(phone: str) -> str:
    """One of `CLASSES`: "silence", "vowel", "stop", "fricative", "nasal" or "liquid".

    >>> phone_class("AH0"), phone_class("CH"), phone_class("SIL")
    ('vowel', 'stop', 'silence')
    """
    return _CLASS_OF[split_stress(phone)[0]]


def is_vowel(phone: str) -> bool:
    """Whether a phone, with or without stress digit, is a vowel."""
    return _CLASS_OF.get(split_stress(phone)[0]) == "vowel"
