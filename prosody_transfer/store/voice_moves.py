"""Folders of voices get their names, give them up and are deleted: killed anywhere, there is a whole voice or none.

Imports nothing heavy.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from prosody_transfer.core.atomic import make_folder
from prosody_transfer.core.errors import OutputError

OLD, GONE = "old", "removed"  # `.NAME.old`: put aside for another; `.NAME.removed`: being deleted
_ASIDE = re.compile(rf"\.([a-z0-9_-]+)\.({OLD}|{GONE})")
_LEFT = (OLD, GONE, "partial", "importing")  # all that may lie beside a voice, hidden


def put_in_place(ready: Path, target: Path, *, replace: bool = False) -> None:
    """Give a finished folder its name, in one step where there is none of that name.

    Where there is one, it is put aside first; killed between the two, `recover` brings it back.

    Raises:
        OutputError: There is one and `replace` is False; or it can't be done.
    """
    if target.exists() and not replace:
        raise OutputError("exists", place=str(target), remedy="remove it first")
    try:
        make_folder(target.parent)
        with _alone(target.parent):
            if not target.exists():
                os.rename(ready, target)
                return
            old = target.with_name(f".{target.name}.{OLD}")
            shutil.rmtree(old, ignore_errors=True)
            os.rename(target, old)
            os.rename(ready, target)
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise OutputError(problem, place=str(target), remedy="choose another --voices") from None


def recover(root: Path) -> None:
    """Finish what was killed: a voice put aside gets its name back where no other has it; what was deleted goes."""
    try:
        aside = [match for match in map(_ASIDE.fullmatch, os.listdir(root)) if match]
    except OSError:
        return
    if not aside:
        return
    with _alone(root, wait=False) as alone, contextlib.suppress(OSError):
        for match in aside if alone else ():
            folder, target = root / match[0], root / match[1]
            if match[2] == OLD and (folder / "voice.json").is_file() and not (target / "voice.json").is_file():
                shutil.rmtree(target, ignore_errors=True)
                os.rename(folder, target)
            else:
                shutil.rmtree(folder, ignore_errors=True)


def leftovers(root: Path, name: str) -> list[Path]:
    """What lies of a voice beside its own folder: half-made, put aside or half-deleted."""
    return [path for kind in _LEFT if os.path.lexists(path := root / f".{name}.{kind}")]


def delete(root: Path, name: str) -> None:
    """Delete a voice's folder and all that lies of it beside; OutputError where that can't be done."""
    folder, gone = root / name, root / f".{name}.{GONE}"
    try:
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            if gone.exists():
                shutil.rmtree(gone)
            os.rename(folder, gone)  # from here on there is no voice, whatever stops us
        for path in leftovers(root, name):
            path.unlink() if path.is_symlink() else shutil.rmtree(path)
    except OSError as error:
        problem = f"cannot be deleted ({error.strerror})"
        raise OutputError(problem, place=str(folder), remedy="check its permissions") from None


@contextlib.contextmanager
def _alone(root: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the folder against others who move voices in it; False where one does and we were not to wait."""
    try:
        import fcntl
    except ImportError:  # Windows: two at once are the user's risk there
        yield True
        return
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held by another, or a file system that knows no locks
        yield wait
    else:
        yield True
    finally:
        os.close(folder)
