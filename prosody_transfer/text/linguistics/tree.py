"""Constituents by head rules from a dependency parse, and the syntactic distance between words.

The distance is that of Tyagi et al., Interspeech 2020: words i - 1 and i are as far apart as the lowest constituent
that holds both is high, in the tree made binary to the right, with punctuation left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Union

from prosody_transfer.text.linguistics.parser import Parse

Tree = Union[int, tuple["Tree", ...]]  # noqa: UP007 (a name in quotes cannot be joined by |)

_CLAUSE_OF_ITS_OWN = ("nsubj", "nsubjpass", "expl", "csubj", "csubjpass")
_COORDINATION = ("conj", "cc", "preconj")
_DEEPEST = 60  # heads above one another; sentences that people write have up to 20
_AUXILIARY = ("aux", "auxpass", "neg")


def constituents(parse: Parse) -> Tree:
    """The tree over words 0 to n - 1; a word alone is its number, a constituent a tuple of two or more."""
    heads = _projective(list(parse.heads), [w >= 0 for w in parse.words])
    children: list[list[int]] = [[] for _ in heads]
    root = 0
    for i, head in enumerate(heads):
        if parse.words[i] >= 0:
            if head == i:
                root = i
            else:
                children[head].append(i)
    return _by_words(_Builder(parse, children).phrase(root), parse.words, set()) or 0


def syntactic_distances(parse: Parse) -> list[int]:
    """How far each word is from the one before, as height of their constituent; of the first word 0.

    Returns:
        A number for each of n words, 0 to n - 1.
    """
    return heights(constituents(parse))


def heights(tree: Tree) -> list[int]:
    """Distances of the leaves of a tree, flat constituents taken as branching to the right.

    >>> heights(((0, 1, 2), (3, 4)))
    [0, 2, 1, 3, 1]
    """
    return [0, *_walk(tree)[1]]


def _walk(tree: Tree) -> tuple[int, list[int]]:
    """Height of a tree, and the distances inside of it."""
    if isinstance(tree, int):
        return 0, []
    height, inside = _walk(tree[-1])
    for part in reversed(tree[:-1]):
        tall, before = _walk(part)
        height = 1 + max(height, tall)
        inside = [*before, height, *inside]
    return height, inside


def bracketed(tree: Tree, words: Sequence[str]) -> str:
    """A tree as people write it.

    >>> bracketed((0, (1, 2)), ["He", "ran", "home"])
    '[He [ran home]]'
    """
    if isinstance(tree, int):
        return words[tree]
    inside = []
    for part in tree:  # a loop, as in what else walks trees: a frame a level and no more
        inside.append(bracketed(part, words))
    return "[" + " ".join(inside) + "]"


def read_brackets(text: str) -> Tree:
    """The tree that `bracketed` writes so, over the numbers of its words.

    >>> read_brackets("[He [ran home]]")
    (0, (1, 2))
    """
    stack: list[list[Tree]] = [[]]
    words = 0
    for token in re.findall(r"\[|\]|[^\s\[\]]+", text):
        if token == "[":
            stack.append([])
        elif token == "]":
            part = stack.pop()
            stack[-1].append(_joined(part))
        else:
            stack[-1].append(words)
            words += 1
    return _joined(stack[0])


def _joined(parts: Sequence[Tree]) -> Tree:
    return parts[0] if len(parts) == 1 else tuple(parts)


def _by_words(tree: Tree, words: Sequence[int], seen: set[int]) -> Tree | None:
    """Tokens to words: a word is where its first part stands, and the others leave no node behind."""
    if isinstance(tree, int):
        word = words[tree]
        if word in seen:
            return None
        seen.add(word)
        return word
    kept = []
    for part in tree:
        found = _by_words(part, words, seen)
        if found is not None:
            kept.append(found)
    return _joined(kept) if kept else None


def _projective(heads: list[int], counted: list[bool]) -> list[int]:
    """Heads such that every subtree is one stretch: what crosses is hung higher until it does not."""
    for i, head in enumerate(heads):  # what hangs on punctuation hangs on what that hangs on
        while not counted[head] and heads[head] != head:
            head = heads[head]
        heads[i] = head if counted[head] else i
    root = next(i for i, head in enumerate(heads) if head == i and counted[i])
    heads = [root if head == i and counted[i] else head for i, head in enumerate(heads)]
    changed = True
    while changed:
        changed = False
        for i in range(len(heads)):
            head = heads[i]
            low, high = sorted((i, head))
            between = range(low + 1, high)
            if head != i and heads[head] != head and any(counted[k] and not _under(heads, k, head) for k in between):
                heads[i] = heads[head]
                changed = True
    return _shallow(heads)


def _shallow(heads: list[int]) -> list[int]:
    """What lies too deep hangs on what lies just deep enough: a list of 300 names is no reason to fail."""
    found = list(heads)
    for i in range(len(heads)):
        way = [i]
        while heads[way[-1]] != way[-1]:
            way.append(heads[way[-1]])
        if len(way) > _DEEPEST + 1:
            found[i] = way[-_DEEPEST]
    return found


def _under(heads: Sequence[int], token: int, ancestor: int) -> bool:
    while heads[token] != token:
        if token == ancestor:
            return True
        token = heads[token]
    return token == ancestor


class _Builder:
    """Phrases of heads with their dependents, as the Penn Treebank would bracket them."""

    def __init__(self, parse: Parse, children: list[list[int]]) -> None:
        self.tags, self.deps, self.children = parse.tags, parse.deps, children

    def verbal(self, head: int) -> bool:
        """Whether it heads a clause or a verb phrase."""
        return self.tags[head][:2] in ("VB", "MD") or self.has_subject(head)

    def has_subject(self, head: int) -> bool:
        return any(self.deps[c] in _CLAUSE_OF_ITS_OWN for c in self.children[head])

    def phrase(self, head: int) -> Tree:
        """The whole of what hangs on a token."""
        conjuncts = self.chain(head)
        if len(conjuncts) > 1:
            return self.coordinated(head, conjuncts)
        return self.simple(head, list(self.children[head]))

    def chain(self, head: int) -> list[int]:
        """A head and all that is coordinated with it: the second hangs on the first, the third on the second."""
        later = [c for c in self.children[head] if c > head and self.deps[c] == "conj"]
        found = [head]
        if any(map(self.has_subject, later)):  # "John ran, Mary sat, and Ann lay": the parser has Mary's verb as head
            clauses = (c for c in self.children[head] if c < head and self.deps[c] == "ccomp")
            found += [c for c in clauses if self.has_subject(c)]
        for child in later:
            found += self.chain(child)
        return sorted(found)

    def coordinated(self, head: int, conjuncts: list[int]) -> Tree:
        """[A and B], with what A and B share outside: a subject, where only the first verb has one."""
        own: dict[int, list[int]] = {c: [] for c in conjuncts}
        links: list[int] = []
        last = conjuncts[-1]
        after: list[int] = []
        for conjunct in conjuncts:
            for child in self.children[conjunct]:
                if self.deps[child] == "cc" and conjunct < child < last:
                    links.append(child)
                elif child in own:
                    continue
                elif child > last and conjunct != last:
                    after.append(child)
                else:  # to the conjunct that it stands beside, for a conjunct is one stretch
                    beside = [c for c in conjuncts if conjunct <= c < child or child < c <= conjunct]
                    own[beside[-1] if child > conjunct else beside[0]].append(child)
        shared: list[int] = []
        if self.verbal(head) and not any(self.has_subject(c) for c in conjuncts[1:]):
            shared = self.shared_left(head, conjuncts[1:], own)
        for conjunct in conjuncts:  # what a conjunction cuts off from its head stands by itself
            cut = [c for c in own[conjunct] if any(min(c, conjunct) < k < max(c, conjunct) for k in links)]
            own[conjunct] = sorted(set(own[conjunct]) - set(cut))
            links += cut
        parts = {c: self.simple(c, own[c]) for c in conjuncts} | {link: self.phrase(link) for link in links}
        whole: Tree = tuple(parts[i] for i in sorted(parts))
        if after:
            whole = (whole, *(self.phrase(c) for c in sorted(after)))
        for child in reversed(shared):
            whole = (self.phrase(child), whole)
        return whole

    def shared_left(self, head: int, others: list[int], own: dict[int, list[int]]) -> list[int]:
        """What stands before the first verb and belongs to all; auxiliaries only where no other verb has its own."""
        lefts = sorted(c for c in own[head] if c < head)
        if any(self.deps[c] in _AUXILIARY and c < other for other in others for c in self.children[other]):
            first = next((n for n, c in enumerate(lefts) if self.deps[c] in _AUXILIARY), len(lefts))
            subject = next((n for n, c in enumerate(lefts) if self.deps[c] in _CLAUSE_OF_ITS_OWN), -1)
            lefts = lefts[: max(first, subject + 1)] if subject < first else []
        own[head] = [c for c in own[head] if c not in lefts]
        return lefts

    def premodifier(self, child: int) -> list[Tree]:
        """What stands before a noun: of a compound its members, of anything else the phrase."""
        inner = self.children[child]
        if self.deps[child] == "compound" and all(self.deps[c] in ("compound", "amod", "nmod") for c in inner):
            before = [part for c in inner if c < child for part in self.premodifier(c)]
            return [*before, child, *(self.phrase(c) for c in inner if c > child)]
        return [self.phrase(child)]

    def simple(self, head: int, dependents: list[int]) -> Tree:
        """A head that is coordinated with nothing."""
        lefts = [self.phrase(c) for c in dependents if c < head]
        rights = [self.phrase(c) for c in dependents if c > head]
        if self.verbal(head) or self.tags[head] in ("IN", "TO"):
            tree = _joined([head, *rights])
            for left in reversed(lefts):
                tree = (left, tree)
            return tree
        if self.tags[head][:2] == "NN":  # flat, as the treebank has compounds: [the living room lights]
            lefts = [part for c in dependents if c < head for part in self.premodifier(c)]
        base = _joined([*lefts, head])
        return _joined([base, *rights])
