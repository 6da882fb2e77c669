"""The Montreal Forced Aligner, as the user has installed it: its command is run, its TextGrid is read."""

from __future__ import annotations

import os
import shutil
import subprocess
import wave
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from prosody_transfer.alignment.base import Aligner, Heard, require_sound, require_words
from prosody_transfer.alignment.textgrid import read_textgrid
from prosody_transfer.core.atomic import temporary_folder
from prosody_transfer.core.errors import DependencyError, MismatchError
from prosody_transfer.core.types import Alignment
from prosody_transfer.text.lexicon import pronounce

_REMEDY = (
    "conda create -n mfa -c conda-forge montreal-forced-aligner, activate it, "
    "mfa model download acoustic english_us_arpa; or use --aligner pocketsphinx"
)
_PLACE = "aligner mfa"
_TIMEOUT = 600.0  # s an utterance: it loads its model each time, which can take a minute on a cold disk
_PROBE_TIMEOUT = 120.0
# what it prints when it is the installation, not the utterance, that is at fault
_BROKEN = ("_kalpy", "ModuleNotFoundError", "ImportError", "command not found", "DLL load failed", "ModelNotFound")


class MfaAligner(Aligner):
    """Runs `mfa align_one` with our dictionary and an ARPABET model of the user's.

    Args:
        model: Name or path of the acoustic model. None: the environment's PTX_MFA_MODEL, or "english_us_arpa".
        command: The program.
        timeout: Seconds an utterance may take.

    Raises:
        DependencyError: There is no such program.
    """

    name = "mfa"

    def __init__(self, model: str | None = None, *, command: str = "mfa", timeout: float = _TIMEOUT) -> None:
        self.model = model or os.environ.get("PTX_MFA_MODEL") or "english_us_arpa"
        self.command, self.timeout = _find(command), timeout

    @classmethod
    def check(cls) -> None:
        """`mfa version` answers even where nothing else works, so the subcommand that is needed is loaded."""
        done = _run([_find("mfa"), "align_one", "--help"], _PROBE_TIMEOUT)
        if done.returncode != 0 or "Usage" not in done.stdout + done.stderr:
            raise DependencyError(f"is installed but does not run ({_reason(done)})", place=_PLACE, remedy=_REMEDY)

    def align(
        self, waveform: np.ndarray, sample_rate: int, words: Sequence[str], heard: Heard | None = None
    ) -> Alignment:
        """See `Aligner.align`. Takes seconds even for a short utterance: the model is loaded each time."""
        require_words(words)
        duration = len(waveform) / sample_rate
        with temporary_folder() as folder:
            _write_wave(folder / "utterance.wav", waveform, sample_rate)
            (folder / "utterance.lab").write_text(" ".join(words), encoding="utf-8")
            (folder / "words.dict").write_text(dictionary(words), encoding="utf-8")
            files = [str(folder / f) for f in ("utterance.wav", "utterance.lab", "words.dict")]
            output = folder / "aligned.TextGrid"
            done = _run([self.command, "align_one", *files, self.model, str(output)], self.timeout)
            if done.returncode != 0 and any(sign in done.stdout + done.stderr for sign in _BROKEN):
                raise DependencyError(f"does not run ({_reason(done)})", place=_PLACE, remedy=_REMEDY)
            if done.returncode != 0 or not output.is_file():
                raise MismatchError(
                    f"could not be aligned by mfa ({_reason(done)})",
                    place="transcript",
                    remedy="check that the transcript has exactly the words that are spoken",
                )
            found = read_textgrid(output)
        return fitted(found, duration, self.name)


def dictionary(words: Sequence[str], *, stress: bool = True) -> str:
    """A pronunciation dictionary in CMU and MFA format for these words, all variants.

    >>> dictionary(["cat", "cat"])
    'cat\\tK AE1 T\\n'
    """
    lines = []
    for word in dict.fromkeys(words):
        variants = [" ".join(p if stress else p.rstrip("012") for p in v) for v in pronounce(word)]
        lines += [f"{word}\t{v}\n" for v in dict.fromkeys(variants)]
    return "".join(lines)


def fitted(found: Alignment, duration: float, aligner: str) -> Alignment:
    """An aligner's result made to end exactly where the recording does (its files round times)."""
    from prosody_transfer.alignment.base import fill_gaps

    words = tuple(w._replace(start=min(w.start, duration), end=min(w.end, duration)) for w in found.words)
    phones = list(found.phones)
    if phones and 0 < duration - phones[-1].end < 0.02:
        phones[-1] = phones[-1]._replace(end=duration)
    return replace(found, phones=fill_gaps(phones, duration), words=words, duration=duration, aligner=aligner)


def _find(command: str) -> str:
    path = shutil.which(command)
    if path is None:
        raise DependencyError("the Montreal Forced Aligner is not installed", place=_PLACE, remedy=_REMEDY)
    return path


def _run(arguments: list[str], timeout: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            arguments, capture_output=True, text=True, errors="replace", timeout=timeout, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise DependencyError(f"gave no answer in {timeout:.0f} s", place=_PLACE, remedy=_REMEDY) from error
    except OSError as error:
        raise DependencyError(f"cannot be started ({error.strerror})", place=_PLACE, remedy=_REMEDY) from error


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that it printed, which is where Python names the error."""
    lines = [line.strip(" │╰╯╭╮─") for line in (done.stderr + "\n" + done.stdout).splitlines()]
    printed = [line for line in lines if line]
    named = [line for line in printed if "Error" in line or "not found" in line]
    return (named or printed or [f"exit code {done.returncode}"])[-1][:200]


def _write_wave(path: Path, waveform: np.ndarray, sample_rate: int) -> None:
    """16-bit mono, with nothing but the standard library."""
    peak = require_sound(waveform)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((waveform * min(1.0, 0.99 / peak) * 32767).astype("<i2").tobytes())
