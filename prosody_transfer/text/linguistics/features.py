"""What prominence and boundaries are predicted from: a row of numbers for each word of a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from prosody_transfer.text.lexicon import lookup
from prosody_transfer.text.linguistics.tree import Tree, heights
from prosody_transfer.text.linguistics.words import Word

STATISTICS = ("count", "prominence", "accented", "strong", "break")  # of a word, a tag or a relation in the corpus
_TAGS = (
    ("NNP",), ("NN",), ("VBG", "VBN"), ("VB",), ("MD",), ("JJ",), ("RB",), ("PRP", "EX"), ("PRP$",), ("DT", "PDT"),
    ("IN", "TO"), ("CC",), ("WP", "WDT", "WRB"), ("RP",), ("CD",), ("UH",),
)  # fmt: skip
_DEPS = (
    "ROOT", "nsubj", "dobj", "pobj", "aux", "neg", "advmod", "amod", "compound", "conj", "cc", "mark", "advcl", "ccomp",
    "relcl", "prep", "acl", "appos", "intj", "npadvmod", "attr", "acomp", "det", "poss",
)  # fmt: skip
_WINDOW = (-3, -2, -1, 1, 2, 3)
Statistics = Mapping[str, np.ndarray]  # key -> count and sums, as STATISTICS has them


def key_of(word: str) -> str:
    """A word as the statistics know it: small letters, straight apostrophes, none around it, no full stop at its end.

    >>> key_of("‘Don’t"), key_of("Mr.")
    ("don't", 'mr')
    """
    return word.lower().replace("’", "'").replace("‘", "'").strip("'\".")


@lru_cache(maxsize=16384)
def syllables(key: str) -> int:
    """How many a word has, by the dictionary or by its groups of vowels."""
    known = lookup(key)
    if known:
        return sum(phone[-1].isdigit() for phone in known[0])
    groups = sum(a in "aeiouy" and b not in "aeiouy" for a, b in zip(key, " " + key[:-1], strict=True))
    return max(1, groups)


class Tables:
    """How words, tags and relations were said: means that lean on the tag's where a word is rare."""

    def __init__(self, words: Statistics, tags: Statistics, deps: Statistics) -> None:
        self._words, self._tags, self._deps = words, tags, deps
        total = np.sum(list(tags.values()), axis=0)
        self._all = total[1:] / max(total[0], 1.0)

    def of_tag(self, tag: str) -> np.ndarray:
        """Means (4,) of a tag."""
        return self._mean(self._tags.get(tag), self._all, 20.0)

    def of_dep(self, dep: str) -> np.ndarray:
        """Means (4,) of a relation."""
        return self._mean(self._deps.get(dep), self._all, 20.0)

    def of_word(self, key: str, tag: str) -> tuple[float, np.ndarray]:
        """How often a word was seen, and its means (4,)."""
        found = self._words.get(key)
        return (float(found[0]) if found is not None else 0.0), self._mean(found, self.of_tag(tag), 4.0)

    @staticmethod
    def _mean(sums: np.ndarray | None, prior: np.ndarray, weight: float) -> np.ndarray:
        if sums is None:
            return prior
        return np.asarray((sums[1:] + weight * prior) / (sums[0] + weight))


def names() -> list[str]:
    """Of the columns, in order."""
    lexical = ["logcount", *STATISTICS[1:], *(f"tag_{s}" for s in STATISTICS[1:3]), "open", "syllables"]
    columns = [*lexical]
    for k in _WINDOW:
        columns += [f"{name}{k:+d}" for name in lexical]
    columns += [f"is_{tags[0]}" for tags in _TAGS] + [f"next_{tags[0]}" for tags in _TAGS]
    columns += [f"dep_{s}" for s in STATISTICS[1:]] + [f"dep_{d}" for d in _DEPS] + [f"nextdep_{d}" for d in _DEPS]
    columns += list(_OWN) + list(_PLACE) + list(_STRUCTURE)
    return columns


_OWN = ("letters", "capital", "capitals", "negated", "clitic", "compound", "seen_before")
_PLACE = (
    "index", "from_end", "length", "since_sign", "until_sign", "syllables_since", "syllables_until", "open_since",
    "comma", "semicolon", "final", "question", "exclamation", "sign", "sign_before",
)  # fmt: skip
_STRUCTURE = (
    "distance", "distance_next", "relative", "relative_next", "ends", "begins_next", "ends_count", "begins_count",
    "to_head", "next_to_head", "arcs_over", "longest_arc_over", "left_dependents", "right_dependents",
    "next_is_dependent", "next_is_head", "depth", "next_depth", "subtree", "next_subtree",
)  # fmt: skip


def features(words: Sequence[Word], tree: Tree, tables: Tables) -> np.ndarray:
    """A row for each word.

    Args:
        words: Of one sentence.
        tree: Its constituents.

    Returns:
        (n, d), float32; columns as `names` has them.
    """
    n = len(words)
    lexical = _lexical(words, tables)
    blocks = [lexical]
    nothing = np.full((1, lexical.shape[1]), -1.0)
    for k in _WINDOW:
        at = np.arange(n) + k
        inside = (at >= 0) & (at < n)
        blocks.append(np.where(inside[:, None], lexical[np.clip(at, 0, n - 1)], nothing))
    tags = np.array([[w.tag in group for group in _TAGS] for w in words], float)
    deps = np.array([[w.dep == d for d in _DEPS] for w in words], float)
    dep_means = np.array([tables.of_dep(w.dep) for w in words])
    blocks += [tags, _next(tags), dep_means, deps, _next(deps)]
    blocks += [_own(words), _place(words, lexical), _structure(words, tree)]
    return np.hstack(blocks).astype(np.float32)


