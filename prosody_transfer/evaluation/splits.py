"""Whether the same text, recording or speaker is on both sides of a split; and the sources of a leakage test."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.audio.find import walk_sounds
from prosody_transfer.core.errors import AudioError, PtxError, UsageError
from prosody_transfer.core.keys import name_key, sentence_key
from prosody_transfer.data.manifest import Row, read_manifest


@dataclass(frozen=True)
class SplitLeakage:
    """What is on both sides of a split; all three must be empty.

    Attributes:
        texts, recordings: Pairs of ids (training, test).
        speakers: Names.
        unread: (id, reason) of recordings that could not be compared.
    """

    texts: list[tuple[str, str]] = field(default_factory=list)
    recordings: list[tuple[str, str]] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """True when nothing is shared."""
        return not (self.texts or self.recordings or self.speakers)

    def to_dict(self) -> dict[str, Any]:
        return {
            "clean": self.clean, "texts": self.texts, "recordings": self.recordings, "speakers": self.speakers,
            "unread": self.unread,
        }  # fmt: skip


def split_leakage(train: Sequence[Row], test: Sequence[Row]) -> SplitLeakage:
    """Compare the two sides of a split.

    Texts are the same when the words that are said are (case, punctuation, digits or words do not matter). Recordings
    are the same when their samples are, whatever the file is called and whether it is wav or flac; a copy that was
    resampled, cut or compressed with loss is not found. Speakers are the same when their names are, apart from case.
    """
    unread: list[tuple[str, str]] = []
    names = {name_key(row.speaker) for row in train}
    both = {row.speaker for row in test if name_key(row.speaker) in names}
    return SplitLeakage(_shared(train, test, _texts), _recordings(train, test, unread), sorted(both), unread)


def duplicates(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Rows whose recording is that of an earlier row: (row, earlier). Unreadable ones are left to later steps."""
    by_id = {id(row): row for row in rows}
    keys = _contents(rows, rows, [])
    first: dict[str, Row] = {}
    found = [(by_id[number], first.setdefault(key, by_id[number])) for number, key in keys.items()]
    return [(row, earlier) for row, earlier in found if row is not earlier]


def spoken_words(text: str) -> str:
    """A text as it is compared: the words that are said.

    >>> spoken_words("Well, it's 3 o'clock!") == spoken_words("well IT'S three o'clock")
    True
    """
    from prosody_transfer.text.normalise import normalise

    try:
        return " ".join(normalise(text))
    except PtxError:  # letters that can't be pronounced can still be compared
        return sentence_key(text)


def _texts(row: Row) -> str:
    return spoken_words(row.text) if row.text.strip() else ""


def _shared(train: Sequence[Row], test: Sequence[Row], key_of: Any) -> list[tuple[str, str]]:
    known: dict[str, list[str]] = defaultdict(list)
    for row in train:
        if key := key_of(row):
            known[key].append(row.id)
    return [(other, row.id) for row in test for other in known.get(key_of(row), ())]


def _recordings(train: Sequence[Row], test: Sequence[Row], unread: list[tuple[str, str]]) -> list[tuple[str, str]]:
    keys = _contents(train, test, unread)
    return _shared(train, test, lambda row: keys.get(id(row), ""))


def _contents(train: Sequence[Row], test: Sequence[Row], unread: list[tuple[str, str]]) -> dict[int, str]:
    """Hashes by `id(row)` of those recordings that may be on both sides; only files of equal length are decoded."""
    from prosody_transfer.audio.io import probe, read_audio

    alike: dict[tuple[int, int], dict[int, Row]] = defaultdict(dict)
    sides: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for side, rows in enumerate((train, test)):
        for row in rows:
            try:
                found = probe(row.audio)
            except AudioError as error:
                if train is not test or not side:
                    unread.append((row.id, error.problem))
                continue
            alike[found.sample_rate, found.samples][id(row)] = row
            sides[found.sample_rate, found.samples][side] += 1
    keys = {}
    for size, rows_alike in alike.items():
        if all(sides[size]) and len(rows_alike) > 1:
            for number, row in rows_alike.items():
                try:
                    samples = np.round(read_audio(row.audio).waveform * 32767).astype("<i2")
                    keys[number] = hashlib.sha256(samples.tobytes()).hexdigest()
                except AudioError as error:
                    unread.append((row.id, error.problem))
    return keys


def with_texts(rows: Sequence[Row]) -> list[Row]:
    """The same rows, with the words of the transcripts beside the recordings where they have none of their own."""
    from prosody_transfer.analysis.transcript import find_words

    found = []
    for row in rows:
        try:
            text = row.text or find_words(row.audio, None, None).text
        except PtxError:  # an empty transcript
            text = ""
        found.append(Row(id=row.id, audio=row.audio, speaker=row.speaker, text=text))
    return found


def read_sources(path: str | Path, limit: int | None = None) -> list[Row]:
    """The recordings of a leakage test.

    Args:
        path: A folder with one sub-folder a speaker (recordings anywhere below), or a manifest.
        limit: At most so many utterances a speaker, evenly spread over the names in order; None for all.

    Raises:
        UsageError: There is no such thing, it holds no recordings, or a line of the manifest is broken.
    """
    path = Path(path)
    rows = _folder(path) if path.is_dir() else read_manifest(path)
    if not rows:
        raise UsageError("holds no recordings", place=str(path), remedy="give a sub-folder of recordings per speaker")
    speakers: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        speakers[row.speaker].append(row)
    kept = []
    for _, own in sorted(speakers.items()):
        size = len(own) if limit is None else min(limit, len(own))
        kept += [own[k] for k in np.unique(np.linspace(0, len(own) - 1, size).round().astype(int))]
    return kept


def _folder(path: Path) -> list[Row]:
    rows, loose = [], False
    for here, sounds in walk_sounds(path):
        inside = here.relative_to(path)
        loose = loose or (not inside.parts and bool(sounds))
        for name in sounds if inside.parts else ():
            audio = (here / name).resolve()
            rows.append(Row(id=(inside / name).as_posix(), audio=str(audio), speaker=inside.parts[0]))
    if loose and not rows:
        problem, remedy = "holds recordings, but no folders", "put each speaker's recordings into a folder of their own"
        raise UsageError(problem, place=str(path), remedy=remedy)
    return rows
