"""Measured utterances in memory, and random crops of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.manifest import Row, cache_path
from prosody_transfer.features.cache import Utterance, load_utterance


class Corpus:
    """All usable utterances of a manifest.

    Attributes:
        utterances, speakers, texts: In the manifest's order, one each.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        cache: str | Path,
        config: MelConfig,
        *,
        with_pcm: bool,
        keep: Callable[[Utterance], bool],
    ) -> None:
        self.utterances: list[Utterance] = []
        self.speakers: list[str] = []
        self.texts: list[str] = []
        known: dict[Path, Utterance] = {}  # a row named several times, to be drawn more often, is in memory once
        for row in rows:
            path = cache_path(Path(cache), row)
            if path not in known and path.exists():
                known[path] = load_utterance(path, config, with_pcm)
            if path in known and keep(utterance := known[path]):
                self.utterances.append(utterance)
                self.speakers.append(row.speaker)
                self.texts.append(row.text)
        if not self.utterances:
            raise UsageError("no usable utterance is in the cache", place=str(cache), remedy="see its rejected.jsonl")

    def seconds(self) -> float:
        return sum(u.features.n_samples / u.features.config.sample_rate for u in self.utterances)


def speaker_weights(speakers: Sequence[str], lengths: Sequence[int]) -> np.ndarray:
    """Chance of drawing each utterance: by its length within a speaker, by the root of the speech between speakers."""
    frames = np.asarray(lengths, float)
    totals = {s: sum(f for f, t in zip(frames, speakers, strict=True) if t == s) for s in set(speakers)}
    weights = np.array([f / np.sqrt(totals[s]) for f, s in zip(frames, speakers, strict=True)])
    return weights / weights.sum()
