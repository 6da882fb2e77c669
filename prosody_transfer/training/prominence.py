"""Train the predictor of prominence and boundaries: word statistics without the reader at hand, boosted trees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.extras import LANGUAGE, require
from prosody_transfer.data.prominence import Label, Reading, read_prominence
from prosody_transfer.text.linguistics.features import STATISTICS, Tables, features, key_of, names
from prosody_transfer.text.linguistics.forest import Forest
from prosody_transfer.text.linguistics.items import items_of
from prosody_transfer.text.linguistics.parser import parse, split
from prosody_transfer.text.linguistics.predictor import FORMAT, KIND, VERSION, pack_tables
from prosody_transfer.text.linguistics.tree import Tree, constituents
from prosody_transfer.text.linguistics.words import Word, words_of

SEEN_FROM = 2  # words seen less often say nothing of themselves
SETTINGS = {
    "learning_rate": 0.06, "max_leaf_nodes": 15, "max_depth": 8, "min_samples_leaf": 40, "l2_regularization": 1.0,
}  # fmt: skip
ROUNDS = {"prominence": 250, "boundary": 125}
FOLDS = 5
_TABLES: tuple[Callable[[Word], str], ...] = (lambda w: key_of(w.text), lambda w: w.tag, lambda w: w.dep)
Event = Callable[[str, int, int, dict[str, float]], None]
Sums = dict[str, np.ndarray]


@dataclass(frozen=True)
class Parsed:
    """A reading with its words, their labels and its constituents."""

    reader: str
    words: list[Word]
    labels: list[Label]
    tree: Tree


@dataclass(frozen=True)
class Table:
    """Rows for training: one a word.

    Attributes:
        rows: (n, d) features.
        readers: (n,) whose each is.
        prominence, boundary: (n,) 0, 1 or 2; -1 where not measured, or for the boundary at the end of a sentence.
        value: (n,) real-valued prominence.
        signed: (n,) whether punctuation follows.
    """

    rows: np.ndarray
    readers: np.ndarray
    prominence: np.ndarray
    boundary: np.ndarray
    value: np.ndarray
    signed: np.ndarray


def parsed(readings: Sequence[Reading]) -> list[Parsed]:
    """Readings with what the parser says of them."""
    items = [items_of(reading.items, split) for reading in readings]
    found = []
    for reading, sentence, tokens in zip(readings, items, parse(items), strict=True):
        labels = [label for label, item in zip(reading.labels, sentence, strict=True) if item.is_word]
        found.append(Parsed(reading.reader, words_of(sentence, tokens), labels, constituents(tokens)))
    return found


def statistics(readings: Sequence[Parsed]) -> tuple[list[Sums], dict[str, list[Sums]]]:
    """Sums of words, tags and relations: of all readings, and of each reader's."""
    whole: list[Sums] = [defaultdict(lambda: np.zeros(len(STATISTICS))) for _ in _TABLES]
    own: dict[str, list[Sums]] = {}
    for reading in readings:
        mine = own.setdefault(reading.reader, [defaultdict(lambda: np.zeros(len(STATISTICS))) for _ in _TABLES])
        for i, (word, label) in enumerate(zip(reading.words, reading.labels, strict=True)):
            if label.prominence is None:
                continue
            ends = i + 1 == len(reading.words)
            broken = float(bool(label.boundary) and not ends)
            row = np.array([1.0, label.prominence_value, label.prominence > 0, label.prominence == 2, broken])
            for table, mine_too, key in zip(whole, mine, _TABLES, strict=True):
                table[key(word)] += row
                mine_too[key(word)] += row
    return whole, own


def kept(whole: list[Sums], without: list[Sums] | None = None) -> list[Sums]:
    """The statistics, without a reader's; words that are rare then are left out."""
    found = []
    for table, minus in zip(whole, without or [{} for _ in whole], strict=True):
        left = {key: sums - minus[key] if key in minus else sums for key, sums in table.items()}
        found.append({key: sums for key, sums in left.items() if sums[0] >= SEEN_FROM - 0.5})
    return found


def tabulated(readings: Sequence[Parsed], tables: Callable[[str], Tables]) -> Table:
    """Features and labels of readings, by the statistics that `tables` gives for a reader."""
    rows, readers, labels, values, signed = [], [], [], [], []
    for reading in readings:
        rows.append(features(reading.words, reading.tree, tables(reading.reader)))
        for i, (word, label) in enumerate(zip(reading.words, reading.labels, strict=True)):
            inside = i + 1 < len(reading.words) and label.boundary is not None
            labels.append([-1 if label.prominence is None else label.prominence, label.boundary if inside else -1])
            readers.append(reading.reader)
            values.append(label.prominence_value)
            signed.append(bool(word.after.strip("'\"")))
    classes = np.array(labels, int)
    return Table(np.vstack(rows), np.array(readers), classes[:, 0], classes[:, 1], np.array(values), np.array(signed))


def training_table(readings: Sequence[Parsed]) -> tuple[Table, list[Sums]]:
    """The table to train on, each reader's rows by the others' statistics; and the statistics of all."""
    whole, own = statistics(readings)
    by_reader = {reader: Tables(*kept(whole, sums)) for reader, sums in own.items()}
    return tabulated(readings, by_reader.__getitem__), kept(whole)


