"""The shipped target voices: who can speak. Imports nothing heavy, so that the shell can complete names."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from pathlib import Path

from prosody_transfer.core.config import Config, load_config
from prosody_transfer.core.errors import ModelError, UsageError


class Voice(Config):
    """A target voice.

    Attributes:
        synthetic: True for a voice that is nobody's.
        accent: As in "US English".
        gender: "female" or "male", as the voice is heard.
        f0_median_hz, f0_low_hz, f0_high_hz: Median, 5th and 95th percentile over voiced frames of its training speech.
        minutes: Of training speech.
        licence: Of the recordings that it was trained on.
        provenance: Where they come from.
    """

    name: str
    synthetic: bool
    accent: str
    gender: str
    f0_median_hz: float
    f0_low_hz: float
    f0_high_hz: float
    minutes: float
    licence: str
    provenance: str


def _shipped() -> Path:
    from prosody_transfer.core import errors

    # Without importing the models package: it lies beside this one when installed, and above it in a checkout.
    root = Path(errors.__file__).parent.parent
    inside = root / "models" / "copycat" / "voices.json"
    return inside if inside.exists() else root.parent / "models" / "copycat" / "voices.json"


def list_voices(path: str | Path | None = None) -> list[Voice]:
    """All shipped voices, by name.

    Raises:
        ModelError: The list is missing or damaged.
    """
    path = Path(path) if path is not None else _shipped()
    try:
        rows = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError):
        raise ModelError(
            "the list of voices is missing or damaged", place=str(path), remedy="install ptx again"
        ) from None
    return sorted((load_config(Voice, row, str(path)) for row in rows), key=lambda v: v.name)


def get_voice(name: str, known: Sequence[str] | None = None) -> Voice:
    """One voice.

    Args:
        known: Names to choose from; those of the shipped voices if None.

    Raises:
        UsageError: There is none of that name; the message has the nearest names.
    """
    voices = {v.name: v for v in list_voices()}
    names = sorted(known if known is not None else voices)
    if name in voices and name in names:
        return voices[name]
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    remedy = f"did you mean {' or '.join(near)}?" if near else f"known voices: {', '.join(names)}"
    raise UsageError(f"no voice is called {name!r}", place="--speaker", remedy=remedy)
