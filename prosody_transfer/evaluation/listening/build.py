"""test.toml -> a folder with one page, its sounds under opaque names, and a key that the page never sees."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.loudness import normalise_level, speech_level_db
from prosody_transfer.core.atomic import make_folder, part_name, remove_leftovers, write_atomically
from prosody_transfer.core.errors import OutputError, PtxError, UsageError
from prosody_transfer.evaluation.listening import anchors
from prosody_transfer.evaluation.listening.design import (
    SCALE,
    Design,
    Item,
    Key,
    Page,
    Role,
    Stimulus,
    read_design,
    read_key,
)
from prosody_transfer.evaluation.listening.wording import instructions_of, question_of
from prosody_transfer.store.speech_file import IN_A_TEST, write_speech

LEVEL_DB = -26.0
LONGEST_DIFFERENCE_SECONDS = 0.05
FADE_SECONDS = 0.005
LONGEST_ITEM_SECONDS, LONGEST_SESSION_MINUTES, MANY_STIMULI = 12.0, 30.0, 12
SECONDS_A_RATING = 3.0  # beside one listening: to estimate how long a session takes


class Sound(NamedTuple):
    """A stimulus: (N,) float32 at the test's rate. `free`: says other words, so that its length is its own."""

    system: str
    role: Role
    waveform: np.ndarray
    free: bool = False


@dataclass(frozen=True)
class Built:
    """What was built: pages and stimuli of the whole test, the minutes that a session takes (estimated), warnings."""

    folder: Path
    pages: int
    stimuli: int
    minutes: float
    warnings: tuple[str, ...]


