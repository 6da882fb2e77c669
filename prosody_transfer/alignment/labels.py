"""Other people's phone labels in ours: silences, ARPABET without stress, the IPA of the Montreal Forced Aligner."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import SILENCE, PhoneInterval, WordInterval
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.phones import PHONE_IDS, is_vowel, split_stress

SILENCES = frozenset({"", "sil", "sp", "spn", "<eps>", "<sil>", "<unk>", "silence", "pau", "pause", "h#", "noise", "_"})
_OLD_ARPABET = {"AX": "AH0", "AXR": "ER0", "IX": "IH0", "UX": "UW", "HV": "HH"}
# Length, aspiration, palatal, labial and dental marks tell variants of one phone apart; we do not.
_MARKS = re.compile("[ːˑʰʲʷˠ\u02de\u031a\u032a\u0325\u030a\u0303\u0361\u035c]")
# "a", "e", "o" alone and x, y, q are left out: which English phone they mean depends on the dictionary.
_IPA = {
    "æ": "AE", "ɑ": "AA", "ɒ": "AA", "ɔ": "AO", "ɐ": "AH", "ʌ": "AH", "ə": "AH0", "ɚ": "ER0", "ɝ": "ER", "ɜ": "ER",
    "ɛ": "EH", "ɪ": "IH", "i": "IY", "ʊ": "UH", "u": "UW", "ʉ": "UW", "aj": "AY", "aɪ": "AY", "aw": "AW", "aʊ": "AW",
    "ej": "EY", "eɪ": "EY", "ow": "OW", "oʊ": "OW", "əw": "OW", "əʊ": "OW", "ɔj": "OY", "ɔɪ": "OY",
    "p": "P", "b": "B", "t": "T", "d": "D", "k": "K", "c": "K", "ɡ": "G", "g": "G", "ɟ": "G", "tʃ": "CH", "ʧ": "CH",
    "dʒ": "JH", "ʤ": "JH", "f": "F", "v": "V", "θ": "TH", "ð": "DH", "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH",
    "h": "HH", "ç": "HH", "m": "M", "ɱ": "M", "n": "N", "ɲ": "N", "ŋ": "NG", "l": "L", "ɫ": "L", "ʎ": "L", "ɹ": "R",
    "w": "W", "j": "Y", "ɾ": "T", "ʔ": "T",
    "m\u0329": "AH0 M", "n\u0329": "AH0 N", "l\u0329": "AH0 L", "ɫ\u0329": "AH0 L",
}  # fmt: skip


def to_arpabet(label: str) -> tuple[str, ...]:
    """A label as our phones: mostly one; a syllabic consonant is two. Vowels may come out without a stress digit.

    The flap and the glottal stop of American English are read as T.

    Raises:
        TranscriptError: No phone of ours, or more than one could be meant; it is named.

    >>> to_arpabet("AH0"), to_arpabet("tʰ"), to_arpabet("ɫ̩"), to_arpabet("sp")
    (('AH0',), ('T',), ('AH0', 'L'), ('SIL',))
    """
    plain = label.strip()
    if plain.lower() in SILENCES:
        return (SILENCE,)
    upper = re.sub(r"_[BIES]$", "", plain.upper())
    upper = _OLD_ARPABET.get(upper, upper)
    phone, stress = split_stress(upper)
    # one letter in lower case can be IPA: "y" and "r" are not what they are in ARPABET
    if phone in PHONE_IDS and (not stress or is_vowel(phone)) and (plain != plain.lower() or plain not in ("r", "y")):
        return (upper,)
    digit = "1" if "ˈ" in plain else "2" if "ˌ" in plain else ""
    found = _IPA.get(_MARKS.sub("", plain.replace("ˈ", "").replace("ˌ", "")))
    if found is None:
        raise TranscriptError(
            f"the phone {label!r} cannot be told in ARPABET",
            place="phones tier",
            remedy="align with an ARPABET dictionary, such as english_us_arpa",
        )
    phones = found.split()
    if digit and len(phones) == 1 and is_vowel(found):
        phones = [split_stress(found)[0] + digit]
    return tuple(phones)


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
