"""Where the text that is to be said comes from, and what reading it needs; nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from prosody_transfer.core.errors import DependencyError, UsageError
from prosody_transfer.core.extras import LANGUAGE, missing, remedy
from prosody_transfer.synthesis.speaking.choice import PLAIN, choose_prosody
from prosody_transfer.text.linguistics.word_lists import read_sentences


def require_prosody(prosody: str, place: str = "ptx speak") -> None:
    """Refuse, before any work, what the source of prosody needs and is not installed.

    Raises:
        UsageError: There is no such source.
        DependencyError: It reads the text's parse, and the extra `speak` is not installed.
    """
    if choose_prosody(prosody).reads and (lacking := missing(LANGUAGE)):
        is_are = "is" if len(lacking) == 1 else "are"
        problem = f"needs {', '.join(lacking)}, which {is_are} not installed"
        raise DependencyError(problem, place=place, remedy=f"{remedy('speak')}, or give --prosody {PLAIN}")


def read_source(text: str | None, file: Path | None, stream: IO[str] | None) -> tuple[str, str]:
    """A text and what to call it in messages: one that is given, or a file's, or what a stream holds.

    Args:
        stream: Read where nothing else is given; None where there is none.

    Raises:
        UsageError: There is no text, or there are two.
        TranscriptError: The file can't be read, or is no text.
    """
    remedy_ = 'such as: ptx speak "Did she call?" --speaker alice'
    if text is not None and file is not None:
        raise UsageError("takes one of TEXT and --input-file", place="ptx speak", remedy=remedy_)
    if file is not None:
        return read_sentences(file), str(file)
    if text is None:
        text = stream.read() if stream is not None else ""
        place = "stdin"
    else:
        place = "text"
    if not text.strip():
        raise UsageError("needs a text", place="ptx speak", remedy=remedy_)
    return text, place