def build(
    test: str | Path, output: str | Path, *, overwrite: bool = False,
    on_item: Callable[[int, str], None] | None = None,
) -> Built:  # fmt: skip
    """Make a listening test.

    Sounds of a page are brought to one speech level (-26 dB, less where a peak would clip, alike for the whole page),
    one rate and one length, and begin and end with a 5 ms fade. The same test.toml and recordings give the same files.

    Args:
        test: test.toml; see `Settings`.
        output: The folder to make. It appears whole or not at all.
        overwrite: Replace an earlier test in that folder; never one that already has results.
        on_item: Called with how many items are done, and the last one's id.

    Raises:
        UsageError: test.toml is wrong, or stimuli of an item differ in length.
        AudioError: A recording can't be used.
        OutputError: The folder exists, has results, or can't be written.
    """
    design = read_design(test)
    folder = Path(output)
    _check_folder(folder, overwrite)
    target = Path(os.path.realpath(folder))
    remove_leftovers(target.parent)
    part = target.with_name(part_name())
    try:
        make_folder(part / "audio")
        pages, shown, warnings = _write_pages(design, part / "audio", on_item)
        key = _key(design, pages)
        data = _page_data(design, shown)
        write_atomically(part / "key.json", msgspec.json.format(msgspec.json.encode(key), indent=1) + b"\n")
        write_atomically(part / "index.html", render(data).encode())
        _install(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    minutes = data["minutes"]
    if minutes > LONGEST_SESSION_MINUTES:
        warnings.append(f"a session takes about {minutes:.0f} minutes; listeners tire after 30: see items_per_session")
    count = sum(len(page.stimuli) for page in key.pages)
    return Built(folder, len(key.pages), count, minutes, tuple(warnings))


def sounds_of(design: Design, index: int) -> tuple[list[Sound], Sound | None, list[str]]:
    """The rated stimuli of an item before they are matched, the open reference (or None), and warnings."""
    item, kind, rate = design.items[index], design.settings.kind, design.settings.sample_rate
    read = lambda path: read_audio(path, rate).waveform
    sounds = [Sound(name, "system", read(path)) for name, path in design.recordings[index].items()]
    opened = None
    if kind == "prosody":
        opened = Sound("reference", "reference", read(item.reference or item.source))
    elif kind == "similarity":
        opened = Sound("reference", "reference", read(item.reference), free=True)
    if item.natural:
        sounds.append(Sound("natural", "natural", read(item.natural)))
    elif opened:
        sounds.append(opened)  # hidden: it shall be found and get the top
    if design.settings.anchors:
        sounds.append(_anchor(design, item, read))
    warnings = []
    if (longest := max(len(s.waveform) for s in sounds) / rate) > LONGEST_ITEM_SECONDS:
        warnings.append(f"{item.id}: {longest:.1f} s are long; BS.1534 advises 12 s at most")
    if len(sounds) > MANY_STIMULI and index == 0:
        warnings.append(f"{len(sounds)} stimuli a page are many; BS.1534 advises 12 at most")
    return sounds, opened, warnings


def match_levels(waveforms: list[np.ndarray], sample_rate: int) -> tuple[list[np.ndarray], float]:
    """Bring (N_i,) waveforms to one speech level: -26 dB, or the highest below it at which no peak of any clips.

    Returns:
        The float32 waveforms, and the level in dB.
    """
    reached = []
    for waveform in waveforms:
        _, gain_db = normalise_level(waveform, sample_rate, LEVEL_DB)
        reached.append(speech_level_db(waveform, sample_rate) + gain_db)
    level = min(LEVEL_DB, *reached)
    return [normalise_level(waveform, sample_rate, level)[0] for waveform in waveforms], level


def match_lengths(sounds: list[Sound], sample_rate: int, place: str, allow: bool = False) -> list[Sound]:
    """Pad with silence to the longest of those that say the same words; `free` sounds keep their own length.

    Raises:
        UsageError: They differ by more than 50 ms and `allow` is False.
    """
    bound = [sound for sound in sounds if not sound.free]
    longest, shortest = max(bound, key=lambda s: len(s.waveform)), min(bound, key=lambda s: len(s.waveform))
    size = len(longest.waveform)
    if size - len(shortest.waveform) > LONGEST_DIFFERENCE_SECONDS * sample_rate and not allow:
        seconds = [f"{s.system} {len(s.waveform) / sample_rate:.3f} s" for s in (shortest, longest)]
        remedy = "the same words take the same time in a transfer; or set allow_length_difference = true"
        raise UsageError(f"stimuli differ in length ({', '.join(seconds)})", place=place, remedy=remedy)
    faded = [sound._replace(waveform=fade(sound.waveform, sample_rate)) for sound in sounds]
    pad = lambda wave: np.pad(wave, (0, size - len(wave)))
    return [sound if sound.free else sound._replace(waveform=pad(sound.waveform)) for sound in faded]


def fade(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """A copy of (N,) whose first and last 5 ms rise and fall as a raised cosine: no click at a switch or in a loop."""
    size = min(round(FADE_SECONDS * sample_rate), len(waveform) // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(size) + 0.5) / max(1, size))).astype(np.float32)
    out = np.array(waveform, np.float32)
    out[:size] *= ramp
    out[len(out) - size :] *= ramp[::-1]
    return out


def render(data: dict[str, Any]) -> str:
    """The page: one HTML file that asks for nothing but its sounds, which its own security policy makes sure of."""
    text = lambda name: resources.files(__package__).joinpath(name).read_text(encoding="utf8")
    css = text("page.css")
    script = "\n".join(text(name) for name in ("page_sound.js", "page_store.js", "page.js"))
    # "<" can't end the script that the data stand in, nor begin a comment.
    plain = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    digest = lambda part: base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest(script)}'; style-src 'sha256-{digest(css)}'; "
        "media-src 'self' file: blob:; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    page = text("page.html")
    parts = {"POLICY": policy, "TITLE": html.escape(data["title"]), "STYLE": css, "DATA": plain, "SCRIPT": script}
    before, *rest = page.split("{{")
    return before + "".join(parts[name] + tail for name, _, tail in (piece.partition("}}") for piece in rest))


def _anchor(design: Design, item: Item, read: Callable[[str], np.ndarray]) -> Sound:
    rate, kind = design.settings.sample_rate, design.settings.kind
    source = item.natural or item.source if kind == "naturalness" else item.source or item.reference
    try:
        if kind == "naturalness":
            return Sound("anchor_low_pass", "anchor", anchors.low_pass(read(source), rate))
        if kind == "prosody":
            return Sound("anchor_monotone", "anchor", anchors.monotone(read(item.reference or source), rate))
        if design.settings.similarity_anchor == "source":
            return Sound("anchor_source", "anchor", read(source))
        return Sound("anchor_copy_synthesis", "anchor", anchors.copy_synthesis(read(source), rate))
    except PtxError as error:
        if error.place:
            raise
        raise type(error)(error.problem, place=source, remedy=error.remedy) from None


def _write_pages(
    design: Design, folder: Path, on_item: Callable[[int, str], None] | None
) -> tuple[list[Page], list[dict[str, Any]], list[str]]:
    """Write the sounds; what goes into the key, what the page is told, and warnings."""
    pages, shown, warnings = [], [], []
    for index, item in enumerate(design.items):
        sounds, opened, found = sounds_of(design, index)
        rated, heard, softer = _match(design, item, sounds, opened)
        warnings += found + softer
        rate = design.settings.sample_rate
        names = {_name(design, item, sound): sound for sound in rated}
        reference = _name(design, item, heard) if heard else None
        written = {**names, **({reference: heard} if reference and heard else {})}
        for name in sorted(written):  # in an order that says nothing
            write_speech(folder / f"{name}.wav", written[name].waveform, rate, IN_A_TEST)
        stimuli = {name: Stimulus(system=names[name].system, role=names[name].role) for name in sorted(names)}
        pages.append(Page(page=f"page-{index + 1:02d}", item=item.id, stimuli=stimuli))
        seconds = {name: round(len(sound.waveform) / rate, 4) for name, sound in sorted(written.items())}
        shown.append({
            "page": pages[-1].page, "item": index, "repeat": False, "always": item.id in design.repeated,
            "text": item.text, "reference": reference, "stimuli": sorted(names), "seconds": seconds,
        })  # fmt: skip
        if on_item:
            on_item(index + 1, item.id)
    for page, view in list(zip(pages, shown, strict=True)):
        if page.item in design.repeated:
            again = f"page-{len(pages) + 1:02d}"
            pages.append(Page(page=again, item=page.item, repeat_of=page.page, stimuli=page.stimuli))
            shown.append({**view, "page": again, "repeat": True})
    return pages, shown, warnings


def _match(
    design: Design, item: Item, sounds: list[Sound], opened: Sound | None
) -> tuple[list[Sound], Sound | None, list[str]]:
    """Stimuli and open reference at one level and length; a warning where that level is low."""
    settings = design.settings
    every = sounds if opened is None else [*sounds, opened._replace(system="")]
    waveforms, level = match_levels([sound.waveform for sound in every], settings.sample_rate)
    every = [sound._replace(waveform=wave) for sound, wave in zip(every, waveforms, strict=True)]
    place = f'{design.path}: items "{item.id}"'
    every = match_lengths(every, settings.sample_rate, place, settings.allow_length_difference)
    low = level < LEVEL_DB - 0.1
    softer = [f"{item.id}: is played {LEVEL_DB - level:.1f} dB softer than the rest, or a peak would clip"] * low
    return every[: len(sounds)], every[-1] if opened else None, softer


def _name(design: Design, item: Item, sound: Sound) -> str:
    """Sixteen hex digits that tell nothing of the system, and change with the sound: no cache serves an old one."""
    said = f"{design.settings.id}|{design.settings.seed}|{item.id}|{sound.system}|{sound.role}|"
    return hashlib.sha256(said.encode() + sound.waveform.tobytes()).hexdigest()[:16]


def _key(design: Design, pages: list[Page]) -> Key:
    settings = design.settings
    hidden = any(stimulus.role == "reference" for page in pages for stimulus in page.stimuli.values())
    return Key(
        test=settings.id, kind=settings.kind, title=settings.title, aspects=design.aspects, reference=hidden,
        pages=tuple(pages), seed=settings.seed,
    )  # fmt: skip


def _page_data(design: Design, shown: list[dict[str, Any]]) -> dict[str, Any]:
    """All that the page is told; no name of a system is in it."""
    settings = design.settings
    drawn = settings.items_per_session or len(design.items)
    first = [view for view in shown if not view["repeat"]]
    ratings = [len(view["stimuli"]) * (max(view["seconds"].values()) + SECONDS_A_RATING) for view in first]
    minutes = (drawn + settings.repeats) * float(np.mean(ratings)) * len(design.aspects) / 60
    data = {
        "test": settings.id, "kind": settings.kind, "title": settings.title, "scale": SCALE,
        "instructions": instructions_of(settings.kind, settings.instructions), "headphones": settings.headphones,
        "aspects": [{"id": name, "question": question_of(settings.kind, name)} for name in design.aspects],
        "items": drawn, "minutes": round(minutes, 1), "pages": shown,
    }  # fmt: skip
    return {**data, "build": hashlib.sha256(json.dumps(data).encode()).hexdigest()[:12]}


def _check_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but an earlier test without results."""
    place = str(folder)
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise OutputError("is not a folder", place=place, remedy="give another name")
    if not any(folder.iterdir()):
        return
    try:
        read_key(folder)
    except UsageError:
        raise OutputError("holds other things", place=place, remedy="name a new or an empty folder") from None
    if (folder / "results").is_dir() and any((folder / "results").iterdir()):
        raise OutputError("holds results of an earlier test", place=place, remedy="build into another folder")
    if not overwrite:
        raise OutputError("exists", place=place, remedy="give another name, or --force to overwrite it")


def _install(part: Path, target: Path) -> None:
    """Give the finished folder its name; of an earlier test only what it was made of is removed."""
    try:
        if not target.exists():
            part.replace(target)
            return
        with suppress(FileNotFoundError):
            (target / "index.html").unlink()
        shutil.rmtree(target / "audio", ignore_errors=True)
        for name in ("audio", "key.json", "index.html"):
            (part / name).replace(target / name)
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise OutputError(problem, place=str(target), remedy="choose another name or folder") from None
