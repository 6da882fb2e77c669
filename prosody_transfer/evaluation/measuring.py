"""One source and all its pairs -> a row of figures for every pair and system."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.atomic import make_folder
from prosody_transfer.core.errors import AudioError, PtxError, TranscriptError
from prosody_transfer.core.keys import file_name
from prosody_transfer.core.types import Alignment
from prosody_transfer.evaluation.durations import duration_figures
from prosody_transfer.evaluation.figures import Values, load
from prosody_transfer.evaluation.judges import Judges, target_level, target_loudness
from prosody_transfer.evaluation.pairs import Pair, one_line
from prosody_transfer.evaluation.prosody import energy_figures, pitch_figures
from prosody_transfer.evaluation.spectral import spectral_figures
from prosody_transfer.evaluation.trackers import Contour
from prosody_transfer.store.speech_file import write_speech

# What is measured of whom, beside prosody, energy and the voice, which are measured of everybody.
TIMED = ("source", "ptx", "copy_synthesis", "no_prosody", "classical", "exact")
RATED = ("source", "ptx", "copy_synthesis", "exact")
HEARD = ("source", "ptx", "copy_synthesis")
LEVELLED = ("ptx", "exact")  # whose voice is judged as loud as the target's own recordings, too
NATURAL = "natural"  # not on the source's timeline: only the voice is judged


@dataclass(frozen=True)
class Task:
    """All pairs of one source.

    Attributes:
        key: Changes with everything that the result depends on.
        pairs: With their words, as far as these are known.
        controlled: Ids of the pairs that controls are made for.
        others: For each of these, where the prosody of a random other utterance is taken from.
        enrol: Recordings whose voices are wanted too.
    """

    key: str
    pairs: tuple[Pair, ...]
    controlled: frozenset[str] = frozenset()
    others: Mapping[str, tuple[Pair, ...]] = field(default_factory=dict)
    enrol: tuple[str, ...] = ()


@dataclass
class Sound:
    """A recording on its way through the judges; what has been found out is kept.

    Attributes:
        waveform: (N,) at the evaluation rate.
    """

    waveform: np.ndarray
    contour: Contour | None = None
    alignment: Alignment | None = None
    embedding: np.ndarray | None = None
    known: set[str] = field(default_factory=set)
    quality: Values = field(default_factory=dict)
    words: Values = field(default_factory=dict)


def pack(vector: np.ndarray | None) -> str:
    """An embedding as text; "" for none."""
    return "" if vector is None else base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()


def unpack(text: str) -> np.ndarray | None:
    """The inverse of `pack`."""
    return np.frombuffer(base64.b64decode(text), "<f4") if text else None


class Measurer:
    """Measures tasks, one at a time.

    Args:
        tools: The judges.
        folder: Where outputs that are made are kept: FOLDER/ID.SYSTEM.flac.
    """

    def __init__(self, tools: Judges, folder: Path) -> None:
        self.tools, self.folder = tools, folder
        self._enrolled: dict[str, str] = {}

    def measure(self, task: Task) -> dict[str, Any]:
        """Plain data: "rows", "failed" [{id, reason}], "notes" {what: why}, "enrol" {path: packed embedding}, and
        "missing": which judges could not judge here."""
        rows: list[dict[str, Any]] = []
        failed: list[dict[str, str]] = []
        notes: dict[str, str] = {}
        sounds: dict[str, Sound] = {}  # what the pairs of one source share: files, and its copy-synthesis
        for pair in task.pairs:
            try:
                rows += self._pair(pair, task, sounds, notes)
            except PtxError as error:
                failed.append({"id": pair.id, "reason": one_line(str(error))})
        enrol = {path: self._enrol(path, notes) for path in task.enrol}
        notes |= {one_line(what): why for what, why in self.tools.left_out()} | self.tools.missing
        return {"rows": rows, "failed": failed, "notes": notes, "enrol": enrol, "missing": sorted(self.tools.missing)}

    def _enrol(self, path: str, notes: dict[str, str]) -> str:
        if path not in self._enrolled:
            try:
                self._enrolled[path] = pack(self.tools.embed(load(path)))
            except AudioError as error:
                notes[Path(path).name], self._enrolled[path] = one_line(str(error)), ""
        return self._enrolled[path]

    def _pair(
        self, pair: Pair, task: Task, sounds: dict[str, Sound], notes: dict[str, str]
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Rows of one pair."""
        source = self._load(pair.source, sounds)
        exact = self._load(pair.exact, sounds) if pair.exact else None
        files, level = self._systems(pair, task, notes), target_level(pair, self.tools)
        rows = []
        for system, path in files.items():
            # Whatever is made of the source alone is the same for its other pairs.
            shared = path if system != "copy_synthesis" else f"copy_synthesis of {pair.source}"
            sound = self._load(path, sounds, shared)
            given = (pair, level, pair.id in task.controlled, notes)
            values = self._figures(system, sound, source, exact, *given)
            row: dict[str, Any] = {"id": pair.id, "speaker": pair.speaker, "group": pair.group, "source": pair.source}
            row |= {"system": system, "audio": path, "voice": pack(sound.embedding)}
            row |= {"levelled": pack(self._levelled(sound, pair, notes))} if system in LEVELLED else {}
            if system == "source" and sound.contour is not None and sound.contour.voiced.any():
                row["f0_median_hz"] = float(np.exp(np.median(sound.contour.log_f0[sound.contour.voiced])))
            rows.append(row | {k: v for k, v in values.items() if v is not None and np.isfinite(v)})
        return rows

    def _systems(self, pair: Pair, task: Task, notes: dict[str, str]) -> dict[str, str]:
        """System -> file, those that are made included; what is judged first.

        Raises:
            PtxError: There is no output and it can't be made.
        """
        found = {"ptx": pair.output} if pair.output else {}
        wanted = None if pair.id in task.controlled else ("ptx",)
        if wanted is None or not pair.output:
            try:
                for system, waveform, rate in self.tools.make(pair, task.others.get(pair.id, ()), wanted):
                    found[system] = str(self._keep(pair, system, waveform, rate))
            except PtxError as error:
                if "ptx" not in found:
                    raise
                notes[f"controls of {pair.id}"] = one_line(str(error))
        found["source"] = pair.source
        found |= {name: path for name, path in (("exact", pair.exact), (NATURAL, pair.natural)) if path}
        return found

    def _keep(self, pair: Pair, system: str, waveform: np.ndarray, rate: int) -> Path:
        path = self.folder / f"{file_name(pair.id)}.{system}.flac"
        make_folder(self.folder)
        write_speech(path, waveform, rate, self.tools.credit(pair.speaker), overwrite=True)
        return path

    def _load(self, path: str, sounds: dict[str, Sound], name: str = "") -> Sound:
        name = name or path
        if name not in sounds:
            sounds[name] = Sound(load(path))
        return sounds[name]

    def _figures(
        self, system: str, sound: Sound, source: Sound, exact: Sound | None, pair: Pair, level: float | None,
        controlled: bool, notes: dict[str, str],
    ) -> Values:  # fmt: skip
        """All figures of one recording but those of identity, which need the whole set."""
        values: Values = {}
        if system != NATURAL:
            values |= self._prosody(system, sound, source, pair, level, notes)
            if exact is not None:
                to_exact = self._prosody(system, sound, exact, pair, None, notes)
                values |= {f"exact_{key}": value for key, value in to_exact.items()}
                values |= spectral_figures(exact.waveform, sound.waveform)
        if "voice" not in sound.known:
            try:
                sound.embedding = self.tools.embed(sound.waveform)
            except AudioError as error:
                notes[f"voice of {pair.id}, {system}"] = one_line(str(error))
        rated = system in RATED and (system != "exact" or controlled)  # DNSMOS takes the longest of all
        if rated and "quality" not in sound.known:
            sound.quality = self.tools.quality(sound.waveform)
            sound.known.add("quality")
        if system in HEARD and "words" not in sound.known:
            sound.known.add("words")
            try:
                sound.words = self.tools.words(sound.waveform, pair.text)
            except TranscriptError as error:
                notes[f"words of {pair.id}"] = one_line(str(error))
        sound.known.add("voice")
        return values | (sound.quality if rated else {}) | (sound.words if system in HEARD else {})

    def _levelled(self, sound: Sound, pair: Pair, notes: dict[str, str]) -> np.ndarray | None:
        """The voice as loud as the pair's target; not kept with the sound, which pairs of other targets may share."""
        try:
            loudness = target_loudness(pair.target_enrol, pair.speaker)
            if sound.embedding is not None and loudness is not None:
                return self.tools.embed_levelled(sound.waveform, loudness)
        except AudioError as error:
            notes[f"voice of {pair.id}, equally loud"] = one_line(str(error))
        return None

    def _prosody(
        self, system: str, sound: Sound, reference: Sound, pair: Pair, level: float | None, notes: dict[str, str]
    ) -> Values:
        """Melody, energy and timing of one recording against another on the same timeline."""
        values = pitch_figures(self._contour(reference), self._contour(sound), level)
        values |= energy_figures(reference.waveform, sound.waveform)
        if system in TIMED:
            told, found = (self._alignment(s, pair, system, notes) for s in (reference, sound))
            if told is not None and found is not None:
                values |= duration_figures(told, found)
        return values

    def _contour(self, sound: Sound) -> Contour:
        if sound.contour is None:
            sound.contour = self.tools.track(sound.waveform)
        return sound.contour

    def _alignment(self, sound: Sound, pair: Pair, system: str, notes: dict[str, str]) -> Alignment | None:
        if "alignment" not in sound.known:
            sound.known.add("alignment")
            try:
                sound.alignment = self.tools.align(sound.waveform, pair.text)
            except (TranscriptError, AudioError) as error:
                notes[f"durations of {pair.id}, {system}"] = one_line(str(error))
        return sound.alignment
