"""Which kind of sentence it is, as far as its melody depends on it: by its last sign, its order and its words."""

from __future__ import annotations

from collections.abc import Sequence

from prosody_transfer.text.linguistics.features import key_of, sign_kind
from prosody_transfer.text.linguistics.words import Word

KINDS = (
    "statement", "yes_no_question", "wh_question", "or_question", "tag_question", "declarative_question", "exclamation",
    "command", "list",
)  # fmt: skip
_AUXILIARIES = frozenset([
    "do", "does", "did", "is", "are", "was", "were", "am", "has", "have", "had", "can", "could", "will", "would",
    "shall", "should", "may", "might", "must", "ain't", "cannot",
])  # fmt: skip
_PRONOUNS = frozenset([
    "i", "you", "he", "she", "it", "we", "they", "there", "one", "this", "that", "these", "those",
])  # fmt: skip
_TAGS = frozenset([
    "right", "okay", "ok", "huh", "eh", "yeah", "yes", "no", "correct",
])  # fmt: skip
_VAGUE = frozenset([
    "so", "something", "anything", "someone", "anyone", "somebody", "anybody", "somewhere", "whatever", "whoever",
    "two", "more",
])  # fmt: skip
_SKIPPED = ("CC", "UH", "RB", "NNP")  # before the verb of a question: "And", "Well", "Then", "John, "
_WH_WORDS = ("WP", "WRB", "WDT", "WP$")
_SUBORDINATE = ("advcl", "relcl", "acl", "csubj")


def kind_of(words: Sequence[Word]) -> str:
    """One of `KINDS`.

    A question asks yes or no, with a wh-word, between what "or" joins, by a tag ("..., isn't it?"), or has the order of
    a statement ("You saw it?"). A list is a statement with three things or more in a row.
    """
    sign = sign_kind(words[-1].after)
    asks = sign == "?" or (not sign and (_wh(words) or _inverted(words)) and _has_subject(words))
    if asks:
        return _question(words)
    if sign == "!":
        return "exclamation"
    if longest_series(words) >= 3:
        return "list"
    return "command" if _orders(words) else "statement"


def _question(words: Sequence[Word]) -> str:
    if _tag_question(words):
        return "tag_question"
    wh, inverted = _wh(words), _inverted(words)
    if (wh or inverted) and _alternatives(words):
        return "or_question"
    if wh:
        return "wh_question"
    return "yes_no_question" if inverted else "declarative_question"


def _plain(word: Word) -> str:
    """An auxiliary without its "n't"."""
    key = key_of(word.text)
    return {"can't": "can", "won't": "will", "shan't": "shall"}.get(key, key.removesuffix("n't"))


def _starts(words: Sequence[Word]) -> list[int]:
    """Where a clause may begin: at the front and after signs, past what can stand before its verb."""
    found = []
    for start in [*([0] if words else []), *(i + 1 for i, w in enumerate(words[:-1]) if sign_kind(w.after))]:
        while start < len(words) - 1 and words[start].tag.startswith(_SKIPPED) and not sign_kind(words[start].after):
            start += 1
        found.append(start)
    return found


def _inverted(words: Sequence[Word]) -> bool:
    """Whether a clause begins with its auxiliary: "Did she", "isn't it"; one word after it at least."""
    return any(_plain(words[i]) in _AUXILIARIES and i + 1 < len(words) for i in _starts(words))


def _has_subject(words: Sequence[Word]) -> bool:
    """Whether somebody does it: not in "Don't touch that", which without a sign could be a question by its order."""
    return any(w.dep.startswith(("nsubj", "expl")) for w in words)


def _wh(words: Sequence[Word]) -> bool:
    """Whether its main clause begins with a wh-word, or with a preposition and one ("In which house did he live?")."""
    for start in _starts(words):
        at = start + (words[start].tag == "IN" and start + 1 < len(words))
        if words[at].tag in _WH_WORDS and not _subordinate(words, at):
            return not _inverted(words[at + 1 :]) or _asks_itself(words, at)
    return False


def _asks_itself(words: Sequence[Word], at: int) -> bool:
    """Whether an auxiliary stands right after the wh-word, in its clause: not in "When he came, did you go?"."""
    end = next((i for i in range(at, len(words)) if sign_kind(words[i].after)), len(words) - 1)
    return any(_plain(words[i]) in _AUXILIARIES for i in range(at + 1, min(at + 3, end)))


def _subordinate(words: Sequence[Word], at: int) -> bool:
    seen: set[int] = set()
    while at not in seen:
        if words[at].dep in _SUBORDINATE:
            return True
        seen.add(at)
        at = words[at].head
    return False


def _alternatives(words: Sequence[Word]) -> bool:
    for i, word in enumerate(words[1:-1], start=1):
        if key_of(word.text) == "or":
            return key_of(words[i + 1].text) not in _VAGUE and key_of(words[i - 1].text) != "whether"
    return False


def _tag_question(words: Sequence[Word]) -> bool:
    """"..., isn't it?", "..., did she not?", "..., right?"; the auxiliary and the pronoun alone after a comma."""
    if len(words) < 3 or sign_kind(words[-1].after) != "?":
        return False
    comma = next((i for i in range(len(words) - 2, -1, -1) if sign_kind(words[i].after)), -1)
    last = [key_of(w.text) for w in words[comma + 1 :]]
    if comma >= 0 and len(last) == 1:
        return last[0] in _TAGS
    pair = [w for w in words[-3:] if key_of(w.text) != "not"][-2:]
    is_pair = _plain(pair[0]) in _AUXILIARIES and key_of(pair[-1].text) in _PRONOUNS
    if comma >= 0 and len(last) <= 3:
        return is_pair and _plain(words[comma + 1]) in _AUXILIARIES
    return is_pair and pair[0].clitic.replace("’", "'") == "n't" and not _inverted(words[:-2]) and not _wh(words)


def longest_series(words: Sequence[Word]) -> int:
    """How many things the longest coordination joins, where signs or conjunctions stand between all of them."""
    longest = 1
    for i, word in enumerate(words):
        if word.dep == "conj":
            continue
        count, at = 1, i
        while (following := _joined_to(words, at)) > 0:
            count, at = count + 1, following
        longest = max(longest, count)
    return longest


def _joined_to(words: Sequence[Word], at: int) -> int:
    """The next that is coordinated with a word; -1 if there is none."""
    return next((i for i, w in enumerate(words) if w.dep == "conj" and w.head == at and i > at), -1)


def _orders(words: Sequence[Word]) -> bool:
    """Whether the main verb is bare and has no subject: "Close the door"."""
    root = next((i for i, w in enumerate(words) if w.dep == "ROOT"), 0)
    if words[root].tag != "VB" or any(w.head == root and w.dep.startswith(("nsubj", "expl")) for w in words):
        return False
    before = (w for w in words[:root] if w.head == root and w.dep in ("aux", "mark"))
    return all(key_of(w.text) in ("do", "don't") for w in before)
