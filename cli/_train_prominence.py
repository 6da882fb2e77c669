"""`ptx train prominence`: words with labels in, what predicts them from text out."""

from __future__ import annotations

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import print_json
from prosody_transfer.cli._terminal import say

EPILOG = """\b
Example:
  ptx train prominence dev.txt.gz -o runs/prominence.safetensors --hold-out 1919"""


def prominence(data: o.Labelled, output: o.Predictor, hold_out: o.HoldOut = None, json: o.Json = False) -> None:
    """Train what predicts prominence and boundaries from text (speak and evaluate extras)."""
    from prosody_transfer.core.extras import LANGUAGE, require

    require("speak", LANGUAGE, "ptx train prominence")
    require("evaluate", ("sklearn",), "ptx train prominence")
    from prosody_transfer.training.prominence import train_prominence

    tell = lambda stage, done, total, _: say(f"{stage} {done}/{total}", error=True)
    weights = train_prominence(data, output, hold_out or [], on_event=tell)
    print_json({"weights": weights}) if json else say(weights)
