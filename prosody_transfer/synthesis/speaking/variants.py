"""One text said several ways, each into a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosody_transfer.audio.io import DEFAULT_SUBTYPE, check_writable
from prosody_transfer.core.errors import UsageError
from prosody_transfer.synthesis.speaking.choice import drawn_prosody, prosody_names
from prosody_transfer.synthesis.speaking.settings import SpeakSettings

if TYPE_CHECKING:
    from prosody_transfer.synthesis.speaking.speaker import Speaker
    from prosody_transfer.text.spoken import Lexicon

MOST_VARIANTS = 100


def numbered(path: str | Path, count: int) -> list[Path]:
    """out.wav -> out.1.wav, out.2.wav, ...

    >>> [path.name for path in numbered("out.wav", 2)]
    ['out.1.wav', 'out.2.wav']
    """
    path = Path(path)
    return [path.with_name(f"{path.stem}.{number}{path.suffix}") for number in range(1, count + 1)]


def check_variants(settings: SpeakSettings, count: int, output: str | Path, overwrite: bool, subtype: str) -> None:
    """Refuse, before any work, what can't be said in several ways, and files that can't be written.

    Raises:
        UsageError: The source of prosody says a text one way, or there are too many.
        OutputError: A file is there already, or can't be written.
    """
    if not drawn_prosody(settings.prosody):
        problem = "asks for several ways, and this source of prosody knows one"
        raise UsageError(problem, place="--variants", remedy=f"give --prosody {_able()}")
    if not 1 <= count <= MOST_VARIANTS:
        raise UsageError(f"{count} is out of range", place="--variants", remedy=f"give 1 to {MOST_VARIANTS}")
    for path in numbered(output, count):
        check_writable(path, overwrite, subtype, None)


def _able() -> str:
    return " or ".join(name for name in prosody_names() if drawn_prosody(name)) or "a model that draws"


def speak_variants(
    speaker: Speaker, text: str, voice: str, output: str | Path, settings: SpeakSettings, count: int, *,
    lexicon: Lexicon | None = None, place: str = "text", plan: str | Path | None = None, overwrite: bool = False,
    subtype: str = DEFAULT_SUBTYPE,
) -> list[dict[str, Any]]:  # fmt: skip
    """Say a text `count` times, drawn anew each time: `output` with 1, 2, ... before its suffix.

    Args:
        settings: The first is drawn by its `seed`, the next by that and one, and so on.
        plan: Stored of each, numbered as the outputs.

    Returns:
        What was done, of each.

    Raises:
        UsageError, OutputError: As `check_variants`; then nothing is said.
    """
    check_variants(settings, count, output, overwrite, subtype)
    ways = drawn_prosody(settings.prosody)
    plans = [None] * count if plan is None else numbered(plan, count)
    found = []
    for number, (path, of_plan) in enumerate(zip(numbered(output, count), plans, strict=True)):
        drawn = SpeakSettings(**{**settings.to_dict(), "prosody": ways, "seed": settings.seed + number})
        found.append(speaker.speak_to_file(
            text, voice, path, drawn, lexicon=lexicon, place=place, plan=of_plan, overwrite=overwrite, subtype=subtype
        ))  # fmt: skip
    return found
