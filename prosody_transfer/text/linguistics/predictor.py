"""Prominence and boundary of words from text, as readers of audiobooks had them: see text/data/PROMINENCE.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from prosody_transfer.core.errors import ModelError
from prosody_transfer.text.linguistics.features import STATISTICS, Tables, features, names
from prosody_transfer.text.linguistics.forest import Forest
from prosody_transfer.text.linguistics.tree import Tree
from prosody_transfer.text.linguistics.words import Word

FORMAT, VERSION, KIND = "ptx-checkpoint", "1", "prominence"
SHIPPED = Path(__file__).parents[1] / "data" / "prominence.safetensors"
_TABLES = ("words", "tags", "deps")


@dataclass(frozen=True)
class Predicted:
    """Of n words.

    Attributes:
        prominence: (n, 3) probabilities of none, some, strong.
        boundary: (n, 3) probabilities of none, weak, strong after each word; of the last word for what it is worth
            within a sentence.
        break_from: A word is followed by a boundary where weak and strong have this together.
    """

    prominence: np.ndarray
    boundary: np.ndarray
    break_from: float

    @property
    def prominences(self) -> list[int]:
        """0, 1 or 2 for each word."""
        return [int(k) for k in self.prominence.argmax(1)]

    @property
    def values(self) -> np.ndarray:
        """(n,) expected prominence, 0 to 2."""
        return self.prominence @ np.arange(3)

    @property
    def boundaries(self) -> list[int]:
        """0, 1 or 2 after each word; 2 after the last."""
        level = np.where(self.boundary[:, 2] > self.boundary[:, 1], 2, 1)
        found = np.where(self.breaks >= self.break_from, level, 0)
        found[-1] = 2
        return [int(k) for k in found]

    @property
    def breaks(self) -> np.ndarray:
        """(n,) probability of any boundary after each word."""
        return self.boundary[:, 1] + self.boundary[:, 2]


@dataclass(frozen=True)
class Predictor:
    """Boosted trees over `features`, and the statistics that these take."""

    tables: Tables
    prominence: Forest
    boundary: Forest
    break_from: float

    def predict(self, words: Sequence[Word], tree: Tree) -> Predicted:
        """For the words of one sentence and its constituents."""
        rows = features(words, tree, self.tables)
        found = self.prominence.probabilities(rows), self.boundary.probabilities(rows)
        return Predicted(*found, self.break_from)


def pack_tables(tables: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Statistics by key as arrays: keys as bytes of UTF-8 between newlines, sums (keys, 5)."""
    arrays = {}
    for name in _TABLES:
        keys = sorted(tables[name])
        arrays[f"{name}.keys"] = np.frombuffer("\n".join(keys).encode(), np.uint8)
        arrays[f"{name}.sums"] = np.array([tables[name][key] for key in keys], np.float32)
    return arrays


def _unpack(arrays: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    keys, sums = arrays[f"{name}.keys"].tobytes().decode().split("\n"), arrays[f"{name}.sums"]
    if sums.shape != (len(keys), len(STATISTICS)) or sums.dtype != np.float32 or not np.isfinite(sums).all():
        raise ValueError(f"{name} has statistics of another kind")
    return dict(zip(keys, sums.astype(np.float64), strict=True))


@lru_cache(maxsize=2)
def load_predictor(path: Path = SHIPPED) -> Predictor:
    """The shipped predictor, or one that `ptx train prominence` has written.

    Raises:
        ModelError: The file is missing, damaged, or of another version.
    """
    from safetensors import SafetensorError, safe_open

    place = str(path)
    if not path.is_file():
        raise ModelError("no such file", place=place, remedy="check the path")
    try:
        with safe_open(place, "np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        if (metadata.get("format"), metadata.get("version"), metadata.get("kind")) != (FORMAT, VERSION, KIND):
            raise ModelError("is no predictor of prominence", place=place, remedy="give one that ptx has written")
        config = json.loads(metadata["header"])["config"]
        if config["columns"] != names():
            raise ModelError("was made for other features", place=place, remedy="use the ptx that wrote it")
        tables = Tables(*(_unpack(arrays, name) for name in _TABLES))
        prominence, boundary = (Forest.of(arrays, name, len(names())) for name in ("prominence", "boundary"))
        return Predictor(tables, prominence, boundary, float(config["break_from"]))
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        problem = f"is damaged ({type(error).__name__}: {error})".replace("\n", " ")
        raise ModelError(problem, place=place, remedy="fetch it again") from None
