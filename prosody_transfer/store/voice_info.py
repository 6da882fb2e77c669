"""Who can speak: shipped voices, and the user's own. Imports nothing heavy: the shell completes names with it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from prosody_transfer.core.config import Config, load_config
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.core.reading import RECORD_BYTES, parse_json, read_bytes
from prosody_transfer.store.voice_moves import recover

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
# What some systems take for a device, whatever the folder; and words that would be ambiguous.
_RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{i}" for kind in ("com", "lpt") for i in range(10))}


class VoiceInfo(Config):
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
    import prosody_transfer.models as models
    from prosody_transfer.models import registry

    return Path(str(models.__file__)).parent / registry.default("acoustic").kind / "voices.json"


def list_voices(path: str | Path | None = None) -> list[VoiceInfo]:
    """All shipped voices, by name; `all_voices` has the user's too.

    Raises:
        ModelError: The list is missing or damaged.
    """
    path = Path(path) if path is not None else _shipped()
    try:
        rows = parse_json(read_bytes(path, RECORD_BYTES, ModelError))
    except (ModelError, ValueError):
        raise ModelError(
            "the list of voices is missing or damaged", place=str(path), remedy="install ptx again"
        ) from None
    return sorted((load_config(VoiceInfo, row, str(path)) for row in rows), key=lambda v: v.name)


def voices_folder(voices: str | Path | None = None) -> Path:
    """Where the user's voices live: `voices`, else $PTX_VOICES, else the platform's place for a user's data."""
    if voices is not None:
        return Path(voices)
    if given := os.environ.get("PTX_VOICES"):
        return Path(given)
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or "")
        base = base if base.is_absolute() else home / ".local" / "share"
    return base / "ptx" / "voices"


def check_name(name: str, place: str = "NAME") -> str:
    """Itself, where it can be a new voice's name and a folder's on every system.

    Raises:
        UsageError: It is not 1 to 40 of a-z, 0-9, _ and - (within), is a device's name somewhere, or a shipped voice's.
    """
    if not NAME.fullmatch(name) or name in _RESERVED:
        remedy = "take 1 to 40 small letters, digits, _ and -, as in jane_2"
        raise UsageError(f"{name[:60]!r} cannot name a voice", place=place, remedy=remedy)
    if name in {voice.name for voice in list_voices()}:
        raise UsageError(f"{name!r} is a shipped voice", place=place, remedy="choose another name")
    return name


def user_voices(voices: str | Path | None = None) -> list[str]:
    """Names of the user's voices, sorted; damaged ones too."""
    recover(voices_folder(voices))
    try:
        found = [entry.name for entry in voices_folder(voices).iterdir() if (entry / "voice.json").is_file()]
    except OSError:
        return []
    return sorted(name for name in found if NAME.fullmatch(name))
