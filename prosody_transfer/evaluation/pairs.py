"""What is judged: pairs of a source and its transfer, from a JSON Lines file or a folder of sources."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from prosody_transfer.audio.decode import UNKNOWN_LENGTH
from prosody_transfer.audio.find import find_sources
from prosody_transfer.audio.io import Probe, probe, read_audio
from prosody_transfer.audio.resample import resampled_length
from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import AudioError, PtxError, UsageError
from prosody_transfer.core.reading import LIST_BYTES, parse_json, read_bytes

TOLERANCE_SAMPLES = 1  # by how much an output may differ in length from its source, for rounding between rates
LONGEST_NAME = 200
LONGEST_LINE = 500  # of a reason; longer ones are shortened in the middle


class Pair(Config):
    """One source, the voice that was asked for, and what is known beside.

    Attributes:
        id: Its name, used once; the source's stem and the speaker when none is given.
        source: The recording whose prosody is taken. Paths are absolute once read.
        speaker: Target voice.
        output: The transfer; "" where ptx is to make it.
        text: The source's words; "" looks for a sidecar transcript, then recognises them.
        exact: The exact answer: the target voice with the source's prosody, as long as the source.
        natural: The target speaker saying the same words in their own way, of any length.
        source_speaker: Who speaks the source.
        group: A class of sentences, for tables.
        source_enrol, target_enrol: Other recordings of the source's and of the target's speaker.
    """

    id: str
    source: str
    speaker: str
    output: str = ""
    text: str = ""
    exact: str = ""
    natural: str = ""
    source_speaker: str = ""
    group: str = ""
    source_enrol: tuple[str, ...] = ()
    target_enrol: tuple[str, ...] = ()


@dataclass(frozen=True)
class Excluded:
    """A pair, or a source, that was left out, and why, in one line."""

    id: str
    reason: str


def read_pairs(path: str | Path) -> tuple[list[Pair], list[Excluded]]:
    """Pairs from a JSON Lines file, an object a line with the attributes of `Pair`; other keys are ignored.

    Audio paths are relative to the file's folder. A line that can't be used costs only itself: bad JSON, a key that
    is missing, misspelt or of the wrong type, an id used before, a file that is missing or is no sound, an output or
    exact answer that is more than one sample (at its own rate) longer or shorter than the source.

    Returns:
        The pairs, and the excluded under their id, or "line N".

    Raises:
        UsageError: The file can't be read, or nothing in it can be used.
    """
    path = Path(path)
    pairs: list[Pair] = []
    excluded: list[Excluded] = []
    taken: set[str] = set()
    checker = _Checker()
    for number, line in _lines(path):
        name = f"line {number}"
        try:
            data = _parse(line)
            name = _name(data)
            if name in taken:
                raise UsageError("the id was used on an earlier line", remedy='give each pair an "id" of its own')
            pair = _resolve(_convert({**data, "id": name}), path.parent.absolute())
            checker.check(pair)
        except PtxError as error:
            excluded.append(Excluded(one_line(name), one_line(str(error))))
        else:
            taken.add(name)
            pairs.append(pair)
    return _require(pairs, excluded, path, "holds no pair")


def pairs_from_folder(folder: str | Path, speaker: str) -> tuple[list[Pair], list[Excluded]]:
    """A pair for every sound file in a folder and below, its words from a sidecar where there is one.

    Hidden files, and results of earlier runs (take.alice.wav beside a take.*), are passed over. The pairs have no
    output: ptx makes it.

    Args:
        speaker: Target voice.

    Raises:
        UsageError: It is no folder, or nothing in it can be used.
    """
    from prosody_transfer.analysis.transcript import find_words

    root = Path(folder)
    if not root.is_dir():
        raise UsageError("is no folder", place=str(folder), remedy="give the folder that holds the sources")
    pairs: list[Pair] = []
    excluded: list[Excluded] = []
    taken: set[str] = set()
    for path in _sound_files(root, speaker):
        inside = path.relative_to(root)
        name = inside.with_suffix("").as_posix()
        name = inside.as_posix() if name in taken else name  # a.wav beside a.flac
        try:
            probe(path)
            text = find_words(path, None, None).text
        except PtxError as error:
            excluded.append(Excluded(one_line(name), one_line(str(error))))
            continue
        taken.add(name)
        pairs.append(Pair(id=f"{name}.{speaker}", source=str(path.absolute()), speaker=speaker, text=text))
    return _require(pairs, excluded, root, "holds no sound files")


def one_line(text: str) -> str:
    """Printable as one line: control characters and what is no Unicode text appear escaped.

    >>> one_line("a" + chr(10) + "b")
    'a\\\\nb'
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= LONGEST_LINE else shown[:240] + " ... " + shown[-240:]


