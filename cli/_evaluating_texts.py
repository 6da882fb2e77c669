"""`ptx evaluate --texts`: texts are spoken and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prosody_transfer.cli._shared import print_json, print_table, progress
from prosody_transfer.cli._terminal import say
from prosody_transfer.core.errors import UsageError

VOICES = "alice,michael,heart"
MARKS = {True: "yes", False: "NO", None: "-"}


def evaluate_texts(
    alone: bool, texts: Path, speakers: str | None, prosody: str, asr: bool | None, quality: bool | None,
    limit: int | None, seed: int, model: Path | None, vocoder: str | None, json: bool,
) -> None:  # fmt: skip
    """Speak the texts of a file in voices and print the rows of the table that they are judged by.

    Args:
        alone: Whether nothing else is to be judged.
        speakers: Names, parted by commas; of a manifest's rows those of these speakers are spoken, None for all.

    Raises:
        UsageError: A text, a voice or the source of prosody is wrong.
        DependencyError: `prosody` needs a package that is not installed.
    """
    from prosody_transfer.evaluation.evaluate import spread
    from prosody_transfer.evaluation.judges import Judges, Settings
    from prosody_transfer.evaluation.texts.read import read_texts
    from prosody_transfer.evaluation.texts.summary import summarise
    from prosody_transfer.synthesis.speaking.choice import choose_prosody
    from prosody_transfer.synthesis.speaking.settings import SpeakSettings
    from prosody_transfer.synthesis.speaking.text_source import require_prosody

    if not alone:
        remedy = "leave PAIRS, --sources, --benchmark and --report out"
        raise UsageError("goes by itself", place="--texts", remedy=remedy)
    require_prosody(prosody, "ptx evaluate --texts")
    names = [name.strip() for name in (speakers or VOICES).split(",") if name.strip()]
    rows = [row for row in read_texts(texts) if not row.speaker or speakers is None or row.speaker in names]
    if not rows or not names:
        raise UsageError("there is nothing to speak", place="--speaker", remedy="name voices of the file")
    if limit is not None:
        rows = [rows[i] for i in spread(len(rows), limit)]

    from prosody_transfer.evaluation.texts.speak import judge_texts
    from prosody_transfer.synthesis.speaking.speaker import Speaker
    from prosody_transfer.synthesis.transferer import Transferer

    speaker = Speaker(Transferer(model, vocoder))
    for name in sorted({row.speaker for row in rows if row.speaker} | (set() if rows[0].speaker else set(names))):
        speaker.transferer.voice(name)
    judges = Judges(Settings(asr=asr is not False, quality=quality is not False))
    with progress("texts", sum(1 if row.speaker else len(names) for row in rows)) as bar:
        settings = SpeakSettings(prosody=prosody, seed=seed)
        measured = judge_texts(rows, names, settings, judges, speaker, on_done=bar.move)
    figures = summarise(measured)
    if json:
        print_json({
            "texts": len(rows), "prosody": choose_prosody(prosody).name, "figures": figures, "rows": measured,
            "missing": judges.missing,
        })  # fmt: skip
    else:
        print_figures(figures)


def print_figures(figures: list[dict[str, Any]]) -> None:
    """A line a figure: what was measured, in each voice, what is asked, and whether it is met."""
    voices = sorted({voice for row in figures for voice in row["by_voice"]})
    voices = voices if len(voices) <= 4 else []
    table = [["FIGURE", "N", "VALUE", *(voice.upper() for voice in voices), "ASKED", "MET"]]
    for row in figures:
        bars = [f">= {row['least']:g}" if row["least"] is not None else ""]
        bars += [f"<= {row['most']:g}" if row["most"] is not None else ""]
        own = [f"{v:.3f}" if (v := row["by_voice"].get(voice)) is not None else "-" for voice in voices]
        asked = ", ".join(filter(None, bars)) or "-"
        table.append([row["title"], str(row["n"]), f"{row['value']:.3f}", *own, asked, MARKS[row["met"]]])
    print_table(table, right=range(1, 3 + len(voices)))
    say()
    say("Rises: the last 80 ms of voice more than a semitone above the 240 ms before; by shape: as a reader's rises.")
