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

    For each: whether it is synthetic or a real person's, accent, pitch range and licence; of yours, what their speakers
    agreed to.
    """
    from prosody_transfer.store.voice_folder import agreed_purposes
    from prosody_transfer.store.voices import all_voices

    found = [(voice, agreed_purposes(voice.name, voices)) for voice in all_voices(voices)]
    if json:
        print_json([{**v.to_dict(), **({"purposes": purposes} if purposes else {})} for v, purposes in found])
        return
    rows = [["NAME", "KIND", "ACCENT", "GENDER", "F0 MEDIAN", "F0 RANGE", "LICENCE"]]
    own = any(purposes for _, purposes in found)
    rows[0] += ["AGREED PURPOSES"] if own else []
    for v, purposes in found:
        kind = "synthetic" if v.synthetic else "real"
        levels = [f"{v.f0_median_hz:.0f} Hz", f"{v.f0_low_hz:.0f}-{v.f0_high_hz:.0f} Hz"]
        rows.append([v.name, kind, v.accent, v.gender, *levels, v.licence, *(["; ".join(purposes)] if own else [])])
    print_table(rows, right=(4, 5))
