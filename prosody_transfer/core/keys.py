"""Text as a key: what counts as the same name, the same sentence and the same file, whoever wrote it and how."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_FILE_NAME = 120  # bytes, of the 255 that most systems take: something is always added
_DOTLESS = {ord("ı"): "i"}  # the only letter that case folding and writing in capitals do not bring together


def fold(text: str) -> str:
    """Text without differences of case and form; folded again it stays as it is.

    Source:
        Unicode 15, 3.13, D146: compatibility caseless matching. Letters are taken apart before they are made small
        and once more after it, as either may uncover work for the other ("𝑨" is "A" only when taken apart). Differs
        from it in: the dotless i of Turkish is an i.

    >>> fold("𝑨"), fold("ﬀ") == fold("FF"), fold("I") == fold("ı")
    ('a', True, True)
    """
    text = unicodedata.normalize("NFD", text)
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text.casefold())
    return text.translate(_DOTLESS)


def name_key(name: str) -> str:
    """What two spellings of one name have in common: no case, no form, no blanks around it.

    >>> name_key(" Zoë ") == name_key("ZOE" + chr(0x308))
    True
    """
    return " ".join(fold(name).split())


def sentence_key(text: str) -> str:
    """What two transcripts of one sentence have in common: letters and digits, no case, marks or punctuation.

    >>> sentence_key("Don’t  stop, Zoë!") == sentence_key("don't STOP zoe")
    True
    """
    plain = "".join(c for c in fold(text) if not unicodedata.combining(c) and c not in "'’‘ʼ`")
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def file_name(name: str) -> str:
    """A file name for any name: itself where it is short, ASCII and safe; else what is left of it, and its hash.

    No name leads out of a folder, and no two get one file name but by the chance of a hash.

    >>> file_name("jane_2"), file_name("../a b")[:4]
    ('jane_2', 'a_b-')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name)
    if plain == name and not name.startswith(".") and 0 < len(name) <= LONGEST_FILE_NAME:
        return name
    digest = hashlib.sha256(name.encode("utf8", "surrogatepass")).hexdigest()[:10]
    return "-".join(part for part in (plain.strip("._-")[: LONGEST_FILE_NAME - 11], digest) if part)
