"""Readings of addresses on the net, of mail, of files, and of tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from prosody_transfer.text import numbers as num
from prosody_transfer.text.lexicon import lookup
from prosody_transfer.text.rules import Context, Rule, combine, distinct, rule

_SIGNS = {
    ".": ["dot"], "@": ["at"], "/": ["slash"], ":": ["colon"], "-": ["dash", "hyphen", ""], "_": ["underscore"],
    "&": ["ampersand", "and"], "#": ["hash"], "?": ["question mark"], "=": ["equals"], "%": ["percent"],
    "+": ["plus"], "~": ["tilde"], "\\": ["backslash"], "*": ["asterisk"], "!": ["exclamation mark"], "$": ["dollar"],
    ",": ["comma"], ";": ["semicolon"], "'": [""], "(": [""], ")": [""],
}  # fmt: skip
_SPELLED = frozenset({
    "http", "https", "www", "html", "htm", "ftp", "php", "pdf", "xml", "css", "js", "ssh", "url", "uk", "us", "eu",
    "fr", "de", "tv", "io", "ai", "sm", "ac", "cn", "jp", "nz", "au", "cc", "hk", "sg", "csv", "txt", "png", "svg",
    "mp", "mov", "api", "ip", "faq",
})  # fmt: skip
_SAID = frozenset({
    "com", "org", "net", "gov", "edu", "info", "biz", "app", "dev", "blog", "shop", "site", "online", "tech", "me",
    "in", "it", "be", "so", "to", "at", "co", "id", "is",
})  # fmt: skip
_VOWEL = re.compile("[aeiouy]")


def _word(word: str) -> list[str]:
    """A run of letters: a word, words run together, or letters."""
    lower = word.lower()
    letters = " ".join(lower)
    if lower in _SPELLED or not _VOWEL.search(lower):
        return [letters] if len(lower) <= 5 else [letters, lower]
    if lower in _SAID and len(lower) > 2:
        return [lower]
    if lookup(lower):
        return [lower, letters] if len(lower) <= 2 else [lower]
    return [_segmented(lower)] if len(lower) > 3 else [letters, lower]


@lru_cache(maxsize=512)
def _segmented(word: str) -> str:
    """Words run together, parted into as few words of the dictionary as make it up; itself where none do.

    >>> _segmented("ourdailynews"), _segmented("wugsy")
    ('our daily news', 'wugsy')
    """
    if len(word) < 6 or len(word) > 40:
        return word
    best: list[tuple[int, list[str]] | None] = [(0, [])] + [None] * len(word)
    for end in range(2, len(word) + 1):
        for start in range(max(0, end - 14), end - 1):
            before, part = best[start], word[start:end]
            if before is None or len(part) < 3 and part not in _SHORT or not lookup(part):
                continue
            cost = before[0] + (2 if len(part) > 3 else 3)
            held = best[end]
            if held is None or cost < held[0]:
                best[end] = (cost, [*before[1], part])
    found = best[-1]
    return " ".join(found[1]) if found and len(found[1]) <= 4 else word


_SHORT = frozenset({
    "my", "we", "is", "it", "in", "on", "of", "to", "go", "do", "be", "by", "so", "at", "up", "us", "or", "an", "as",
    "he", "me", "no", "if",
})  # fmt: skip


def spelled_out(text: str) -> list[str]:
    """All of an address with its signs, digits one by one.

    >>> spelled_out("a1@b-c.com")
    ... # doctest: +NORMALIZE_WHITESPACE
    ['a one at b dash c dot com', 'a one at b hyphen c dot com', 'a one at b c dot com']
    """
    parts: list[list[str]] = []
    for piece in re.findall(r"[A-Za-z]+|[0-9]+|.", text):
        if piece.isdecimal():
            whole = num.cardinal(piece)
            parts.append(distinct([*num.digit_strings(piece), whole if len(piece) < 5 else "", num.pairs(piece)], 3))
        elif piece.isalpha() and piece.isascii():
            parts.append(_word(piece))
        else:
            parts.append(_SIGNS.get(piece, [""]))
    if sum(len(p) > 1 for p in parts) > 3:  # one choice for all dashes
        first = [p[:1] for p in parts]
        return distinct([*combine(*first), *combine(*[p[:2] for p in parts], most=3),
                         " ".join(p[-1] if p[0] == "dash" else p[0] for p in parts)], 5)  # fmt: skip
    return combine(*parts, most=5)


def _address(m: re.Match[str], context: Context) -> Sequence[str]:
    text = m[0].rstrip("/") if "://" in m[0] else m[0]
    readings = spelled_out(text)
    if "://" in text:
        after = text.split("://", 1)[1]
        readings = distinct(
            [*readings[:3], *spelled_out(after)[:2], *([spelled_out(after[4:])[0]] if after.startswith("www.") else [])]
        )
    elif text.lower().startswith("www."):
        readings = distinct([*readings[:3], *spelled_out(text[4:])[:1]])
    return readings


def _handle(m: re.Match[str], context: Context) -> Sequence[str]:
    return combine(["at"], spelled_out(m["name"]))


def _tag(m: re.Match[str], context: Context) -> Sequence[str]:
    """ "#5" is a number, "#metoo" a tag."""
    from prosody_transfer.text.reading_numbers import bare

    name = m["name"]
    if name.isdecimal():
        return distinct(
            [*combine(["number"], bare(name)[:3]), *(f"{w} {bare(name)[0]}" for w in ("hashtag", "pound", "hash"))], 6
        )
    capitals = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = combine(*[spelled_out(w) for w in capitals.split()])
    return combine(["hashtag", "hash"], words, most=3)


_TOP = (
    "com|org|net|edu|gov|mil|io|co|uk|us|de|fr|it|es|nl|se|ch|at|be|ca|au|nz|jp|cn|in|ru|br|eu|tv|me|info|biz|app|dev"
    "|ai|ly|fm|sm|html?|pdf"
)
RULES: tuple[Rule, ...] = (
    rule("web address", r"[A-Za-z]{3,6}://[^\s\"<>]*[A-Za-z0-9/]", _address),
    rule(
        "mail address",
        r"[A-Za-z0-9][^\s@\"<>(),]*@[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}(?:/[^\s\"]*[A-Za-z0-9])?",
        _address,
    ),
    rule("host", rf"(?:[A-Za-z0-9][A-Za-z0-9-]*\.)+(?:{_TOP})(?::[0-9]+)?(?:[/?][^\s\"]*[A-Za-z0-9])?/?", _address),
    rule("www", r"www\.[^\s\"]*[A-Za-z0-9]", _address),
    rule("path", r"(?:[A-Za-z]:\\|~?/)[A-Za-z0-9_.-]+(?:[/\\][A-Za-z0-9_.-]+)+", _address),
    rule(
        "file",
        r"[A-Za-z0-9_-]+\.(?:txt|docx?|xlsx?|pptx?|csv|jpe?g|png|gif|mp[34]|wav|zip|py|js|json|xml|exe)",
        _address,
    ),
    rule("handle", r"@(?P<name>[A-Za-z0-9_]+)", _handle),
    rule("tag", r"#(?P<name>[A-Za-z0-9_]+)", _tag),
)  # fmt: skip
