"""Films and compressed sound, decoded with FFmpeg through PyAV: their length is what was decoded."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.audio.containers import Mp3Header, mp3_header
from prosody_transfer.audio.resample import Resampler
from prosody_transfer.core.errors import AudioError

UNKNOWN_LENGTH = 1 << 60
AGAIN = "export or copy it again from the original"
# FFmpeg's names. Whatever else it can open (playlists, pictures, subtitles, raw samples) is no recording.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,mpegts,mpeg,mxf,gxf,nut,rm,wtv,dv,mp3,aac,loas,ac3,eac3,dts,dtshd,"
    "truehd,mlp,amr,amrnb,amrwb,ogg,wav,w64,aiff,caf,flac,au,ape,wv,tta,tak,mpc,mpc8,shn,oma"
)
_BARE = {"mp3", "aac", "loas", "ac3", "eac3", "dts", "truehd", "mlp", "amrnb", "amrwb"}  # frames without a container
_INDEXED = "mov,mp4,m4a,3gp,3g2,mj2"
_TIMED = {"matroska,webm", "avi", "asf"}  # the header tells when the film ends
_COUNTED = {"flac", "caf", "aiff", "au", "w64", "tta", "ape", "wv"}  # the header counts the samples
_RUN = 3  # frames that must follow each other before bytes without a container are believed to be sound
_LOST_SHARE, _LOST_LEAST = 0.02, 3  # packets that may fail to decode: joins, and a beginning in the middle
_LOST_BARE = 0.25  # where tags and pictures between the frames are taken for packets
_END_SLACK = 0.1  # s, by which a film's header may differ from its last packet


class Unreadable(Exception):
    """FFmpeg finds no sound in it; the message says why where that is known."""


class _Bytes:
    """A file without its name, which FFmpeg would take for a hint of the format."""

    def __init__(self, file: Any) -> None:
        self.read, self.tell, self._seek = file.read, file.tell, file.seek
        self.seekable = lambda: True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The new place; where there is none, such as before the start, a negative number, as FFmpeg wants it."""
        try:
            return int(self._seek(offset, whence))
        except OSError as error:
            return -(error.errno or errno.EINVAL)


