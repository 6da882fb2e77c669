"""A source's phones in time: from a transcript, a TextGrid, a word recogniser, or heard phones."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from prosody_transfer.alignment.anchors import Anchors, align_anchors
from prosody_transfer.alignment.base import Heard
from prosody_transfer.alignment.heard import check_match, split_tokens
from prosody_transfer.alignment.recognise import log_bigram, phone_names, phone_posteriors, recognise_phones
from prosody_transfer.alignment.spoken import Chosen, choose_readings, unlikely
from prosody_transfer.alignment.times import LEAST_ANCHORED, check_times
from prosody_transfer.alignment.verify import joined_confidences, weigh_words, wrong_words
from prosody_transfer.analysis.given import fit, require_length, require_room
from prosody_transfer.analysis.pieces import MAXIMUM_SECONDS, HeardPieces, Piece, cut, join_alignments, slice_alignment
from prosody_transfer.analysis.settings import AnalysisSettings
from prosody_transfer.analysis.transcript import Transcript
from prosody_transfer.audio.segment import require_speech
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import AudioError, DependencyError, MismatchError, TranscriptError
from prosody_transfer.core.sharing import Shared
from prosody_transfer.core.spool import Sound
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval
from prosody_transfer.text.readings import Token, text_tokens


@dataclass
class SourceAlignment:
    """The phones of a source in time, whole and per piece, where the words came from, and what should be said about it.

    `readings`: what was not read in the likeliest way, because the recording said otherwise.
    `confidence`: for each word of the alignment the probability that it is what is said there, 0 to 1; None where it is
    not known (from a TextGrid).
    `wrong`: those of the warnings that say that another word is heard.
    """

    alignment: Alignment
    parts: list[Alignment]
    origin: str
    text: str
    warnings: list[str] = field(default_factory=list)
    readings: list[Chosen] = field(default_factory=list)
    confidence: tuple[float | None, ...] = ()
    wrong: list[str] = field(default_factory=list)


class SourceAligner:
    """Aligns sources; holds the aligners and recognisers, each loaded when first needed. Safe to use from threads.

    Args:
        recogniser: The phone recogniser network.
    """

    def __init__(self, recogniser: Any) -> None:
        self.recogniser = recogniser
        self._aligners: dict[str, Any] = {}
        self._words: Any = None
        self._loading: Shared[object] = Shared(object)  # one thread loads, the others wait for it

    def load(self, settings: AnalysisSettings, waveform: np.ndarray, sample_rate: int) -> None:
        """Load now what settings ask for, and hear some sound, (N,) float32, with it; raises as `align`."""
        self._aligner(settings.aligner)
        if settings.recognise != "phones":
            self._word_recogniser().text(waveform, sample_rate)

    def _aligner(self, name: str) -> Any:
        from prosody_transfer.alignment.base import get_aligner

        with self._loading.use():
            if name not in self._aligners:
                self._aligners[name] = get_aligner(name)
            return self._aligners[name]

    def _word_recogniser(self) -> Any:
        from prosody_transfer.alignment.words import WordRecogniser

        with self._loading.use():
            self._words = self._words or WordRecogniser()
            return self._words

    def _recognise_words(
        self, waveform: Sound, pieces: Sequence[Piece], heard: Sequence[Alignment], warnings: list[str]
    ) -> list[str]:
        """The words of every piece, "" where none are said."""
        from prosody_transfer.alignment.invented import without_invented
        from prosody_transfer.text.cleaning import clean

        recogniser = self._word_recogniser()
        texts = []
        for piece, phones in zip(pieces, heard, strict=True):
            said = clean(recogniser.text(waveform[piece.start : piece.end], piece.config.sample_rate)).text
            said = said if any(map(str.isalnum, said)) else ""  # "(music)", "[BLANK_AUDIO]" and notes are no words
            if said and phones.frames is not None:
                said, invented = without_invented(said, phones.frames)
                if invented:
                    warnings.append(f"left out, as nothing is heard there: {' '.join(invented)!r}")
            texts.append(said)
        return texts

    def align(
        self, waveform: Sound, pieces: Sequence[Piece], transcript: Transcript, settings: AnalysisSettings
    ) -> SourceAlignment:
        """Phones of every piece of a source.

        Args:
            waveform: (N,) float32 at the features' rate.

        Raises:
            TranscriptError: The transcript does not match the audio, or can't be aligned.
            AudioError: There is no speech in it.
        """
        aligner, check = settings.aligner, settings.check_transcript
        config = pieces[0].config
        duration = len(waveform) / config.sample_rate
        starts = [p.start / config.sample_rate for p in pieces]
        if transcript.alignment is not None:
            given, notes = self._given(waveform, pieces, transcript, aligner, check)
            ends = [p.end / config.sample_rate for p in pieces]
            parts = [slice_alignment(given, s, e) for s, e in zip(starts, ends, strict=True)]
            for part, piece in zip(parts, pieces, strict=True):
                require_room(part, piece.n_frames)
            unknown = (None,) * len(given.words)
            return SourceAlignment(given, parts, transcript.origin, transcript.text, notes, confidence=unknown)
        require_speech(waveform, config.sample_rate)
        heard = HeardPieces(recognise_phones(self.recogniser, p.features) for p in pieces)
        if not any(phone_names(h) for h in heard):
            raise AudioError("no speech found", remedy="check that the right channel and the right file were given")
        warnings: list[str] = []
        readings: list[Chosen] = []
        wrong: list[str] = []
        if transcript.text:
            text = transcript.settled(heard, warnings)
            tokens = split_tokens(text_tokens(text), heard) if len(pieces) > 1 else [text]
            parts = self._align(waveform, pieces, tokens, heard, aligner, warnings, readings, strict=True)
            if check:
                warnings += check_match(parts, heard, starts)
            sure, wrong = self._weigh(waveform, pieces, parts, heard, recognised=False, check=check)
            warnings += wrong
            origin = transcript.origin
        else:
            texts = [""] * len(pieces)
            if settings.recognise != "phones":
                texts = self._recognise_words(waveform, pieces, heard, warnings)
                if not any(texts):
                    warnings.append("no words were recognised in it; the phones that are heard are spoken")
            parts = self._align(waveform, pieces, texts, heard, aligner, warnings, readings, strict=False)
            text = " ".join(t for t in texts if t)
            origin = "asr" if text else "phones"
            sure, _ = self._weigh(waveform, pieces, parts, heard, recognised=origin == "asr", check=False)
        whole = join_alignments(parts, starts, duration)
        return SourceAlignment(whole, parts, origin, text, warnings, readings, sure, wrong)

    def _weigh(
        self, waveform: Sound, pieces: Sequence[Piece], parts: list[Alignment], heard: Sequence[Alignment], *,
        recognised: bool, check: bool,
    ) -> tuple[tuple[float | None, ...], list[str]]:  # fmt: skip
        """How sure each word is, and what should be said about wrong ones; piece by piece, for evidence is large.

        The word recogniser is loaded only where a piece is suspicious; where it is not installed nothing is said.
        """
        bigram = log_bigram(self.recogniser)
        sure: list[float | None] = []
        notes: list[str] = []
        for piece, part, phones in zip(pieces, parts, heard, strict=True):
            rate, hop = piece.config.sample_rate, piece.config.hop_length
            words = weigh_words(part, phones, bigram, rate, hop)
            sure += joined_confidences([part], [words], recognised=recognised)
            if not check or words is None or not words.suspicious():
                continue
            try:
                recogniser = self._word_recogniser()
            except DependencyError:
                check = False
                continue
            hear = functools.partial(recogniser.text, waveform[piece.start : piece.end], rate)
            notes += wrong_words(words, hear, piece.start / rate, hop / rate)
        return tuple(sure), notes

    def _given(
        self, waveform: Sound, pieces: Sequence[Piece], transcript: Transcript, name: str, check: bool
    ) -> tuple[Alignment, list[str]]:
        """The alignment of a TextGrid; phones are found in words whose times it has. And what should be said."""
        given, config = transcript.alignment, pieces[0].config
        assert given is not None
        rate, hop = config.sample_rate, config.hop_length / config.sample_rate
        duration = len(waveform) / rate
        if not isinstance(given, Anchors) and (not check or given.aligner != "textgrid"):
            return fit(given, duration), []
        require_length(given.duration, duration)
        posteriors = np.concatenate([phone_posteriors(self.recogniser, p.features) for p in pieces])
        if not isinstance(given, Anchors):
            fitted = fit(given, duration)
            check_times(fitted, posteriors, hop)
            return fitted, []
        inside = lambda start, end: waveform[round(start * rate) : round(end * rate)]
        frames = lambda start, end: posteriors[round(start / hop) : round(end / hop)]
        part = lambda start, end, text: self._stretch(inside(start, end), frames(start, end), text, name, config)
        fitted = fit(align_anchors(given, posteriors, hop, duration, part), duration)
        if check:
            check_times(fitted, posteriors, hop, least=LEAST_ANCHORED)
        return fitted, [given.note] if given.note else []

    def _stretch(
        self, waveform: np.ndarray, posteriors: np.ndarray, text: str, name: str, config: MelConfig
    ) -> Alignment:
        """A text aligned with the stretch in which it is said; a long one is cut at its pauses first."""
        from prosody_transfer.alignment.base import align_pairs

        if len(waveform) <= MAXIMUM_SECONDS * config.sample_rate:
            pairs = [pair for reading in choose_readings(text_tokens(text), posteriors) for pair in reading]
            heard = Heard(posteriors, config.hop_length / config.sample_rate)
            return align_pairs(self._aligner(name), waveform, config.sample_rate, pairs, heard)
        words = Transcript(text, None, "text")
        settings = AnalysisSettings(aligner=name, check_transcript=False, recognise="phones")
        return self.align(waveform, cut(waveform, config), words, settings).alignment

    def _align(
        self, waveform: Sound, pieces: Sequence[Piece], texts: Sequence[str | list[Token]],
        heard: Sequence[Alignment], name: str, warnings: list[str], readings: list[Chosen], strict: bool,
    ) -> list[Alignment]:  # fmt: skip
        """Each piece with its text in the readings that were heard; `warnings` and `readings` get what to say."""
        from prosody_transfer.alignment.base import align_pairs

        parts = []
        for piece, text, phones in zip(pieces, texts, heard, strict=True):
            rate = piece.config.sample_rate
            if not text or isinstance(text, str) and not text.strip():
                # With a transcript nothing is said here; without one, what was heard is all there is.
                silence = Alignment((PhoneInterval(SILENCE, 0.0, phones.duration),), (), phones.duration, name)
                parts.append(silence if strict else phones)
                continue
            try:
                tokens = text_tokens(text) if isinstance(text, str) else text
                chosen = choose_readings(tokens, phones.frames)
                pairs = [pair for reading in chosen for pair in reading]
                hop = piece.config.hop_length / rate
                known = None if phones.frames is None else Heard(phones.frames, hop)
                part = align_pairs(self._aligner(name), waveform[piece.start : piece.end], rate, pairs, known)
                require_room(part, piece.n_frames)
                parts.append(part)
                readings += unlikely(tokens, chosen)
            except (TranscriptError, AudioError) as error:
                if strict:
                    if not isinstance(error, MismatchError):  # a word that can't be read
                        raise
                    where = f" between {piece.start / rate:.1f} and {piece.end / rate:.1f} s" if len(pieces) > 1 else ""
                    problem = f"the transcript does not match the audio{where}: it {error.problem}"
                    raise MismatchError(problem, remedy=error.remedy) from None
                warnings.append(f"recognised words could not be aligned ({error.problem}); heard phones are used")
                parts.append(phones)
        return parts
