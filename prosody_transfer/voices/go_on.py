"""A voice that has not passed its test is kept with what its training goes on from; here it is kept and taken up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from prosody_transfer.core.atomic import write_atomically
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.core.reading import RECORD_BYTES, parse_json, read_bytes
from prosody_transfer.store.header import read_header, read_kind
from prosody_transfer.store.voice_folder import TRAINING, UserVoice, read_weights
from prosody_transfer.voices.recordings import Speech, fingerprint

STATE = "state.safetensors"
_LEARNT = "learnt.json"
MORE = 0.5  # of the usual steps: what is learnt at least, where it is not said how much


@dataclass(frozen=True)
class Before:
    """What a voice has learnt so far.

    Attributes:
        own: It.
        steps: How many steps it took.
        seconds: How long that took.
        speaker: Whose recordings they were, as their manifest has it.
        learnt: Fingerprints of the recordings.
    """

    own: UserVoice
    steps: int
    seconds: float
    speaker: str
    learnt: frozenset[str]

    def total(self, asked: int, usual: int) -> int:
        """Steps in all.

        Args:
            asked: What the user asks for; 0 for nothing.
            usual: What so much speech gets.

        Raises:
            UsageError: No more is asked for than it has had.
        """
        if asked and asked <= self.steps:
            problem = f"the voice {self.own.voice.name} has learnt for {self.steps} steps already"
            raise UsageError(problem, place="--steps", remedy=f"give more than {self.steps}: it counts all of them")
        return asked or max(usual, self.steps + round(MORE * usual))


def take_up(own: UserVoice, base: str) -> Before | None:
    """What training goes on from; None where nothing was kept, or it was for another acoustic model.

    Args:
        base: Checksum of the acoustic model.
    """
    folder = own.folder / TRAINING
    if own.record.base != base or not (folder / STATE).is_file():
        return None
    try:
        found = parse_json(read_bytes(folder / _LEARNT, RECORD_BYTES, ModelError))
        header, state = read_weights(own)[1], folder / STATE
        seconds = float(read_header(state, read_kind(state))[0]["seconds"])  # not the voice's: its bytes would differ
        learnt, speaker = frozenset(map(str, found["recordings"])), str(found["speaker"])
        return Before(own, int(header["steps"]), seconds, speaker, learnt)
    except (OSError, ValueError, KeyError, TypeError, ModelError):  # damaged: it is learnt anew
        return None


def check_speaker(before: Before, speech: Speech) -> None:
    """UsageError where the recordings are another speaker's than those that the voice has learnt from."""
    who = speech.train[0].speaker
    if who != before.speaker:
        problem = f"the voice has learnt from recordings of {before.speaker!r} so far, and these are of {who!r}"
        raise UsageError(problem, place=before.own.voice.name, remedy="give the same --speaker, or remove the voice")


def bring(before: Before, run: Path) -> None:
    """Put what is gone on from where the training looks for it, unless it has gone on already."""
    if not (run / STATE).exists():
        write_atomically(run / STATE, (before.own.folder / TRAINING / STATE).read_bytes(), folder=True)


def keep(run: Path, folder: Path, speech: Speech, before: Before | None) -> None:
    """Keep, in the folder of a voice that is not accepted, what its training goes on from."""
    write_atomically(folder / TRAINING / STATE, (run / STATE).read_bytes(), folder=True)
    learnt = sorted({*map(fingerprint, speech.train), *(before.learnt if before else ())})
    found = {"speaker": speech.train[0].speaker, "recordings": learnt}
    write_atomically(folder / TRAINING / _LEARNT, json.dumps(found).encode(), folder=True)
