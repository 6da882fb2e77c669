"""A voice as one file to hand on: NAME.ptxvoice, safetensors with JSON, under one checksum. Reading it runs no code."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from prosody_transfer.core.atomic import check_target
from prosody_transfer.core.errors import ModelError, OutputError
from prosody_transfer.store.checkpoint import load_arrays, save_checkpoint
from prosody_transfer.store.voice_folder import (
    UserVoice,
    changed,
    parse_record,
    parse_stored_consent,
    read_arrays,
    read_voice,
    write_folder,
)
from prosody_transfer.store.voice_moves import put_in_place
from prosody_transfer.store.voice_network import check_adapted
from prosody_transfer.store.voices import check_name, user_voices, voices_folder

KIND = "voice-export"
SUFFIX = ".ptxvoice"
LARGEST_BYTES = 100_000_000


def export_voice(
    name: str, output: str | Path | None = None, voices: str | Path | None = None, *, overwrite: bool = False
) -> Path:
    """Write a user's voice, its facts and its consent into one file.

    Args:
        output: NAME.ptxvoice here if None.

    Raises:
        UsageError: There is no such voice, or its speaker's consent has ended.
        ModelError: It is damaged.
        OutputError: The file exists and `overwrite` is False, has another suffix, or can't be written.
    """
    target = Path(output) if output is not None else Path(f"{name}{SUFFIX}")
    if target.suffix != SUFFIX:
        raise OutputError(f"a voice's file ends with {SUFFIX}", place=str(target), remedy=f"call it {name}{SUFFIX}")
    check_target(target)
    own = read_voice(name, voices).allowed()
    if os.path.lexists(target) and not overwrite:
        raise OutputError("exists", place=str(target), remedy="give another name, or --force to overwrite it")
    tensors, header = read_arrays(own)
    facts = {key: value for key, value in header.items() if key != "config"}
    whole = {"voice": own.record.to_dict(), "consent": own.consent.to_dict(), "facts": facts}
    save_checkpoint(target, KIND, tensors, header["config"], **whole)
    return target


def import_voice(
    path: str | Path, voices: str | Path | None = None, *, name: str | None = None, overwrite: bool = False,
) -> UserVoice:  # fmt: skip
    """Take in a voice that `export_voice` has written.

    Args:
        name: What to call it; as it was called if None.
        overwrite: Replace a voice of that name.

    Raises:
        ModelError: The file is missing, damaged, was changed, is no voice, or is for another acoustic model.
        UsageError: Its name can't be one here, or the speaker's consent has ended.
        OutputError: There is a voice of that name, or it can't be written.
    """
    place = str(path)
    if os.path.isfile(path) and os.path.getsize(path) > LARGEST_BYTES:
        raise ModelError("is too large for a voice", place=place, remedy="fetch it again")
    try:
        tensors, header = load_arrays(path, KIND)
        config = {**header["config"]}
    except (ValueError, KeyError, TypeError, RecursionError):  # a header that no ptx has written
        raise ModelError("is damaged", place=place, remedy="fetch it again") from None
    record = parse_record(header.get("voice"), place)
    consent = parse_stored_consent(header.get("consent"), place)
    if consent.fingerprint() != record.consent:
        raise ModelError("has a consent that is not the voice's", place=place, remedy="fetch it again")
    called = check_name(name if name is not None else record.voice.name, "--name" if name is not None else place)
    record = changed(record, voice={**record.voice.to_dict(), "name": called}, request="")
    UserVoice(record, consent, Path(place)).allowed()
    if called in user_voices(voices) and not overwrite:
        raise OutputError(f"there is a voice {called!r}", place=place, remedy="give --name another, or --force")
    check_base(record.base, tensors, place)
    root = voices_folder(voices)
    partial = root / f".{called}.importing"
    shutil.rmtree(partial, ignore_errors=True)
    facts: dict[str, Any] = header["facts"] if isinstance(header.get("facts"), dict) else {}
    facts = {key: value for key, value in facts.items() if key not in ("config", "path", "kind", "tensors")}
    write_folder(partial, record, consent, tensors, config, facts)
    put_in_place(partial, root / called, replace=overwrite)
    return read_voice(called, voices)


def check_base(base: str, tensors: dict[str, Any], place: str) -> None:
    """Refuse a voice that the shipped acoustic model can't speak.

    Raises:
        ModelError: It was made for another model, or its tensors do not fit.
    """
    from prosody_transfer.models import registry
    from prosody_transfer.store.header import checksum, read_shapes
    from prosody_transfer.store.weights import acoustic_kind, shipped_acoustic

    if base != checksum(shipped_acoustic()):
        problem = f"was made for another acoustic model ({base[:12]}) than the one that is installed"
        raise ModelError(problem, place=place, remedy="install the ptx that made it, or ask for it to be added again")
    shapes = read_shapes(shipped_acoustic()).shapes
    check_adapted(registry.get(acoustic_kind()).load("adaptable"), shapes, tensors, place)
