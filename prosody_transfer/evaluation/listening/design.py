"""What a listening test is made of: test.toml, read and checked; and key.json, which tells who was who."""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.core.reading import RECORD_BYTES, read_bytes, read_toml

Kind = Literal["naturalness", "similarity", "prosody"]
Role = Literal["system", "reference", "anchor", "natural"]

FORMAT: Literal["ptx-listening-1"] = "ptx-listening-1"
SCALE = ("Excellent", "Good", "Fair", "Poor", "Bad")  # 100 to 0, twenty points each (ITU-R BS.1534-3)
ASPECTS = ("rhythm", "emphasis", "syllable length", "melody", "loudness")  # as in Karlapati et al. 2020
OVERALL = ("overall",)
SUFFIXES = (".wav", ".flac", ".opus", ".ogg", ".mp3")
MOST_STIMULI = 15  # on a page; BS.1534-3 advises 12 at most
_REMEDY = "docs/listening.md lists what a test may hold"


class Item(Config):
    """One thing that was said; paths are relative to test.toml, absolute once read, "" where there is none.

    Attributes:
        id: Takes the place of {item} in patterns.
        source: The recording whose prosody was taken.
        reference: What the listeners may hear as the reference. Prosody: the source, unless another is given.
            Similarity: another utterance of the target speaker. Naturalness: none.
        natural: A recording of the target speaker saying the same words, hidden among the stimuli as the top.
        text: The words, shown on the page.
    """

    id: str
    source: str = ""
    reference: str = ""
    natural: str = ""
    text: str = ""


class Settings(Config):
    """test.toml.

    Attributes:
        title: Shown to the listeners.
        id: Letters, digits, ".", "_", "-".
        kind: What is rated; see `docs/listening.md`.
        systems: Name -> where its outputs are: a folder that holds ITEM.wav (.flac, ...), or a pattern with {item}.
        items: Tables, or only ids, whose files then follow from `source`, `reference` and `natural`.
        instructions: Instead of the standing ones; paragraphs are parted by empty lines.
        seed: Of names and repeats; pages and stimuli are ordered anew for each listener.
        items_per_session: How many of the items each listener gets, drawn at random; 0: all.
        repeats: How many pages come twice in each session, as a check of attention.
        aspects: Prosody: which of the five are rated.
        anchors: Make an anchor of this kind's own for each item.
        similarity_anchor: "copy-synthesis" of the source (through the shipped vocoder), or the "source" recording.
        allow_length_difference: Take stimuli of an item that differ by more than 50 ms.
        sample_rate: Of all sounds of the test, Hz.
        headphones: "check" (listeners must tell tones apart that only headphones keep apart), "ask", "off".
        source, reference, natural: Patterns for items that don't name their own.
    """

    title: str
    id: str
    kind: Kind
    systems: dict[str, str]
    items: list[str | Item]
    instructions: str = ""
    seed: int = 0
    items_per_session: int = 0
    repeats: int = 0
    aspects: tuple[str, ...] = ASPECTS
    anchors: bool = True
    similarity_anchor: Literal["copy-synthesis", "source"] = "copy-synthesis"
    allow_length_difference: bool = False
    sample_rate: int = 24000
    headphones: Literal["check", "ask", "off"] = "check"
    source: str = ""
    reference: str = ""
    natural: str = ""


class Stimulus(Config):
    """Who was heard under an opaque name."""

    system: str
    role: Role


class Page(Config, kw_only=True):
    """One page; `repeat_of` names the page that it repeats. Opaque names are unique across pages, repeats apart."""

    page: str
    item: str
    repeat_of: str | None = None
    stimuli: dict[str, Stimulus]


class Key(Config, kw_only=True):
    """key.json: never served, never loaded by the page. `reference`: a hidden reference is among the stimuli."""

    format: Literal["ptx-listening-1"] = FORMAT
    test: str
    kind: Kind
    title: str
    scale: tuple[str, ...] = SCALE
    aspects: tuple[str, ...]
    reference: bool
    pages: tuple[Page, ...]
    seed: int


