"""A source of any length as pieces of at most 20 s: measured, aligned and spoken one at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from prosody_transfer.audio.segment import cut_at_pauses
from prosody_transfer.core.config import MelConfig
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
        features: T_piece frames; the pieces' frames laid end to end are the source's.
    """

    start: int
    end: int
    first_frame: int
    features: Features


def cut(waveform: np.ndarray, config: MelConfig, tracker: Tracker | None = None) -> list[Piece]:
    """Cut at pauses and measure every piece; the frames of all pieces add up to those of the whole recording.

    Args:
        tracker: Of the melody; None for DIO.
    """
    margin = MARGIN_FRAMES if tracker is None else LEARNED_MARGIN_FRAMES
    hop, total = config.hop_length, len(waveform)
    edges = [b // hop * hop for _, b in cut_at_pauses(waveform, config.sample_rate, max_seconds=MAXIMUM_SECONDS)[:-1]]
    edges = [0, *edges, total]
    pieces = []
    for start, end in zip(edges, edges[1:], strict=False):
        size = samples_to_frames(total - start, hop) if end == total else (end - start) // hop
        low = max(0, start - margin * hop)
        wide = extract(waveform[low : min(total, end + margin * hop)], config, tracker)
        offset = (start - low) // hop
        part = slice(offset, offset + size)
        features = replace(
            wide, mel=wide.mel[:, part], log_f0=wide.log_f0[part], voiced=wide.voiced[part],
            energy_db=wide.energy_db[part], n_samples=end - start,
            doubt=None if wide.doubt is None else wide.doubt[part],
            noise_db=None if wide.noise_db is None else wide.noise_db[part],
        )  # fmt: skip
        pieces.append(Piece(start, end, start // hop, features))
    return pieces


def join_features(pieces: list[Piece]) -> Features:
    """The features of the recording that was cut."""
    first = pieces[0].features
    told = [k for k in ("doubt", "noise_db") if getattr(first, k) is not None]
    known = ("mel", "log_f0", "voiced", "energy_db", *told)
    joined: dict[str, Any] = {k: np.concatenate([getattr(p.features, k) for p in pieces], -1) for k in known}
    return replace(first, **joined, n_samples=pieces[-1].end)


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
