"""What decides an output: one function keys it, so that an output made from something else is told apart."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from prosody_transfer.core.closure import ROOT, code_digest
from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import ModelError
from prosody_transfer.models import registry

# In words, for those who are told that something has changed.
PARTS = {
    "source": "its source", "words": "its words", "voice": "the voice", "options": "the options",
    "model": "the model", "code": "ptx",
}  # fmt: skip
BOOKKEEPING = {f"{ROOT}.synthesis.{name}" for name in ("batch", "keys", "records", "outputs")}  # decides no sample
_ALIGNERS = ("pocketsphinx", "ptx", "mfa", "viter")


def output_key(
    source: str, words: list[str], made_of: Mapping[str, Any], options: Mapping[str, Any], suffix: str
) -> dict[str, Any]:
    """All that decides an output, part by part (`PARTS`), as plain data; equal keys give equal outputs.

    Args:
        source: SHA-256 of the recording's content.
        words: Suffix and SHA-256 of the transcript that was found; empty where there is none.
        made_of: "voice" and "model", from `Transferer.made_of`.
        options: Every option of the transfer by name: whatever is passed on is in the key.
        suffix: Of the output.
    """
    wanted = plain({**options, "suffix": suffix})
    settings = wanted.get("settings") or {}
    model = {"networks": made_of.get("model"), "aligner": _aligner(str(settings.get("aligner", "")))}
    if not words and settings.get("recognise") != "phones":
        words = ["recognised", *_recogniser()]
    return {
        "source": source, "words": words, "voice": digest(plain(made_of.get("voice"))), "options": wanted,
        "model": digest(model), "code": code_version(),
    }  # fmt: skip


def changed_parts(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Which parts of two keys differ.

    >>> changed_parts({"source": "a", "words": []}, {"source": "b", "words": []})
    ('source',)
    """
    return tuple(part for part in PARTS if before.get(part) != now.get(part))


def plain(value: Any) -> Any:
    """As JSON would give it back: settings as what they hold, paths and other things as text."""
    if isinstance(value, Config):
        value = value.to_dict()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def digest(value: Any) -> str:
    """Thirty-two hex digits of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def file_digest(path: str | Path) -> str | None:
    """SHA-256 of a regular file's content; None for anything else, or where it can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb", buffering=0) as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return hashlib.file_digest(file, "sha256").hexdigest() if regular else None  # type: ignore[arg-type]
    except (OSError, ValueError):
        return None


def weights_digest(path: str | Path) -> str:
    """The checksum that a ptx checkpoint states, and otherwise that of the file."""
    from prosody_transfer.store.voice_folder import checksum

    try:
        return checksum(path)
    except ModelError:
        return file_digest(path) or str(path)


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _aligner(name: str) -> list[str]:
    """An aligner's version and what else it aligns with."""
    if name == "viter":
        model = os.environ.get("PTX_VITER_MODEL", "")
        return [name, _version("viter"), file_digest(model) or model]
    if name == "ptx":
        return [name]  # its code and the recogniser's weights are in every key
    return [name, _version("pocketsphinx") if name == "pocketsphinx" else os.environ.get("PTX_MFA_MODEL", "")]


@cache
def _recogniser() -> list[str]:
    """What recognises words here; nothing where only phones can be heard."""
    from prosody_transfer.alignment.whisper import PARTS, available

    return [_version(name) for name in ("faster-whisper", *PARTS)] if available() else []


@cache
def code_version() -> str:
    """Changes with the code that speaks: what `Transferer` imports, directly or not (`core.closure.code_digest`)."""
    aligners = [f"{ROOT}.alignment.{name}" for name in _ALIGNERS]
    speaking = [f"{ROOT}.synthesis.transfer", *aligners, *registry.modules()]
    return code_digest(speaking, leave_out=BOOKKEEPING)
