"""`ptx align --live`: phones as they are spoken, a line of JSON each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosody_transfer.cli._terminal import is_terminal, say
from prosody_transfer.core.errors import CutSampleError, UsageError

if TYPE_CHECKING:
    import numpy as np

BLOCK_SECONDS = 0.05  # of a file: what is known is printed as if it were just being said


def listen_live(
    source: Path, input_rate: int, track: int | None, channel: str | None, live: bool, refused: list[str]
) -> None:
    """Print the phones of a recording, or of samples on stdin ("-"), as each is over.

    Args:
        refused: Options that were given and have no meaning here.

    Raises:
        UsageError: One of those; or "-" without --live, or at a terminal.
        AudioError: The recording can't be read.
        CutSampleError: The last sample on stdin has one byte; what came before was printed.
    """
    if not live:
        raise UsageError("is heard as it comes", place="-", remedy="say --recognise phones --live")
    if refused:
        remedy = "leave it out: phones alone are heard, and printed at once"
        raise UsageError("does not go with --live", place=refused[0], remedy=remedy)
    from prosody_transfer.streaming.pipes import read_samples
    from prosody_transfer.streaming.settings import check_rate

    if str(source) == "-":
        rate = check_rate(input_rate)
        if is_terminal(sys.stdin):
            remedy = "such as: arecord ... | ptx align - --live"
            raise UsageError("is a terminal, and samples are no text", place="stdin", remedy=remedy)
        blocks = read_samples(sys.stdin.buffer)
    else:
        rate, blocks = _of_file(source, track, channel)
    from prosody_transfer.analysis.live import LiveListener

    listener = LiveListener(rate)
    try:
        for block in blocks:
            _tell(listener.push(block))
    except CutSampleError:
        _tell(listener.finish())
        raise
    _tell(listener.finish())


def _of_file(source: Path, track: int | None, channel: str | None) -> tuple[int, Iterator[np.ndarray]]:
    from prosody_transfer.audio.io import read_sound

    audio = read_sound(source, None, track=track, channel=channel)
    sound, size = audio.sound, round(BLOCK_SECONDS * audio.sample_rate)
    return audio.sample_rate, (sound[i : i + size] for i in range(0, len(sound), size))


def _tell(phones: list[Any]) -> None:
    for phone in phones:
        facts = {name: round(value, 3) if name != "phone" else value for name, value in phone._asdict().items()}
        say(json.dumps(facts))
    if phones:
        sys.stdout.flush()
