"""Other people's phone labels in ours: ARPABET in any spelling, TIMIT's, IPA, SAMPA; silences; stress."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from prosody_transfer.alignment.ipa import from_ipa, from_sampa
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE, PhoneInterval, WordInterval
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.phones import PHONE_IDS, is_vowel, split_stress

_SILENCES = """
sil sp spn <eps> <sil> <unk> silence pau pause h# # ## noise nsn _ <p:> <p> <nib> <usb> <b> <s> <z> <noise> + epi
brth br breath <br> lau laugh lg ls ns cg sl {sl} {br} {lg} {ns} {cg} {ls} ssil [sil] [sp] (.) (..) ... .. . - -- *
[silence] [noise] [breath] <silence> <breath> @bg @ns
"""
SILENCES = frozenset({"", *_SILENCES.split()})
"""What aligners, labellers and corpora call a pause or a noise among the phones, in small letters."""
_WORDS_TOO = {"silence", "pause", "noise", "breath", "laugh", "br", "sl", ".", "..", "...", "-", "--", "+", "*"}
_VARIANTS = {
    "AX": ("AH0",), "AXR": ("ER0",), "AX-H": ("AH0",), "IX": ("IH0",), "UX": ("UW",), "HV": ("HH",), "DX": ("T",),
    "NX": ("N",), "ENG": ("NG",), "EL": ("AH0", "L"), "EM": ("AH0", "M"), "EN": ("AH0", "N"), "Q": ("T",),
    "OH": ("AA",), "IA": ("IH", "R"), "EA": ("EH", "R"), "UA": ("UH", "R"), "BCL": ("B",), "DCL": ("D",), "GCL": ("G",),
    "PCL": ("P",), "TCL": ("T",), "KCL": ("K",),
}  # fmt: skip
CLOSURES = {"BCL": ("B",), "DCL": ("D", "JH"), "GCL": ("G",), "PCL": ("P",), "TCL": ("T", "CH"), "KCL": ("K",)}
"""TIMIT's closures, and the phones that they are the first part of."""


def _from_arpabet(label: str) -> tuple[str, ...] | None:
    upper = re.sub(r"_[BIES]$", "", label.upper())
    phone, stress = split_stress(upper)
    if phone in PHONE_IDS and phone != SILENCE and (not stress or is_vowel(phone)):
        return (upper,)
    return _VARIANTS.get(phone) if not stress else _stressed(_VARIANTS.get(phone), stress)


def _stressed(phones: tuple[str, ...] | None, digit: str) -> tuple[str, ...] | None:
    if phones is None or not any(map(is_vowel, phones)):
        return None
    return tuple(split_stress(p)[0] + digit if is_vowel(p) else p for p in phones)


_ALPHABETS: dict[str, Callable[[str], tuple[str, ...] | None]] = {
    "ARPABET": _from_arpabet, "IPA": from_ipa, "SAMPA": from_sampa,
}  # fmt: skip


def is_silence(label: str, *, word: bool = False) -> bool:
    """Whether a label of a phone (or of a word, which may be "pause" or "laugh") stands for a pause or a noise."""
    plain = label.strip().lower()
    return plain in SILENCES and not (word and plain in _WORDS_TOO)


def alphabet_of(labels: Iterable[str]) -> str:
    """ "ARPABET", "IPA" or "SAMPA": the one that knows most of the labels of a tier, the first of these among equals.

    A letter alone can be in each of them: "y" and "r" tell nothing, "iy", "ɹ" and "r\\" do.

    >>> alphabet_of(["s", "iy"]), alphabet_of(["s", "iː"]), alphabet_of(["s", "i:"])
    ('ARPABET', 'IPA', 'SAMPA')
    """
    spoken = {label.strip() for label in labels if not is_silence(label)}
    known = {name: sum(read(label) is not None for label in spoken) for name, read in _ALPHABETS.items()}
    return max(known, key=lambda name: known[name])


def to_arpabet(label: str, alphabet: str = "") -> tuple[str, ...]:
    """A label as our phones: mostly one; a syllabic consonant is two. Vowels may come out without a stress digit.

    The flap and the glottal stop of American English are read as T.

    Args:
        alphabet: From `alphabet_of`; "" takes the label for itself.

    Raises:
        TranscriptError: It is no phone of ours; it is named.

    >>> to_arpabet("AH0"), to_arpabet("tʰ"), to_arpabet("ɫ̩"), to_arpabet("sp")
    (('AH0',), ('T',), ('AH0', 'L'), ('SIL',))
    """
    plain = label.strip()
    if is_silence(plain):
        return (SILENCE,)
    found = _ALPHABETS[alphabet or alphabet_of([plain])](plain)
    if found is None:
        raise TranscriptError(
            f"the phone {label!r} cannot be told in ARPABET",
            place="phones tier",
            remedy="align with an ARPABET dictionary, such as english_us_arpa",
        )
    return found


def restore_stress(phones: Sequence[PhoneInterval], words: Sequence[WordInterval]) -> tuple[PhoneInterval, ...]:
    """Give vowels that have no stress digit the one that the dictionary has for their word.

    A word that the dictionary says otherwise is stressed on its first full vowel.
    """
    result = list(phones)
    bare = {i for i, p in enumerate(result) if is_vowel(p.phone) and not split_stress(p.phone)[1]}
    if not bare:
        return tuple(result)
    at, groups = 0, []
    for word in words:
        while at < len(result) and (result[at].start + result[at].end) / 2 < word.start:
            at += 1
        start = at
        while at < len(result) and (result[at].start + result[at].end) / 2 < word.end:
            at += 1
        groups.append((word.word, range(start, at)))
    for text, indices in groups:
        vowels = [i for i in indices if is_vowel(result[i].phone)]
        if not bare.isdisjoint(vowels):
            for i, digit in zip(vowels, _stress_of(text, [result[j].phone for j in indices]), strict=True):
                if i in bare:
                    result[i] = result[i]._replace(phone=result[i].phone + digit)
                    bare.discard(i)
    for i in bare:  # no word there
        result[i] = result[i]._replace(phone=result[i].phone + "1")
    return tuple(result)


def _stress_of(word: str, phones: Sequence[str]) -> list[str]:
    """A stress digit for each vowel of `phones`."""
    plain = [split_stress(p)[0] for p in phones if p != SILENCE]
    count = sum(map(is_vowel, plain))
    try:
        variants = pronounce(re.sub("[^a-z']", "", word.lower()))
    except TranscriptError:
        variants = []
    fitting = [v for v in variants if sum(map(is_vowel, v)) == count]
    fitting.sort(key=lambda v: [split_stress(p)[0] for p in v] != plain)  # the very same phones first
    if fitting:
        return [split_stress(p)[1] for p in fitting[0] if is_vowel(p)]
    digits = [split_stress(p)[1] for p in phones if is_vowel(p)]
    first = next((i for i, d in enumerate(digits) if not d), None)
    return [d or ("1" if i == first and "1" not in digits else "0") for i, d in enumerate(digits)]
