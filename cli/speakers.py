"""`ptx speakers`: who can speak."""

from __future__ import annotations

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import print_json, print_table

EPILOG = """\b
Examples:
  ptx speakers
  ptx speakers --json"""


def speakers(voices: o.Voices = None, json: o.Json = False) -> None:
    """List the voices that can speak, your own among them.

    For each: whether it is synthetic or a real person's, accent, pitch range and licence.
    """
    from prosody_transfer.store.voices import all_voices

    found = all_voices(voices)
    if json:
        print_json([voice.to_dict() for voice in found])
        return
    rows = [["NAME", "KIND", "ACCENT", "GENDER", "F0 MEDIAN", "F0 RANGE", "LICENCE"]]
    for v in found:
        kind = "synthetic" if v.synthetic else "real"
        levels = [f"{v.f0_median_hz:.0f} Hz", f"{v.f0_low_hz:.0f}-{v.f0_high_hz:.0f} Hz"]
        rows.append([v.name, kind, v.accent, v.gender, *levels, v.licence])
    print_table(rows, right=(4, 5))
