"""One family of errors. Each says what was wrong, where, and what to do, and has an exit code of its own.

| exit code | error | when |
|---|---|---|
| 0 | | done |
| 1 | `PartialFailure` | a folder run finished, but some files failed |
| 2 | `UsageError` | an unknown speaker or flag value was asked for |
| 3 | `AudioError` | the recording is missing, empty, damaged, silent, too short or holds no speech |
| 4 | `TranscriptError` | the words do not match the audio, or cannot be pronounced |
| 5 | `OutputError` | the output exists, is of an unknown type, or it or standard output cannot be written |
| 6 | `ModelError` | a checkpoint is damaged, of another version, or made for other features |
| 6 | `CutSampleError` | a stream of samples ends inside one |
| 7 | `DependencyError` | an optional part is not installed |
| 70 | anything else | a mistake of ours: please report it |
| 130 | | interrupted with Ctrl-C; nothing finished is lost |
| 129, 143 | | ended by SIGHUP (the terminal was closed) or SIGTERM; likewise, and nothing half-done is left |
| 141 | | the reader of a pipe went away |
"""

from __future__ import annotations


class PtxError(Exception):
    """Something that the user can put right.

    Args:
        problem: What is wrong, naming the value.
        place: The file, flag or field it concerns.
        remedy: What to do about it.

    >>> str(AudioError("is silent", place="a.wav", remedy="check the microphone"))
    'a.wav: is silent; check the microphone'
    """

    exit_code = 70

    def __init__(self, problem: str, *, place: str = "", remedy: str = "") -> None:
        self.problem, self.place, self.remedy = problem, str(place), remedy
        super().__init__((f"{place}: " if place else "") + problem + (f"; {remedy}" if remedy else ""))


class PartialFailure(PtxError):
    exit_code = 1


class UsageError(PtxError):
    exit_code = 2


class AudioError(PtxError):
    exit_code = 3


class MissingAudioError(AudioError):
    """There is no such file."""


class SilentAudioError(AudioError):
    """It holds nothing, or too little to be measured."""


class ShortAudioError(AudioError):
    """It is shorter than can be measured."""


class LongAudioError(AudioError):
    """It is longer than can be read."""


class SampleRateError(AudioError):
    """It has too few or too many samples a second."""


class FatalAudioError(AudioError):
    """The processes that read it died of it."""


class TranscriptError(PtxError):
    exit_code = 4


class NoWordsError(TranscriptError):
    """A transcript without a word that is said."""


class MismatchError(TranscriptError):
    """The words can be pronounced, but not be laid over the sound."""


class OutputError(PtxError):
    exit_code = 5


class ModelError(PtxError):
    exit_code = 6


class CutSampleError(PtxError):
    """A stream of samples ends inside one."""

    exit_code = 6


class DependencyError(PtxError):
    exit_code = 7


class ShapeError(PtxError):
    """Tensors that do not fit together: a mistake in a program that calls the library."""
