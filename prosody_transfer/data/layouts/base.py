"""What a layout's reader gives, and what all of them need: safe paths, safe walks, safe lines."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import open_regular

# What is taken for a recording. Those of the second row can't be read: they are found, reported and not passed over.
AUDIO_SUFFIXES = frozenset(
    (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64",
     ".m4a", ".aac", ".wma", ".amr", ".webm", ".mp4", ".sph")
)  # fmt: skip
LONGEST_LINE = 1 << 20  # characters


class Entry(Config):
    """An utterance as its corpus lists it.

    Attributes:
        id: Unique for its speaker, in a corpus without faults.
        audio: The file, absolute.
        speaker: Name.
        text: What is said; None where the corpus does not say.
        sidecar: A .txt, .lab or .TextGrid file with the words; "" where there is none.
        start, end: Seconds of the file that are meant; None: from its start, to its end.
    """

    id: str
    audio: str
    speaker: str
    text: str | None = None
    sidecar: str = ""
    start: float | None = None
    end: float | None = None


class Fault(Config):
    """Something that is listed or found, and can't be used; `reason` is from `data.reasons.REASONS`."""

    id: str
    audio: str
    reason: str
    detail: str


class Folder(NamedTuple):
    """A folder of a walk: its path, the names of its files in order, and what is wrong in it."""

    path: Path
    names: list[str]
    faults: list[Fault]


@dataclass(frozen=True)
class Source:
    """Where a corpus is.

    Attributes:
        root: Its folder, resolved. What lies outside is not touched, unless `listing` is given.
        listing: The file that the user named in the folder's place; its paths may lead anywhere.
        speaker: Who speaks, where the layout does not say; "" for the folder's name.
        skip: A folder that does not belong to it.
    """

    root: Path
    listing: Path | None = None
    speaker: str = ""
    skip: Path | None = None

    @classmethod
    def of(cls, path: Path, speaker: str = "", skip: Path | None = None) -> Source:
        return cls(path, None, speaker, skip) if path.is_dir() else cls(path.parent, path, speaker, skip)

    @property
    def one_speaker(self) -> str:
        """The name of the speaker of a corpus that has but one."""
        return self.speaker or printable(self.root.name) or "speaker"

    def names(self) -> list[str]:
        """What lies in the folder itself, in order; hidden files are left out."""
        try:
            return sorted(name for name in os.listdir(self.root) if not name.startswith("."))
        except OSError as error:
            raise UsageError(f"cannot be read ({error.strerror})", place=str(self.root), remedy="check it") from None

    def only_folder(self) -> Path | None:
        """The one folder in it, where there is nothing else."""
        names = self.names() if self.listing is None else []
        inner = self.root / names[0] if len(names) == 1 else None
        return inner if inner is not None and inner.is_dir() and not inner.is_symlink() and inner != self.skip else None

    def need(self, name: str) -> Path:
        """A file that the layout rests on.

        Raises:
            UsageError: It is not there.
        """
        path = self.root / name
        if not path.is_file():
            raise UsageError(f"there is no {name}", place=str(self.root), remedy="choose another --layout")
        return path


def printable(text: str) -> str:
    """Text without what JSON, pages and terminals choke on: bytes that are not UTF-8 are written out.

    >>> printable("caf\\udce9")
    'caf\\\\xe9'
    """
    try:
        return text.encode("utf8", "surrogateescape").decode("utf8", "backslashreplace")
    except UnicodeEncodeError:  # half a pair, which JSON can spell and no file name holds
        return text.encode("utf8", "backslashreplace").decode("utf8")


def is_text(text: str) -> bool:
    """False when it holds bytes that were not UTF-8."""
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return False
    return True


