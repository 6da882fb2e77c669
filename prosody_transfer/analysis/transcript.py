"""What is known of a recording's words: given, in a file, or in a sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prosody_transfer.alignment.anchors import Anchors
from prosody_transfer.alignment.doubts import settle
from prosody_transfer.core.errors import PtxError, TranscriptError
from prosody_transfer.core.types import Alignment
from prosody_transfer.text.cleaning import Cleaned
from prosody_transfer.text.rate import require_time


@dataclass
class Transcript:
    """What is known of the words.

    Attributes:
        text: As written; "" when there is none.
        alignment: Given by a TextGrid: its phones, or words and their times; otherwise None.
        origin: "text", "sidecar", "textgrid", "textgrid-words" (it has no phones) or "" (nothing known).
        cleaned: The text with its doubts, and what was left out of it; None where nothing was looked for.
    """

    text: str = ""
    alignment: Alignment | Anchors | None = None
    origin: str = ""
    cleaned: Cleaned | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, cleaned: Cleaned, origin: str) -> Transcript:
        """What is said of a text."""
        return cls(cleaned.text, None, origin, cleaned)

    def require_time(self, seconds: float) -> None:
        """MismatchError where even what is surely said can't be said in a recording of so many seconds."""
        doubts = self.cleaned.doubts if self.cleaned else ()
        require_time(self.cleaned.settled([False] * len(doubts)).marked if self.cleaned else self.text, seconds)

    def settled(self, heard: Sequence[Alignment], warnings: list[str]) -> str:
        """The text without what is not said, as far as what was heard tells; `warnings` get a note on what that was."""
        if self.cleaned is None:
            return self.text
        said = settle(self.cleaned, heard)
        said = said if any(map(str.isalnum, said.text)) else self.cleaned
        warnings += [note] if (note := said.note()) else []
        return said.text


def find_words(path: str | Path, text: str | None, transcript: str | Path | None) -> Transcript:
    """The transcript of a file: given, in a given file, or in a sidecar; an empty one when there is none.

    Raises:
        TranscriptError: A given transcript is empty or can't be read.
    """
    from prosody_transfer.alignment.textgrid import read_timed
    from prosody_transfer.text.transcript import find_transcript, read_words, spoken_part

    if text is not None:
        if not text.strip():
            raise TranscriptError(
                "is empty", place="--text", remedy="give the words, or leave it out to have them recognised"
            )
        return Transcript.of(spoken_part(text, "--text"), "text")
    found = Path(transcript) if transcript is not None else find_transcript(path)
    if found is None:
        return Transcript()
    if found.suffix.lower() == ".textgrid":
        alignment = read_timed(found)
        if isinstance(alignment, Anchors):
            return Transcript(alignment.text, alignment, "textgrid-words")
        return Transcript(" ".join(w.word for w in alignment.words), alignment, "textgrid")
    return Transcript.of(read_words(found), "text" if transcript is not None else "sidecar")


def given_words(text: str | None, alignment: Alignment | None = None) -> Transcript:
    """What is known of the words of an array: its text, or its phones in time, which go before.

    Raises:
        TranscriptError: The text is empty, or nothing in it is said.
    """
    from prosody_transfer.text.transcript import spoken_part

    if alignment is not None:
        return Transcript(text or "", alignment, "textgrid")
    if text is None:
        return Transcript()
    if not text.strip():
        raise TranscriptError("is empty", place="text", remedy="give the words, or None to have them recognised")
    return Transcript.of(spoken_part(text, "text"), "text")


def name_file(error: PtxError, path: str | Path) -> PtxError:
    """The same error, naming the recording where it names none; flags and other files that it names stay."""
    if error.place not in ("", "transcript", "phones tier"):
        return error
    problem = f"{error.place}: {error.problem}" if error.place else error.problem
    return type(error)(problem, place=str(path), remedy=error.remedy)
