"""The bank: sentences of the training with the vector that each was said with, and which of them a text is like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prosody_transfer.core.errors import ModelError
from prosody_transfer.selection.described import Described

OPTIONS = ("centroid", "syntactic", "contextual", "both", "sampled")
TAG_COST, GAP_COST, SIGN_COST = 0.5, 0.6, 2.0  # of words aligned that are of other classes; left out; of the last sign
_TINY = 1e-6


@dataclass(frozen=True)
class Bank:
    """S sentences.

    Attributes:
        means, log_variances: (S, D), of the posterior of each reading.
        distances, tags: (S, L), as `Described` has them, padded.
        words: (S,) int, how many of these there are.
        kinds: (S,) int.
        vectors: (S, V).
    """

    means: np.ndarray
    log_variances: np.ndarray
    distances: np.ndarray
    tags: np.ndarray
    words: np.ndarray
    kinds: np.ndarray
    vectors: np.ndarray

    @property
    def centroid(self) -> np.ndarray:
        """(D,)."""
        return np.asarray(self.means.mean(0))

    @property
    def variance(self) -> np.ndarray:
        """(D,) of a reading that nothing is known of."""
        return np.asarray(self.means.var(0) + np.exp(self.log_variances).mean(0))

    def usable(self) -> Bank:
        """Without rows that hold no sentence.

        Raises:
            ModelError: No row does.
        """
        kept = self.words > 0
        if not kept.any():
            problem = "holds no sentences to choose from: its training was not finished"
            raise ModelError(problem, remedy="train it to its end, or choose another source of prosody")
        return Bank(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


def syntactic(bank: Bank, asked: Described) -> np.ndarray:
    """How far each sentence is by its syntax, (S,): the cheapest alignment of words, a word's cost on the average.

    Source:
        Tyagi et al. 2020, 2.3. Differs from it in: sequences of different lengths are aligned, and classes of tags and
        the last sign, which are of a constituent tree as well, are compared beside the distances.
    """
    size, longest = bank.distances.shape
    bank_tags, found = bank.tags, np.tile(np.arange(longest + 1) * GAP_COST, (size, 1))  # (S, L + 1)
    for i, (distance, tag) in enumerate(zip(asked.distances, asked.tags, strict=True)):
        last = i == len(asked.tags) - 1
        costs = np.abs(bank.distances - distance) + TAG_COST * (bank_tags != tag)
        if last:
            costs = np.where(bank_tags == tag, 0.0, SIGN_COST)
        before, found = found, np.empty_like(found)
        found[:, 0] = before[:, 0] + GAP_COST
        for j in range(longest):
            found[:, j + 1] = np.minimum(
                np.minimum(before[:, j + 1], found[:, j]) + GAP_COST, before[:, j] + costs[:, j]
            )
    whole = found[np.arange(size), bank.words]
    return np.asarray(whole / np.maximum(bank.words, len(asked.tags)))


def contextual(bank: Bank, asked: Described) -> np.ndarray:
    """How far each sentence is by its contextual vector, (S,): one less the cosine, each number in its own units."""
    middle, scale = bank.vectors.mean(0), bank.vectors.std(0) + _TINY
    mine, others = (asked.vector - middle) / scale, (bank.vectors - middle) / scale
    norms = np.linalg.norm(others, axis=1) * np.linalg.norm(mine) + _TINY
    return np.asarray(1.0 - others @ mine / norms)


def distances_of(bank: Bank, asked: Described, option: str) -> np.ndarray:
    """(S,), by "syntactic", "contextual", or "both": the sum, each in its own deviations."""
    if option == "both":
        return sum((d - d.mean()) / (d.std() + _TINY) for d in (syntactic(bank, asked), contextual(bank, asked)))  # type: ignore[return-value]
    return syntactic(bank, asked) if option == "syntactic" else contextual(bank, asked)


def select(bank: Bank, option: str, asked: Described | None, rng: np.random.Generator) -> np.ndarray:
    """The vector (D,) that a text is said with.

    Args:
        option: One of `OPTIONS`.
        asked: The text's sentence; None where nobody has read it, which is enough for "centroid" and "sampled".
        rng: Of "sampled": a sentence of the bank at random.
    """
    if option == "sampled":
        return np.asarray(bank.means[rng.integers(len(bank.means))])
    if option == "centroid" or asked is None:
        return bank.centroid
    return np.asarray(bank.means[int(distances_of(bank, asked, option).argmin())])
