"""English in IPA and in (X-)SAMPA, by tables: each unit is one or more phones of ours."""

from __future__ import annotations

import re

from prosody_transfer.text.phones import is_vowel, split_stress

# Marks of length, release, place and voice tell variants of one phone apart; we do not. Syllabic marks are kept.
_MARKS = re.compile("[ʰʲʷˠˤⁿˡ˞̴̪̻̺̥̤̬̯̞̝̟̠̹̜̰̊̆̚͜͡ˑ.’']")
_TABLE = {
    "æ": "AE", "a": "AE", "aː": "AA", "ɑ": "AA", "ɑː": "AA", "ɒ": "AA", "ɒː": "AO", "ɔ": "AO", "ɔː": "AO",
    "ɐ": "AH",
    "ʌ": "AH", "ə": "AH0", "əː": "ER", "ɘ": "AH0", "ɤ": "AH", "ɚ": "ER0", "ɝ": "ER", "ɜ": "ER", "ɜː": "ER",
    "ɞ": "ER",
    "ɛ": "EH", "ɛː": "EH R", "e": "EH", "eː": "EY", "ø": "ER", "œ": "ER", "ɪ": "IH", "ɪː": "IH R", "ɨ": "IH0",
    "ᵻ": "IH0", "i": "IY", "iː": "IY", "y": "UW", "ʏ": "UH", "ʊ": "UH", "ʊː": "UH R", "ɵ": "UH", "ɵː": "UH R",
    "u": "UW", "uː": "UW", "ʉ": "UW", "ʉː": "UW", "ɯ": "UW", "o": "OW", "oː": "OW",
    "aj": "AY", "aɪ": "AY", "ɑɪ": "AY", "ɑj": "AY", "ai": "AY", "ʌɪ": "AY", "aw": "AW", "aʊ": "AW", "ɑw": "AW",
    "ɑʊ": "AW", "au": "AW", "æw": "AW", "æʊ": "AW", "ej": "EY", "eɪ": "EY", "ei": "EY", "ɛɪ": "EY", "ɛj": "EY",
    "æɪ": "EY", "ow": "OW", "oʊ": "OW", "ou": "OW", "əw": "OW", "əʊ": "OW", "ɔw": "OW", "ɔʊ": "OW", "ɐʉ": "OW",
    "əʉ": "OW", "ɔj": "OY", "ɔɪ": "OY", "ɔi": "OY", "oɪ": "OY", "oj": "OY", "oi": "OY",
    "ij": "IY", "ɪj": "IY", "uw": "UW", "ʊw": "UW", "ʉw": "UW",
    "ɪə": "IH R", "iə": "IH R", "eə": "EH R", "ɛə": "EH R", "ʊə": "UH R", "ɔə": "AO R", "oə": "AO R",
    "p": "P", "b": "B", "t": "T", "d": "D", "ʈ": "T", "ɖ": "D", "k": "K", "c": "K", "q": "K", "ɡ": "G", "g": "G",
    "ɟ": "G", "tʃ": "CH", "ʧ": "CH", "tɕ": "CH", "tʂ": "CH", "cç": "CH", "dʒ": "JH", "ʤ": "JH", "dʑ": "JH",
    "dʐ": "JH",
    "ɟʝ": "JH", "ts": "T S", "ʦ": "T S", "dz": "D Z", "ʣ": "D Z", "tθ": "TH", "dð": "DH", "f": "F", "ɸ": "F",
    "v": "V", "β": "V", "ʋ": "V",
    "θ": "TH", "ð": "DH", "s": "S", "z": "Z", "ʃ": "SH", "ɕ": "SH", "ʂ": "SH", "ʒ": "ZH", "ʑ": "ZH", "ʐ": "ZH",
    "h": "HH", "ɦ": "HH", "ç": "HH", "x": "K", "χ": "K", "m": "M", "ɱ": "M", "n": "N", "ɲ": "N", "ɳ": "N",
    "ŋ": "NG",
    "l": "L", "ɫ": "L", "ʎ": "L", "ɭ": "L", "ɬ": "L", "ɹ": "R", "r": "R", "ɻ": "R",
    "ɽ": "R", "ʁ": "R", "w": "W", "ʍ": "HH W", "j": "Y", "ɥ": "Y", "ɾ": "T", "ɾ̃": "N", "ʔ": "T",
    "m̩": "AH0 M", "n̩": "AH0 N", "ŋ̩": "AH0 NG", "l̩": "AH0 L", "ɫ̩": "AH0 L", "ɹ̩": "ER0", "r̩": "ER0",
}  # fmt: skip
_LONGEST = max(map(len, _TABLE))
_MOST = 3  # phones in a label; more is a word
_SAMPA = {
    "A": "ɑ", "{": "æ", "6": "ɐ", "Q": "ɒ", "E": "ɛ", "@": "ə", "3": "ɜ", "I": "ɪ", "O": "ɔ", "U": "ʊ", "V": "ʌ",
    "}": "ʉ",
    "1": "ɨ", "M": "ɯ", "7": "ɤ", "8": "ɵ", "2": "ø", "9": "œ", "Y": "ʏ", "T": "θ", "D": "ð", "S": "ʃ", "Z": "ʒ",
    "N": "ŋ", "J": "ɲ", "F": "ɱ", "C": "ç", "X": "χ", "R": "ʁ", "L": "ʎ", "W": "ʍ", "4": "ɾ", "5": "ɫ", "?": "ʔ",
    "B": "β", "r\\": "ɹ", "@`": "ɚ", "3`": "ɝ", "3r": "ɝ", "@r": "ɚ", "h\\": "ɦ", "l_e": "ɫ", "I\\": "ᵻ", ":": "ː",
    '"': "ˈ",
    "%": "ˌ", "=": "̩", "_=": "̩", "_h": "ʰ", "_j": "ʲ", "_w": "ʷ", "_d": "̪", "_0": "̥", "_}": "̚", "_^": "̯",
    "~": "̃", "_~": "̃",
}  # fmt: skip
_SAMPA_SIGN = re.compile("|".join(re.escape(s) for s in sorted(_SAMPA, key=len, reverse=True)))


