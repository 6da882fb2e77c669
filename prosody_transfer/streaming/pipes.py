"""Samples in and out of pipes: signed 16 bit, little endian, mono; and a WAV header for what has no known end."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from prosody_transfer.core.errors import CutSampleError
from prosody_transfer.streaming.session import Session

READ_BYTES = 1 << 16
UNKNOWN = 0xFFFFFFFF  # of a size that nobody knows yet; players read on to the end


def wav_header(sample_rate: int, comment: str = "") -> bytes:
    """The start of a WAV stream of 16 bits, mono, whose length is not known.

    Args:
        comment: For its INFO list.
    """
    text = comment.encode("utf8") + b"\0"
    text += b"\0" * (len(text) % 2)
    info = b"INFO" + b"ICMT" + struct.pack("<I", len(text)) + text if comment else b""
    format_ = struct.pack("<IHHIIHH", 16, 1, 1, sample_rate, 2 * sample_rate, 2, 16)
    listed = b"LIST" + struct.pack("<I", len(info)) + info if info else b""
    head = b"RIFF" + struct.pack("<I", UNKNOWN) + b"WAVE" + b"fmt " + format_
    return head + listed + b"data" + struct.pack("<I", UNKNOWN)


def read_samples(source: IO[bytes]) -> Iterator[np.ndarray]:
    """Blocks of samples (N,) float32, to their end; what is read is what has come, without waiting for more.

    Raises:
        CutSampleError: The last sample has one byte; what came before was given.
    """
    read, left = getattr(source, "read1", source.read), b""
    while data := read(READ_BYTES):
        data = left + data
        left = data[len(data) // 2 * 2 :]
        yield np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768)
    if left:
        remedy = "send whole samples: signed 16 bit, little endian, mono"
        raise CutSampleError("the stream ends inside a sample (an odd number of bytes)", place="stdin", remedy=remedy)


def say_pipe(session: Session, source: IO[bytes], sink: IO[bytes]) -> dict[str, Any]:
    """Read samples to their end, and write what a session makes of them as soon as it is due.

    Args:
        source, sink: Binary; what is read is what has come, without waiting for more.

    Returns:
        What was done, for people and scripts.

    Raises:
        CutSampleError: The last sample has one byte; what came before is said.
        OSError: One of them fails; BrokenPipeError where the reader has gone.
    """
    count, spent, cut = 0, 0.0, None
    try:
        for samples in read_samples(source):
            count += len(samples)
            began = time.perf_counter()
            sound = session.push(samples)
            spent += time.perf_counter() - began
            _write(sink, sound)
    except CutSampleError as error:
        cut = error
    began = time.perf_counter()
    sound = session.finish()
    spent += time.perf_counter() - began
    _write(sink, sound)
    if cut is not None:
        raise cut
    seconds = count / session.sample_rate
    return {
        "seconds": round(seconds, 4), "phrases": session.phrases, "delay": round(session.delay, 4),
        "real_time_factor": round(spent / seconds, 4) if seconds else 0.0,
    }  # fmt: skip


def _write(sink: IO[bytes], sound: np.ndarray) -> None:
    if len(sound):
        sink.write(np.clip(np.rint(sound * 32768.0), -32768, 32767).astype("<i2").tobytes())
        sink.flush()