@dataclass(frozen=True)
class Design:
    """A test whose files are all there.

    Attributes:
        path: test.toml, for messages.
        items: With absolute paths.
        recordings: For each item: system -> file.
        repeated: Ids of the items whose page comes twice.
    """

    path: Path
    settings: Settings
    items: tuple[Item, ...]
    recordings: tuple[dict[str, str], ...]
    repeated: tuple[str, ...] = field(default=())

    @property
    def aspects(self) -> tuple[str, ...]:
        return self.settings.aspects if self.settings.kind == "prosody" else OVERALL


def read_design(path: str | Path) -> Design:
    """Read and check test.toml and find every file that it names.

    Raises:
        UsageError: It can't be read, or a key is unknown, missing or wrong, or a file that it names is not there; the
            message names the file and the key.
    """
    path = Path(path)
    settings = _read(path)
    _check(path, settings)
    items = [item if isinstance(item, Item) else Item(id=item) for item in settings.items]
    _check_ids(path, items)
    found, recordings = [], []
    for item in items:
        names = {}
        for key in ("source", "reference", "natural"):
            own = getattr(item, key)
            pattern = own or getattr(settings, key)
            place = f'{path}: items "{item.id}": {key}'
            names[key] = _find(path.parent, pattern, item.id, place, folder=not own) if pattern else ""
        found.append(Item(id=item.id, text=item.text, **names))
        where = settings.systems.items()
        recordings.append({name: _find(path.parent, p, item.id, f"{path}: systems.{name}") for name, p in where})
    _check_kind(path, settings, found)
    drawn = random.Random(f"{settings.id} {settings.seed} repeats")
    repeated = tuple(drawn.sample([item.id for item in found], settings.repeats))
    return Design(path, settings, tuple(found), tuple(recordings), repeated)


def read_key(folder: str | Path) -> Key:
    """key.json of a listening folder.

    Raises:
        UsageError: There is none, or it is damaged.
    """
    path = Path(folder) / "key.json"
    data = read_bytes(path, RECORD_BYTES, UsageError, "make the folder with ptx listen build")
    try:
        return msgspec.json.decode(data, type=Key)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = f"is damaged: {error}"
        raise UsageError(problem, place=str(path), remedy="build the test again") from None


def _read(path: Path) -> Settings:
    try:
        return msgspec.convert(read_toml(path, _REMEDY), Settings)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        where = where.strip("`$").lstrip(".")
        place = f"{path}: {where}" if where else str(path)
        raise UsageError(problem[:1].lower() + problem[1:], place=place, remedy=_REMEDY) from None


def _check(path: Path, settings: Settings) -> None:
    """Values that are wrong by themselves."""

    def wrong(key: str, problem: str, remedy: str = _REMEDY) -> UsageError:
        return UsageError(problem, place=f"{path}: {key}", remedy=remedy)

    if not settings.title.strip():
        raise wrong("title", "is empty", "say what the listeners shall read at the top")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", settings.id):
        raise wrong("id", f"{settings.id!r} is not a name", "use letters, digits, '.', '_', '-'; 64 at most")
    if not settings.systems:
        raise wrong("systems", "names no system", 'write [systems] and, for example, ptx = "outputs/{item}.wav"')
    for name in settings.systems:
        if not name.strip() or len(name) > 60 or not name.isprintable():
            raise wrong("systems", f"{name!r} is not a name", "use up to 60 letters")
        if name in ("reference", "natural") or name.startswith("anchor"):
            raise wrong(f"systems.{name}", "is a name that the test itself gives", "call the system something else")
    if len(settings.systems) + 2 > MOST_STIMULI:
        raise wrong("systems", f"{len(settings.systems)} are too many", f"{MOST_STIMULI - 2} fit on a page")
    if not settings.items:
        raise wrong("items", "names no item", 'write items = ["ID", ...], or [[items]] tables')
    count = settings.items_per_session or len(settings.items)
    if not 0 < count <= len(settings.items):
        raise wrong("items_per_session", f"{count} of {len(settings.items)} items", "give 0 for all, or fewer")
    if not 0 <= settings.repeats <= count:
        raise wrong("repeats", f"{settings.repeats} of {count} items a session", "give no more than there are items")
    if not 8000 <= settings.sample_rate <= 48000:
        raise wrong("sample_rate", f"is {settings.sample_rate} Hz", "give 8000 to 48000")
    unknown = [aspect for aspect in settings.aspects if aspect not in ASPECTS]
    if unknown or not settings.aspects or len(set(settings.aspects)) < len(settings.aspects):
        raise wrong("aspects", f"{list(settings.aspects)} are not some of the five", f"known are {', '.join(ASPECTS)}")