def _next(rows: np.ndarray) -> np.ndarray:
    return np.vstack([rows[1:], np.zeros((1, rows.shape[1]))])


def _lexical(words: Sequence[Word], tables: Tables) -> np.ndarray:
    rows = []
    for word in words:
        key = key_of(word.text)
        count, means = tables.of_word(key, word.tag)
        rows.append([np.log1p(count), *means, *tables.of_tag(word.tag)[:2], word.open_class, syllables(key)])
    return np.array(rows, float)


def _own(words: Sequence[Word]) -> np.ndarray:
    rows, seen = [], set()
    for word in words:
        key = key_of(word.text)
        bare = word.text.strip("'\"‘’“”")
        negated = word.clitic.replace("’", "'") == "n't"
        compound = ("", "first", "inner", "last").index(word.compound)
        shouted = len(bare) > 1 and bare.isupper()
        rows.append([len(key), bare[:1].isupper(), shouted, negated, bool(word.clitic), compound, key in seen])
        seen.add(key)
    return np.array(rows, float)


def _place(words: Sequence[Word], lexical: np.ndarray) -> np.ndarray:
    n = len(words)
    signs = [sign_kind(w.after) if i + 1 < n else (sign_kind(w.after) or "final") for i, w in enumerate(words)]
    length, opens = lexical[:, -1], lexical[:, -2]
    rows = np.zeros((n, len(_PLACE)))
    since = passed = opened = 0.0
    for i in range(n):
        since, passed, opened = since + 1, passed + length[i], opened + opens[i]
        kind = signs[i]
        rows[i, [0, 1, 2, 3, 5, 7]] = i, n - 1 - i, n, since, passed, opened
        rows[i, 8:10] = kind == "comma", kind == "semicolon"
        rows[i, 10:14] = kind in ("final", "?", "!"), kind == "?", kind == "!", bool(kind)
        rows[i, 14] = i > 0 and bool(signs[i - 1])
        if kind:
            since = passed = opened = 0.0
    until = passing = 0.0
    for i in range(n - 1, -1, -1):
        if signs[i]:
            until = passing = 0.0
        rows[i, [4, 6]] = until, passing
        until, passing = until + 1, passing + length[i]
    return rows


def sign_kind(signs: str) -> str:
    """What a run of punctuation is to a reader: "", "comma", "semicolon", "final", "?" or "!"; quotes are nothing.

    >>> sign_kind('?"'), sign_kind(","), sign_kind("--"), sign_kind("'")
    ('?', 'comma', 'semicolon', '')
    """
    for kind, marks in (("?", "?"), ("!", "!"), ("final", "."), ("semicolon", ";:—―–-…()[]{}"), ("comma", ",")):
        if any(mark in signs for mark in marks):
            return "semicolon" if ".." in signs and kind == "final" else kind
    return ""


def _structure(words: Sequence[Word], tree: Tree) -> np.ndarray:
    n = len(words)
    distance = heights(tree)
    top = max(1, max(distance))
    following = [*distance[1:], top + 1]
    ends, begins, ends_count, begins_count, depth = _spans(tree, n)
    heads = [w.head for w in words]
    size = _subtrees(heads)
    rows = []
    for i in range(n):
        over = [abs(h - j) for j, h in enumerate(heads) if min(j, h) <= i < max(j, h)]
        j = min(i + 1, n - 1)
        rows.append([
            distance[i], following[i], distance[i] / top, following[i] / top, ends[i], begins[i + 1], ends_count[i],
            begins_count[i + 1], heads[i] - i, heads[j] - j, len(over), max(over, default=0),
            sum(h == i and k < i for k, h in enumerate(heads)), sum(h == i and k > i for k, h in enumerate(heads)),
            heads[j] == i, heads[i] == j, depth[i], depth[j], size[i], size[j],
        ])  # fmt: skip
    return np.array(rows, float)


def _spans(tree: Tree, n: int) -> tuple[list[int], list[int], list[int], list[int], list[int]]:
    """By word: the largest constituent that ends with it, that begins with it, how many end and begin, its depth."""
    ends, begins, ends_count, begins_count, depth = ([0] * (n + 1) for _ in range(5))

    def walk(node: Tree, at: int, level: int) -> int:
        if isinstance(node, int):
            depth[at] = level
            return 1
        size = 0
        for part in node:
            size += walk(part, at + size, level + 1)
        if size < n:
            ends[at + size - 1], begins[at] = max(ends[at + size - 1], size), max(begins[at], size)
            ends_count[at + size - 1] += 1
            begins_count[at] += 1
        return size

    walk(tree, 0, 0)
    return ends, begins, ends_count, begins_count, depth


def _subtrees(heads: Sequence[int]) -> list[int]:
    """How many words hang on each, itself with them."""
    size = [0] * len(heads)
    for i in range(len(heads)):
        at, steps = i, 0
        while steps <= len(heads):
            size[at] += 1
            if heads[at] == at:
                break
            at, steps = heads[at], steps + 1
    return size
