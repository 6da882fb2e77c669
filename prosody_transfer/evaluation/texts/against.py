"""Predicted durations and melody against a recording of the same text in the same voice."""

from __future__ import annotations

from typing import Any

import numpy as np

from prosody_transfer.analysis.analyse import analyse_file
from prosody_transfer.analysis.readings import Reading, read_analysis
from prosody_transfer.evaluation.texts.read import TextRow
from prosody_transfer.synthesis.speaking.planning import PAUSE_FROM, ProsodySource
from prosody_transfer.synthesis.speaking.settings import SpeakSettings
from prosody_transfer.synthesis.speaking.speaker import Speaker
from prosody_transfer.text.prosody_tokens import Tokens

HEARD = slice(3, 5)  # of the numbers: how prominent a word was


def reading_figures(row: TextRow, voice: str, settings: SpeakSettings, speaker: Speaker) -> dict[str, float]:
    """See `compare`; none where the recording can't be read as the text's words."""
    transferer = speaker.transferer
    analysis = analyse_file(row.audio, transferer.aligner, text=row.text, config=transferer.config)
    sentences = [request.sentence for request in speaker.requests(row.text, settings)]
    reading = read_analysis(analysis, sentences, row.text) if len(sentences) == 1 else None
    if reading is None:
        return {}
    rng = np.random.default_rng(settings.seed)
    return compare(reading, speaker.source(settings.prosody), sentences[0], voice, rng)


def compare(
    reading: Reading, source: ProsodySource, sentence: Any, voice: str, rng: np.random.Generator, *,
    shown: bool = False,
) -> dict[str, float]:
    """What a source of prosody predicts of a reading's tokens, against what was measured.

    Args:
        shown: The source is told of each word what the reading tells of it.

    Returns:
        "f0_on_durations", "f0_free": correlation of ln F0 where the reading has voice, on its durations and on those
        that are predicted, phone by phone; "f0_deviation": standard deviation over the reading's, on its durations;
        "durations": correlation of ln frames of phones; "pauses_both", "pauses_said", "pauses_read": counts.
    """
    numbers = reading.tokens.numbers.copy()
    numbers[HEARD] = 0.0
    tokens = Tokens(reading.tokens.classes, numbers, reading.tokens.word)
    more = (source.model.hear(source.network, reading),) if shown else ()
    told = source.model.condition(source.network, tokens, sentence, source.choice.option, rng, *more)
    said = source.model.lengths(source.network, told, voice, reading.level)
    gap = tokens.is_gap
    inner = gap.copy()
    inner[[0, -1]] = False
    pauses, read = (said.pause >= PAUSE_FROM)[inner], (reading.frames > 0)[inner]
    free = np.where(gap & (said.pause < PAUSE_FROM), 0, np.round(said.frames)).astype(np.int64)
    free[[0, -1]] = reading.frames[[0, -1]]
    free[~gap] = np.maximum(free[~gap], 1)
    known = (reading.voiced > 0.5) & (reading.frames > 0)
    truth = reading.log_f0[known]
    on, off = (
        source.model.contours(source.network, told, frames, voice, reading.level).log_f0[known]
        for frames in (reading.frames, free)
    )
    lasting = np.maximum(reading.frames[~gap], 1)
    return {
        "f0_on_durations": _correlation(on, truth), "f0_free": _correlation(off, truth),
        "f0_deviation": float(on.std() / max(float(truth.std()), 1e-6)),
        "durations": _correlation(np.log(np.maximum(said.frames[~gap], 1)), np.log(lasting)),
        "pauses_both": float((pauses & read).sum()), "pauses_said": float(pauses.sum()),
        "pauses_read": float(read.sum()),
    }  # fmt: skip


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 2 and a.std() > 0 and b.std() > 0 else 0.0
