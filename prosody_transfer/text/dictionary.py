"""The CMU Pronouncing Dictionary with stress, searched in place: opened at the first word, in 30 ms."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

Pronunciation = tuple[str, ...]
_DATA = Path(__file__).parent / "data" / "cmudict.gz"


@lru_cache(maxsize=1)
def _blob() -> bytes:
    """Lines of "word PH PH", sorted by bytes, one variant a line, with a newline first and last."""
    import gzip

    return gzip.decompress(_DATA.read_bytes())


def _first_line_not_before(blob: bytes, key: bytes) -> int:
    """Position of the newline before the first line that is >= `key` (binary search over the bytes)."""
    low, high = 0, len(blob) - 1  # both always at a newline; the wanted one is in [low, high]
    while low < high:
        line = blob.rfind(b"\n", low, (low + high) // 2 + 1)
        following = blob.find(b"\n", line + 1)
        if blob[line + 1 : following] < key:
            low = following
        else:
            high = line
    return low


def lookup(word: str) -> list[Pronunciation]:
    """All pronunciations in the dictionary, the usual one first; empty if the word is not there.

    >>> lookup("tomato")
    [('T', 'AH0', 'M', 'EY1', 'T', 'OW2'), ('T', 'AH0', 'M', 'AA1', 'T', 'OW2')]
    >>> lookup("tomatoess")
    []
    """
    word = word.lower()
    if not word.isascii() or not word or " " in word or "\n" in word:
        return []
    blob, key = _blob(), word.encode("ascii") + b" "
    at = _first_line_not_before(blob, key)
    found = []
    while blob.startswith(key, at + 1):
        following = blob.find(b"\n", at + 1)
        found.append(tuple(blob[at + 1 + len(key) : following].decode("ascii").split()))
        at = following
    return found


def spelled(phones: Pronunciation) -> str:
    """A word of the dictionary that is said so, the first by alphabet; "" if there is none.

    >>> spelled(("W", "ER1", "D")), spelled(("B", "N", "AA1"))
    ('word', '')
    """
    blob = _blob()
    at = blob.find(b" " + " ".join(phones).encode("ascii", "replace") + b"\n")
    while at >= 0:
        start = blob.rfind(b"\n", 0, at) + 1
        if b" " not in blob[start:at]:  # and not the end of a longer word
            return blob[start:at].decode("ascii")
        at = blob.find(blob[at : blob.index(b"\n", at) + 1], at + 1)
    return ""
