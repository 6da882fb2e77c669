"""Words with what their sentence makes of them: tag, head, class, place in a compound, punctuation around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prosody_transfer.text.linguistics.items import Item
from prosody_transfer.text.linguistics.parser import Parse

_OPEN = ("NN", "VB", "JJ", "RB", "CD", "UH", "FW")
_BE = frozenset([
    "be", "am", "is", "are", "was", "were", "been", "being", "'s", "'re", "'m",
])  # fmt: skip
_AUXILIARY = ("aux", "auxpass", "neg")
_POSSESSIVE = ("POS", "HYPH")


@dataclass(frozen=True)
class Word:
    """A word in its sentence.

    Attributes:
        text: As it is written.
        start, end: Its place in the text, in characters.
        tag: Of the Penn Treebank; of a word of several parts that of the first, or of its head where it has a hyphen.
        dep: Its relation to its head, in ClearNLP's names; "ROOT" has none.
        head: Index of its head among the words; of the root its own.
        open_class: Whether it is a noun, verb, adjective, adverb, number or interjection, and no auxiliary.
        compound: "first", "inner" or "last" in a noun compound, or "".
        before, after: Signs of punctuation between it and the words beside it, without spaces; of two words, a sign
            belongs to the first, unless it opens a quotation or a parenthesis.
        clitic: What is glued to it and is a word by itself: "n't", "'ll"; or "".
    """

    text: str
    start: int
    end: int
    tag: str
    dep: str
    head: int
    open_class: bool
    compound: str = ""
    before: str = ""
    after: str = ""
    clitic: str = ""


def words_of(items: Sequence[Item], parse: Parse) -> list[Word]:
    """The words of a sentence; `parse` is that of the same items."""
    members: list[list[int]] = [[] for _ in range(max(parse.words) + 1)]
    for token, word in enumerate(parse.words):
        if word >= 0:
            members[word].append(token)
    main = [_main(tokens, parse) for tokens in members]
    before, after = _punctuation(items)
    heads = [_word_of(parse.heads[m], parse, i) for i, m in enumerate(main)]
    compounds = _compounds([parse.deps[m] for m in main], heads)
    found = []
    for i, item in enumerate(item for item in items if item.is_word):
        outside = next((t for t in members[i] if parse.words[parse.heads[t]] != i), main[i])
        first = main[i]
        found.append(Word(
            item.text, item.start, item.end, parse.tags[first], parse.deps[first],
            _word_of(parse.heads[outside], parse, i), _open(parse, first), compounds[i], before[i], after[i],
            _clitic(members[i], parse),
        ))  # fmt: skip
    return found


def _main(tokens: list[int], parse: Parse) -> int:
    """The token that stands for a word: the first with a letter, or the head of what hyphens join."""
    lettered = [t for t in tokens if any(map(str.isalnum, parse.tokens[t]))] or tokens
    if any(parse.tags[t] == "HYPH" for t in tokens):
        return next((t for t in lettered if parse.heads[t] not in tokens or parse.heads[t] == t), lettered[-1])
    return lettered[0]


def _word_of(head: int, parse: Parse, own: int) -> int:
    return parse.words[head] if parse.words[head] >= 0 else own


def _open(parse: Parse, token: int) -> bool:
    if parse.deps[token] in _AUXILIARY or parse.tokens[token].lower() in _BE:
        return False
    return parse.tags[token].startswith(_OPEN)


def _clitic(tokens: list[int], parse: Parse) -> str:
    parts = [parse.tokens[t] for t in tokens]
    if any(parse.tags[t] in _POSSESSIVE for t in tokens):
        return ""
    return parts[-1] if len(parts) > 1 and "'" in parts[-1].replace("’", "'") else ""


def _punctuation(items: Sequence[Item]) -> tuple[list[str], list[str]]:
    before, after = [], []
    waiting = ""
    for i, item in enumerate(items):
        if item.is_word:
            before.append(waiting)
            after.append("")
            waiting = ""
        elif not after or _opens(items, i):
            waiting += item.text
        else:
            after[-1] += item.text
    if after:
        after[-1] += waiting
    return before, after


def _opens(items: Sequence[Item], i: int) -> bool:
    """Whether a sign goes with the word after it: an opening bracket, or a quote that touches that word alone."""
    if items[i].text[0] in "([{“‘«":
        return True
    touches = i + 1 < len(items) and items[i + 1].start == items[i].end
    return items[i].text in "\"'" and touches and items[i - 1].end < items[i].start


def _compounds(deps: Sequence[str], heads: Sequence[int]) -> list[str]:
    """Where each word stands in a run of nouns that ends in the one they all serve."""
    found = [""] * len(deps)
    end = len(deps) - 1
    while end > 0:
        start = end
        while start > 0 and deps[start - 1] == "compound" and start - 1 < heads[start - 1] <= end:
            start -= 1
        if start < end and deps[end] != "compound":
            found[start], found[end] = "first", "last"
            found[start + 1 : end] = ["inner"] * (end - start - 1)
        end = start - 1 if start < end else end - 1
    return found
