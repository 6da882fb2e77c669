"""Figures of the text side: syntactic distances, prominence and boundaries on held-out readers, clause edges, speed.

Usage: python benchmarks/linguistics.py CORPUS [--gold FILE] [--json OUT]
CORPUS is dev.txt.gz of the Helsinki Prosody Corpus; judged on the readers that the predictor never met (its header
names them). --gold: sentences and bracketings, separated by a tab, punctuation dropped.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from scipy.stats import binomtest, spearmanr
from sklearn.metrics import roc_auc_score

from prosody_transfer.data.prominence import read_prominence
from prosody_transfer.text.linguistics.analysis import analyse, analyse_items
from prosody_transfer.text.linguistics.features import key_of
from prosody_transfer.text.linguistics.predictor import SHIPPED
from prosody_transfer.text.linguistics.tree import heights, read_brackets

TESTS = Path(__file__).parents[1] / "tests" / "text" / "linguistics"


def header(model: Path) -> dict[str, Any]:
    with safe_open(model, "np") as file:
        return dict(json.loads(file.metadata()["header"]))


def distances(path: Path) -> dict[str, Any]:
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    wrong = [text for text, brackets in rows if analyse(text)[0].distances != heights(read_brackets(brackets))]
    return {"sentences": len(rows), "exact": len(rows) - len(wrong), "wrong": wrong}


def usual_labels(readings: list[Any]) -> tuple[dict[str, int], dict[str, float]]:
    """Of each word its most frequent label and its mean prominence, in the training part."""
    counts: dict[str, np.ndarray] = {}
    for reading in readings:
        for item, label in zip(reading.items, reading.labels, strict=True):
            if label.prominence is not None:
                row = counts.setdefault(key_of(item), np.zeros(5))
                row[label.prominence] += 1
                row[3:] += 1, label.prominence_value
    return {k: int(v[:3].argmax()) for k, v in counts.items()}, {k: v[4] / v[3] for k, v in counts.items()}


def judged(corpus: Path, model: Path) -> dict[str, Any]:
    held = set(header(model)["held_out"])
    readings = read_prominence([corpus])
    usual, mean = usual_labels([r for r in readings if r.reader not in held])
    readings = [r for r in readings if r.reader in held]
    rows, gaps = [], []
    for reading, sentence in zip(readings, analyse_items([r.items for r in readings], model), strict=True):
        assert sentence is not None
        labels = [label for label, item in zip(reading.labels, sentence.items, strict=True) if item.is_word]
        found = sentence.predicted
        for i, (word, label) in enumerate(zip(sentence.words, labels, strict=True)):
            key = key_of(word.text)
            if label.prominence is not None:
                rows.append([label.prominence, label.prominence_value, found.prominences[i], found.values[i],
                             usual.get(key, 2), mean.get(key, 1.5)])  # fmt: skip
            if label.boundary is not None and i + 1 < len(labels):
                signed = bool(word.after.strip("'\""))
                gaps.append([label.boundary > 0, found.boundaries[i] > 0, found.breaks[i], signed])
    return {"readers": sorted(held), **_of_prominence(np.array(rows, float)), **_of_boundaries(np.array(gaps, float))}


def _of_prominence(rows: np.ndarray) -> dict[str, Any]:
    label, value, found, expected, usual, mean = rows.T
    right, usually = found == label, usual == label
    two, usually_two = (found > 0) == (label > 0), (usual > 0) == (label > 0)
    compare = lambda a, b: float(binomtest(int((a & ~b).sum()), int((a != b).sum())).pvalue)
    return {
        "words": len(rows), "prominence_three": right.mean(), "prominence_two": two.mean(),
        "prominence_spearman": spearmanr(expected, value)[0],
        "prominence_spearman_of_classes": spearmanr(found, value)[0],
        "usual_three": usually.mean(), "usual_two": usually_two.mean(), "usual_spearman": spearmanr(mean, value)[0],
        "p_three_better": compare(right, usually), "p_two_better": compare(two, usually_two),
    }  # fmt: skip


def _of_boundaries(gaps: np.ndarray) -> dict[str, Any]:
    broken, found, probability, signed = gaps[:, 0] > 0, gaps[:, 1] > 0, gaps[:, 2], gaps[:, 3] > 0
    f1 = lambda guess: 2 * (guess & broken).sum() / (guess.sum() + broken.sum())
    return {
        "gaps": len(gaps), "boundary_f1": f1(found), "punctuation_f1": f1(signed),
        "boundary_auc": roc_auc_score(broken, probability),
        "boundary_auc_without_punctuation": roc_auc_score(broken[~signed], probability[~signed]),
    }  # fmt: skip


def clause_edges(model: Path) -> dict[str, Any]:
    edges, found = [], []
    lines = [line for line in (TESTS / "clause_edges.txt").read_text().splitlines() if line and line[0] != "#"]
    for line in lines:
        words = line.split()
        at = {i - k - 1 for k, i in enumerate(j for j, word in enumerate(words) if word == "|")}
        (sentence,) = analyse(" ".join(word for word in words if word != "|"), model)
        breaks = sentence.predicted.breaks[:-1]
        edges += [i in at for i in range(len(breaks))]
        found += list(breaks)
    return {"sentences": len(lines), "edges": sum(edges), "clause_edge_auc": roc_auc_score(edges, found)}


def speed(model: Path) -> dict[str, Any]:
    lines = [line.replace("| ", "") for line in (TESTS / "clause_edges.txt").read_text().splitlines()[1:]]
    analyse(lines[0], model)
    start = time.process_time()
    for line in lines:
        analyse(line, model)
    return {"cpu_ms_a_sentence": 1000 * (time.process_time() - start) / len(lines)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--gold", type=Path)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found: dict[str, Any] = {"distances (own sentences)": distances(TESTS / "brackets.tsv")}
    if given.gold:
        found["distances (gold)"] = distances(given.gold)
    found |= {"clauses": clause_edges(given.model), "held-out readers": judged(given.corpus, given.model)}
    found["speed"] = speed(given.model)
    for name, figures in found.items():
        print(name)
        for key, value in figures.items():
            print(f"  {key:34}{value:.4g}" if isinstance(value, float) else f"  {key:34}{value}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1, default=float))


if __name__ == "__main__":
    main()
