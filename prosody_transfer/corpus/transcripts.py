"""The words of a recording, found, recognised where there are none, aligned, and checked against what is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.alignment.anchors import Anchors, align_anchors
from prosody_transfer.alignment.base import Heard
from prosody_transfer.alignment.doubts import settle
from prosody_transfer.core.errors import AudioError, MismatchError, NoWordsError, PtxError, TranscriptError
from prosody_transfer.core.types import Alignment
from prosody_transfer.data.layouts.base import Entry
from prosody_transfer.data.quality import Finding
from prosody_transfer.features.extract import Features
from prosody_transfer.text.cleaning import Cleaned
from prosody_transfer.text.transcript import read_words, spoken_part

WORDS, PHONES_ONLY, NOTHING = "words", "phones", "none"

tools: dict[str, Any] = {}  # aligner, recognisers: one of each a process, as loading takes longer than using


class Rejected(Exception):
    """Ends the examination of one utterance."""

    def __init__(self, reason: str, detail: str) -> None:
        self.finding = Finding(reason, detail)
        super().__init__(detail)


@dataclass(frozen=True)
class Words:
    """What is known of the words: text, its doubts, and phones in time where a TextGrid has them."""

    text: str = ""
    alignment: Alignment | Anchors | None = None
    origin: str = ""
    cleaned: Cleaned | None = field(default=None, compare=False, repr=False)

    def settled(self, heard: Sequence[Alignment]) -> tuple[Words, list[str]]:
        """Doubts decided by what was heard; and a note on what is not said."""
        if self.cleaned is None:
            return self, []
        said = settle(self.cleaned, heard)
        said = said if any(map(str.isalnum, said.text)) else self.cleaned.settled(None)
        return replace(self, text=said.text, cleaned=None), [note] if (note := said.note()) else []


def find_words(entry: Entry) -> Words:
    """The words of an entry: its text or its sidecar; none where nothing is known.

    Raises:
        Rejected: There is a transcript, but it is empty or can't be read.
    """
    if entry.text is not None:
        try:
            cleaned = spoken_part(entry.text, "transcript")
        except TranscriptError:
            raise Rejected("empty_text", "the transcript has no words") from None
        return Words(cleaned.text, None, "transcript", cleaned)
    if not entry.sidecar:
        return Words()
    if entry.sidecar.lower().endswith(".textgrid"):
        return _words_of_textgrid(entry.sidecar)
    try:
        cleaned = read_words(entry.sidecar)
        return Words(cleaned.text, None, "transcript", cleaned)
    except TranscriptError as error:
        reason = "empty_text" if isinstance(error, NoWordsError) else "encoding"
        raise Rejected(reason, f"{Path(entry.sidecar).name} {error.problem}") from None


def _words_of_textgrid(path: str) -> Words:
    """Phones and words; from one without phones, such as a labeller's, the words or utterances and their times."""
    from prosody_transfer.alignment.textgrid import read_timed

    try:
        if Path(path).stat().st_size == 0:
            raise Rejected("empty_text", f"{Path(path).name} is empty")
        found = read_timed(path)
    except (TranscriptError, OSError) as error:
        problem = error.problem if isinstance(error, TranscriptError) else str(error.strerror)
        reason = "empty_text" if isinstance(error, NoWordsError) else "alignment"
        raise Rejected(reason, f"{Path(path).name} {problem}") from None
    if isinstance(found, Anchors):
        return Words(found.text, found, "transcript")
    return Words(" ".join(w.word for w in found.words), found, "textgrid")


def hear(features: Features) -> Alignment:
    """The phones that the shipped recogniser hears."""
    from prosody_transfer.alignment.recognise import recognise_phones
    from prosody_transfer.store.weights import load_network

    if "recogniser" not in tools:
        tools["recogniser"] = load_network("recogniser")[0]
    return recognise_phones(tools["recogniser"], features)


def align(
    waveform: np.ndarray, features: Features, words: Words, *, aligner: str, recognise: str
) -> tuple[Words, Alignment | None, list[str]]:
    """Phones in time, checked against what is heard; words that were not given may be recognised.

    Args:
        waveform: (N,) float32 at the features' rate.
        aligner: Its name.
        recognise: "words", "phones" or "none": what is done where no words are known.

    Returns:
        The words and where they came from, the phones (None where there are none), and what should be said about it.

    Raises:
        Rejected: There is no speech, the words can't be pronounced, or they do not match.
    """
    from prosody_transfer.alignment.heard import check_match
    from prosody_transfer.alignment.recognise import phone_names

    if not words.origin and recognise == NOTHING:
        return words, None, []
    rate, heard = features.config.sample_rate, hear(features)
    if len(phone_names(heard)) < 2:
        raise Rejected("no_speech", "no phones were heard")
    said = None if heard.frames is None else Heard(heard.frames, features.config.hop_length / rate)
    words, notes = words.settled([heard])
    if isinstance(words.alignment, Anchors):
        alignment = _align_anchors(waveform, features, words.alignment, aligner)
        notes += [words.alignment.note] if words.alignment.note else []
    elif words.alignment is not None:
        alignment = _fit(words.alignment, features)
    elif words.origin:
        alignment = _align_text(waveform, rate, words.text, aligner, said)
    else:
        text = _recognise_words(waveform, rate) if recognise == WORDS else ""
        try:
            if text:
                alignment = _align_text(waveform, rate, text, aligner, said)
                check_match([alignment], [heard], [0.0])
                return Words(text, None, "asr"), alignment, []
        except (Rejected, TranscriptError):
            pass  # the words were misheard; the phones may be less so
        return Words("", None, "heard"), heard, []
    if words.alignment is not None:
        _require_times(alignment, features, anchored=isinstance(words.alignment, Anchors))
    try:
        return words, alignment, notes + check_match([alignment], [heard], [0.0])
    except TranscriptError as error:
        raise Rejected("mismatch", error.problem) from None


