"""How words are pronounced: by the dictionary, by rule where it has them without their ending, or by letters."""

from __future__ import annotations

from functools import lru_cache

from prosody_transfer.text.dictionary import Pronunciation, lookup, spelled
from prosody_transfer.text.g2p import guess

__all__ = ["Pronunciation", "lookup", "pronounce", "spelled"]


def _with_suffix(word: str) -> list[Pronunciation]:
    """Words that the dictionary holds without their 's, ' or n': the ending is read by rule."""
    if word.endswith("'s") or word.endswith("s'"):
        stem = word[:-2] if word.endswith("'s") else word[:-1]
        plain = lookup(stem)
        if word.endswith("s'"):
            return plain
        return [p + _plural_sound(p[-1]) for p in plain]
    if word.endswith("in'"):
        return [p[:-1] + ("N",) for p in lookup(word[:-1] + "g") if p[-1] == "NG"]
    return []


def _plural_sound(last: str) -> Pronunciation:
    if last in ("S", "Z", "SH", "ZH", "CH", "JH"):
        return ("IH0", "Z")
    return ("S",) if last in ("P", "T", "K", "F", "TH") else ("Z",)


@lru_cache(maxsize=8192)
def _pronounce(word: str) -> tuple[Pronunciation, ...]:
    found = lookup(word) or _with_suffix(word) or (lookup(word.strip("'")) if "'" in word else [])
    if found:
        return tuple(dict.fromkeys(found))
    return (guess(word),)


def pronounce(word: str) -> list[Pronunciation]:
    """All pronunciations of one spoken word (as `normalise` gives it), vowels with stress digits, the usual one first.

    Words outside the dictionary are read by the letter-to-sound network in `text.g2p`.

    Raises:
        TranscriptError: The word has no letters a-z.

    >>> pronounce("cat"), pronounce("wug's")
    ([('K', 'AE1', 'T')], [('W', 'AH1', 'G', 'Z')])
    """
    return list(_pronounce(word.lower()))
