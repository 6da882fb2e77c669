"""Constituents by head rules and the distances between words, against bracketings by hand."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.text.linguistics.parser import Parse
from prosody_transfer.text.linguistics.tree import bracketed, constituents, heights, read_brackets, syntactic_distances

FOX = "The brown fox is quick, and it is jumping over the lazy dog."


def test_the_fox_is_the_articles(one):
    """Amazon Science, Prosody transfer by linguistics-driven selection: the vector of its example."""
    assert syntactic_distances(one(FOX)[1]) == [0, 2, 1, 3, 1, 8, 7, 6, 5, 4, 3, 2, 1]


def test_most_bracketings_by_hand_are_found(one, rows):
    right = 0
    for row in rows("brackets.tsv"):
        sentence, brackets = row.split("\t")
        distances = syntactic_distances(one(sentence)[1])
        assert len(distances) == len(sentence.split()), "one a word, clitics being none"
        right += distances == heights(read_brackets(brackets))
    assert right >= 13


def test_three_clauses_in_a_row_are_flat(one):
    parsed = one("John bought apples, Mary bought oranges, and Peter paid the bill.")[1]
    assert syntactic_distances(parsed) == [0, 2, 1, 6, 2, 1, 5, 4, 3, 2, 1]


def test_clitics_are_of_their_words(one):
    items, parsed, words = one("Tom's brother can't swim.")
    assert [w.text for w in words] == ["Tom's", "brother", "can't", "swim"]
    assert bracketed(constituents(parsed), [w.text for w in words]) == "[[Tom's brother] [can't swim]]"
    assert (words[0].clitic, words[2].clitic) == ("", "n't")


@given(st.data())
def test_any_parse_gives_a_tree_of_all_words_in_order(data):
    """Heads in any direction, crossing ones and punctuation as head among them."""
    n = data.draw(st.integers(1, 12))
    order = data.draw(st.permutations(range(n)))
    heads = [order[0]] * n  # every token hangs on one before it in `order`, so there is one root and no circle
    for k, token in enumerate(order):
        heads[token] = order[data.draw(st.integers(0, max(0, k - 1)))]
    heads[order[0]] = order[0]
    draw = lambda names: [data.draw(st.sampled_from(names)) for _ in range(n)]
    counted = draw([True, True, True, False])
    counted[0] = True
    words, number = [], -1
    for is_word in counted:
        number += is_word
        words.append(number if is_word else -1)
    tags, deps = draw(["VB", "NN", "IN", "MD", "CC"]), draw(["conj", "cc", "nsubj", "aux", "compound", "ccomp", "dobj"])
    parse = Parse(tuple("x" * n), tuple(tags), tuple(deps), tuple(heads), tuple(words))
    leaves = re.findall(r"w\d+", bracketed(constituents(parse), [f"w{i}" for i in range(number + 1)]))
    assert leaves == [f"w{i}" for i in range(number + 1)]
    distances = syntactic_distances(parse)
    assert distances[0] == 0 and len(distances) == number + 1 and all(d >= 1 for d in distances[1:])


def test_a_chain_of_hundreds_is_a_tree() -> None:
    """Found by chance: 400 words in a row that hang on one another were too deep for the interpreter."""
    n = 400
    for heads in ([*range(1, n), n - 1], [0, *range(n - 1)], [n - 1] * n, [0] * n):
        for tag, dep in (("NN", "compound"), ("VB", "conj"), ("VB", "aux"), ("IN", "prep")):
            parsed = Parse(("x",) * n, (tag,) * n, (dep,) * n, tuple(heads), tuple(range(n)))
            assert len(syntactic_distances(parsed)) == n
            assert bracketed(constituents(parsed), ["w"] * n).count("w") == n
