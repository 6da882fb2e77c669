"""No sentence on both sides; the same sides every time; everybody is heard in dev."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.data.splits import DEV, NEITHER, TRAIN, Item, held_out_speakers, split

CORPORA = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 25)), min_size=1, max_size=120
).map(lambda rows: [Item(f"u{i}", f"s{s}", f"t{t}" if t else "") for i, (s, t) in enumerate(rows)])  # fmt: skip
SHARES = st.floats(0, 0.5)


def keys(items, sides, side):
    return {item.sentence or item.id for item, where in zip(items, sides, strict=True) if where == side}


@settings(max_examples=200, deadline=None)
@given(CORPORA, SHARES, st.integers(0, 5), st.none() | st.integers(0, 4))
def test_no_sentence_is_on_both_sides(items, share, seed, speakers):
    sides = split(items, dev_share=share, seed=seed, dev_speakers=speakers)
    assert len(sides) == len(items) and set(sides) <= {TRAIN, DEV, NEITHER}
    assert not keys(items, sides, TRAIN) & keys(items, sides, DEV)
    out = held_out_speakers([i.speaker for i in items], share, seed, speakers)
    assert not {i.speaker for i, s in zip(items, sides, strict=True) if s == TRAIN} & out
    # only what a held-out speaker says and others train on is left out
    for item, side in zip(items, sides, strict=True):
        assert side != NEITHER or (item.speaker in out and item.sentence in keys(items, sides, TRAIN))


@settings(max_examples=100, deadline=None)
@given(CORPORA, SHARES, st.randoms(use_true_random=False))
def test_the_order_of_the_corpus_does_not_matter(items, share, random):
    sides = dict(zip(items, split(items, dev_share=share), strict=True))
    mixed = items[:]
    random.shuffle(mixed)
    assert dict(zip(mixed, split(mixed, dev_share=share), strict=True)) == sides


@settings(max_examples=100, deadline=None)
@given(CORPORA, SHARES)
def test_every_trained_speaker_keeps_half(items, share):
    sides = split(items, dev_share=share, dev_speakers=0)
    total = Counter(i.speaker for i in items)
    kept = Counter(i.speaker for i, s in zip(items, sides, strict=True) if s == TRAIN)
    assert all(2 * kept[name] >= count for name, count in total.items())


def test_a_parallel_corpus():
    """Four speakers say the same hundred sentences: five sentences are in dev, said by all."""
    items = [Item(f"{s}{t}", s, f"sentence {t}") for s in "abcd" for t in range(100)]
    sides = split(items, dev_share=0.05)
    assert Counter(sides) == {TRAIN: 380, DEV: 20} and len(keys(items, sides, DEV)) == 5
    assert split(items, dev_share=0.05, seed=2) != sides


def test_one_speaker_is_split_by_text():
    items = [Item(str(i), "lin", f"sentence {i // 2}") for i in range(400)]  # everything was said twice
    sides = split(items, dev_share=0.05)
    assert sides.count(DEV) == 20 and sides.count(NEITHER) == 0
    assert all(sides[i] == sides[i + 1] for i in range(0, 400, 2))


def test_speakers_are_held_out_where_there_are_many():
    items = [Item(f"{s}-{t}", f"s{s}", f"{s} says {t}") for s in range(40) for t in range(10)]
    items += [Item(f"{s}-all", f"s{s}", "everybody says this") for s in range(40)]
    sides = split(items, dev_share=0.05)
    out = {i.speaker for i in items} - {i.speaker for i, s in zip(items, sides, strict=True) if s == TRAIN}
    assert len(out) == 2 and out == held_out_speakers([i.speaker for i in items], 0.05, 1)
    of_all = [(i.speaker in out, s) for i, s in zip(items, sides, strict=True) if i.id.endswith("all")]
    assert set(of_all) == {(False, TRAIN), (True, NEITHER)}
    heard = {i.speaker for i, s in zip(items, sides, strict=True) if s == DEV}
    assert len(heard) == 40, "and everybody else is heard in dev too"
    assert not held_out_speakers([f"s{i}" for i in range(19)], 0.05, 1)
    for seed in range(20):
        crowd = ["star"] * 300 + [f"s{i}" for i in range(60)]
        assert "star" not in held_out_speakers(crowd, 0.05, seed), "the voice that the corpus is about"
    assert len(held_out_speakers(["a", "b"], 0.5, 1, 9)) == 1, "somebody is left to train on"


def test_hardly_anything_moves_when_the_corpus_grows():
    items = [Item(str(i), "ann", f"sentence {i}") for i in range(1000)]
    before = split(items)
    after = split([*items, *(Item(f"n{i}", "ann", f"new {i}") for i in range(50))])
    moved = sum(a != b for a, b in zip(before, after, strict=False))
    assert moved < 15  # of 1000: new sentences take the place of a few


@pytest.mark.parametrize("items", [[], [Item("1", "a", "x")], [Item(str(i), "a", "same") for i in range(9)]])
def test_what_cannot_be_split_is_trained_on(items):
    assert set(split(items, dev_share=0.5)) <= {TRAIN}


def test_nothing_is_kept_back_unasked():
    assert set(split([Item(str(i), "a", str(i)) for i in range(50)], dev_share=0)) == {TRAIN}