def _align_text(waveform: np.ndarray, sample_rate: int, text: str, aligner: str, heard: Heard | None) -> Alignment:
    from prosody_transfer.alignment.base import get_aligner
    from prosody_transfer.alignment.spoken import choose_readings, words_of
    from prosody_transfer.text.rate import require_time
    from prosody_transfer.text.readings import text_tokens

    try:
        require_time(text, len(waveform) / sample_rate)
    except TranscriptError as error:
        raise Rejected("mismatch", error.problem) from None
    try:
        chosen = choose_readings(text_tokens(text), None if heard is None else heard.posteriors)
        spoken = [word for reading in chosen for word in words_of(reading)]
    except TranscriptError as error:
        raise Rejected("unpronounceable", error.problem) from None
    if aligner not in tools:
        tools[aligner] = get_aligner(aligner)
    try:
        return tools[aligner].align(waveform, sample_rate, spoken, heard)
    except TranscriptError as error:
        reason = "mismatch" if isinstance(error, MismatchError) else "unpronounceable"
        raise Rejected(reason, error.problem) from None
    except AudioError as error:
        raise Rejected("no_speech", error.problem) from None


def _align_anchors(waveform: np.ndarray, features: Features, anchors: Anchors, aligner: str) -> Alignment:
    """The phones of words whose times a TextGrid has."""
    from prosody_transfer.alignment.recognise import phone_posteriors

    rate, hop = features.config.sample_rate, features.config.hop_length
    seconds = _require_length(anchors.duration, features)
    posteriors = phone_posteriors(tools["recogniser"], features)

    def part(start: float, end: float, text: str) -> Alignment:
        try:
            frames = Heard(posteriors[round(start * rate / hop) : round(end * rate / hop)], hop / rate)
            return _align_text(waveform[round(start * rate) : round(end * rate)], rate, text, aligner, frames)
        except Rejected as rejected:
            raise TranscriptError(rejected.finding.detail) from None

    try:
        return align_anchors(anchors, posteriors, hop / rate, seconds, part)
    except TranscriptError as error:
        raise Rejected("unpronounceable", error.problem) from None


def _require_times(alignment: Alignment, features: Features, *, anchored: bool) -> None:
    from prosody_transfer.alignment.recognise import phone_posteriors
    from prosody_transfer.alignment.times import LEAST, LEAST_ANCHORED, check_times

    hop = features.config.hop_length / features.config.sample_rate
    try:
        least = LEAST_ANCHORED if anchored else LEAST
        check_times(alignment, phone_posteriors(tools["recogniser"], features), hop, least=least)
    except TranscriptError as error:
        raise Rejected("alignment", error.problem) from None


def _require_length(given: float, features: Features) -> float:
    seconds = features.n_samples / features.config.sample_rate
    if abs(given - seconds) > 0.5:
        raise Rejected("alignment", f"the TextGrid lasts {given:.2f} s, the recording {seconds:.2f} s")
    return seconds


def _fit(alignment: Alignment, features: Features) -> Alignment:
    """A TextGrid's phones on the recording's own length."""
    from prosody_transfer.alignment.base import fill_gaps

    seconds = _require_length(alignment.duration, features)
    return Alignment(fill_gaps(alignment.phones, seconds), alignment.words, seconds, "textgrid")


def _recognise_words(waveform: np.ndarray, sample_rate: int) -> str:
    from prosody_transfer.alignment.words import WordRecogniser

    if "words" not in tools:
        tools["words"] = WordRecogniser(threads=1)
    return tools["words"].text(waveform, sample_rate)


def spoken_key(text: str) -> str:
    """The words as they are spoken, so that "2" and "two" are one sentence."""
    from prosody_transfer.data.splits import sentence_key
    from prosody_transfer.text.normalise import normalise

    if not text:
        return ""
    try:
        return sentence_key(" ".join(normalise(text)))
    except PtxError:
        return sentence_key(text)
