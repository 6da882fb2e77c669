"""What an aligner is, and the list of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import NamedTuple

import numpy as np

from prosody_transfer.core.errors import AudioError, DependencyError, TranscriptError, UsageError
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval

DEFAULT_ALIGNER = "pocketsphinx"
# name -> module and class; imported only when asked for
_REGISTRY = {
    "pocketsphinx": ("prosody_transfer.alignment.pocketsphinx", "PocketsphinxAligner"),
    "ptx": ("prosody_transfer.alignment.ptx", "PtxAligner"),
    "mfa": ("prosody_transfer.alignment.mfa", "MfaAligner"),
    "viter": ("prosody_transfer.alignment.viter", "ViterAligner"),
}


class Heard(NamedTuple):
    """What a phone recogniser heard in a recording: (T, 40) `recognise.phone_posteriors`, and seconds between rows."""

    posteriors: np.ndarray
    frame_seconds: float


class Aligner(ABC):
    """Finds when each phone of a known text is spoken.

    One instance may be used for any number of utterances, from several threads too.
    """

    name: str

    @abstractmethod
    def align(
        self, waveform: np.ndarray, sample_rate: int, words: Sequence[str], heard: Heard | None = None
    ) -> Alignment:
        """Align one utterance.

        Args:
            waveform: (N,) float32, mono, any level.
            sample_rate: Hz.
            words: As they are spoken (`text.normalise.normalise`).
            heard: What a phone recogniser heard in it, where that is known; the aligner that reads it listens itself
                otherwise, the others do without.

        Returns:
            Alignment over [0, N / sample_rate]: phones without gaps or overlaps, pauses named "SIL", vowels with their
            stress digit; one word interval for each of `words`.

        Raises:
            TranscriptError: The words do not fit the audio, or one cannot be pronounced.
            AudioError: The audio is empty or silent.
            DependencyError: The aligner is not installed or does not work here.
        """

    @classmethod
    @abstractmethod
    def check(cls) -> None:
        """Find out cheaply whether this aligner works here.

        Raises:
            DependencyError: It does not; with the reason and the remedy.
        """


@dataclass(frozen=True)
class AlignerState:
    """One line of `ptx doctor`."""

    name: str
    works: bool
    reason: str = ""
    remedy: str = ""


def _load(name: str) -> type[Aligner]:
    if name not in _REGISTRY:
        known = ", ".join(_REGISTRY)
        raise UsageError(f"there is no aligner {name!r}", place="--aligner", remedy=f"choose one of {known}")
    module, cls = _REGISTRY[name]
    return getattr(import_module(module), cls)


def require_words(words: Sequence[str]) -> None:
    """TranscriptError where nothing is to be aligned."""
    if not words:
        raise TranscriptError("there are no words in it", place="transcript", remedy="write what is said")


def one_channel(waveform: np.ndarray) -> np.ndarray:
    """(N,) float32 that lies in one piece; AudioError where it has channels."""
    samples = np.ascontiguousarray(waveform, dtype=np.float32)
    if samples.ndim != 1:
        raise AudioError(f"must be one channel, not an array of shape {samples.shape}", remedy="mix it to mono")
    return samples


def require_sound(samples: np.ndarray) -> float:
    """Its peak; AudioError where it is silent, empty, or holds what is no number."""
    peak = float(np.max(np.abs(samples), initial=0.0))
    if not np.isfinite(peak) or peak < 1e-6:
        raise AudioError("is silent or empty", remedy="check the recording")
    return peak


def aligner_names() -> tuple[str, ...]:
    """The names `get_aligner` knows, the default first."""
    return tuple(_REGISTRY)


def get_aligner(name: str = DEFAULT_ALIGNER) -> Aligner:
    """An aligner by name: "pocketsphinx", "ptx", "mfa" or "viter".

    Raises:
        UsageError: No such name.
        DependencyError: It is not installed or does not work here.
    """
    return _load(name)()


def available_aligners() -> list[AlignerState]:
    """Which aligners work here, and why not, and what to do about it; never raises."""
    states = []
    for name in _REGISTRY:
        try:
            _load(name).check()
            states.append(AlignerState(name, True))
        except DependencyError as error:
            states.append(AlignerState(name, False, error.problem, error.remedy))
    return states


def align_text(aligner: Aligner, waveform: np.ndarray, sample_rate: int, text: str) -> Alignment:
    """Align a written text in its likeliest reading; word intervals carry what was written ("1998"), not what is said.

    Args:
        aligner: From `get_aligner`.
        waveform: (N,) float32, mono.
        sample_rate: Hz.
        text: The transcript, with punctuation and numbers.

    Raises:
        TranscriptError: The text has no words, one cannot be pronounced, or they do not fit the audio.
    """
    from prosody_transfer.text.normalise import words_with_origin

    return align_pairs(aligner, waveform, sample_rate, words_with_origin(text))


def align_pairs(
    aligner: Aligner, waveform: np.ndarray, sample_rate: int, pairs: Sequence[tuple[str, Sequence[str]]],
    heard: Heard | None = None,
) -> Alignment:  # fmt: skip
    """As `align_text`, of written words and what each is spoken as (`spoken.choose_readings`)."""
    found = aligner.align(waveform, sample_rate, [word for _, spoken in pairs for word in spoken], heard)
    if len(found.words) != sum(len(spoken) for _, spoken in pairs):  # an aligner that tokenises otherwise
        return found
    words, at = [], 0
    for written, spoken in pairs:
        first, last = found.words[at], found.words[at + len(spoken) - 1]
        words.append(WordInterval(written, first.start, last.end))
        at += len(spoken)
    return replace(found, words=tuple(words), posteriors=found.posteriors)


def fill_gaps(phones: Iterable[PhoneInterval], duration: float) -> tuple[PhoneInterval, ...]:
    """Make phones cover [0, duration] exactly.

    Times are clipped to the recording, empty phones dropped, gaps filled with "SIL", neighbouring "SIL"s joined;
    where two phones overlap the later one begins when the earlier one ends. Times in seconds.

    >>> fill_gaps([PhoneInterval("K", 0.1, 0.2), PhoneInterval("AE1", 0.2, 0.35)], 0.5)  # doctest: +ELLIPSIS
    (...phone='SIL', start=0.0, end=0.1), ...phone='K',...phone='AE1',...phone='SIL', start=0.35, end=0.5))
    """
    result: list[PhoneInterval] = []

    def add(phone: str, start: float, end: float) -> None:
        if result and phone == SILENCE == result[-1].phone:
            start = result.pop().start
        result.append(PhoneInterval(phone, start, end))

    last = 0.0
    for phone, start, end in phones:
        start, end = max(start, last), min(end, duration)
        if end <= start:
            continue
        if start > last:
            add(SILENCE, last, start)
        add(phone, start, end)
        last = end
    if last < duration:
        add(SILENCE, last, duration)
    return tuple(result)
