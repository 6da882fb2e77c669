"""A source of any length as pieces of at most 20 s: measured, aligned and spoken one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from prosody_transfer.audio.segment import cut_at_pauses
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.spool import Kept, Shelf, Sound
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.core.units import samples_to_frames
from prosody_transfer.features.extract import Features, Tracker, extract

MAXIMUM_SECONDS = 20.0
MARGIN_FRAMES = 12  # measured beyond a piece's borders, so that borders leave no trace
LEARNED_MARGIN_FRAMES = 32  # the learned tracker looks 20 frames and half a window ahead


@dataclass(frozen=True)
class Piece:
    """A stretch of the source.

    Attributes:
        start, end: Samples; `start` is a whole number of hops.
        first_frame: Of the piece on the source's frame axis.
        contours: T_piece frames; the pieces' frames laid end to end are the source's. Zeros stand for the mel where
            it is kept elsewhere.
        mel: Where that is; in a file, where the source is long.
    """

    start: int
    end: int
    first_frame: int
    contours: Features
    mel: Kept | None = None

    @property
    def features(self) -> Features:
        """All that was measured, the mel too."""
        return self.contours if self.mel is None else replace(self.contours, mel=self.mel.load())

    @property
    def config(self) -> MelConfig:
        return self.contours.config

    @property
    def n_frames(self) -> int:
        return self.contours.n_frames


def cut(waveform: Sound, config: MelConfig, tracker: Tracker | None = None) -> list[Piece]:
    """Cut at pauses and measure every piece; the frames of all pieces add up to those of the whole recording.

    Args:
        tracker: Of the melody; None for DIO.
    """
    margin = MARGIN_FRAMES if tracker is None else LEARNED_MARGIN_FRAMES
    hop, total = config.hop_length, len(waveform)
    edges = [b // hop * hop for _, b in cut_at_pauses(waveform, config.sample_rate, max_seconds=MAXIMUM_SECONDS)[:-1]]
    edges = [0, *edges, total]
    pieces, mels = [], Shelf()
    for start, end in zip(edges, edges[1:], strict=False):
        size = samples_to_frames(total - start, hop) if end == total else (end - start) // hop
        low = max(0, start - margin * hop)
        wide = extract(waveform[low : min(total, end + margin * hop)], config, tracker)
        offset = (start - low) // hop
        part = slice(offset, offset + size)
        features = replace(
            wide, mel=no_mel(config, size), log_f0=wide.log_f0[part], voiced=wide.voiced[part],
            energy_db=wide.energy_db[part], n_samples=end - start,
            doubt=None if wide.doubt is None else wide.doubt[part],
            noise_db=None if wide.noise_db is None else wide.noise_db[part],
        )  # fmt: skip
        mel = mels.put(np.ascontiguousarray(wide.mel[:, part]))
        pieces.append(Piece(start, end, start // hop, features, mel))
    return pieces


def no_mel(config: MelConfig, n_frames: int) -> np.ndarray:
    """(M, T) zeros that take no memory, where a mel is kept elsewhere."""
    return np.broadcast_to(np.float32(0), (config.n_mels, n_frames))


def join_features(pieces: list[Piece], mel: bool = True) -> Features:
    """The features of the recording that was cut.

    Args:
        mel: With the mel, which takes 135 MB an hour; otherwise zeros stand there.
    """
    first = pieces[0].contours
    told = [k for k in ("doubt", "noise_db") if getattr(first, k) is not None]
    known = ("log_f0", "voiced", "energy_db", *told)
    joined: dict[str, Any] = {k: np.concatenate([getattr(p.contours, k) for p in pieces], -1) for k in known}
    size = len(joined["log_f0"])
    joined["mel"] = np.concatenate([p.features.mel for p in pieces], -1) if mel else no_mel(first.config, size)
    return replace(first, **joined, n_samples=pieces[-1].end)


class HeardPieces(Sequence[Alignment]):
    """What was heard in each piece; the frames' posteriors, 54 MB an hour, are kept apart and loaded when looked at."""

    def __init__(self, heard: Iterable[Alignment]) -> None:
        self._heard: list[tuple[Alignment, Kept | None]] = []
        shelf = Shelf()
        for found in heard:
            kept = None if found.frames is None else shelf.put(found.frames)
            self._heard.append((replace(found, frames=None), kept))

    def __len__(self) -> int:
        return len(self._heard)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        found, kept = self._heard[index]
        return found if kept is None else replace(found, frames=kept.load())


def slice_alignment(alignment: Alignment, start: float, end: float) -> Alignment:
    """The part of an alignment between two times, from 0 s on; a phone that is cut stays on both sides."""
    inside = [i for i, p in enumerate(alignment.phones) if p.end > start + 1e-6 and p.start < end - 1e-6]
    phones = [
        PhoneInterval(p.phone, max(p.start, start) - start, min(p.end, end) - start)
        for p in (alignment.phones[i] for i in inside)
    ]
    words = tuple(
        WordInterval(w.word, max(w.start, start) - start, min(w.end, end) - start)
        for w in alignment.words
        if w.start >= start and w.start < end
    )
    if not phones:
        phones = [PhoneInterval(SILENCE, 0.0, end - start)]
    posteriors = alignment.posteriors[inside] if alignment.posteriors is not None and inside else None
    return Alignment(tuple(phones), words, end - start, alignment.aligner, posteriors)


def join_alignments(parts: list[Alignment], starts: list[float], duration: float) -> Alignment:
    """Alignments of pieces -> the alignment of the recording; silences that meet at a border become one."""
    phones: list[PhoneInterval] = []
    rows: list[np.ndarray] = []
    for part, offset in zip(parts, starts, strict=True):
        for i, phone in enumerate(part.shifted(offset).phones):
            if phones and phone.phone == SILENCE == phones[-1].phone:
                phones[-1] = phones[-1]._replace(end=phone.end)
            else:
                if phones:  # not a rounding apart
                    phones[-1] = phones[-1]._replace(end=phone.start)
                phones.append(phone)
                if part.posteriors is not None:
                    rows.append(part.posteriors[i])
    phones[-1] = phones[-1]._replace(end=duration)
    words = tuple(w for part, offset in zip(parts, starts, strict=True) for w in part.shifted(offset).words)
    posteriors = np.stack(rows) if len(rows) == len(phones) else None
    aligners = "+".join(dict.fromkeys(part.aligner for part in parts))
    return Alignment(tuple(phones), words, duration, aligners, posteriors)
