"""`ptx doctor`: what is installed, what works, and what to do if it does not."""

from __future__ import annotations

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import print_json
from prosody_transfer.cli._terminal import say

EPILOG = """\b
Examples:
  ptx doctor
  ptx doctor --json"""


def doctor(json: o.Json = False) -> None:
    """Say what is installed and what works.

    Which aligners, devices and extras there are, and what to do where one is missing. Ends with exit code 7 when ptx
    transfer can't run.
    """
    from prosody_transfer.cli._checks import run_checks

    checks = run_checks()
    ready = all(check.works for check in checks if check.needed)
    if json:
        print_json({"ready": ready, "checks": [check._asdict() for check in checks]})
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            mark = "ok     " if check.works else "MISSING" if check.needed else "-      "
            say(f"{mark}  {check.name.ljust(width)}  {check.found}")
            if check.remedy:
                say(f"{' ' * (width + 9)}  to mend it: {check.remedy}")
        say()
        say("ptx transfer is ready." if ready else "ptx transfer is not ready: mend what is marked MISSING.")
    if not ready:
        raise typer.Exit(7)
