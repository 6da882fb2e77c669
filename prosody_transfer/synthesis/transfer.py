"""The main job: say a recording again in another voice. With the shipped networks, loaded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from prosody_transfer.audio.io import DEFAULT_SUBTYPE
from prosody_transfer.core.errors import PtxError
from prosody_transfer.core.sharing import Shared
from prosody_transfer.core.types import Alignment
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.records import State
from prosody_transfer.synthesis.transferer import Transferer, TransferResult, default_output

__all__ = [
    "TransferResult", "TransferSettings", "Transferer", "default_output", "from_audio", "from_file",
    "from_file_to_file", "from_files_to_files",
]  # fmt: skip

_loaded: dict[str, Transferer] = {}
_loading: Shared[object] = Shared(object)  # one thread loads, the others wait for it


def _shared(device: str = "cpu") -> Transferer:
    with _loading.use():
        if device not in _loaded:
            _loaded[device] = Transferer(device=device)
        return _loaded[device]


def from_audio(
    waveform: np.ndarray, sample_rate: int, speaker: str, *, text: str | None = None,
    alignment: Alignment | None = None, settings: TransferSettings | None = None, measure_output: bool = True,
) -> TransferResult:  # fmt: skip
    """`Transferer.from_audio` with the shipped networks, loaded once."""
    return _shared().from_audio(
        waveform, sample_rate, speaker, text=text, alignment=alignment, settings=settings,
        measure_output=measure_output,
    )  # fmt: skip


def from_file(
    path: str | Path, speaker: str, *, text: str | None = None, transcript: str | Path | None = None,
    settings: TransferSettings | None = None,
) -> TransferResult:  # fmt: skip
    """`Transferer.from_file` with the shipped networks, loaded once."""
    return _shared().from_file(path, speaker, text=text, transcript=transcript, settings=settings)


def from_file_to_file(
    path: str | Path, speaker: str, output: str | Path | None = None, *, text: str | None = None,
    transcript: str | Path | None = None, settings: TransferSettings | None = None, overwrite: bool = False,
    subtype: str = DEFAULT_SUBTYPE, on_written: Callable[[Path], None] | None = None,
) -> TransferResult:  # fmt: skip
    """`Transferer.from_file_to_file` with the shipped networks, loaded once."""
    return _shared().from_file_to_file(
        path, speaker, output, text=text, transcript=transcript, settings=settings, overwrite=overwrite,
        subtype=subtype, on_written=on_written,
    )  # fmt: skip


def from_files_to_files(
    paths: Iterable[str | Path], speaker: str, out_dir: str | Path, *, settings: TransferSettings | None = None,
    overwrite: bool = False, root: str | Path | None = None, suffix: str = ".wav", subtype: str = DEFAULT_SUBTYPE,
    on_done: Callable[[Path, TransferResult | None, PtxError | None], None] | None = None,
    on_left: Callable[[Path, State], None] | None = None,
) -> list[tuple[Path, PtxError]]:  # fmt: skip
    """`Transferer.from_files_to_files` with the shipped networks, loaded once."""
    return _shared().from_files_to_files(
        paths, speaker, out_dir, settings=settings, overwrite=overwrite, root=root, suffix=suffix, subtype=subtype,
        on_done=on_done, on_left=on_left,
    )  # fmt: skip
