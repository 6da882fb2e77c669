"""What a new voice is learnt from, and what is kept for its test."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.errors import AudioError, UsageError
from prosody_transfer.core.keys import sentence_key
from prosody_transfer.core.reading import open_regular
from prosody_transfer.data.manifest import Row, cache_path, read_manifest
from prosody_transfer.data.reasons import REASONS

LEAST_HELD_OUT, MOST_HELD_OUT = 4, 24  # recordings that the test gets and the training does not
LEAST_MINUTES = 0.5
Event = Callable[[str, int, int, dict[str, float]], None]


@dataclass(frozen=True)
class Speech:
    """Prepared recordings of one speaker: rows to learn from, rows kept for the test, where they are measured."""

    train: list[Row]
    held_out: list[Row]
    cache: Path
    minutes: float


def gather(
    name: str, recordings: Path, out: Path, *, speaker: str = "", recognise: str = "auto", seed: int = 1,
    workers: int = 1, on_event: Event | None = None, learnt: frozenset[str] = frozenset(),
    on_note: Callable[[str], None] | None = None,
) -> Speech:  # fmt: skip
    """Prepare the recordings, or take those that `ptx prepare` has prepared; set some aside for the test.

    Args:
        name: Of the new voice; the speaker's too, where neither `speaker` nor the layout says another.
        out: Where they are prepared.
        speaker: Whose recordings to take, where there are several people's.
        learnt: Fingerprints of recordings that the voice has learnt from before: none of them is set aside.
        on_note: Called with what was left out, and why, in a line.

    Raises:
        UsageError: They are of several people, or are too few.
    """
    if (recordings / "train.jsonl").is_file() and (recordings / "cache").is_dir():
        train, cache = read_manifest(recordings / "train.jsonl"), recordings / "cache"
        dev = read_manifest(recordings / "dev.jsonl") if (recordings / "dev.jsonl").is_file() else []
    else:
        from prosody_transfer.corpus.prepare import prepare_corpus

        told = (lambda stage, done, total: on_event(stage, done, total, {})) if on_event else None
        made = prepare_corpus(
            recordings, out, workers=workers, speaker=speaker or name, recognise=recognise,
            dev_share=0.1, dev_speakers=0, seed=seed, on_event=told,
        )  # fmt: skip
        train, dev, cache = made.train, made.dev, made.cache
        if made.rejected and on_note:
            on_note(left_out(made.rejected, len(train) + len(dev)))
    known = sorted({row.speaker for row in [*train, *dev]})
    who = speaker or (known[0] if len(known) == 1 else "")
    if who not in known:
        problem = f"holds recordings of {len(known)} speakers ({', '.join(known[:4])}{', ...' * (len(known) > 4)})"
        raise UsageError(problem, place=str(recordings), remedy="say with --speaker whose are to be learnt")
    usable = lambda rows: [r for r in rows if r.speaker == who and _aligned(cache, r)]
    train, dev = usable(train), usable(dev)
    before = {row.id for row in [*train, *dev] if fingerprint(row) in learnt} if learnt else set()
    train, dev = set_aside(train, dev, before)
    minutes = sum(_seconds(cache, row) for row in train) / 60
    if minutes < LEAST_MINUTES:
        problem = f"{minutes:.1f} minutes of usable speech beside what the test needs are too few"
        raise UsageError(problem, place=str(recordings), remedy=f"record at least {2 * LEAST_MINUTES:g} minutes")
    return Speech(train, dev, cache, minutes)


def left_out(rejected: Sequence[Mapping[str, Any]], used: int) -> str:
    """What of a corpus can't be used, and why, in a line.

    >>> left_out([{"reason": "short"}, {"reason": "short"}], 8)
    '2 of 10 recordings are left out: 2 are too short'
    """
    counts = Counter(str(row["reason"]) for row in rejected).most_common()
    why = ", ".join(f"{count} {REASONS[reason].means if reason in REASONS else reason}" for reason, count in counts)
    return f"{len(rejected)} of {len(rejected) + used} recordings are left out: {why}"


def set_aside(
    train: list[Row], dev: list[Row], learnt: Collection[str] = frozenset()
) -> tuple[list[Row], list[Row]]:
    """Move rows so that the test has at least `LEAST_HELD_OUT` recordings, and not more than a third or the most.

    Which rows move depends on their ids alone. A sentence that is said twice stays on one side.

    Args:
        learnt: Ids of rows that have been learnt from before: they, and what says the same, are never in the test.
    """
    order = lambda row: hashlib.sha256(row.id.encode()).hexdigest()
    said = lambda row: sentence_key(row.text)
    heard = {said(row) for row in [*train, *dev] if row.id in learnt} - {""}
    known = lambda row: row.id in learnt or said(row) in heard
    train, dev = [*train, *filter(known, dev)], [row for row in dev if not known(row)]
    train, dev = sorted(train, key=order), sorted(dev, key=order)
    while dev and (len(dev) > MOST_HELD_OUT or len(dev) > (len(train) + len(dev)) // 3):
        train.append(dev.pop())
    while len(dev) < LEAST_HELD_OUT and len(train) > 2 * (len(dev) + 1):
        free = [r for r in train if not known(r)]
        alone = [r for r in free if not r.text or sum(said(o) == said(r) for o in train) == 1]
        if not alone:
            break
        train.remove(alone[0])
        dev.append(alone[0])
    return train, dev


def fingerprint(row: Row) -> str:
    """Of a recording's file, whatever it is called and wherever it lies."""
    try:
        with open_regular(row.audio, AudioError) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]  # type: ignore[arg-type]
    except (AudioError, OSError):  # measured elsewhere: the recording is not here
        return hashlib.sha256(f"{row.id}\0{row.text}".encode(errors="surrogateescape")).hexdigest()[:16]


def _aligned(cache: Path, row: Row) -> bool:
    path = cache_path(cache, row)
    return path.exists() and path.with_suffix(".phones.npz").exists()


def _seconds(cache: Path, row: Row) -> float:
    with np.load(cache_path(cache, row)) as data:
        return float(data["n_samples"]) / 24000
