"""From the embeddings of all recordings of a run: identity figures of every row, what bounds them, and error rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from prosody_transfer.core.errors import PtxError
from prosody_transfer.evaluation.identity import (
    LEVELLED,
    identity_by_group,
    identity_figures,
    identity_summary,
    indistinguishability_eer,
    mean_direction,
    naturals,
    relation,
    unit,
    verification_eer,
)
from prosody_transfer.evaluation.measuring import unpack
from prosody_transfer.evaluation.pairs import Pair
from prosody_transfer.evaluation.references import references
from prosody_transfer.evaluation.summary import Row, plain
from prosody_transfer.store.voices import list_voices


class IdentityScores:
    """Who the speakers of a run are, by their recordings.

    Targets are known by `Pair.target_enrol`, or for shipped voices by recordings kept out of training. Sources are
    known by `Pair.source_enrol` and by the other sources of the same `Pair.source_speaker`; by the source itself where
    there is nothing else.

    Args:
        pairs: All pairs of the run.
        rows: All rows, with "voice" and, where the output was heard as loud as the target's recordings, "levelled".
        enrol: Recording -> packed embedding.
    """

    def __init__(self, pairs: Sequence[Pair], rows: Sequence[Row], enrol: Mapping[str, str]) -> None:
        known = {path: vector for path, text in enrol.items() if (vector := unpack(text)) is not None}
        self._sources: dict[str, np.ndarray] = {}
        for row in rows:
            if row["system"] == "source" and (vector := unpack(row["voice"])) is not None:
                self._sources[row["source"]] = vector
        known |= self._sources
        self._pairs = {pair.id: pair for pair in pairs}
        self._by_speaker: dict[str, list[str]] = {}
        for pair in pairs:
            if pair.source_speaker and pair.source in self._sources:
                self._by_speaker.setdefault(pair.source_speaker, []).append(pair.source)
        self._known = known
        self.targets: dict[str, np.ndarray] = {}  # speaker -> (n, E) natural recordings
        for pair in pairs:
            own = [known[path] for path in pair.target_enrol if path in known]
            if own:
                self.targets[pair.speaker] = np.stack(own)
        for name in {pair.speaker for pair in pairs} - set(self.targets):
            if (found := shipped_references(name)) is not None:
                self.targets[name] = found
        self.genders = {voice.name: voice.gender for voice in list_voices()}
        self._pitch = {row["source"]: row.get("f0_median_hz") for row in rows if row["system"] == "source"}

    def source_vectors(self, pair: Pair) -> np.ndarray | None:
        """(m, E) of the source speaker's other recordings, or of the source alone."""
        paths = dict.fromkeys((*pair.source_enrol, *self._by_speaker.get(pair.source_speaker, ())))
        found = [self._known[path] for path in paths if path in self._known and path != pair.source]
        if not found and pair.source in self._sources:
            found = [self._sources[pair.source]]
        return np.stack(found) if found else None

    def relation(self, pair: Pair) -> str:
        """How the two voices compare: "same gender", "cross f0 register", ... or ""."""
        own = self.genders.get(pair.source_speaker, "")
        return relation(own, self.genders.get(pair.speaker, ""), self._pitch.get(pair.source))

    def add(self, rows: Sequence[Row]) -> None:
        """Put identity figures, and "relation", into rows whose voice was judged and whose speakers are known."""
        cached: dict[str, Any] = {}
        for row in rows:
            pair, vector = self._pairs[row["id"]], unpack(row["voice"])
            row["relation"] = self.relation(pair)
            target, source = self.targets.get(pair.speaker), self.source_vectors(pair)
            if vector is None or target is None or source is None:
                continue
            if pair.id not in cached:
                cached[pair.id] = mean_direction(target), mean_direction(source), naturals(target, source)
            row |= {k: v for k, v in identity_figures(vector, *cached[pair.id]).items() if v is not None}
            if (levelled := unpack(row.get("levelled", ""))) is not None:
                row[LEVELLED.key] = round(float(unit(levelled) @ cached[pair.id][0]), 7)

    def summary(self, rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
        """Identity figures of one system: key -> {"value", "low", "high", "n"}; error rates have no interval."""
        judged = [row for row in rows if "margin" in row]
        if not judged:
            return {}
        found = {key: plain(i) for key, i in identity_summary(judged, [r["source"] for r in judged]).items()}
        for key, value in self._error_rates(judged).items():
            if value is not None:
                found[key] = {"value": value, "low": None, "high": None, "n": len(judged)}
        return found

    def _error_rates(self, rows: Sequence[Row]) -> dict[str, float | None]:
        centroids = {f"target {name}": mean_direction(vectors) for name, vectors in self.targets.items()}
        by_target: dict[str, list[np.ndarray]] = {}
        for row in rows:
            pair = self._pairs[row["id"]]
            vectors = self.source_vectors(pair)
            if vectors is not None:
                centroids[f"source {pair.source_speaker or pair.source}"] = mean_direction(vectors)
            by_target.setdefault(pair.speaker, []).append(unpack(row["voice"]))  # type: ignore[arg-type]
        outputs = np.stack([v for vectors in by_target.values() for v in vectors])
        speakers = [f"target {name}" for name, vectors in by_target.items() for _ in vectors]
        stacked = {name: np.stack(vectors) for name, vectors in by_target.items()}
        return {
            "verification_eer": verification_eer(outputs, speakers, centroids),
            "indistinguishability_eer": indistinguishability_eer(stacked, self.targets),
        }

    def by_relation(self, rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
        """The summary of the same-gender and of the cross-gender pairs (or registers), by name."""
        judged = [row for row in rows if "margin" in row]
        groups = identity_by_group(judged, [r["relation"] for r in judged], [r["source"] for r in judged])
        return {name: {key: plain(i) for key, i in found.items()} for name, found in groups.items()}

    def bounds(self) -> dict[str, dict[str, float | int | str]]:
        """What natural speech scores against the targets' centroids: nothing is likely to be above or below it."""
        centroids = {name: mean_direction(vectors) for name, vectors in self.targets.items()}
        scores: dict[str, list[float]] = {"ceiling": [], "floor_same_gender": [], "floor_cross_gender": []}
        for name, vectors in self.targets.items():
            others = unit(vectors)
            if len(others) > 1:
                scores["ceiling"].append(float((others * unit(others.sum(0) - others)).sum(1).mean()))
            for other, theirs in self._natural_voices().items():
                if other != name and {other, name} <= set(self.genders):
                    same = self.genders[other] == self.genders[name]
                    key = "floor_same_gender" if same else "floor_cross_gender"
                    scores[key].append(float((unit(theirs) @ centroids[name]).mean()))
        titles = {
            "ceiling": "natural recordings of the targets against the others of the same target",
            "floor_same_gender": "natural recordings of other shipped voices of the target's gender",
            "floor_cross_gender": "natural recordings of shipped voices of the other gender",
        }
        return {
            key: {"value": float(np.mean(found)), "n": len(found), "title": titles[key]}
            for key, found in scores.items()
            if found
        }

    def _natural_voices(self) -> dict[str, np.ndarray]:
        found = {name: shipped_references(name) for name in self.genders}
        return {name: vectors for name, vectors in found.items() if vectors is not None} | self.targets


def shipped_references(name: str) -> np.ndarray | None:
    """(n, E) embeddings of recordings of a shipped voice that no network has seen; None where there are none."""
    try:
        return np.asarray(references(name), float)
    except PtxError:
        return None
