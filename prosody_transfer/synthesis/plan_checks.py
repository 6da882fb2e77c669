"""What is refused of a plan that comes from outside, with its place."""

from __future__ import annotations

import math
from collections.abc import Iterable

from prosody_transfer.core.errors import UsageError
from prosody_transfer.synthesis.plan_rows import PhoneRow, PlanFile
from prosody_transfer.text.phones import PHONE_IDS, PHONES, split_stress

MOST_SECONDS = 8 * 3600
MOST_FRAMES = 10_000  # of one phone: a long pause
MOST_LOG_F0 = 3.0  # ln, 4.3 octaves
LEAST_DB, MOST_DB = -300.0, 100.0
REMEDY = "compare it with one of ptx transfer --save-plan"


def check_file(stored: PlanFile, place: str, known_format: int) -> None:
    """Refuse a plan that does not fit together.

    Raises:
        UsageError: What does not fit, and where in the file.
    """
    if stored.format != known_format:
        problem = f"is a plan of format {stored.format}, not {known_format}"
        raise UsageError(problem, place=place, remedy="make it again with this ptx")
    rate, source = stored.mel.sample_rate, stored.source
    _check(8000 <= rate <= 192000 and 16 <= stored.mel.hop_length <= 4096, "mel: out of range", place)
    _check(0 < source.samples <= MOST_SECONDS * rate, "source: samples are out of range", place)
    _check(8000 <= source.recorded_rate <= 192000, "source: recorded_rate is out of range", place)
    _check(0 < source.recorded_samples <= MOST_SECONDS * 192000, "source: recorded_samples are out of range", place)
    _within([source.f0_level], 2.0, 9.0, "source: f0_level", place)
    _within([source.gain_db], LEAST_DB, -LEAST_DB, "source: gain_db", place)
    _within(source.ride_db or [], -100.0, 100.0, "source: ride_db", place)
    _within(stored.power, 0.0, 1e6, "power", place)
    inside = all(0 <= a <= b <= source.samples and 0 <= p <= 1 for a, b, p in source.silences)
    _check(inside, "source: silences do not lie inside it", place)
    _check(bool(stored.pieces) and all(p.phones for p in stored.pieces), "there are no phones in a piece", place)
    _check(stored.embedding_level in ("", "steps", "frames"), "embedding_level is none of steps, frames", place)
    _check(0 <= stored.embedding_frames <= 1000, "embedding_frames are out of range", place)
    last = -1
    for i, piece in enumerate(stored.pieces):
        for j, row in enumerate(piece.phones):
            last = _check_phone(row, last, len(stored.words), f"piece {i}, phone {j}", place)
        if stored.embedding_level:
            _check_embedding(stored, i, place)
    frames = sum(len(row.log_f0) for piece in stored.pieces for row in piece.phones)
    needed = math.ceil(source.samples / stored.mel.hop_length)
    problem = f"{frames} frames are in its phones, but {source.samples} samples are {needed}"
    _check(abs(frames - needed) <= 1, problem, place)


def _check_phone(row: PhoneRow, last: int, words: int, where: str, place: str) -> int:
    """The word it belongs to, or the last one before it."""
    _check(split_stress(row.phone)[0] in PHONE_IDS, f"{where}: {row.phone!r} is no phone of ours", place)
    _check(1 <= row.frames <= MOST_FRAMES, f"{where}: frames are out of range", place)
    size = len(row.log_f0)
    same = 1 <= size == len(row.voiced) == len(row.energy_db)
    _check(same, f"{where}: log_f0, voiced and energy_db are not equally long, 1 or more", place)
    _within(row.log_f0, -MOST_LOG_F0, MOST_LOG_F0, f"{where}: log_f0", place)
    _within(row.energy_db, LEAST_DB, MOST_DB, f"{where}: energy_db", place)
    _check(all(v in (0, 1) for v in row.voiced), f"{where}: voiced holds other than 0 and 1", place)
    if row.heard is not None:
        _check(len(row.heard) == len(PHONES), f"{where}: heard has not {len(PHONES)} numbers", place)
        _within(row.heard, 0.0, 1.0001, f"{where}: heard", place)
    if row.word is None:
        return last
    _check(max(0, last) <= row.word < words, f"{where}: word {row.word} is out of order", place)
    return row.word


def _check_embedding(stored: PlanFile, number: int, place: str) -> None:
    rows, where = stored.pieces[number].embedding, f"piece {number}, embedding"
    _check(bool(rows), f"{where}: is missing", place)
    assert rows is not None
    first = stored.pieces[0].embedding
    _check(len(rows) == len(first or []) <= 1024, f"{where}: has another number of rows", place)
    size = len(rows[0])
    _check(size >= 1 and all(len(row) == size for row in rows), f"{where}: its rows are not equally long", place)
    frames = sum(len(row.log_f0) for row in stored.pieces[number].phones)
    wanted = frames if stored.embedding_level == "frames" else None
    if wanted is None and stored.embedding_frames:
        wanted = math.ceil(frames / stored.embedding_frames)
    _check(wanted in (None, size), f"{where}: {size} steps, not {wanted}", place)
    for row in rows:
        _within(row, -1e4, 1e4, where, place)


def _within(values: Iterable[float], low: float, high: float, where: str, place: str) -> None:
    for value in values:
        if not low <= value <= high:  # NaN too
            raise UsageError(f"{where}: {value} is not within {low:g} to {high:g}", place=place, remedy=REMEDY)


def _check(right: bool, problem: str, place: str) -> None:
    if not right:
        raise UsageError(problem, place=place, remedy=REMEDY)
