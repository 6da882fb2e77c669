"""How a line is said, apart from who says it: everything that was measured or is wanted, as plain arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.analysis.recorded import Recorded
from prosody_transfer.audio.follow import FRAME_SECONDS, compared_power
from prosody_transfer.audio.levelling import SourceLevel
from prosody_transfer.audio.silence import Silence, silences
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ShapeError
from prosody_transfer.core.spool import Sound, blocks
from prosody_transfer.core.types import Alignment
from prosody_transfer.features.extract import Features
from prosody_transfer.text.phones import PHONES, phone_id, stress_id

GATE_DB = -35.0  # below this, relative to the speech level, nothing is voiced
NO_WORD = -1


@dataclass(frozen=True)
class PlannedPhones:
    """Phones and their words.

    Attributes:
        names: (P,) ARPABET with the stress digit on vowels, or "SIL".
        durations: (P,) int frames, sum = T.
        words: (P,) int, the index into `spellings` of each phone's word; `NO_WORD` in pauses and where none are known.
        spellings: W words, as they were written.
        posteriors: (P, 40) float32 where phones were heard rather than told: each row a distribution over PHONES, or
            zeros where that phone was told.
    """

    names: tuple[str, ...]
    durations: np.ndarray
    words: np.ndarray
    spellings: tuple[str, ...] = ()
    posteriors: np.ndarray | None = None

    @property
    def ids(self) -> np.ndarray:
        """(P,) int, into PHONES; 0 is a pause."""
        return np.array([phone_id(name) for name in self.names])

    @property
    def stress(self) -> np.ndarray:
        """(P,) int, 0 = none or unknown, 1 to 3 = stress digit 0 to 2."""
        return np.array([stress_id(name) for name in self.names])

    def part(self, start: int, stop: int) -> PlannedPhones:
        """Some of them, in order."""
        cut = slice(start, stop)
        rows = None if self.posteriors is None else self.posteriors[cut]
        return PlannedPhones(self.names[cut], self.durations[cut], self.words[cut], self.spellings, rows)


@dataclass(frozen=True)
class PlannedEmbedding:
    """A prosody embedding of a source, as one model made it.

    Attributes:
        steps: For each piece (D, T'_k) float32; where `level` is "frames", T'_k = T_k.
        level: What there is a step for: "steps" (as the model has them: so many frames, a phone, a word) or "frames".
        model: Checksum of the model that made it; "" where it does not matter.
        frames_per_step: Where the steps are of so many frames; 0 where they are of phones or words.
    """

    steps: tuple[np.ndarray, ...]
    level: str = "steps"
    model: str = ""
    frames_per_step: int = 0


@dataclass(frozen=True)
class PlannedSource:
    """What is known of the recording that a plan was measured on.

    Attributes:
        recorded: Its rate and length.
        samples: N at `ProsodyPlan.config.sample_rate`.
        f0_level: ln Hz, the speaker's median F0.
        level: The way back to its loudness.
        silences: Where it is silent for good.
        sha256: Of its samples; "" where there is no recording.
        words_from, text, aligner: As in `SourceAlignment`.
    """

    recorded: Recorded
    samples: int
    f0_level: float
    level: SourceLevel
    silences: tuple[Silence, ...] = ()
    sha256: str = ""
    words_from: str = ""
    text: str = ""
    aligner: str = ""


@dataclass(frozen=True)
class ProsodyPlan:
    """How a line is said, T frames in K pieces of at most 20 s; nothing in it depends on the voice that says it.

    Attributes:
        config: Of the frames.
        phones: P of them, over all pieces.
        pieces: (K,) int, phones in each piece.
        log_f0: (T,) float32, ln F0 relative to the source speaker's level, continuous through unvoiced frames.
        voiced: (T,) bool.
        energy_db: (T,) float32, relative to the speech level.
        power: (F,) float64, mean square below 8 kHz in every 5 ms: the loudness that the result is to follow, at the
            speech level; empty where it is to follow none.
        source: What it was measured on.
        embedding: What the reference encoder says besides, or None.
    """

    config: MelConfig
    phones: PlannedPhones
    pieces: np.ndarray
    log_f0: np.ndarray
    voiced: np.ndarray
    energy_db: np.ndarray
    power: np.ndarray
    source: PlannedSource
    embedding: PlannedEmbedding | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        frames, phones = len(self.log_f0), len(self.phones.names)
        lengths = {len(self.voiced), len(self.energy_db), int(self.phones.durations.sum())}
        if lengths != {frames} or int(self.pieces.sum()) != phones or len(self.phones.durations) != phones:
            problem = f"{frames} frames of F0, {len(self.voiced)} of voicing, {len(self.energy_db)} of energy"
            problem += f", {int(self.phones.durations.sum())} of phones, {int(self.pieces.sum())} of {phones} phones"
            raise ShapeError(f"a plan does not fit together: {problem}")

    @property
    def n_frames(self) -> int:
        return len(self.log_f0)

    @property
    def seconds(self) -> float:
        return self.source.samples / self.config.sample_rate

    def split(self) -> list[tuple[PlannedPhones, slice]]:
        """Each piece: its phones, and its frames."""
        ends = np.cumsum(self.pieces)
        frames = np.concatenate([[0], np.cumsum(self.phones.durations)])
        cuts = [slice(int(frames[end - count]), int(frames[end])) for end, count in zip(ends, self.pieces, strict=True)]
        parts = [self.phones.part(int(end - count), int(end)) for end, count in zip(ends, self.pieces, strict=True)]
        return list(zip(parts, cuts, strict=True))


def plan_of(analysis: Analysis, embedding: PlannedEmbedding | None = None) -> ProsodyPlan:
    """The plan that says an analysed recording as it was said.

    Args:
        embedding: See `synthesis.acoustic.Speaking`.
    """
    config, aligned = analysis.config, analysis.aligned
    durations = [
        part.durations(piece.n_frames, config.sample_rate, config.hop_length)
        for piece, part in zip(analysis.pieces, analysis.parts, strict=True)
    ]
    source = PlannedSource(
        analysis.recorded, len(analysis.original), analysis.f0_level, analysis.levelled.level,
        tuple(silences(analysis.original, config.sample_rate)),
        _digest(analysis.original),
        aligned.origin, aligned.text, aligned.alignment.aligner,
    )  # fmt: skip
    power = compared_power(analysis.waveform, config.sample_rate)
    if (noise_db := analysis.contours.noise_db) is not None:
        at = (np.arange(len(power)) + 0.5) * FRAME_SECONDS * config.sample_rate / config.hop_length
        power = power * 10 ** (np.interp(at, np.arange(len(noise_db)), noise_db) / 10)
    return measured_plan(analysis.contours, analysis.parts, durations, source, power, embedding)


def _digest(sound: Sound) -> str:
    """SHA-256 of float32 samples."""
    found = hashlib.sha256()
    for part in blocks(len(sound)):
        found.update(np.ascontiguousarray(sound[part], np.float32).tobytes())
    return found.hexdigest()


def measured_plan(
    features: Features, parts: Sequence[Alignment], durations: Sequence[Sequence[int]], source: PlannedSource,
    power: np.ndarray, embedding: PlannedEmbedding | None = None,
) -> ProsodyPlan:  # fmt: skip
    """A plan of what was measured; voicing in noise floors, where trackers find some, is dropped.

    Args:
        parts: The alignment of each piece.
        durations: Frames of each piece's phones.
        power: See `ProsodyPlan`.
    """
    return ProsodyPlan(
        features.config,
        phones_of(parts, durations),
        np.array([len(part.phones) for part in parts]),
        features.log_f0 - source.f0_level,
        features.voiced & (features.energy_db > GATE_DB),
        features.energy_db,
        power,
        source,
        embedding,
    )


def pieces_of(analysis: Analysis) -> Iterator[tuple[Features, Alignment, PlannedPhones]]:
    """Features, alignment and phones of each piece."""
    for piece, part in zip(analysis.pieces, analysis.parts, strict=True):
        config = piece.config
        durations = part.durations(piece.n_frames, config.sample_rate, config.hop_length)
        yield piece.features, part, phones_of([part], [durations])


def phones_of(parts: Sequence[Alignment], durations: Sequence[Sequence[int]]) -> PlannedPhones:
    """The phones of consecutive pieces, with their frames."""
    names = tuple(p.phone for part in parts for p in part.phones)
    words: list[np.ndarray] = []
    spellings: list[str] = []
    for part in parts:
        words.append(_word_of(part, len(spellings)))
        spellings += [w.word for w in part.words]
    rows = None
    if any(part.posteriors is not None for part in parts):
        rows = np.concatenate([_rows(part) for part in parts])
    return PlannedPhones(
        names, np.concatenate([np.asarray(d, np.int64) for d in durations]), np.concatenate(words), tuple(spellings),
        rows,
    )  # fmt: skip


def _rows(part: Alignment) -> np.ndarray:
    if part.posteriors is None:
        return np.zeros((len(part.phones), len(PHONES)), np.float32)
    return part.posteriors.astype(np.float32)


def _word_of(part: Alignment, before: int) -> np.ndarray:
    """Which word each phone of a piece belongs to, counting `before` words of the pieces before it."""
    middle = np.array([(p.start + p.end) / 2 for p in part.phones])
    if not part.words:
        return np.full(len(middle), NO_WORD)
    starts, ends = (np.array(times) for times in zip(*((w.start, w.end) for w in part.words), strict=True))
    begun = np.searchsorted(starts, middle, side="right")
    inside = (begun > 0) & (middle < ends[begun - 1])
    return np.where(inside, begun - 1 + before, NO_WORD)


def word_numbers(words: np.ndarray) -> np.ndarray | None:
    """Words of a piece's phones as the networks count them, (P,) from 0 and rising; a pause between words is a word.

    Args:
        words: (P,) int, rising, `NO_WORD` in pauses.

    Returns:
        None where no words are known.
    """
    known = words != NO_WORD
    if not known.any():
        return None
    first = words[known][0]
    last = np.maximum.accumulate(np.where(known, words, first - 1)) - first
    return np.where(known, 2 * last + 1, 2 * (last + 1))