def grown(rows: np.ndarray, classes: np.ndarray, rounds: int, seed: int = 0) -> Forest:
    """Boosted trees for three classes."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    fitted = HistGradientBoostingClassifier(
        max_iter=rounds, random_state=seed, early_stopping=False, **SETTINGS
    ).fit(rows, classes)  # fmt: skip
    return as_forest(fitted, rows.shape[1])


def as_forest(fitted: Any, columns: int) -> Forest:
    """scikit-learn's trees as arrays: what `predict_proba` gives, to rounding."""
    trees = [tree.nodes for step in fitted._predictors for tree in step]
    nodes = max(map(len, trees))
    shape = (len(trees), nodes)
    own = np.tile(np.arange(nodes, dtype=np.uint16), (len(trees), 1))
    feature, left, right = np.zeros(shape, np.uint16), own.copy(), own.copy()
    threshold, value = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for t, tree in enumerate(trees):
        inner = np.flatnonzero(tree["is_leaf"] == 0)
        feature[t, inner], threshold[t, inner] = tree["feature_idx"][inner], tree["num_threshold"][inner]
        left[t, inner], right[t, inner] = tree["left"][inner], tree["right"][inner]
        value[t, : len(tree)] = np.where(tree["is_leaf"], tree["value"], 0)
    start = np.asarray(fitted._baseline_prediction, np.float64).reshape(-1)
    stored = Forest(feature, threshold, left, right, value, start, 0).arrays("x")
    return Forest.of(stored, "x", columns)


def folds(readers: np.ndarray, n: int = FOLDS) -> list[list[str]]:
    """Readers in groups of about as many words."""
    sizes = sorted(zip(*np.unique(readers, return_counts=True), strict=True), key=lambda pair: -int(pair[1]))
    groups: list[list[str]] = [[] for _ in range(n)]
    words = [0] * n
    for reader, size in sizes:
        smallest = words.index(min(words))
        groups[smallest].append(str(reader))
        words[smallest] += int(size)
    return [group for group in groups if group]


def best_threshold(probability: np.ndarray, broken: np.ndarray) -> float:
    """Where the F1 of breaks is highest."""
    steps = np.arange(0.1, 0.7, 0.01)
    scores = [2 * (b := probability >= s)[broken].sum() / max(1, b.sum() + broken.sum()) for s in steps]
    return round(float(steps[int(np.argmax(scores))]), 2)


def cross_validated_threshold(table: Table, on_event: Event | None = None) -> float:
    """From which probability a boundary is set: chosen on readers that the trees have not met."""
    labelled = table.boundary >= 0
    found = np.zeros(len(table.rows))
    groups = folds(table.readers)
    for k, group in enumerate(groups):
        out = np.isin(table.readers, group)
        forest = grown(table.rows[labelled & ~out], table.boundary[labelled & ~out], ROUNDS["boundary"])
        found[out] = 1 - forest.probabilities(table.rows[out])[:, 0]
        if on_event:
            on_event("threshold", k + 1, len(groups), {})
    return best_threshold(found[labelled], table.boundary[labelled] > 0)


def train_prominence(
    data: Sequence[str | Path], output: str | Path, held_out: Sequence[str] = (), on_event: Event | None = None
) -> Path:
    """Train on corpora in the Helsinki Prosody Corpus's format, and write the predictor.

    Args:
        held_out: Readers that are left out altogether.
        on_event: Told of stage, how many are done, of how many.

    Raises:
        DependencyError: The extra `speak` or scikit-learn is not installed.
        UsageError: The data cannot be read, or fewer than two readers are left.
        OutputError: The file cannot be written.
    """
    require("speak", LANGUAGE, "train prominence")
    require("evaluate", ("sklearn",), "train prominence")
    readings = [r for r in read_prominence(data) if r.reader not in held_out]
    readers = sorted({r.reader for r in readings})
    if len(readers) < 2:
        raise UsageError("has fewer than two readers", place=str(data[0]), remedy="give more data, or hold fewer out")
    table, tables = training_table(parsed(readings))
    if any(set(np.unique(c[c >= 0])) != {0, 1, 2} for c in (table.prominence, table.boundary)):
        raise UsageError("lacks one of the labels 0, 1, 2", place=str(data[0]), remedy="give more data")
    break_from = cross_validated_threshold(table, on_event)
    arrays = pack_tables(dict(zip(("words", "tags", "deps"), tables, strict=True)))
    for done, (name, classes) in enumerate((("prominence", table.prominence), ("boundary", table.boundary))):
        forest = grown(table.rows[classes >= 0], classes[classes >= 0], ROUNDS[name])
        arrays |= forest.arrays(name)
        if on_event:
            on_event("trees", done + 1, 2, {})
    facts = {"readers": readers, "held_out": sorted(held_out), "words": len(table.rows)}
    return _save(Path(output), arrays, break_from, {**facts, "data": [Path(p).name for p in data]})


def _save(output: Path, arrays: dict[str, np.ndarray], break_from: float, facts: dict[str, Any]) -> Path:
    import torch

    from prosody_transfer.store.checkpoint import save_checkpoint

    tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    config = {"columns": names(), "break_from": break_from, "rounds": ROUNDS, **SETTINGS}
    save_checkpoint(output, KIND, tensors, config, **facts)
    assert (FORMAT, VERSION) == ("ptx-checkpoint", "1")
    return output
