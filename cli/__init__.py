"""The `ptx` command. One verb, one file; each calls one library function and prints what it returns."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `ptx` script."""
    from prosody_transfer.cli.app import app

    app(prog_name="ptx")
