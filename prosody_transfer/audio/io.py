"""Sound files in and out. Nothing else in the package opens one."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import soundfile

from prosody_transfer.audio.decode import Mixer, check_length, collect, collect_samples, survey
from prosody_transfer.audio.layouts import check_channel, find_channel, shown
from prosody_transfer.audio.media import UNKNOWN_LENGTH
from prosody_transfer.audio.opening import opened
from prosody_transfer.core.atomic import check_target, part_name
from prosody_transfer.core.errors import AudioError, OutputError, ShapeError, SilentAudioError
from prosody_transfer.core.spool import Sound, blocks

SILENCE_DB = -70.0
SUFFIXES = (".wav", ".flac", ".opus")
SUBTYPES = ("PCM_24", "PCM_16", "FLOAT")
DEFAULT_SUBTYPE = "PCM_24"  # 16 bits are too coarse for the pauses of clean speech: .04 of DNSMOS
_PCM_BITS = {"PCM_16": 16, "PCM_24": 24}
_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)


@dataclass(frozen=True)
class Audio:
    """One recording.

    Attributes:
        waveform: float32, (N,), mono; (C, N) where `mono=False` was asked for.
        sample_rate: Of `waveform`, Hz.
        original_sample_rate: Of the file, Hz.
        original_samples: N0, per channel, in the file. N = `resampled_length(N0, original_sample_rate, sample_rate)`.
        channels: Of the file.
        path: The file.
        notes: What should be said about the choice of track and channels; () in the plain case.
    """

    waveform: np.ndarray
    sample_rate: int
    original_sample_rate: int
    original_samples: int
    channels: int
    path: Path
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Duration of the recording in the file."""
        return self.original_samples / self.original_sample_rate


class Probe(NamedTuple):
    """What a file says of itself. `samples` is `UNKNOWN_LENGTH` where only decoding tells: a guess is not given."""

    sample_rate: int
    samples: int
    channels: int

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate


def probe(path: str | Path, track: int | None = None, channel: str | int | None = None) -> Probe:
    """Rate, samples per channel and channels, without decoding more than a film's first frames.

    Args:
        track, channel: As for `read_audio`; refused where the file has no such.

    Raises:
        AudioError: As for `read_audio`, as far as the header and the size of the file tell.
    """
    path = Path(path)
    check_channel(channel)
    with opened(path, track) as sound:
        if channel is not None:
            find_channel(channel, sound.names, sound.channels, str(path))
        return Probe(sound.samplerate, sound.frames, sound.channels)


def read_comment(path: str | Path) -> str:
    """What `write_audio` kept in the file's metadata, or "" (also for a film); raises as `probe`."""
    with opened(Path(path)) as sound:
        return str(getattr(sound, "comment", ""))


def read_audio(
    path: str | Path, sample_rate: int | None = None, mono: bool = True, *, track: int | None = None,
    channel: str | int | None = None,
) -> Audio:  # fmt: skip
    """Read wav, flac, ogg, opus, mp3, m4a, aiff, ... and the sound of films (mp4, mov, mkv, webm, avi, ...).

    Any rate from 8 to 192 kHz, any channel count. The length is that of what was decoded. The file is decoded, mixed
    and resampled in blocks: beside the result, memory does not grow with its length, rate or channel count.

    The channels that hold sound are averaged and given the level of the loudest of them. Left out are channels of
    noise, hum or nothing, the low-frequency channel (LFE), and those that would cancel the loudest one. To find out,
    a file of several channels is decoded twice.

    Args:
        path: The file.
        sample_rate: Wanted rate, Hz. None keeps the file's.
        mono: False keeps the channels: `waveform` is (C, N).
        track: Audio track of a film, from 1; None for the first.
        channel: One channel instead of the mix: its number from 1, or its name (L, R, C, LFE, Ls, Rs, ...).

    Raises:
        AudioError: The file is missing, empty, not audio, damaged or cut off, of a rate outside 8 to 192 kHz, shorter
            than 0.3 s, longer than 3 hours, silent (nowhere above -70 dBFS), or holds NaN or infinite samples; it has
            no sound, or no such track or channel.
        UsageError: `channel` is neither a number nor a name.
    """
    collected, facts = _read(Path(path), sample_rate, mono, track, channel, collect)
    return Audio(collected if not mono else collected[0], *facts)


class Recording(NamedTuple):
    """What `read_sound` gives: as `Audio`, of which `sound` may lie in a file."""

    sound: Sound
    sample_rate: int
    original_sample_rate: int
    original_samples: int
    channels: int
    path: Path
    notes: tuple[str, ...]


def read_sound(
    path: str | Path, sample_rate: int | None = None, *, track: int | None = None, channel: str | int | None = None
) -> Recording:
    """As `read_audio`, mono; a long recording lies in a temporary file, and memory does not grow with its length."""
    collected, facts = _read(Path(path), sample_rate, True, track, channel, collect_samples)
    return Recording(collected.settled(), *facts)


