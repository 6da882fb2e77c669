"""Writing a file so that it is either whole or not there; used by the rooms that write."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from prosody_transfer.core.errors import OutputError
from prosody_transfer.core.reading import FOLDER, kind_of

FOLDER_SECONDS = 86400.0  # the same for a folder
LEFTOVER_SECONDS = 3600.0  # a temporary file this old belongs to no run that still goes on
NAME_BYTES = 255  # the most that a name may have, where the system does not say
# What earlier versions have written says nothing of the machine.
_PART = re.compile(r"\.ptx-(?P<process>[0-9]{1,9})-(?:(?P<machine>[0-9a-f]{8})-)?[0-9a-f]+\.part")


def part_name() -> str:
    """A new name for a file that is being written; it tells which process, and of which machine."""
    return f".ptx-{process_name()}-{os.urandom(6).hex()}.part"


def process_name() -> str:
    """This process, told apart from those of other machines too."""
    return f"{os.getpid()}-{_machine()}"


def check_target(path: str | Path) -> None:
    """Refuse, before any work is done, what no file can be written to: every output is checked by this.

    Links are followed, so a link to a pipe or a device is refused as these are; a link that leads nowhere, or to
    itself, is one to a file that is not there yet. In a name letters count as many bytes as they have in UTF-8: one in
    English, two in Greek, three in most of Asia.

    Raises:
        OutputError: The name or the whole path is too long, or is that of a folder, a pipe, a device or a socket.
    """
    _check_name(path)
    with contextlib.suppress(OSError):
        if kind := kind_of(os.stat(path).st_mode):
            remedy = "name a file in it" if kind == FOLDER else "give another name: only files are written"
            raise OutputError(f"is {kind}", place=str(path), remedy=remedy)


def _check_name(path: str | Path) -> None:
    place = str(path)
    limit = _longest_name(Path(path).parent)
    try:
        if (size := len(os.fsencode(os.path.basename(path)))) > limit:
            problem = f"cannot be written: the name would have {size} bytes; {limit} are the most"
            raise OutputError(problem, place=place, remedy="give a shorter one, or shorten the recording's name")
        os.lstat(path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            problem = f"the path has {len(os.fsencode(path))} bytes, more than can be opened"
            raise OutputError(problem, place=place, remedy="choose a folder nearer to the top") from None
    except ValueError:  # a NUL, or half of a letter
        raise OutputError("cannot be a file's name", place=place, remedy="give another") from None


def _longest_name(folder: Path) -> int:
    for existing in (folder, *folder.parents):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            return os.pathconf(existing or ".", "PC_NAME_MAX")
    return NAME_BYTES


def write_atomically(path: str | Path, data: bytes, *, folder: bool = False) -> None:
    """Write `data` to a temporary file in the same folder, then give it its name.

    Args:
        path: Where it is a link, the file that it names is replaced, not the link.
        folder: Make the folder where there is none: for what lies in a folder of ours, not for a file that was named.

    Raises:
        OutputError: As `check_target`; the folder can't be written to or the disk is full; nothing is left behind.
    """
    check_target(path)
    temporary = None
    target = Path(os.path.realpath(path))
    if not folder and not target.parent.is_dir():
        raise OutputError(f"there is no folder {Path(path).parent}", place=str(path), remedy="make it first")
    try:
        if folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / part_name()
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        state = "the disk is full, nothing was written" if full else "cannot be written"
        remedy = "free some space" if full else "choose another name or folder"
        raise OutputError(f"{state} ({error.strerror})", place=str(path), remedy=remedy) from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                temporary.unlink()


def make_folder(folder: Path) -> None:
    """An output folder and those above it.

    Raises:
        OutputError: It can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"the folder cannot be made ({error.strerror})"
        raise OutputError(problem, place=str(folder), remedy="choose another --out-dir") from None


def remove_leftovers(folder: Path, *, below: bool = False) -> None:
    """Remove what killed runs have left half-written: at once where the process is known to be dead, or after an hour.

    Files, and folders that were to get their name when they are whole.

    Args:
        below: In its sub-folders too.
    """
    for part in list((folder.rglob if below else folder.glob)(".ptx-*.part")):
        with contextlib.suppress(OSError):
            folder_itself = part.is_dir() and not part.is_symlink()  # its time does not tell of work deeper in it
            longest = FOLDER_SECONDS if folder_itself else LEFTOVER_SECONDS
            if time.time() - part.lstat().st_mtime > longest or _is_orphan(part.name):
                shutil.rmtree(part) if folder_itself else part.unlink()


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder where the system keeps what is temporary; it goes at the end, or, killed, with the next one.

    Raises:
        OutputError: It can't be made.
    """
    root = Path(tempfile.gettempdir())
    remove_leftovers(root)
    folder = root / part_name()
    try:
        (folder / "work").mkdir(mode=0o700, parents=True)
        folder.chmod(0o700)
    except OSError as error:
        problem = f"no temporary folder can be made ({error.strerror})"
        raise OutputError(problem, place=str(root), remedy="set TMPDIR to a folder that can be written to") from None
    try:
        yield folder / "work"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_parts_of(process: str, folder: Path) -> None:
    """Remove what a process that was killed, of this machine or another, has left half-written (`process_name`)."""
    for part in folder.glob(f".ptx-{process}-*.part"):
        with contextlib.suppress(OSError):
            part.unlink()


def _is_orphan(name: str) -> bool:
    """Whether the process that a temporary file is named after was one of this machine and is dead.

    A number that another process has now, or that is of another machine (a folder may be shared), tells nothing.
    """
    found = _PART.fullmatch(name)
    if found is None or found["machine"] not in (None, _machine()) or not hasattr(os, "fork"):
        return False  # Windows has no way to ask for a process without ending it
    try:
        os.kill(int(found["process"]) or 1, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


@cache
def _machine() -> str:
    """Eight hex digits of what gives processes their numbers: host, its start, container."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:8]
