"""What the judge knows of the shipped voices: embeddings of natural utterances that no training has seen."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from prosody_transfer.audio.loudness import speech_level_db
from prosody_transfer.core.errors import AudioError, ModelError, UsageError
from prosody_transfer.evaluation.figures import EVALUATION_RATE, load
from prosody_transfer.evaluation.identity import leave_one_out, mean_direction, unit
from prosody_transfer.evaluation.speaker import Judge

KIND = "references"
LEAST = 12  # utterances of each shipped voice
_SHIPPED = Path(__file__).parent / "data" / "references.safetensors"


@functools.lru_cache(maxsize=1)
def _shipped() -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """By voice: embeddings, and the recordings' speech level in dB re full scale."""
    from prosody_transfer.store.checkpoint import load_arrays

    tensors, header = load_arrays(_SHIPPED, KIND)
    if header["config"].get("judge") != Judge().fingerprint:
        problem = "was made with another judge than the one that is installed"
        raise ModelError(problem, place=str(_SHIPPED), remedy="run benchmarks/judge_references.py again")
    return {name: unit(tensor.astype(np.float32)) for name, tensor in tensors.items()}, header["speech_level_db"]


def known_voices() -> list[str]:
    """The voices that there are references of, by name."""
    return sorted(_shipped()[0])


def references(voice: str) -> np.ndarray:
    """Embeddings of natural, held-out utterances of a voice, (n, 256) float32, unit length.

    Of a shipped voice at least `LEAST`; of a user's those that `ptx voice add` kept from its training.

    Raises:
        UsageError: There are none of it.
        ModelError: The file that holds them is missing, damaged or of another judge.
    """
    from prosody_transfer.store.voice_network import read_references

    found, _ = _shipped()
    if voice not in found:
        own = read_references(voice, Judge().fingerprint)
        if own is not None:
            return unit(own)
        problem, known = f"the judge has no recordings of the voice {voice!r}", ", ".join(sorted(found))
        raise UsageError(problem, place="speaker", remedy=f"give some to enrol it; known are {known}")
    return found[voice]


def centroid(voice: str) -> np.ndarray:
    """(256,) float32, unit length: the mean direction of `references`; raises as it does."""
    return mean_direction(references(voice)).astype(np.float32)


def speech_level(voice: str) -> float | None:
    """How loud the natural recordings of a shipped voice are: mean `speech_level_db`; None for other voices."""
    return _shipped()[1].get(voice)


def ceiling(voice: str) -> float:
    """What a natural recording of the voice scores: mean cosine of each reference to the centroid of the others."""
    return float(leave_one_out(references(voice)).mean())


def floor(voice: str) -> float | None:
    """What the wrong voice scores: mean cosine of the other shipped voices of its gender to its centroid.

    Returns:
        None where there is no other.
    """
    from prosody_transfer.store.voices import list_voices

    genders = {v.name: v.gender for v in list_voices()}
    centre = centroid(voice)
    others = [name for name in known_voices() if name != voice and genders.get(name) == genders.get(voice)]
    return float(np.mean([(references(name) @ centre).mean() for name in others])) if others else None


def embeddings_of(files: Iterable[str | Path], judge: Judge | None = None) -> np.ndarray:
    """Embeddings of recordings of one speaker, (n, 256) float32.

    Raises:
        AudioError: One can't be read or is too short (it is named), or there are none.
    """
    judge, found = judge or Judge(), []
    for file in files:
        try:
            found.append(judge.embed(load(file)))
        except AudioError as error:
            raise AudioError(error.problem, place=error.place or str(file), remedy=error.remedy) from None
    if not found:
        raise AudioError("there are no recordings to know the speaker by", remedy="give at least one, better ten")
    return np.stack(found)


def mean_speech_level(files: Iterable[str | Path]) -> float:
    """Mean `speech_level_db` of recordings, dB re full scale; AudioError where one can't be read."""
    return float(np.mean([speech_level_db(load(file), EVALUATION_RATE) for file in files]))


def centroid_of(files: Iterable[str | Path], judge: Judge | None = None) -> np.ndarray:
    """(256,) float32, unit length: the centroid of a speaker given by recordings; raises as `embeddings_of`."""
    return mean_direction(embeddings_of(files, judge)).astype(np.float32)


def save_references(
    voices: Mapping[str, Sequence[str | Path]], path: str | Path | None = None, judge: Judge | None = None
) -> dict[str, np.ndarray]:
    """Embed the held-out recordings of each voice and write the file that ships.

    Args:
        voices: Recordings by voice, at least `LEAST` each, none of them part of any training.
        path: Where to; None for the place of the shipped file.

    Returns:
        The embeddings as they were written, by voice.

    Raises:
        UsageError: A voice has too few recordings.
        AudioError: One can't be read.
        OutputError: The file can't be written.
    """
    from prosody_transfer.store.checkpoint import save_checkpoint

    judge = judge or Judge()
    for name, files in voices.items():
        if len(files) < LEAST:
            raise UsageError(f"{len(files)} recordings are too few", place=name, remedy=f"give {LEAST} or more")
    tensors = {name: embeddings_of(files, judge).astype(np.float16) for name, files in voices.items()}
    kept = {name: [Path(f).stem for f in files] for name, files in voices.items()}
    levels = {name: round(mean_speech_level(files), 2) for name, files in voices.items()}
    config = {"judge": judge.fingerprint}
    save_checkpoint(path or _SHIPPED, KIND, tensors, config, utterances=kept, speech_level_db=levels)
    _shipped.cache_clear()
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