class Media:
    """An audio track, read from front to end; of the same form as `decode.Stream`.

    Args:
        file: Open, seekable, unbuffered; it is not closed.
        path: For messages.
        track: Audio track, from 1; None for the first.

    Attributes:
        samplerate: Hz, of the first decoded frame; later ones are resampled to it.
        channels, names: Of the first decoded frame; () where the names are not known.
        frames: Samples per channel if the file tells them for certain, otherwise `UNKNOWN_LENGTH`.
        notes: What should be said about the choice of the track.
        tracks: The audio tracks in words, "" where there is only one.

    Raises:
        Unreadable: It holds no sound that FFmpeg reads.
        AudioError: There is no such track, or nothing in it.
    """

    def __init__(self, file: Any, path: Path, track: int | None = None) -> None:
        import av

        self._path, self._error = path, av.error.FFmpegError
        file.seek(0)
        header = mp3_header(file)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        try:
            self._container: Any = av.open(
                _Bytes(file), options={"format_whitelist": _FORMATS}, metadata_errors="replace", buffer_size=1 << 16
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise Unreadable(getattr(error, "strerror", "")) from None
        self.format = self._container.format.name
        try:
            self._stream = self._choose(track)
            self._prepare(header, size)
        except BaseException:
            self._container.close()
            raise

    def _choose(self, track: int | None) -> Any:
        """The stream of a track; sets `notes`."""
        import av

        streams, tracks = self._container.streams, self._container.streams.audio
        known = ", ".join(f"{i} ({_describe(s)})" for i, s in enumerate(tracks, 1))
        if not tracks:
            counts = ((kind, len(getattr(streams, kind, ()))) for kind in ("video", "subtitles", "data"))
            kinds = [f"{count} {kind}" for kind, count in counts if count]
            if not streams.video:
                raise Unreadable("no track of sound")
            problem = f"has no sound: its tracks are {', '.join(kinds)}"
            raise AudioError(problem, place=str(self._path), remedy="export it again with its sound")
        if track is not None and not 1 <= track <= len(tracks):
            problem = f"has no audio track {track}; it has {known}"
            raise AudioError(problem, place=str(self._path), remedy="choose one of them with --track, or leave it out")
        chosen = tracks[(track or 1) - 1]
        self.tracks = known if len(tracks) > 1 else ""
        said = f"audio track {track or 1} is used of {known}"
        self.notes = (said if track else f"{said} (--track chooses another)",) if len(tracks) > 1 else ()
        if chosen.codec_context is None:
            problem = f"audio track {track or 1} is encrypted or of a kind that is not read"
            raise AudioError(problem, place=str(self._path), remedy="export it as wav or flac")
        for stream in streams:
            if stream is not chosen and self.format not in _TIMED:
                stream.discard = av.stream.Discard.all
        chosen.codec_context.thread_count = 1
        return chosen

    def _prepare(self, header: Mp3Header | None, size: int) -> None:
        """Decode the first frames: only they tell the true rate and channels."""
        self._packets = self._lost = 0
        self._end = 0.0
        self._waiting: np.ndarray | None = None
        self._over = False
        decoded = self._decode()
        first: list[tuple[int, tuple[str, ...], np.ndarray]] = []
        for found in decoded:
            first.append(found)
            if len(first) >= (_RUN if self.format in _BARE else 1):
                break
        if not first or (self.format in _BARE and len(first) < _RUN):
            if self._packets and not first:
                raise Unreadable("nothing in it can be decoded")
            if self.format in _BARE:
                raise Unreadable("")
            raise AudioError("holds no sound (0 samples)", place=str(self._path), remedy="record or export it again")
        if self.format in _BARE and self._lost > 10 * _RUN:
            raise Unreadable("")
        self.samplerate, self.names, block = first[0]
        self.channels = block.shape[1]
        if any(name == "" for name in self.names):
            self.names = ()
        self.frames, self._most = UNKNOWN_LENGTH, UNKNOWN_LENGTH
        self._declare(header, size)
        self._pieces = self._trimmed(self._even(chain(first, decoded)))

    def _declare(self, header: Mp3Header | None, size: int) -> None:
        """What the container says of the length: `frames` where it is sure, `_least` and `_most` where it has a say."""
        stream, rate = self._stream, self.samplerate
        told = 0
        if stream.duration:
            told = round(stream.duration * stream.time_base * rate)
        self._least = 0
        self._biggest = 0
        if self.format == "mp3" and header is not None:
            frame = 1152 if rate >= 32_000 else 576
            self._least = header.frames * frame - (header.padding if header.padding >= 0 else frame)
            if header.padding >= 0 and abs(header.bytes - size) <= 1024:
                self.frames = self._least
        elif self.format in _COUNTED:
            self._least = told
        elif self.format == _INDEXED:
            self._most = _gapless(self._container.metadata, stream.metadata, rate) or told or UNKNOWN_LENGTH

    def _decode(self) -> Iterator[tuple[int, tuple[str, ...], np.ndarray]]:
        """(rate, channel names, (n, C) float32) of every frame."""
        demuxed = self._container.demux() if self.format in _TIMED else self._container.demux(self._stream)
        while True:
            try:
                packet = next(demuxed)
            except StopIteration:
                return
            except self._error:  # what follows can't be found; what lacks is for `shortfall` to say
                self._lost += 1
                return
            if packet.pts is not None and packet.time_base:
                self._end = max(self._end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream is not self._stream:
                continue
            self._packets += packet.size > 0
            try:
                for frame in packet.decode():
                    if frame.samples:
                        yield frame.sample_rate, _names(frame), _samples(frame)
            except self._error:
                self._lost += 1
                if self.format in (_INDEXED, *_TIMED) and packet.duration and self._packets > 1:
                    length = round(packet.duration * packet.time_base * self._stream.codec_context.sample_rate)
                    shape = (min(length, 1 << 16), self._stream.codec_context.layout.nb_channels)
                    yield self._stream.codec_context.sample_rate, (), np.zeros(shape, np.float32)

    def _even(self, frames: Iterator[tuple[int, tuple[str, ...], np.ndarray]]) -> Iterator[np.ndarray]:
        """The same at one rate and channel count, whatever changes on the way."""
        resampler, rate = None, self.samplerate
        for now, names, block in frames:
            self._biggest = max(self._biggest, len(block))
            if now != rate and resampler is not None:
                yield resampler.push(np.zeros((0, self.channels), np.float32), last=True)
            if now != rate:
                resampler = None if now == self.samplerate else Resampler(now, self.samplerate, self.channels)
                rate = now
            block = _fit_channels(block, names, self.names, self.channels)
            block = block if resampler is None else resampler.push(block)
            yield block
        if resampler is not None:
            yield resampler.push(np.zeros((0, self.channels), np.float32), last=True)

    def _trimmed(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Without the rest of the last frame, where the container tells the length: coders work in whole frames."""
        given, over = 0, 0
        held: list[np.ndarray] = []
        for block in blocks:
            left = max(0, self._most - given)
            given += len(block[:left])
            yield block[:left]
            if left < len(block):
                held.append(block[left:])
                over += len(block) - left
                if over > 2 * self._biggest:  # so much is no padding: the container is wrong
                    self._most = UNKNOWN_LENGTH
                    yield from held

    def read(self, size: int, **_: Any) -> np.ndarray:
        """The next `size` samples (n, C) float32, fewer only at the end."""
        have = [] if self._waiting is None else [self._waiting]
        count = sum(map(len, have))
        while count < size and not self._over:
            piece = next(self._pieces, None)
            if piece is None:
                self._over = True
            else:
                have.append(piece)
                count += len(piece)
        block = np.concatenate(have) if have else np.zeros((0, self.channels), np.float32)
        self._waiting = block[size:]
        return block[:size]

    def shortfall(self, count: int) -> float | None:
        """Seconds that there should be, when more was announced than the `count` samples that were decoded."""
        rate, whole = self.samplerate, self._container.duration
        if count < self._least - (0 if self.format == "mp3" else self._biggest):
            return self._least / rate
        if self.format == _INDEXED and self._most < UNKNOWN_LENGTH:
            lacks = self._packets < self._stream.frames
            return self._most / rate if lacks and count < self._most - self._biggest else None
        if self.format in _TIMED and whole and self._end < whole / 1e6 - _END_SLACK - self._biggest / rate:
            return whole / 1e6
        share = _LOST_BARE if self.format in _BARE else _LOST_SHARE
        if self._lost > max(_LOST_LEAST, share * self._packets):
            return (count + self._lost * self._biggest) / rate
        return None

    def __enter__(self) -> Media:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()


def _describe(stream: Any) -> str:
    context = stream.codec_context
    title = stream.metadata.get("title", "")
    parts = [stream.language if stream.language not in (None, "und") else "", title]
    if context is None:
        parts.append("of an unknown kind")
    else:
        layout = context.layout.name
        parts += [context.name, {"1 channels": "mono", "2 channels": "stereo"}.get(layout, layout)]
    return ", ".join("".join(c for c in p if c.isprintable())[:40] for p in parts if p)


def _names(frame: Any) -> tuple[str, ...]:
    names = tuple(channel.name for channel in frame.layout.channels)
    return names if len(names) == len(set(names)) and not any(n.startswith(("NONE", "UNK")) for n in names) else ()


def _samples(frame: Any) -> np.ndarray:
    """(n, C) float32 of a frame; whole numbers are divided by full scale, as libsndfile does."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128) / 128
    if np.issubdtype(values.dtype, np.integer):
        scale = -float(np.iinfo(values.dtype).min)
        return (values / scale).astype(np.float32)
    return np.ascontiguousarray(values, np.float32)


def _fit_channels(block: np.ndarray, names: tuple[str, ...], wanted: tuple[str, ...], count: int) -> np.ndarray:
    """A frame with other channels than the first: the same ones by name, or all of them the mean."""
    if block.shape[1] == count and (names == wanted or not names or not wanted):
        return block
    if wanted and set(wanted) <= set(names):
        return block[:, [names.index(n) for n in wanted]]
    return np.repeat(block.mean(1, keepdims=True, dtype=np.float32), count, 1)


def _gapless(*metadata_and_rate: Any) -> int:
    """Samples per channel by an iTunes tag (priming, padding, samples, all hexadecimal), or 0."""
    *tables, _ = metadata_and_rate
    for table in tables:
        words = str(table.get("iTunSMPB", "")).split()
        try:
            if len(words) > 3 and int(words[3], 16):
                return int(words[3], 16)
        except ValueError:
            continue
    return 0