def _lines(path: Path) -> list[tuple[int, bytes]]:
    """Numbered lines that are not blank; undecoded, so that one that is no UTF-8 costs only itself."""
    remedy = 'give a file with one {"source": ..., "speaker": ..., "output": ...} a line'
    data = read_bytes(path, LIST_BYTES, UsageError).removeprefix(b"\xef\xbb\xbf")
    if data.lstrip().startswith(b"["):
        raise UsageError("is one JSON list", place=str(path), remedy=remedy)
    return [(i, line) for i, line in enumerate(data.split(b"\n"), 1) if line.strip()]


def _parse(line: bytes) -> dict[str, Any]:
    try:
        data = parse_json(line.decode("utf8"))
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise UsageError("is not a JSON object", remedy='write {"source": ..., "speaker": ..., "output": ...}')
    fields = tuple(Pair.__annotations__)
    for key in data.keys() - set(fields):
        if near := difflib.get_close_matches(key, fields, 1, 0.8):
            raise UsageError(f"the key {key!r} is unknown", remedy=f"did you mean {near[0]!r}?")
    for key in ("source", "speaker"):
        if not isinstance(data.get(key), str) or not data[key].strip():
            raise UsageError(f'has no "{key}"', remedy='"source" and "speaker" are needed')
    return {k: v for k, v in data.items() if k in fields and v is not None}


def _name(data: dict[str, Any]) -> str:
    given = data.get("id", "")
    name = given if not isinstance(given, str) or given else f"{Path(data['source']).stem}.{data['speaker']}"
    if not isinstance(name, str) or not name.isprintable() or len(name) > LONGEST_NAME:
        remedy = f"give at most {LONGEST_NAME} printable characters"
        raise UsageError("the id is no name", remedy=remedy)
    return name


def _convert(data: dict[str, Any]) -> Pair:
    try:
        return msgspec.convert(data, Pair)
    except (msgspec.ValidationError, ValueError) as error:
        raise UsageError(str(error), remedy="write text, and lists of text for the enrolments") from None


def _resolve(pair: Pair, folder: Path) -> Pair:
    place = lambda given: os.path.normpath(folder / given) if given else ""
    files: dict[str, Any] = {key: place(getattr(pair, key)) for key in ("source", "output", "exact", "natural")}
    files |= {key: tuple(map(place, getattr(pair, key))) for key in ("source_enrol", "target_enrol")}
    return Pair(**(pair.to_dict() | files))


class _Checker:
    """Looks at every file's header once, however many pairs name it."""

    def __init__(self) -> None:
        self._known: dict[str, Probe | AudioError] = {}

    def _probe(self, path: str) -> Probe:
        if path not in self._known:
            try:
                self._known[path] = _measure(path)
            except AudioError as error:
                self._known[path] = error
        found = self._known[path]
        if isinstance(found, AudioError):
            raise found
        return found

    def check(self, pair: Pair) -> None:
        """Raises AudioError when a file can't be read or has not the source's length."""
        source = self._probe(pair.source)
        for path in (pair.natural, *pair.source_enrol, *pair.target_enrol):
            if path:
                self._probe(path)
        for kind, path in (("output", pair.output), ("exact answer", pair.exact)):
            if not path:
                continue
            have = self._probe(path)
            wanted = resampled_length(source.samples, source.sample_rate, have.sample_rate)
            if abs(have.samples - wanted) > TOLERANCE_SAMPLES:
                problem = f"the {kind} is {have.seconds:.3f} s long, the source {source.seconds:.3f} s"
                if f"{have.seconds:.3f}" == f"{source.seconds:.3f}":
                    problem = f"the {kind} has {have.samples} samples, the source's length is {wanted}"
                raise AudioError(problem, place=path, remedy="give one that keeps the source's timeline")


def _measure(path: str) -> Probe:
    """The header, or where it tells no length, what decoding tells."""
    found = probe(path)
    if found.samples == 0 or found.samples >= UNKNOWN_LENGTH:
        audio = read_audio(path)
        found = found._replace(samples=audio.original_samples)
    return found


def _sound_files(root: Path, speaker: str) -> list[Path]:
    from prosody_transfer.store.voices import list_voices

    return find_sources(root, {speaker, *(voice.name for voice in list_voices())})


def _require(
    pairs: list[Pair], excluded: list[Excluded], path: Path, nothing: str
) -> tuple[list[Pair], list[Excluded]]:
    """Both lists, or UsageError when there is nothing to judge."""
    if pairs:
        return pairs, excluded
    if excluded:
        first = excluded[0]
        problem = f"none of its {len(excluded)} pairs can be used; {first.id}: {first.reason}"
        raise UsageError(problem, place=str(path))
    raise UsageError(nothing, place=str(path), remedy="check that it is the right one")
