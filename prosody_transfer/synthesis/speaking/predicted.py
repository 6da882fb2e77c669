"""What a model of role "text" gives: lengths of tokens, then contours in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.analysis.readings import Reading
from prosody_transfer.text.prosody_tokens import Tokens
from prosody_transfer.text.spoken import SpokenSentence


@dataclass(frozen=True)
class Lengths:
    """Of P tokens.

    Attributes:
        frames: (P,) float; of a gap how long it is if it is a pause.
        pause: (P,) probability that a gap is a pause; 1 for phones.
    """

    frames: np.ndarray
    pause: np.ndarray


@dataclass(frozen=True)
class Contours:
    """Of P tokens, in Q equal parts of each.

    Attributes:
        log_f0: (Q, P) ln F0 relative to the voice's level; means nothing where it is not voiced.
        voiced: (Q, P) probability.
        energy: (Q, P) dB relative to the speech level.
    """

    log_f0: np.ndarray
    voiced: np.ndarray
    energy: np.ndarray


class TextProsody(Protocol):
    """The speaking part of a model of role "text", a module or an object."""

    def condition(
        self, network: Any, tokens: Tokens, sentence: SpokenSentence, option: str, rng: np.random.Generator,
        words: np.ndarray | None = None,
    ) -> Any:  # fmt: skip
        """What the two below are told of a sentence: its tokens, and whatever else they need, such as what was drawn.

        Args:
            option: One of the model's, see `models.registry.Model.options`.
            rng: Of what is drawn; the same for all sentences of a text, one after another.
            words: (W, E), what a recording tells of each word, as `hear` gave it; given to models that have `hear`.
        """

    def hear(self, network: Any, reading: Reading) -> np.ndarray:
        """What a recording tells of each of its words, (W, E) numbers of the model's own. A model need not have this.

        Raises:
            ModelError: The network was made without.
        """

    def embed(self, network: Any, analysis: Analysis) -> np.ndarray:
        """How a recording was said, (D,); of models that `embeds` says it of."""

    def in_manner(self, network: Any, tokens: Tokens, manner: np.ndarray) -> Any:
        """As `condition`, of a sentence that is to be said as `embed` found; of models that `embeds` says it of."""

    def lengths(self, network: Any, told: Any, voice: str, level: float, pace: float = 0.0) -> Lengths:
        """How long each token is.

        Args:
            told: As `condition` gave it.
            voice: Name; one that the model does not know is spoken by its level.
            level: ln Hz, the voice's median F0.
            pace: How much slower than usual, ln in units of .3.
        """

    def contours(
        self, network: Any, told: Any, frames: np.ndarray, voice: str, level: float, pace: float = 0.0
    ) -> Contours:  # fmt: skip
        """What happens in tokens of `frames` (P,) int."""