def _read(
    path: Path, sample_rate: int | None, mono: bool, track: int | None, channel: str | int | None,
    gather: Callable[..., tuple[Any, int]],
) -> tuple[Any, tuple[int, int, int, int, Path, tuple[str, ...]]]:  # fmt: skip
    """What `gather` makes of a recording, and the other facts of an `Audio`."""
    check_channel(channel)
    choice = None
    with opened(path, track) as sound:
        rate, channels, frames = sound.samplerate, sound.channels, sound.frames
        if frames == 0:
            raise AudioError("holds no sound (0 samples)", place=str(path), remedy="record or export it again")
        check_length(path, frames / rate if frames < UNKNOWN_LENGTH else 0.0, upper_only=True)
        target, tracks = sample_rate or rate, sound.tracks
        picked = 0 if channel is None else find_channel(channel, sound.names, channels, str(path))
        said = f"channel {shown(sound.names, picked)} of {channels} is used"
        notes = (*sound.notes, said) if channel is not None and channels > 1 else sound.notes
        if mono and channel is None and channels > 1:
            choice = survey(path, sound)
            notes = (*notes, *choice.notes)
        else:
            mixer = Mixer(rate, channels, (picked,) if mono else None)
            waveform, count = gather(path, sound, mixer, target)
    if choice:
        with opened(path, track) as sound:
            mixer = Mixer(rate, channels, choice.channels)
            waveform, count = gather(path, sound, mixer, target)
    check_length(path, count / rate)
    if mixer.swing < 10 ** (SILENCE_DB / 20):
        kind = "is digital silence" if mixer.swing == 0 else f"is silent: nothing in it is above {SILENCE_DB:.0f} dBFS"
        others = f"choose another track with --track: {tracks}" if tracks else ""
        remedy = others or "check the microphone, the mute switch and the chosen track"
        raise SilentAudioError(kind, place=str(path), remedy=remedy)
    if choice and (gain_db := mixer.gain_db(choice)):
        for part in blocks(waveform.shape[-1]):
            waveform[..., part] = waveform[..., part] * np.float32(10 ** (gain_db / 20))
    return waveform, (target, rate, count, channels, path, notes)


def check_writable(
    path: str | Path, overwrite: bool = False, subtype: str = DEFAULT_SUBTYPE, sample_rate: int | None = None
) -> None:
    """Refuse, before any work is done, an output that could not be written at the end.

    Raises:
        OutputError: The suffix is none of .wav, .flac, .opus, or can't hold `subtype` or `sample_rate`; the file exists
            and `overwrite` is False; its folder is missing or can't be written to; or as
            `core.atomic.check_target`.
    """
    path = Path(path)
    place = str(path)
    if path.suffix.lower() not in SUFFIXES:
        problem = f"unknown kind of output {path.suffix!r}" if path.suffix else "the output has no suffix"
        raise OutputError(problem, place=place, remedy=f"known are {', '.join(SUFFIXES)}")
    _format(path, sample_rate or _OPUS_RATES[-1], subtype)
    check_target(path)
    try:
        if os.path.lexists(path) and not overwrite:
            raise OutputError("exists", place=place, remedy="give another name, or --force to overwrite it")
        folder = Path(os.path.realpath(path)).parent
        if not folder.is_dir():
            raise OutputError(f"there is no folder {path.parent}", place=place, remedy="make it first")
        descriptor, temporary = _temporary(folder)
        os.close(descriptor)
        os.unlink(temporary)
    except (OSError, ValueError) as error:
        raise _cannot_write(path, error) from None


