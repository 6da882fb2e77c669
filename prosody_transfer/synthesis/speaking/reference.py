"""Words said as in a recording of them: what each word does there takes the place of what its text tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from prosody_transfer.analysis.analyse import analyse_file
from prosody_transfer.analysis.readings import Reading, read_analysis
from prosody_transfer.analysis.source import SourceAligner
from prosody_transfer.analysis.transcript import find_words
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import MismatchError, UsageError
from prosody_transfer.synthesis.speaking.planning import TAIL_SECONDS, ProsodySource
from prosody_transfer.synthesis.speaking.wishes import Request
from prosody_transfer.text.normalise import normalise

REMEDY = "give the text of the recording, or a recording of the text"


def said_as_in(
    path: str | Path, found: Sequence[Request], text: str, source: ProsodySource, aligner: SourceAligner,
    config: MelConfig,
) -> list[Request]:  # fmt: skip
    """Requests whose words are said as they are in a recording of the same words.

    Args:
        found: Of `text`, all of it.
        source: Whose model tells what is heard of words.

    Raises:
        UsageError: The source of prosody can't be told of words.
        MismatchError: The recording is of other words; the message names the first that differs.
        PtxError: As `analyse_file`.
    """
    if not hasattr(source.model, "hear"):
        problem = f"{source.choice.name} can't be told of words"
        raise UsageError(problem, place="--words-from", remedy="choose another --prosody")
    known = find_words(path, None, None)
    if known.alignment is None and known.text:
        _require_same(known.text, text, path)
    analysis = analyse_file(path, aligner, text=text, config=config)
    if analysis.aligned.wrong:
        raise MismatchError(analysis.aligned.wrong[0], place=str(path), remedy=REMEDY)
    reading = read_analysis(analysis, [request.sentence for request in found], text)
    if reading is None:
        raise MismatchError("its phones can't be read as the words of the text", place=str(path), remedy=REMEDY)
    return _told(found, reading, source, config)


def _require_same(theirs: str, ours: str, path: str | Path) -> None:
    """MismatchError where the words of the recording's transcript are not those of the text."""
    heard, said = normalise(theirs), normalise(ours)
    for i in range(max(len(heard), len(said))):
        a, b = (words[i] if i < len(words) else "" for words in (heard, said))
        if a != b:
            has = f"has {b!r}" if b else "is over"
            problem = f"says {a!r}, where the text {has}" if a else f"is over before {b!r}"
            problem += f" (word {i + 1})"
            raise MismatchError(problem, place=str(path), remedy=REMEDY)


def _told(found: Sequence[Request], reading: Reading, source: ProsodySource, config: MelConfig) -> list[Request]:
    """Each sentence with what is heard of its words, their phones as they were said, and the pause after it."""
    heard = source.model.hear(source.network, reading)
    word, gaps = reading.tokens.word, reading.tokens.is_gap
    step, first, told = config.hop_length / config.sample_rate, 0, []
    for request in found:
        words = []
        for i, spoken in enumerate(request.sentence.words, first):
            words.append(replace(spoken, phones=reading.phones[i]))
        last = first + len(words) - 1
        silence = float(reading.frames[gaps & (word == last)].sum()) * step
        told.append(replace(
            request, sentence=replace(request.sentence, words=tuple(words)), heard=heard[first : last + 1],
            silence=max(0.0, silence - TAIL_SECONDS),
        ))  # fmt: skip
        first = last + 1
    return told