def is_audio(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES


def locate(source: Source, base: Path, name: str) -> tuple[str, str, str]:
    """A file that a list names: (path, "", ""), or (path, reason, detail) when it can't be used.

    Args:
        base: What relative names are relative to.
    """
    path = os.path.normpath(os.path.join(base, name))
    if not is_text(path) or "\0" in path:
        return path, "name", f"{printable(name)!r} is not UTF-8 text"
    inside = source.listing is not None or _within(path, source.root)
    if not inside:
        return path, "outside", f"{name} leads out of the corpus folder"
    try:
        os.stat(path)
        real = os.path.realpath(path)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return path, "loop", f"{name} is a link that leads round in a circle"
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return path, "missing", f"there is no {name}"
        return path, "unreadable", f"{name} cannot be read ({error.strerror})"
    if source.listing is None and not _within(real, source.root):
        return path, "outside", f"{name} is a link that leads out of the corpus folder"
    return path, "", ""


def entry_or_fault(source: Source, base: Path, name: str, **known: object) -> Entry | Fault:
    """An `Entry` for a file that a list names, or the `Fault` that it has."""
    path, reason, detail = locate(source, base, name)
    if reason:
        return Fault(id=printable(str(known["id"])), audio=printable(path), reason=reason, detail=printable(detail))
    for field in ("id", "speaker"):
        if not is_text(str(known[field])):
            detail = f"{field} {printable(str(known[field]))!r}"
            return Fault(id=printable(str(known["id"])), audio=path, reason="name", detail=detail)
    if not is_text(str(known.get("text") or "")):
        return Fault(id=str(known["id"]), audio=path, reason="encoding", detail=printable(str(known["text"]))[:200])
    return Entry(audio=path, **known)  # type: ignore[arg-type]


def key_and_rest(line: str) -> tuple[str, str]:
    """A line's first field and what follows it, whatever blanks stand between, before and behind; "" for none.

    >>> key_and_rest(" u1\\t a b.wav \\t"), key_and_rest("u1")
    (('u1', 'a b.wav'), ('u1', ''))
    """
    fields = line.split(None, 1)
    return (fields[0], fields[1].strip()) if len(fields) == 2 else (line.strip(), "")


def _within(path: str, root: Path) -> bool:
    return path == str(root) or path.startswith(str(root).rstrip(os.sep) + os.sep)


def walk(source: Source, start: Path | None = None) -> Iterator[Folder]:
    """Every folder of a corpus, in a fixed order. No link to a folder is followed; hidden names are passed over."""
    stack = [start or source.root]
    while stack:
        folder = stack.pop()
        names: list[str] = []
        below: list[Path] = []
        faults: list[Fault] = []
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            detail = f"the folder cannot be read ({error.strerror})"
            fault = Fault(id="", audio=printable(str(folder)), reason="unreadable", detail=detail)
            yield Folder(folder, [], [fault])
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                problem = _link_problem(source, entry)
                if problem:
                    name = printable(entry.name)
                    path = printable(entry.path)
                    faults.append(Fault(id=os.path.splitext(name)[0], audio=path, reason=problem[0], detail=problem[1]))
                elif entry.is_file():
                    names.append(entry.name)
            elif entry.is_dir(follow_symlinks=False):
                if Path(entry.path) != source.skip:
                    below.append(Path(entry.path))
            else:
                names.append(entry.name)
        stack.extend(reversed(below))
        yield Folder(folder, names, faults)


def _link_problem(source: Source, entry: os.DirEntry[str]) -> tuple[str, str] | None:
    """What is wrong with a link; None for one that may be used, or that is of no interest."""
    try:
        real = os.path.realpath(entry.path, strict=True)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "loop", "is a link that leads round in a circle"
        return ("missing", "is a link to something that is not there") if is_audio(entry.name) else None
    if os.path.isdir(real):
        if _within(entry.path, Path(real)):
            return "loop", "is a link to a folder that it lies in"
        return None if _within(real, source.root) else ("outside", "is a link to a folder outside the corpus")
    if not _within(real, source.root) and is_audio(entry.name):
        return "outside", "is a link to a file outside the corpus"
    return None


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines of a list, without their ends; empty ones are left out.

    UTF-8, or UTF-16 with its mark. Bytes that are not UTF-8 come out as lone surrogates, as they do in file names, so
    that a name in a list equals that of the file. A line beyond a million characters comes out cut.

    Raises:
        UsageError: It can't be read.
    """
    try:
        with open_regular(path, UsageError, "check the file") as raw:
            head = raw.read(3)
        wide = head[:2] in (b"\xff\xfe", b"\xfe\xff")
        encoding = "utf-16" if wide else "utf-8-sig" if head == b"\xef\xbb\xbf" else "utf-8"
        with open(path, encoding=encoding, errors="replace" if wide else "surrogateescape") as file:
            number, whole = 0, True
            while line := file.readline(LONGEST_LINE):
                number, before, whole = number + whole, whole, line.endswith("\n")
                if line.startswith("\ufeff"):  # lists put one after the other, each with its mark
                    line = line[1:]
                if before and line.strip():
                    yield number, line.rstrip("\n")
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", place=str(path), remedy="check the file") from None
