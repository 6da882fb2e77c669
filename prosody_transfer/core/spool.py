"""Arrays that would not fit into memory: kept in temporary files without a name, read back a part at a time."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

import numpy as np

from prosody_transfer.core.errors import OutputError

IN_MEMORY = 1 << 24  # bytes that are kept in memory: three minutes of samples


class SpoolFile:
    """Bytes in a temporary file that has no name: it goes with the process, however that ends.

    Raises:
        OutputError: The disk is full, or there is no folder for what is temporary.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self.size = 0

    def append(self, data: Any) -> int:
        """Write at the end; gives where that was."""
        at = self.size
        self.write(at, data)
        return at

    def write(self, at: int, data: Any) -> None:
        """Write at a place."""
        view, done = memoryview(data).cast("B"), 0
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as this does
            self._file.seek(at)
            while done < len(view):
                done += self._file.write(view[done : done + (1 << 24)])
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            problem = "the disk is full" if full else f"no temporary file can be written ({error.strerror})"
            remedy = "set TMPDIR to a folder with more room: an hour of sound takes about 2 GB for a while"
            raise OutputError(problem, place=tempfile.gettempdir(), remedy=remedy) from None
        self.size = max(self.size, at + len(view))

    def read_into(self, at: int, array: np.ndarray) -> np.ndarray:
        """Fill a contiguous array from a place; gives it."""
        view, done = memoryview(array).cast("B"), 0  # type: ignore[arg-type]
        if len(view):
            assert self._file is not None
            self._file.seek(at)
            while done < len(view):
                done += self._file.readinto(view[done:])  # type: ignore[attr-defined]
        return array


@dataclass(frozen=True)
class Kept:
    """An array on a `Shelf`."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    at: int = -1
    file: SpoolFile | None = field(default=None, repr=False)
    array: np.ndarray | None = field(default=None, repr=False)

    def load(self) -> np.ndarray:
        if self.array is not None:
            return self.array
        assert self.file is not None
        return self.file.read_into(self.at, np.empty(self.shape, self.dtype))


class Shelf:
    """Arrays that are looked at now and then: the first in memory, the others in a temporary file.

    >>> shelf = Shelf(most=8)
    >>> kept = [shelf.put(np.full(2, k, np.float32)) for k in range(3)]
    >>> [k.load().tolist() for k in kept]
    [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]
    """

    def __init__(self, most: int | None = None) -> None:
        self._left = IN_MEMORY if most is None else most
        self._file = SpoolFile()

    def put(self, array: np.ndarray) -> Kept:
        """Keep an array."""
        if array.nbytes <= self._left:
            self._left -= array.nbytes
            return Kept(array.shape, array.dtype, array=array)
        self._left = 0
        at = self._file.append(np.ascontiguousarray(array))
        return Kept(array.shape, array.dtype, at, self._file)


class Samples:
    """The samples of a recording, (N,) float32, written block by block and sliced as an array is.

    Short ones lie in memory, long ones in a temporary file. What takes a whole array gets one (`__array__`).

    >>> samples = Samples(most=3)
    >>> for block in ([0, 1], [2, 3]):
    ...     samples.append(np.array(block, np.float32))
    >>> samples[1:2] *= 5
    >>> len(samples), samples[1:].tolist(), samples[-1:].tolist()
    (4, [5.0, 2.0, 3.0], [3.0])
    """

    ndim, dtype = 1, np.dtype(np.float32)

    def __init__(self, most: int | None = None) -> None:
        self._most = IN_MEMORY // 4 if most is None else most
        self._memory: np.ndarray | None = np.empty(0, np.float32)
        self._file = SpoolFile()
        self.size = 0

    @property
    def shape(self) -> tuple[int]:
        return (self.size,)

    def __len__(self) -> int:
        return self.size

    def append(self, block: np.ndarray) -> None:
        """Write (n,) at the end."""
        block = np.ascontiguousarray(block, np.float32)
        end = self.size + len(block)
        if self._memory is not None and end > self._most:
            self._file.append(np.ascontiguousarray(self._memory[: self.size]))
            self._memory = None
        if self._memory is None:
            self._file.append(block)
        else:
            if end > len(self._memory):
                larger = np.empty(min(self._most, max(end, 2 * len(self._memory))), np.float32)
                larger[: self.size] = self._memory[: self.size]
                self._memory = larger
            self._memory[self.size : end] = block
        self.size = end

    def __getitem__(self, part: Any) -> np.ndarray:
        part = part[-1] if isinstance(part, tuple) else part  # [..., a:b] is [a:b]
        start, stop, step = part.indices(self.size)
        if step != 1:
            raise IndexError("samples are sliced one after the other")
        if self._memory is not None:
            return self._memory[start : max(start, stop)]
        return self._file.read_into(4 * start, np.empty(max(0, stop - start), np.float32))

    def __setitem__(self, part: Any, values: np.ndarray) -> None:
        part = part[-1] if isinstance(part, tuple) else part
        start, stop, _ = part.indices(self.size)
        if self._memory is not None:
            self._memory[start : max(start, stop)] = values
        elif stop > start:
            self._file.write(4 * start, np.ascontiguousarray(np.broadcast_to(values, stop - start), np.float32))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self[:], dtype or np.float32, copy=copy)

    def settled(self) -> Sound:
        """An array, where it is short; else itself."""
        return self if self._memory is None else self._memory[: self.size]


Sound = np.ndarray | Samples  # (N,) float32
LikeIt = TypeVar("LikeIt", bound=Sound)  # an array gives an array
BLOCK = 1 << 18  # samples that are looked at at a time


def blocks(size: int, step: int = BLOCK) -> list[slice]:
    """Slices of `step`, and the rest, that cover `size`.

    >>> blocks(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(size, start + step)) for start in range(0, size, step)]


def gather(parts: Iterable[np.ndarray], like: LikeIt) -> LikeIt:
    """Blocks joined: to an array where `like` is one, else to `Samples`, or an array where these are short."""
    if isinstance(like, np.ndarray):
        joined = [*parts]
        return np.concatenate(joined) if joined else np.zeros(0, np.float32)  # type: ignore[return-value]
    out = Samples()
    for part in parts:
        out.append(part)
    return out.settled()  # type: ignore[return-value]
