"""What is found out about a single source before a network is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prosody_transfer.core.errors import OutputError, UsageError

PLOT_SUFFIXES = (".png", ".pdf", ".svg")


def check_single(
    source: Path, speaker: str, output: Path | None, out_dir: Path | None, suffix: str,
    text: str | None, transcript: Path | None, plot: Path | None, overwrite: bool, subtype: str, settings: Any,
) -> Path:  # fmt: skip
    """Where the result goes; refuses what could not be read, understood or written.

    Raises:
        UsageError: Options that exclude each other.
        AudioError: The source can't be read.
        TranscriptError: The transcript can't be read or is empty.
        OutputError: The result or the picture can't be written.
        DependencyError: Drawing was asked for and matplotlib is not installed.
    """
    from prosody_transfer.analysis.transcript import find_words
    from prosody_transfer.audio.io import check_writable, probe
    from prosody_transfer.core.atomic import check_target, make_folder

    check_words(text, transcript)
    if output is not None and out_dir is not None:
        raise UsageError("--output and --out-dir exclude each other", remedy="give one of them")
    target = output or (out_dir or source.parent) / f"{source.stem}.{speaker}{suffix}"
    seconds = probe(source, settings.track, settings.channel).seconds
    check_target(target)
    if target.exists() and target.samefile(source):
        raise OutputError("is the source itself", place=str(target), remedy="give another name")
    find_words(source, text, transcript).require_time(seconds)
    check_plot(plot, overwrite)
    if out_dir is not None:
        make_folder(out_dir)
    check_writable(target, overwrite, subtype, settings.sample_rate)
    return target


def check_words(text: str | None, transcript: Path | None) -> None:
    """Refuse two sources of words."""
    if text is not None and transcript is not None:
        raise UsageError("--text and --transcript exclude each other", remedy="give one of them")


def check_plot(plot: Path | None, overwrite: bool) -> None:
    """Refuse, early, a picture that could not be drawn or written."""
    if plot is None:
        return
    from prosody_transfer.synthesis.plots import require_matplotlib
    from prosody_transfer.synthesis.report import check_report

    check_report(plot, PLOT_SUFFIXES, overwrite)
    require_matplotlib()


def check_plan(plan: Path | None, overwrite: bool) -> None:
    """Refuse, early, a plan that could not be written."""
    if plan is None:
        return
    from prosody_transfer.synthesis.report import check_report

    check_report(plan, (".json",), overwrite)


def keep_beside(result: Any, plan: Path | None, plot: Path | None, overwrite: bool) -> None:
    """Write what was asked for beside the result of a transfer."""
    if plan is not None:
        from prosody_transfer.synthesis.plan_file import save_plan

        save_plan(result.plan, plan)
    if plot is not None:
        from prosody_transfer.synthesis.plots import plot_transfer

        plot_transfer(result, plot, overwrite=overwrite)
