"""Sources through a model and a judge: what a leakage test needs of each, kept on disk so that a killed run goes on."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prosody_transfer.core.atomic import make_folder, write_atomically
from prosody_transfer.core.errors import AudioError, TranscriptError, UsageError
from prosody_transfer.data.manifest import Row
from prosody_transfer.evaluation.cache import content_key, file_hash
from prosody_transfer.evaluation.identity import mean_direction
from prosody_transfer.evaluation.leakage_model import ProsodyModel
from prosody_transfer.evaluation.pairs import Excluded
from prosody_transfer.evaluation.tracing import Target

if TYPE_CHECKING:
    from prosody_transfer.evaluation.speaker import Judge

LEAST_REFERENCES = 2
Embed = Callable[[np.ndarray], np.ndarray]  # (N,) at EVALUATION_RATE -> (E,)


@dataclass(frozen=True)
class Measured:
    """One source: its embeddings before and after; shapes as in `Analysed`, E dimensions of the judge.

    Attributes:
        natural: (E,) the source's own.
        outputs: (E,) for each target voice.
    """

    id: str
    speaker: str
    latent: np.ndarray
    frames: np.ndarray
    phones: np.ndarray
    prosody: np.ndarray
    f0_median_hz: float
    natural: np.ndarray
    outputs: dict[str, np.ndarray]


@dataclass(frozen=True)
class Setup:
    """What a test is made with.

    Attributes:
        model: What is tested.
        embed: The judge: a waveform (N,) at `EVALUATION_RATE` to an embedding (E,). Never an encoder that the model was
            trained with: it would be blind to what the model has learned to hide from it.
        targets: The voices to speak in.
        facts: For the report: the names of model and judge.
        made_with: Whatever changes the results: results of other such things are not taken for these.
    """

    model: ProsodyModel
    embed: Embed
    targets: Mapping[str, Target]
    facts: Mapping[str, str] = field(default_factory=dict)
    made_with: Sequence[str] = ()


class Parts:
    """Finished sources in a folder, each whole or not there.

    Args:
        folder: None keeps nothing.
        made_with: Whatever else results depend on: model, voices, judge.
    """

    def __init__(self, folder: Path | None, made_with: Sequence[Any] = ()) -> None:
        self.folder, self.made_with = folder, list(made_with)
        if folder:
            make_folder(folder)

    def _path(self, row: Row, targets: Sequence[str]) -> Path:
        facts = [row.id, row.speaker, row.text, file_hash(row.audio), *targets, *self.made_with]
        return Path(self.folder or "") / f"{content_key(facts)}.npz"

    def read(self, row: Row, targets: Sequence[str]) -> Measured | None:
        """What an earlier run has finished; None when there is nothing, or it is damaged."""
        if not self.folder:
            return None
        try:
            with np.load(self._path(row, targets), allow_pickle=False) as found:
                arrays = {k: found[k] for k in found.files}
            outputs = dict(zip(targets, arrays.pop("outputs"), strict=True))
            f0 = float(arrays.pop("f0_median_hz"))
            return Measured(id=row.id, speaker=row.speaker, f0_median_hz=f0, outputs=outputs, **arrays)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, row: Row, found: Measured) -> None:
        """Keep a finished source."""
        if self.folder:
            buffer = io.BytesIO()
            names = ("latent", "frames", "phones", "prosody", "natural")
            np.savez(
                buffer, **{n: getattr(found, n) for n in names}, f0_median_hz=np.array(found.f0_median_hz),
                outputs=np.stack([*found.outputs.values()]),
            )  # fmt: skip
            write_atomically(self._path(row, [*found.outputs]), buffer.getvalue())


def measure(
    rows: Sequence[Row], setup: Setup, folder: Path | None = None, on_done: Callable[[int, str], None] | None = None
) -> tuple[list[Measured], list[Excluded]]:
    """Analyse every source once and speak it in every target voice; one that fails does not stop the others.

    Args:
        folder: Where finished sources are kept, to go on from; None keeps nothing.
        on_done: Called with the number of sources that are done, and the last one's id.

    Raises:
        DependencyError, ModelError, OutputError: What stops all of them.
    """
    parts, names = Parts(folder, setup.made_with), list(setup.targets)
    measured, excluded = [], []
    for done, row in enumerate(rows, 1):
        try:
            found = parts.read(row, names)
            if found is None:
                source = setup.model.analyse(row)
                outputs = {name: setup.embed(setup.model.transfer(source, name)) for name in names}
                found = Measured(
                    row.id, row.speaker, source.latent, source.frames, source.phones, source.prosody,
                    source.f0_median_hz, setup.embed(source.waveform), outputs,
                )  # fmt: skip
                parts.write(row, found)
            measured.append(found)
        except (AudioError, TranscriptError) as error:
            excluded.append(Excluded(row.id, str(error)))
        if on_done:
            on_done(done, row.id)
    return measured, excluded


def set_up(
    model: str | Path | None = None, speakers: Sequence[str] = (), references: Sequence[Row] | None = None,
    device: str = "cpu",
) -> Setup:  # fmt: skip
    """An acoustic model, the shipped judge, and the target voices as the judge knows them.

    Args:
        model: A checkpoint; None for the shipped one.
        speakers: Target voices; where there are none, `choose_targets` does.
        references: Natural recordings of the target voices, by speaker, that the model was not trained on. None takes
            the shipped voices' held-out ones.

    Raises:
        ModelError: A checkpoint is missing or damaged.
        UsageError: There is no such voice, or no recordings of it.
        AudioError: One of them can't be read.
    """
    from prosody_transfer.evaluation.leakage_model import AcousticModel
    from prosody_transfer.evaluation.speaker import Judge
    from prosody_transfer.store.voices import list_voices
    from prosody_transfer.store.weights import acoustic_kind, shipped_acoustic

    network, judge = AcousticModel(model, device), Judge()
    for name in speakers:
        network.transferer.voice(name)
    genders = {v.name: v.gender for v in list_voices()}
    if references is not None:
        known = {row.speaker for row in references}
        names = list(dict.fromkeys(speakers)) or choose_targets([n for n in network.speakers if n in known], genders)
        targets = recorded_targets(references, names, genders, judge)
    else:
        names = list(dict.fromkeys(speakers)) or choose_targets(network.speakers, genders)
        targets = {name: shipped_target(name, genders.get(name, "")) for name in names}
    if not targets:
        remedy = f"name its sub-folders as the model's voices: {', '.join(network.speakers)}"
        raise UsageError("holds recordings of none of the model's voices", place="--references", remedy=remedy)
    named = str(model or f"{acoustic_kind()}, as shipped")
    facts = {"model": named, "judge": f"GE2E speaker verifier {judge.fingerprint}"}
    made_with = [file_hash(str(model or shipped_acoustic())), judge.fingerprint, network.transferer.vocoder_name]
    return Setup(network, judge.embed, targets, facts, made_with)


def shipped_target(name: str, gender: str = "") -> Target:
    """A shipped voice, known by its held-out recordings.

    Raises:
        UsageError: There are none of it.
    """
    from prosody_transfer.evaluation.references import known_voices, references

    if name not in known_voices():
        remedy = "give some that the model was not trained on with --references"
        raise UsageError(f"there are no natural recordings of {name!r} to compare with", remedy=remedy)
    vectors = references(name)
    return Target(name, mean_direction(vectors), vectors, gender)


def recorded_targets(
    rows: Sequence[Row], names: Sequence[str], genders: Mapping[str, str], judge: Judge
) -> dict[str, Target]:
    """Target voices known by recordings, one speaker a voice.

    Raises:
        UsageError: A voice has fewer than two.
        AudioError: One can't be read.
    """
    from prosody_transfer.evaluation.references import embeddings_of

    targets = {}
    for name in names:
        own = [row for row in rows if row.speaker == name]
        if len(own) < LEAST_REFERENCES:
            problem = f"{len(own)} recordings of the target voice {name!r} are too few"
            remedy = f"give {LEAST_REFERENCES} or better 10, that it was not trained on, in a folder {name}"
            raise UsageError(problem, place="--references", remedy=remedy)
        vectors = embeddings_of([row.audio for row in own], judge)
        targets[name] = Target(name, mean_direction(vectors), vectors, genders.get(name, ""))
    return targets


def choose_targets(known: Sequence[str], genders: Mapping[str, str]) -> list[str]:
    """The voices to speak in when none is named: the first of each gender, else the first two.

    >>> choose_targets(["adam", "alice", "emma"], {"adam": "male", "alice": "female", "emma": "female"})
    ['adam', 'alice']
    """
    first: dict[str, str] = {}
    for name in known:
        first.setdefault(genders.get(name) or name, name)
    return list(first.values())[:2]