def _check_ids(path: Path, items: list[Item]) -> None:
    seen: set[str] = set()
    for item in items:
        place = f'{path}: items "{item.id}"'
        if not item.id.isprintable() or not 0 < len(item.id) <= 120 or item.id[0] in ". " or set(item.id) & set("/\\"):
            raise UsageError("is not an id", place=place, remedy="use up to 120 letters, no '/', no '.' in front")
        if item.id in seen:
            raise UsageError("comes twice", place=place, remedy="give each item an id of its own")
        seen.add(item.id)


def _find(base: Path, pattern: str, item: str, place: str, folder: bool = True) -> str:
    """The file that a pattern, a folder or a path means for an item."""
    path = base / pattern.replace("{item}", item)
    if folder and "{item}" not in pattern:
        if not os.path.isdir(path):  # unlike Path's own, these answer for names that no system takes, too
            problem = "has no {item} in it" if os.path.isfile(path) else f"there is no folder {path}"
            remedy = f'name a folder that holds {item}.wav, or a pattern like "outputs/{{item}}.wav"'
            raise UsageError(problem, place=place, remedy=remedy)
        found = [path / f"{item}{suffix}" for suffix in SUFFIXES if os.path.isfile(path / f"{item}{suffix}")]
        if len(found) != 1:
            problem = f"{path} holds {'more than one' if found else 'no'} recording named {item}"
            raise UsageError(problem, place=place, remedy=f"keep one of {', '.join(item + s for s in SUFFIXES)}")
        path = found[0]
    if not os.path.isfile(path):
        raise UsageError(f"no such file {path}", place=place, remedy="paths are relative to the test's own folder")
    return str(path.resolve())


def _check_kind(path: Path, settings: Settings, items: list[Item]) -> None:
    """Each kind needs recordings of its own, for its reference and its anchor."""
    anchored = settings.anchors
    for item in items:
        place = f'{path}: items "{item.id}"'
        if settings.kind == "prosody" and not (item.reference or item.source):
            raise UsageError("has no source", place=place, remedy="name the recording whose prosody was taken")
        if settings.kind == "similarity" and not item.reference:
            raise UsageError("has no reference", place=place, remedy="name another utterance of the target speaker")
        if settings.kind == "similarity" and anchored and not item.source:
            raise UsageError("has no source to make the anchor of", place=place, remedy="name it, or anchors = false")
        if settings.kind == "naturalness":
            if item.reference:
                problem = "has a reference, but naturalness is rated without one"
                raise UsageError(problem, place=place, remedy="call it natural: it is hidden among the stimuli")
            if anchored and not (item.natural or item.source):
                problem = "has no natural recording to make the anchor of"
                raise UsageError(problem, place=place, remedy="name natural or source, or anchors = false")
        if bool(item.natural) != bool(items[0].natural) and settings.kind != "prosody":
            problem = "some items have a natural recording and some have none"
            raise UsageError(problem, place=place, remedy="name one for every item, or for none")
        if settings.kind == "prosody" and item.natural:
            problem = "has natural, which a prosody test has no use for"
            raise UsageError(problem, place=place, remedy="make it a system, or leave it out")
