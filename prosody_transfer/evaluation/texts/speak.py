"""Speak texts in voices and judge the sound."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.resample import resample
from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.figures import EVALUATION_RATE
from prosody_transfer.evaluation.judges import Judges
from prosody_transfer.evaluation.texts.against import reading_figures
from prosody_transfer.evaluation.texts.melody import (
    ending_figures,
    heard_prominence,
    planned_prominence,
    stands_out,
)
from prosody_transfer.evaluation.texts.read import TextRow
from prosody_transfer.features.extract import extract
from prosody_transfer.synthesis.speaking.settings import SpeakSettings
from prosody_transfer.synthesis.speaking.speaker import Speaker
from prosody_transfer.text.markup import read_markup

OnDone = Callable[[int, str], None]


def judge_texts(
    rows: Sequence[TextRow], voices: Sequence[str], settings: SpeakSettings, judges: Judges, speaker: Speaker, *,
    on_done: OnDone | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """A row of figures for each text and voice, in that order; a text that names its speaker is said by that voice.

    Raises:
        UsageError: There is no such voice.
        TranscriptError: A text can't be spoken.
    """
    found: list[dict[str, Any]] = []
    for row in rows[:1]:  # what is loaded at the first word is no time of speaking
        list(speaker.speak(row.text, row.speaker or voices[0], settings))
    for row in rows:
        for voice in [row.speaker] if row.speaker else voices:
            found.append(judge_text(row, voice, settings, judges, speaker))
            if on_done:
                on_done(len(found), row.text[:40])
    return found


def judge_text(
    row: TextRow, voice: str, settings: SpeakSettings, judges: Judges, speaker: Speaker
) -> dict[str, Any]:  # fmt: skip
    """Figures of one text in one voice; those of its recording, where there is one, begin with "reference_"."""
    began = time.process_time()
    parts = list(speaker.speak(row.text, voice, settings))
    elapsed = time.process_time() - began
    config = speaker.transferer.config
    waveform = np.concatenate([part.waveform for part in parts])
    found: dict[str, Any] = {
        "class": row.kind, "speaker": voice, "text": row.text, "seconds": len(waveform) / config.sample_rate,
        "real_time_factor": elapsed * config.sample_rate / len(waveform),
    }  # fmt: skip
    planned, heard = [], []
    for part in parts:
        features = extract(part.waveform, config)
        prominence = heard_prominence(part.planned, features)
        found |= ending_figures(row.kind, part.planned, features)
        if (marked := stands_out(part.planned, prominence)) is not None:
            found["stands_out"] = marked
        if (wanted := planned_prominence(part.planned)) is not None:
            planned += wanted
            heard += [round(float(value), 4) for value in prominence]
    found |= {"planned_prominence": planned, "heard_prominence": heard}
    words = read_markup(row.text, "text").text
    found |= sound_figures(resample(waveform, config.sample_rate, EVALUATION_RATE), words, voice, judges)
    if row.audio:
        recorded = read_audio(row.audio, EVALUATION_RATE).waveform
        figures = sound_figures(recorded, words, voice, judges)
        found |= {f"reference_{key}": value for key, value in figures.items()}
        found |= reading_figures(row, voice, settings, speaker)
    return found


def sound_figures(waveform: np.ndarray, text: str, voice: str, judges: Judges) -> dict[str, float]:
    """Word errors, DNSMOS and similarity to the voice's own recordings, as far as they can be judged here.

    Args:
        waveform: (N,) at `EVALUATION_RATE`.
    """
    words, quality = judges.words(waveform, text), judges.quality(waveform)
    values = {key: words.get(key) for key in ("word_errors", "words")} | {"dnsmos": quality.get("dnsmos_overall")}
    found = {key: float(value) for key, value in values.items() if value is not None}
    similarity = _similarity(waveform, voice, judges)
    return found | ({} if similarity is None else {"similarity": similarity})


def _similarity(waveform: np.ndarray, voice: str, judges: Judges) -> float | None:
    """Cosine to the centroid of the voice's recordings, as loud as these, over what these score among themselves."""
    from prosody_transfer.evaluation.references import ceiling, centroid, speech_level

    if "speaker similarity" in judges.missing:
        return None
    try:
        level = speech_level(voice)
        own = judges.embed(waveform) if level is None else judges.embed_levelled(waveform, level)
        return None if own is None else float(own @ centroid(voice)) / ceiling(voice)
    except UsageError:  # nobody has recordings of this voice
        return None