def write_audio(
    path: str | Path, waveform: Sound, sample_rate: int, *, subtype: str = DEFAULT_SUBTYPE,
    overwrite: bool = False, comment: str = "", on_written: Callable[[Path], None] | None = None,
) -> None:  # fmt: skip
    """Write a mono sound file by suffix: .wav, .flac or .opus. The file appears whole or not at all.

    PCM is plain rounding to the nearest step without dither, so the same waveform gives the same bytes; samples
    beyond [-1, 1] are clipped. An opus file decodes to exactly as many samples as were given.

    Args:
        path: The file; it appears under this name only when it is complete and on the disk.
        waveform: (N,), [-1, 1], N > 0.
        sample_rate: Hz; for opus 8000, 12000, 16000, 24000 or 48000.
        subtype: "PCM_24", "PCM_16" or "FLOAT" (wav only); opus has its own and ignores it.
        overwrite: Replace an existing file.
        comment: For the file's metadata (ICMT in a wav's INFO list, COMMENT in flac and opus); `read_comment` reads it.
        on_written: Called with the finished file before it gets its name.

    Raises:
        OutputError: As for `check_writable`; or the disk is full, or the format cannot hold this rate or subtype, or
            the waveform holds NaN or infinite samples.
        ShapeError: `waveform` is not (N,) or is empty.
    """
    path = Path(path)
    if waveform.ndim != 1 or not waveform.size:
        raise ShapeError(f"a waveform to write is (N,) with N > 0, not {waveform.shape}", place=str(path))
    check_writable(path, overwrite)
    kind = _format(path, sample_rate, subtype)
    if not all(np.isfinite(waveform[part]).all() for part in blocks(len(waveform))):
        problem = "the waveform to write holds NaN or infinite samples"
        raise OutputError(problem, place=str(path), remedy="please report it")
    target = Path(os.path.realpath(path))  # where `path` is a link, the file that it names is replaced, not the link
    temporary = None
    try:
        descriptor, temporary = _temporary(target.parent)
        with open(descriptor, "w+b", buffering=0) as file:
            _encode(file, waveform, sample_rate, kind, comment)
            os.fsync(file.fileno())
            if kind[0] == "OGG":
                _check_samples(file, path, waveform.size)
        if on_written:
            on_written(temporary)
        os.replace(temporary, target)
        temporary = None
        _sync_folder(target.parent)
    except (OSError, soundfile.LibsndfileError) as error:
        raise _cannot_write(path, error) from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _format(path: Path, sample_rate: int, subtype: str) -> tuple[str, str]:
    suffix = path.suffix.lower()
    if subtype not in SUBTYPES:
        raise OutputError(f"unknown subtype {subtype!r}", place=str(path), remedy=f"known are {', '.join(SUBTYPES)}")
    if suffix == ".flac" and subtype == "FLOAT":
        raise OutputError("flac holds no float samples", place=str(path), remedy="write a .wav, or PCM_24")
    if suffix == ".opus" and sample_rate not in _OPUS_RATES:
        known = ", ".join(map(str, _OPUS_RATES))
        raise OutputError(f"opus cannot hold {sample_rate} Hz", place=str(path), remedy=f"use one of {known}, or .wav")
    return {".wav": ("WAV", subtype), ".flac": ("FLAC", subtype), ".opus": ("OGG", "OPUS")}[suffix]


class _Sink:
    """A file for libsndfile to write to that remembers the first error: libsndfile itself only says "system error"."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.readinto, self.read = file.seek, file.tell, file.readinto, file.read  # type: ignore[attr-defined]
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        view, done = memoryview(data), 0
        try:
            while not self.error and done < len(view):
                done += self._file.write(view[done:])
        except BaseException as error:  # Ctrl-C too: what is raised in a callback from C goes no further
            self.error = error
        return done


def _encode(file: BinaryIO, waveform: Sound, sample_rate: int, kind: tuple[str, str], comment: str) -> None:
    sink = _Sink(file)
    step = 1 << 16  # also keeps the ogg encoder's stack small: it fails on writes of minutes at once
    try:
        with soundfile.SoundFile(sink, "w", sample_rate, 1, format=kind[0], subtype=kind[1]) as sound:
            if comment:
                sound.comment = comment
            for at in range(0, waveform.size, step):
                block = waveform[at : at + step]
                if bits := _PCM_BITS.get(kind[1]):  # libsndfile takes the upper ones of 32
                    top = 1 << (bits - 1)
                    block = np.clip(np.rint(block * np.float64(top)), -top, top - 1).astype(np.int32) << (32 - bits)
                else:
                    block = np.clip(block, -1, 1).astype(np.float32)
                sound.write(block)
                if sink.error:
                    break
    except (soundfile.LibsndfileError, AssertionError):
        if not sink.error:
            raise
    if sink.error:
        raise sink.error


def _check_samples(file: BinaryIO, path: Path, samples: int) -> None:
    file.seek(0)
    with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
        have = sound.frames
    if have != samples:
        raise OutputError(f"opus kept {have} of {samples} samples", place=str(path), remedy="write a .wav or .flac")


def _temporary(folder: Path) -> tuple[int, Path]:
    """A new file in `folder`, with the permissions that any new file of the user has (tempfile's would be private)."""
    path = folder / part_name()
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), path


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every system can: then a power cut may lose the name, not the content
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _cannot_write(path: Path, error: Exception) -> OutputError:
    code = getattr(error, "errno", None)
    if code in (errno.ENOSPC, errno.EDQUOT):
        return OutputError("the disk is full; nothing was written", place=str(path), remedy="free some space")
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        problem = f"the folder {path.parent} cannot be written to"
        return OutputError(problem, place=str(path), remedy="choose another, or change its permissions")
    reason = getattr(error, "strerror", None) or str(error)
    return OutputError(f"cannot be written ({reason})", place=str(path), remedy="give another name or folder")
