"""Corpora as they are found on disk: a reader for each layout, and how to tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.layouts import folders, kaldi, libri, ljspeech, manifests, vctk
from prosody_transfer.data.layouts.base import Entry, Fault, Source

__all__ = ["LAYOUTS", "Detected", "Entry", "Fault", "Layout", "Source", "detect", "read_entries"]


class Layout(NamedTuple):
    """How a layout is recognised and read.

    Attributes:
        shape: What lies in the folder.
        clue: (source) -> what speaks for this layout, or "".
        read: (source) -> its utterances and faults, one at a time.
    """

    shape: str
    clue: Callable[[Source], str]
    read: Callable[[Source], Iterator[Entry | Fault]]


LAYOUTS: dict[str, Layout] = {
    "kaldi": Layout("wav.scp, and text, utt2spk, segments where there are any", kaldi.clue, kaldi.read),
    "vctk": Layout("wav48*/SPEAKER/ID.wav, txt/SPEAKER/ID.txt, speaker-info.txt", vctk.clue, vctk.read),
    "librispeech": Layout(
        "SPEAKER/CHAPTER/ID.flac, SPEAKER-CHAPTER.trans.txt", libri.speech_clue, libri.read_librispeech
    ),
    "libritts": Layout("SPEAKER/CHAPTER/ID.wav, ID.normalized.txt", libri.tts_clue, libri.read_libritts),
    "ljspeech": Layout("metadata.csv with ID|text|normalised text, wavs/ID.wav", ljspeech.clue, ljspeech.read),
    "jsonl": Layout("a line an utterance: audio, and speaker, text, id", manifests.jsonl_clue, manifests.read_jsonl),
    "csv": Layout("a heading with audio, and speaker, text, id", manifests.csv_clue, manifests.read_csv),
    "tsv": Layout("the same with tabs", manifests.tsv_clue, manifests.read_tsv),
    "mfa": Layout("SPEAKER/x.wav with x.lab, x.txt, x.TextGrid or subtitles", folders.mfa_clue, folders.read_mfa),
    "folder": Layout(
        "recordings, perhaps with x.txt, x.lab, x.TextGrid or subtitles (x.srt, x.vtt, x.ass) beside x.wav",
        folders.clue, folders.read,
    ),
}
LAST = ("mfa", "folder")  # these also fit what the others fit, and count only where no other does


class Detected(NamedTuple):
    """A layout's name, what spoke for it, and where it was found."""

    name: str
    why: str
    source: Source


def detect(corpus: str | Path, *, layout: str = "auto", speaker: str = "", skip: str | Path | None = None) -> Detected:
    """Which layout a corpus has.

    Args:
        corpus: Its folder; or a manifest or Kaldi's wav.scp, whose paths may then lead anywhere.
        layout: A name from `LAYOUTS`, or "auto".
        speaker: Who speaks, where the layout does not say.
        skip: A folder in it that is not part of it: the output.

    Raises:
        UsageError: It is not there, has no layout that is known, several, or not the one named.
    """
    if layout != "auto" and layout not in LAYOUTS:
        raise UsageError(
            f"there is no layout {layout!r}", place="--layout", remedy=f"known: auto, {', '.join(LAYOUTS)}"
        )
    path = Path(corpus)
    try:
        found = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be resolved"
        raise UsageError(f"no such corpus ({reason})", place=str(path), remedy="check the path") from None
    out = Path(skip).resolve() if skip is not None else None
    if (found / "train.jsonl").is_file() and (found / "rejected.jsonl").is_file():
        raise UsageError("is what ptx prepare has made", place=str(path), remedy="name the corpus itself")
    source = Source.of(found, speaker, out)
    if layout != "auto":
        return Detected(layout, "it was asked for", source)
    below = source
    for _ in range(3):  # an archive often holds one folder, which holds the corpus
        clues = _clues(below)
        if clues:
            return _choose(clues, below, path)
        inner = below.only_folder()
        if inner is None:
            break
        below = Source.of(inner, speaker, out)
    raise UsageError(
        "holds no corpus in a layout that is known",
        place=str(path),
        remedy=f"known: {', '.join(LAYOUTS)}; name one with --layout",
    )


def _clues(source: Source) -> dict[str, str]:
    named = {name: why for name, known in LAYOUTS.items() if name not in LAST and (why := known.clue(source))}
    if named:
        return named
    for name in LAST:
        if why := LAYOUTS[name].clue(source):
            return {name: why}
    return {}


def _choose(clues: dict[str, str], source: Source, path: Path) -> Detected:
    if len(clues) > 1:
        seen = "; ".join(f"{name}: {why}" for name, why in clues.items())
        raise UsageError(f"could be several layouts ({seen})", place=str(path), remedy="choose one with --layout")
    name, why = next(iter(clues.items()))
    return Detected(name, why, source)


def read_entries(detected: Detected) -> Iterator[Entry | Fault]:
    """The utterances of a corpus in a fixed order, one at a time, and what is wrong with its lists and files.

    Raises:
        UsageError: The list that the layout rests on is missing.
    """
    return LAYOUTS[detected.name].read(detected.source)
