"""Written text cut into tokens: look-alike characters made one, accents dropped, what is glued together parted."""

from __future__ import annotations

import re
import unicodedata

_SUPERSCRIPTS = {ord(a): f"^{b}" for a, b in zip("⁰¹⁴⁵⁶⁷⁸⁹ⁿ", "01456789n", strict=True)}
_CHARACTERS = (
    {ord(a): b for a, b in zip("‘’‛ʼ`´′‐‑‒–−⁃", "'''''''------", strict=True)}
    | _SUPERSCRIPTS
    | {
        ord("“"): '"', ord("”"): '"', ord("„"): '"', ord("″"): '"', ord("―"): " — ", ord("—"): " — ", ord("…"): " ",
        ord("№"): " No. ", ord("™"): "", ord("®"): "", ord("©"): "", ord("\xad"): "", ord("\u200b"): "",
        ord("\ufeff"): "", ord("ß"): "ss", ord("æ"): "ae", ord("Æ"): "Ae", ord("œ"): "oe", ord("Œ"): "Oe",
        ord("ø"): "o", ord("Ø"): "O", ord("ł"): "l", ord("Ł"): "L", ord("đ"): "d", ord("ð"): "th", ord("þ"): "th",
        ord("ı"): "i", ord("º"): "°", ord("˚"): "°", ord("⁄"): "/", ord("∕"): "/", ord("µ"): "μ", ord("•"): " ",
    }
)  # fmt: skip
_KEPT = {"²": "\ue002", "³": "\ue003"}  # through NFKD, which makes digits of them
EDGE = "\"'()[]{}<>*_~«»¿¡.,;:!?|\\^"  # around a word, not of it
_FRACTIONS = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"


def clean(text: str) -> str:
    """One line in few kinds of characters: straight quotes and hyphens, decimal digits 0 to 9, no accents.

    >>> clean("“Naïve—yes… no?” 3½ ٣ km²")
    '"Naive — yes no?" 3 1/2 3 km²'
    """
    text = re.sub(rf"([0-9]?)([{_FRACTIONS}])", r"\1 \2 ", text.translate(_CHARACTERS))
    text = re.sub(r"(?:Rs\.?|INR) ?(?=[0-9])", "₹", text)
    for character, stand_in in _KEPT.items():
        text = text.replace(character, stand_in)
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c)).translate(_CHARACTERS)
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    for character, stand_in in _KEPT.items():
        text = text.replace(stand_in, character)
    return " ".join(_part(text).split())


def _part(text: str) -> str:
    """Spaces where a sign of punctuation has words on both sides."""
    text = re.sub(r"\.{2,}", " ", re.sub("-{2,}", " — ", text))
    text = re.sub(r"(?<=[A-Za-z])([,;?!]+)(?=[^\s\"')\]}.,;?!])", r"\1 ", text)
    text = re.sub(r"(?<=[0-9])([;?!]+)(?=[^\s\"')\]}.,;?!])", r"\1 ", text)
    text = re.sub(r"(?<=[0-9])([,]+)(?=[A-Za-z])", r"\1 ", text)
    text = re.sub(r"(?<=\.)([,;?!]+)(?=[^\s\"')\]}.,;?!])", r"\1 ", text)
    text = re.sub(r"(?<=[0-9A-Za-z]\))(?=[A-Za-z0-9]{2})", " ", text)
    return re.sub(r"(?<=[A-Za-z]{2}):(?=[A-Z][a-z])", ": ", text)
