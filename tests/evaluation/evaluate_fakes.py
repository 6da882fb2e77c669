"""Sounds, pairs, and judges that cost nothing, for tests of the runner and of reports; other processes import them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from prosody_transfer.core.errors import AudioError, DependencyError, TranscriptError
from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.evaluation.judges import Judges, Settings
from prosody_transfer.evaluation.pairs import Pair
from prosody_transfer.evaluation.trackers import Contour

RATE = 16_000
TEXT = "the cat sat"
PHONES = ("DH", "AH0", "K", "AE1", "T", "S", "AE1", "T")


def buzz(level_hz: float, shape: float = 1.0, seconds: float = 1.0) -> np.ndarray:
    """A gliding buzz of four syllables; `shape` bends its melody."""
    time = np.arange(round(seconds * RATE)) / RATE
    f0 = level_hz * 2 ** (0.3 * shape * np.sin(2 * np.pi * 1.3 * time))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    return (0.1 * tone * np.maximum(0.02, np.sin(2 * np.pi * 2 * time) ** 2)).astype(np.float32)


def save(path: Path, waveform: np.ndarray) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waveform, RATE)
    return str(path)


def make_pairs(folder: Path, sources: int = 3, voices: tuple[str, ...] = ("alice", "lewis")) -> list[Pair]:
    """Pairs of `sources` sources and `voices`, each with a good output, an exact answer and a natural recording."""
    pairs = []
    for s in range(sources):
        source = save(folder / f"s{s}.wav", buzz(120 + 5 * s, 1 + 0.2 * s))
        for voice in voices:
            level = 210.0 if voice == "alice" else 110.0
            pairs.append(
                Pair(
                    id=f"s{s}.{voice}", source=source, speaker=voice, text=TEXT, source_speaker=f"who{s}",
                    output=save(folder / f"s{s}.{voice}.wav", buzz(level, 1.05 + 0.2 * s)),
                    exact=save(folder / f"s{s}.{voice}.exact.wav", buzz(level, 1 + 0.2 * s)),
                    natural=save(folder / f"s{s}.{voice}.natural.wav", buzz(level, -1, 1.2)),
                )  # fmt: skip
            )
    return pairs


class FakeJudges(Judges):
    """Judges by arithmetic. Files whose names say so are bad, and every measured source leaves a line in a log."""

    log = ""  # a file
    stop_at = ""  # a source's stem at which Ctrl-C is pressed
    absent: tuple[str, ...] = ()  # what is "not installed"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.log = self.log or os.environ.get("FAKE_LOG", "")

    def track(self, waveform: np.ndarray) -> Contour:
        """The true melody can't be seen from here: zero crossings of 30 ms do."""
        frames = 1 + len(waveform) // 160
        padded = np.pad(waveform, (240, 240))
        rates = [np.sum(np.diff(np.signbit(padded[t * 160 : t * 160 + 480]))) / 0.06 for t in range(frames)]
        level = np.abs(waveform).max()
        voiced = np.array([np.abs(padded[t * 160 : t * 160 + 480]).max() > 0.1 * level for t in range(frames)])
        return Contour(np.log(np.maximum(rates, 50.0)).astype(np.float32), voiced)

    def embed(self, waveform: np.ndarray) -> np.ndarray | None:
        if "voice" in self.absent:
            return self._unless_missing("speaker similarity", _absent)
        if len(waveform) < RATE // 2:
            raise AudioError("too short to judge a voice by")
        band = np.abs(np.fft.rfft(waveform[:RATE]))[50:306]
        return (band / np.linalg.norm(band)).astype(np.float32)

    def quality(self, waveform: np.ndarray) -> dict[str, float | None]:
        if "quality" in self.absent:
            return self._unless_missing("DNSMOS", _absent) or {}
        return {"dnsmos_overall": 3.0 + float(np.abs(waveform).mean())} if self.settings.quality else {}

    def words(self, waveform: np.ndarray, text: str) -> dict[str, float | None]:
        if not self.settings.asr or not text:
            return {}
        if "..." in text:
            raise TranscriptError("there are no words in it")
        return {"wer": 0.0, "word_errors": 0.0, "words": 3.0, "per": 0.1, "phone_errors": 1.0, "phones": 10.0}

    def align(self, waveform: np.ndarray, text: str) -> Alignment | None:
        if "misread" in text:
            raise TranscriptError("could not be aligned")
        if not text:
            return None
        seconds = len(waveform) / RATE
        edges = np.linspace(0, seconds, len(PHONES) + 1)
        spans = zip(PHONES, edges[:-1], edges[1:], strict=True)
        return Alignment(tuple(PhoneInterval(p, float(a), float(b)) for p, a, b in spans), (), seconds)

    def credit(self, speaker: str) -> str:
        return f"Synthetic speech. Voice: {speaker}."

    def make(self, pair: Pair, others: Any, systems: Any) -> Iterator[tuple[str, np.ndarray, int]]:
        """"ptx" where there is no output; poor controls."""
        source, rate = soundfile.read(pair.source)
        self._note(pair)
        made = {
            "copy_synthesis": source, "no_prosody": buzz(200, 0.0), "random_prosody": buzz(200, -1.0),
            "latent_only": buzz(200, 0.3), "random_latent": buzz(200, 0.3), "wrong_speaker": buzz(100, 1.0),
        }  # fmt: skip
        if not pair.output:
            made = {"ptx": buzz(205, 1.0), **made}
        for name, waveform in made.items():
            if systems is None or name in systems:
                if "uncontrolled" in pair.id and name != "ptx":
                    raise TranscriptError("the transcript does not match", place=pair.source)
                yield name, waveform.astype(np.float32), rate

    def _note(self, pair: Pair) -> None:
        if self.log:
            with open(self.log, "a") as file:
                file.write(f"{pair.id}\n")
        if self.stop_at and self.stop_at == Path(pair.source).stem:
            raise KeyboardInterrupt
        if "mistake" in pair.id:
            raise ZeroDivisionError("ours")


def _absent() -> Any:
    raise DependencyError("is not installed", remedy="pip install 'prosody-transfer[evaluate]'")
