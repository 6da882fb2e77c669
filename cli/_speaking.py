"""What `ptx speak` refuses before any work, and what it says afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prosody_transfer.cli._shared import print_json
from prosody_transfer.cli._terminal import say
from prosody_transfer.core.errors import UsageError


def check_together(
    output: Path | None, output_raw: bool, json: bool, variants: int | None, like: Path | None, words_from: Path | None
) -> None:
    """Refuse options that contradict each other."""
    if output_raw and (output is not None or json):
        raise UsageError("goes to stdout alone", place="--output-raw", remedy="leave -o and --json out")
    if sum(asked is not None for asked in (variants, like, words_from)) + (variants is not None and output_raw) > 1:
        raise UsageError("goes by itself", place="--variants, --like or --words-from", remedy="give one, and -o")


def tell(reports: list[dict[str, Any]], one: bool, json: bool) -> None:
    """What was said, for scripts or for people."""
    if json:
        print_json(reports[0] if one else {"variants": reports})
        return
    for report in reports:
        kinds = ", ".join(f"{row['kind'].replace('_', ' ')} ({row['tune']})" for row in report["sentences"][:3])
        more = f", and {len(report['sentences']) - 3} sentences more" if len(report["sentences"]) > 3 else ""
        say(f"{report['output']}  {report['seconds']:.2f} s  {kinds}{more}  RTF {report['real_time_factor']:.2f}")
