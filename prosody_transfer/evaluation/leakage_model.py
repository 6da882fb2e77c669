"""What a leakage test asks of a model, and the answers of a CopyCat checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from prosody_transfer.core.errors import PtxError
from prosody_transfer.core.types import Alignment
from prosody_transfer.data.manifest import Row
from prosody_transfer.evaluation.figures import EVALUATION_RATE, load
from prosody_transfer.evaluation.leakage_floor import average_steps, most_frequent_steps, plain_frames, plain_prosody
from prosody_transfer.features.extract import Features


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


class CopyCatModel:
    """A CopyCat checkpoint, with the shipped vocoder and everything that `ptx transfer` would use.

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
        from prosody_transfer.audio.io import read_audio
        from prosody_transfer.audio.levelling import level_source
        from prosody_transfer.synthesis.pieces import cut, whole
        from prosody_transfer.synthesis.source import Transcript, find_words, name_file

        config, settings = self.transferer.config, self.settings
        waveform = read_audio(source.audio, config.sample_rate).waveform
        levelled = level_source(waveform, config.sample_rate).waveform
        try:
            words = Transcript(source.text, None, "text") if source.text else find_words(source.audio, None, None)
            pieces = cut(levelled, config)
            heard = self.transferer.listener.listen(
                levelled, pieces, words, aligner=settings.aligner, check=settings.check_transcript,
                recognise=settings.recognise,
            )  # fmt: skip
        except PtxError as error:
            raise name_file(error, source.audio) from None
        features = whole(pieces)
        voiced = features.log_f0[features.voiced]
        steps = [self._steps(p.features, part, features) for p, part in zip(pieces, heard.parts, strict=True)]
        latent, frames, phones = (np.concatenate(parts, -1) for parts in zip(*steps, strict=True))
        return Analysed(
            load(source.audio), latent, frames, phones, plain_prosody(features, heard.alignment),
            float(np.exp(np.median(voiced))) if len(voiced) else float("nan"), (pieces, heard.parts, features),
        )  # fmt: skip

    def _steps(
        self, features: Features, alignment: Alignment, whole: Features
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Embedding, plain prosody and kinds of phones of one piece, each (..., T')."""
        from prosody_transfer.synthesis.speak import embedding_steps

        network, config = self.transferer.network, features.config
        steps, units = embedding_steps(network, features, alignment)
        if units is not None:  # phones and words: frame by frame
            steps = network.spread(steps, features.n_frames, units)
        latent = steps[0].cpu().numpy()
        durations = np.array(alignment.durations(features.n_frames, config.sample_rate, config.hop_length))
        size = network.config.temporal_downsampling if units is None else 1
        frames, kinds = plain_frames(features, alignment, durations, whole)
        return latent, average_steps(frames, size), most_frequent_steps(kinds, size)

    def transfer(self, source: Analysed, speaker: str) -> np.ndarray:
        from prosody_transfer.audio.resample import resample
        from prosody_transfer.features.statistics import measure_speaker, shrink
        from prosody_transfer.synthesis.speak import Speaker, vocode

        pieces, parts, features = source.state
        transferer = self.transferer
        level = shrink(measure_speaker([(features.log_f0, features.voiced)])).log_f0_median
        voice = Speaker(transferer.network, transferer.voice(speaker), level, self.settings)
        spoken = [voice.speak(p.features, a, p.features.n_frames) for p, a in zip(pieces, parts, strict=True)]
        audio = np.concatenate([*vocode(transferer.vocoder, spoken)])[: features.n_samples]
        return resample(audio.astype(np.float32), transferer.config.sample_rate, EVALUATION_RATE)
