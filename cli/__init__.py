"""The `ptx` command. One verb, one file; each calls one library function and prints what it returns."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `ptx` script. Signals are seen to before anything else is imported."""
    from prosody_transfer.core.stopping import exit_at_once

    exit_at_once()
    from prosody_transfer.cli.app import app

    app(prog_name="ptx")
