"""What a leakage test asks of a model, and the answers of an acoustic model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from prosody_transfer.core.types import Alignment
from prosody_transfer.data.manifest import Row
from prosody_transfer.evaluation.figures import EVALUATION_RATE, load
from prosody_transfer.evaluation.leakage_floor import average_steps, most_frequent_steps, plain_frames, plain_prosody
from prosody_transfer.features.extract import Features
from prosody_transfer.synthesis.plan import PlannedEmbedding, PlannedPhones


@dataclass(frozen=True)
class Analysed:
    """A source, analysed once; T' steps of the prosody embedding.

    Attributes:
        waveform: (N,) the source itself at `EVALUATION_RATE`, for the judge.
        latent: (D, T') the prosody embedding; means, where it is a distribution.
        frames: (4, T') plain prosody on the same steps: F0 above the utterance's median (ln, 0 where unvoiced),
            voicing, energy (dB), ln seconds of the phone.
        phones: (T',) the kind of phone, of `text.phones.CLASSES`.
        prosody: (13,) plain prosody of the utterance, see `leakage_floor.PROSODY`.
        f0_median_hz: Over voiced frames; NaN where there are none.
        state: What the model needs to speak it.
    """

    waveform: np.ndarray
    latent: np.ndarray
    frames: np.ndarray
    phones: np.ndarray
    prosody: np.ndarray
    f0_median_hz: float
    state: Any = None


class ProsodyModel(Protocol):
    """Any model that takes prosody from a source and speaks it in one of its voices."""

    @property
    def speakers(self) -> Sequence[str]:
        """Its target voices."""

    def analyse(self, source: Row) -> Analysed:
        """Read a source and encode its prosody.

        Raises:
            PtxError: It can't be read or understood; it is left out, and the report says why.
        """

    def transfer(self, source: Analysed, speaker: str) -> np.ndarray:
        """The source in a target voice: (N,) at `EVALUATION_RATE`."""


class AcousticModel:
    """An acoustic model, with the shipped vocoder and everything that `ptx transfer` would use.

    Args:
        model: A checkpoint; None for the shipped one.
        device: Where the networks run.

    Raises:
        ModelError: The checkpoint is missing or damaged.
    """

    def __init__(self, model: str | Path | None = None, device: str = "cpu") -> None:
        from prosody_transfer.synthesis.transfer import Transferer, TransferSettings

        self.transferer = Transferer(model, device=device)
        self.settings = TransferSettings(check_transcript=False).check()

    @property
    def speakers(self) -> Sequence[str]:
        return self.transferer.network.config.speakers

    def analyse(self, source: Row) -> Analysed:
        from prosody_transfer.analysis.analyse import analyse_file
        from prosody_transfer.analysis.transcript import Transcript
        from prosody_transfer.synthesis.plan import pieces_of

        words = Transcript(source.text, None, "text") if source.text else None
        config = self.transferer.config
        found = analyse_file(source.audio, self.transferer.aligner, self.settings, transcript=words, config=config)
        features, plan = found.features, self.transferer.plan(found)
        voiced = features.log_f0[features.voiced]
        steps = [
            self._steps(k, plan.embedding, *piece, features) for k, piece in enumerate(pieces_of(found))
        ]  # fmt: skip
        latent, frames, phones = (np.concatenate(parts, -1) for parts in zip(*steps, strict=True))
        return Analysed(
            load(source.audio), latent, frames, phones, plain_prosody(features, found.alignment),
            float(np.exp(np.median(voiced))) if len(voiced) else float("nan"), plan,
        )  # fmt: skip

    def _steps(
        self, number: int, embedding: PlannedEmbedding | None, features: Features, alignment: Alignment,
        phones: PlannedPhones, whole: Features,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        """Embedding, plain prosody and kinds of phones of one piece, each (..., T')."""
        from prosody_transfer.synthesis.acoustic import speaking_of

        network, size = self.transferer.network, 1
        if embedding is None:  # nothing that could leak
            latent = np.zeros((1, features.n_frames), np.float32)
        elif embedding.frames_per_step:
            latent, size = embedding.steps[number], embedding.frames_per_step
        else:  # phones and words: frame by frame
            on_frames = speaking_of(network).on_frames
            latent = on_frames(network, embedding, number, phones, features.n_frames)[0].cpu().numpy()
        frames, kinds = plain_frames(features, alignment, phones.durations, whole)
        return latent, average_steps(frames, size), most_frequent_steps(kinds, size)

    def transfer(self, source: Analysed, speaker: str) -> np.ndarray:
        from prosody_transfer.audio.resample import resample

        rendered = self.transferer.render(source.state, speaker, self.settings)
        return resample(rendered.waveform, rendered.sample_rate, EVALUATION_RATE)
