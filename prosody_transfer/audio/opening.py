"""Which decoder a recording needs: libsndfile where it is exact, FFmpeg for films and where headers only guess."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile

from prosody_transfer.audio.containers import (
    MOST_LINKS,
    foreign_kind,
    is_film,
    looks_like_audio,
    ogg_links,
    quiet_stderr,
    wav_data,
    wav_format,
    what_is_missing,
)
from prosody_transfer.audio.layouts import MAX_RATE, MIN_RATE, file_names
from prosody_transfer.audio.media import AGAIN, UNKNOWN_LENGTH, Media, Unreadable
from prosody_transfer.audio.resample import Resampler, resampled_length
from prosody_transfer.core.errors import AudioError, MissingAudioError, SampleRateError

_HEADERLESS = ("RAW", "SD2", "MAT4", "MAT5", "HTK", "XI")
_RESAMPLE = "resample it first, for example: ffmpeg -i IN -ar 24000 OUT.wav"
_CONVERT = "convert it first, for example: ffmpeg -i IN OUT.wav"
_MPEG_TAGS = (0x50, 0x55)  # of a wav that holds mp2 or mp3


class Stream(soundfile.SoundFile):
    """A sound file read from front to end only.

    soundfile seeks to where it already is after each block of a seekable file. In an mp3 that drops what a frame
    borrows from the frames before it: a glitch at each block.
    """

    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tracks = ""

    def seekable(self) -> bool:
        return False

    def shortfall(self, count: int) -> float | None:
        """Seconds that there should be, when the header counts more than the `count` samples that were decoded."""
        return self.frames / self.samplerate if count < self.frames < UNKNOWN_LENGTH else None


class _Window:
    """Bytes `start` to `stop` of a file as a file."""

    def __init__(self, file: BinaryIO, start: int, stop: int) -> None:
        self._file, self._start, self._size, self._at = file, start, stop - start, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if at < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = at
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        self._file.seek(self._start + self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Chain:
    """Ogg streams end to end, each opened by itself: `Stream`'s form, at the first one's rate and channel count."""

    def __init__(self, file: BinaryIO, starts: list[int]) -> None:
        ends = [*starts[1:], file.seek(0, os.SEEK_END)]
        self._links = [(_Window(file, *bounds)) for bounds in zip(starts, ends, strict=True)]
        counts = []
        for link in self._links:
            with Stream(link) as sound:
                counts.append((sound.frames, sound.samplerate, sound.channels))
                if link is self._links[0]:
                    self.samplerate, self.channels, self.format = sound.samplerate, sound.channels, sound.format
                    self.names = file_names(sound.format, sound.channels)
        self.notes: tuple[str, ...] = ()
        self.tracks = ""
        self.frames = sum(resampled_length(n, rate, self.samplerate) for n, rate, _ in counts)
        self._pieces, self._waiting = self._decode(), np.zeros((0, self.channels), np.float32)

    def _decode(self) -> Iterator[np.ndarray]:
        for link in self._links:
            link.seek(0)
            with Stream(link) as sound:
                resampler, last = Resampler(sound.samplerate, self.samplerate, self.channels), False
                while not last:
                    block = sound.read(1 << 13, dtype="float32", always_2d=True)
                    last = len(block) < 1 << 13
                    if sound.channels != self.channels:
                        block = np.repeat(block.mean(1, keepdims=True, dtype=np.float32), self.channels, 1)
                    yield resampler.push(block, last)

    def read(self, size: int, **_: Any) -> np.ndarray:
        """The next `size` samples (n, C) float32, fewer only at the end."""
        have = [self._waiting]
        while sum(map(len, have)) < size and (piece := next(self._pieces, None)) is not None:
            have.append(piece)
        block = np.concatenate(have)
        self._waiting = block[size:]
        return block[:size]

    def shortfall(self, count: int) -> float | None:
        return self.frames / self.samplerate if count < self.frames else None

    def __enter__(self) -> Chain:
        return self

    def __exit__(self, *_: object) -> None:
        self._pieces.close()  # type: ignore[attr-defined]


@contextlib.contextmanager
def opened(path: Path, track: int | None = None) -> Iterator[Any]:
    """A checked recording: a `Stream`, a `Chain` or a `Media`. The content tells the format, not the name.

    Args:
        track: Audio track of a film, from 1; None for the first.

    Raises:
        AudioError: As `read_audio` says.
    """
    place = str(path)
    with _open_file(path) as file:
        head = file.read(16)
        if not head:
            raise AudioError("is an empty file (0 bytes)", place=place, remedy=AGAIN)
        if (kind := foreign_kind(head)) and not is_film(head):
            raise AudioError(f"is {kind}, which is not read", place=place, remedy=_CONVERT)
        if problem := what_is_missing(file):
            raise AudioError(problem, place=place, remedy=AGAIN)
        with _decoder(file, path, head, track) as sound:
            if not MIN_RATE <= sound.samplerate <= MAX_RATE:
                problem = f"has {sound.samplerate} samples a second, outside {MIN_RATE} to {MAX_RATE} Hz"
                raise SampleRateError(problem, place=place, remedy=_RESAMPLE)
            yield sound


def _decoder(file: BinaryIO, path: Path, head: bytes, track: int | None) -> Any:
    place = str(path)
    links = ogg_links(file) if head[:4] == b"OggS" else []
    if len(links) > MOST_LINKS:
        raise AudioError(f"is a chain of more than {MOST_LINKS:,} streams", place=place, remedy=_CONVERT)
    mpeg = wav_format(file)[0] in _MPEG_TAGS
    plain = looks_like_audio(head) and head[:3] != b"ID3" and not is_film(head)
    if plain and not mpeg and all(len(link) == 1 for link in links):
        with contextlib.suppress(soundfile.LibsndfileError):
            sound = Chain(file, [at for (at,) in links]) if len(links) > 1 else _plain(file)
            if track not in (None, 1):
                problem = f"has no audio track {track}; it has one"
                raise AudioError(problem, place=place, remedy="leave out --track")
            return sound
    start, stop = wav_data(file) if mpeg else (0, 0)
    try:
        return Media(_Window(file, start, stop) if start else file, path, track)
    except Unreadable as error:
        why = str(error)
    if not looks_like_audio(head) and not is_film(head):  # what only libsndfile knows, such as NIST's
        with contextlib.suppress(soundfile.LibsndfileError), quiet_stderr():
            sound = _plain(file)
            if sound.format not in ("MP3", *_HEADERLESS):
                return sound
            sound.close()
        raise AudioError("is not a sound file that can be read", place=place, remedy=_CONVERT)
    name = foreign_kind(head)
    problem = f"is {name}, but damaged or cut off" if name else "is damaged"
    raise AudioError(f"{problem}: {why.lower()}" if why else problem, place=place, remedy=AGAIN)


def _plain(file: BinaryIO) -> Stream:
    """Opened by libsndfile, from a descriptor."""
    mask = wav_format(file)[1]
    file.seek(0)
    sound = Stream(file.fileno(), closefd=False)
    sound.names = file_names(sound.format, sound.channels, mask)
    return sound


def _open_file(path: Path) -> BinaryIO:
    place = str(path)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise AudioError("is a folder, not a sound file", place=place, remedy="name a file in it")
        if not stat.S_ISREG(mode):
            raise AudioError("is not a regular file", place=place, remedy="save the sound to a file first")
        return open(path, "rb", buffering=0)  # type: ignore[return-value]
    except (FileNotFoundError, NotADirectoryError):
        raise MissingAudioError("no such file", place=place, remedy=_nearest(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"cannot be read ({reason})", place=place, remedy="check its permissions") from None


def _nearest(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder} either"
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    except OSError:
        return "check the name"
    close = difflib.get_close_matches(path.name, names, 3, 0.6) or [n for n in names if Path(n).stem == path.stem][:3]
    return f"did you mean {', '.join(close)}?" if close else "check the name"