def from_ipa(label: str) -> tuple[str, ...] | None:
    """A label in IPA as phones of ours, stressed where it has the mark; None where it is none.

    >>> from_ipa("ˈeɪ"), from_ipa("t͡ʃʰ"), from_ipa("ɑːɹ"), from_ipa("hello")
    (('EY1',), ('CH',), ('AA', 'R'), None)
    """
    digit = "1" if "ˈ" in label else "2" if "ˌ" in label else ""
    text = _MARKS.sub("", label.replace("ˈ", "").replace("ˌ", ""))
    phones: list[str] = []
    at = 0
    while at < len(text):
        sizes = range(min(_LONGEST, len(text) - at), 0, -1)
        unit = next((text[at : at + n] for n in sizes if text[at : at + n] in _TABLE), "")
        if not unit:
            if text[at] in "ː̃" and phones:  # length and nasality where the table does not ask
                at += 1
                continue
            return None
        phones += _TABLE[unit].split()
        at += len(unit)
    if not phones or len(phones) > _MOST:
        return None
    if digit:
        vowel = next((i for i, p in enumerate(phones) if is_vowel(p)), None)
        if vowel is not None:
            phones[vowel] = split_stress(phones[vowel])[0] + digit
    return tuple(phones)


def from_sampa(label: str) -> tuple[str, ...] | None:
    """A label in SAMPA or X-SAMPA as phones of ours; None where it is none.

    >>> from_sampa("3:"), from_sampa("tS"), from_sampa('"eI'), from_sampa("n="), from_sampa("K")
    (('ER',), ('CH',), ('EY1',), ('AH0', 'N'), None)
    """
    if not label.isascii() or re.search("[cqKPGH]", label):
        return None
    return from_ipa(_SAMPA_SIGN.sub(lambda m: _SAMPA[m[0]], label))
