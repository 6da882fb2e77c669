"""One recording measured and aligned, without speaking it again: what `ptx align` and `ptx features` show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import PtxError
from prosody_transfer.features.extract import Features
from prosody_transfer.synthesis.source import Heard


@dataclass(frozen=True)
class Measured:
    """A recording's measurements.

    Attributes:
        waveform: (N,) float32 at `features.config.sample_rate`, high-passed, at the normalised speech level.
        features: T frames.
        heard: Its alignment, where the words came from, and warnings.
    """

    waveform: np.ndarray
    features: Features
    heard: Heard


def measure(
    source: str | Path, *, text: str | None = None, transcript: str | Path | None = None,
    aligner: str = "pocketsphinx", check_transcript: bool = True, recognise: str = "auto",
    track: int | None = None, channel: str | int | None = None,
) -> Measured:  # fmt: skip
    """Read, measure and align a recording.

    Args:
        text: The words. None looks for a sidecar transcript, and without one the words or phones are recognised.
        transcript: A file that holds the words, or a TextGrid; instead of `text`.
        aligner: "pocketsphinx", "mfa" or "viter".
        check_transcript: Refuse a transcript that does not match the audio.
        recognise: Without a transcript: "words", "phones", or "auto": words.

        track, channel: As for `audio.io.read_audio`.

    Raises:
        PtxError: `AudioError`, `TranscriptError`, ... each naming the file.
    """
    from prosody_transfer.audio.io import read_audio
    from prosody_transfer.audio.levelling import level_source
    from prosody_transfer.features.extract import softened
    from prosody_transfer.store.weights import load_network
    from prosody_transfer.synthesis.pieces import cut, whole
    from prosody_transfer.synthesis.source import Listener, find_words, name_file

    rate = MelConfig().sample_rate
    audio = read_audio(source, rate, track=track, channel=channel)
    levelled = level_source(audio.waveform, rate)
    try:
        words = find_words(source, text, transcript)
        network, _ = load_network("recogniser")
        pieces = cut(levelled.waveform, network.config.mel)
        heard = Listener(network).listen(
            levelled.waveform, pieces, words, aligner=aligner, check=check_transcript, recognise=recognise
        )
        heard.warnings[:0] = audio.notes
    except PtxError as error:
        raise name_file(error, source) from None
    features = whole(pieces)
    features = softened(features, levelled.at_frames(features.config.hop_length, features.n_frames))
    return Measured(levelled.unridden(levelled.waveform), features, heard)
