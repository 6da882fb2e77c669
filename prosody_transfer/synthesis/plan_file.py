"""Plans as JSON that people read and edit: one phone a line, with its frames.

A phone whose "frames" are not as many as its contours hold has been edited: the contours stretch inside it. Numbers are
written so that reading them gives the same bits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from prosody_transfer.analysis.recorded import Recorded
from prosody_transfer.audio.levelling import SourceLevel
from prosody_transfer.audio.silence import Silence
from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import read_bytes
from prosody_transfer.synthesis.plan import (
    NO_WORD,
    PlannedEmbedding,
    PlannedPhones,
    PlannedSource,
    ProsodyPlan,
)  # fmt: skip
from prosody_transfer.synthesis.plan_checks import check_file
from prosody_transfer.synthesis.plan_rows import PlanFile
from prosody_transfer.synthesis.stretch import stretched

FORMAT = 1
MOST_BYTES = 200_000_000  # an hour is about 50 MB


def save_plan(plan: ProsodyPlan, path: str | Path) -> None:
    """Write a plan; the file appears whole or not at all.

    Raises:
        OutputError: It can't be written.
    """
    write_atomically(path, plan_json(plan).encode())


def load_plan(path: str | Path) -> ProsodyPlan:
    """Read a plan, with the durations that it has been given since.

    Raises:
        UsageError: It can't be read, is of another format, or does not fit together; the message says where.
    """
    data = read_bytes(path, MOST_BYTES, UsageError, "make one with ptx transfer --save-plan")
    return parse_plan(data, str(path))


def parse_plan(data: bytes, place: str = "plan") -> ProsodyPlan:
    """A plan from the bytes of a file; raises as `load_plan`."""
    try:
        stored = msgspec.json.decode(data, type=PlanFile)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise UsageError(
            f"is no plan ({error})", place=place, remedy="compare it with one of ptx transfer --save-plan"
        ) from None
    check_file(stored, place, FORMAT)
    plan = _plan(stored)
    wanted = np.array([row.frames for piece in stored.pieces for row in piece.phones])
    return stretched(plan, wanted)


def _plan(stored: PlanFile) -> ProsodyPlan:
    rows = [row for piece in stored.pieces for row in piece.phones]
    heard = None
    if any(row.heard for row in rows):
        heard = np.array([row.heard or [0.0] * 40 for row in rows], np.float32)
    phones = PlannedPhones(
        tuple(row.phone for row in rows),
        np.array([len(row.log_f0) for row in rows]),
        np.array([NO_WORD if row.word is None else row.word for row in rows]),
        tuple(stored.words),
        heard,
    )
    joined = lambda name, kind: np.array([v for row in rows for v in getattr(row, name)], kind)
    given = stored.source
    ride = None if given.ride_db is None else np.array(given.ride_db)
    source = PlannedSource(
        Recorded(given.recorded_rate, given.recorded_samples), given.samples, given.f0_level,
        SourceLevel(given.gain_db, stored.mel.sample_rate, given.samples, ride),
        tuple(Silence(*s) for s in given.silences), given.sha256, given.words_from, given.text, given.aligner,
    )  # fmt: skip
    embedding = None
    if stored.embedding_level:
        steps = tuple(np.array(piece.embedding, np.float32) for piece in stored.pieces)
        level, model, frames = stored.embedding_level, stored.embedding_model, stored.embedding_frames
        embedding = PlannedEmbedding(steps, level, model, frames)
    return ProsodyPlan(
        stored.mel, phones, np.array([len(piece.phones) for piece in stored.pieces]),
        joined("log_f0", np.float32), joined("voiced", bool), joined("energy_db", np.float32),
        np.array(stored.power), source, embedding,
    )  # fmt: skip


def plan_json(plan: ProsodyPlan) -> str:
    """A plan as text, one phone a line."""
    return "".join(_lines(plan))


def _lines(plan: ProsodyPlan) -> Iterator[str]:
    source, level, made = plan.source, plan.source.level, plan.embedding
    head: dict[str, Any] = {
        "format": FORMAT, "mel": plan.config.to_dict(),
        "source": {
            "samples": source.samples, "recorded_rate": source.recorded.sample_rate,
            "recorded_samples": source.recorded.samples, "f0_level": source.f0_level, "gain_db": level.gain_db,
            "ride_db": None if level.ride_db is None else numbers(level.ride_db),
            "silences": [[int(s.start), int(s.stop), float(s.peak)] for s in source.silences],
            "sha256": source.sha256, "words_from": source.words_from, "text": source.text, "aligner": source.aligner,
        },
        "words": list(plan.phones.spellings), "power": numbers(plan.power),
        "embedding_level": made.level if made else "", "embedding_model": made.model if made else "",
        "embedding_frames": made.frames_per_step if made else 0,
    }  # fmt: skip
    yield "{\n" + "".join(f"{_text(key)}: {_text(value)},\n" for key, value in head.items()) + '"pieces": [\n'
    for number, (phones, cut) in enumerate(plan.split()):
        yield ("," if number else "") + '{"phones": [\n'
        yield ",\n".join(_phone_lines(plan, phones, cut.start))
        rows = None if made is None else [numbers(row) for row in made.steps[number]]
        yield f'],\n"embedding": {_text(rows)}}}\n'
    yield "]}\n"


def _phone_lines(plan: ProsodyPlan, phones: PlannedPhones, start: int) -> Iterator[str]:
    for i, (name, size) in enumerate(zip(phones.names, phones.durations, strict=True)):
        cut, word = slice(start, start + size), int(phones.words[i])
        row: dict[str, Any] = {"phone": name, "frames": int(size), "word": None if word == NO_WORD else word}
        row["log_f0"], row["voiced"] = numbers(plan.log_f0[cut]), plan.voiced[cut].astype(int).tolist()
        row["energy_db"] = numbers(plan.energy_db[cut])
        if phones.posteriors is not None and phones.posteriors[i].any():
            row["heard"] = numbers(phones.posteriors[i])
        yield _text(row)
        start += int(size)


def numbers(values: Sequence[float] | np.ndarray) -> list[float]:
    """The shortest decimals that give the same bits again, of float32 and of float64."""
    values = np.asarray(values)
    return [float(str(v)) for v in values] if values.dtype == np.float32 else [float(v) for v in values]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
