"""Recordings to give to the commands, and a stand-in for the networks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

RATE = 24000


@pytest.fixture
def ptx():
    """Run a command line; the result has exit_code, stdout and stderr."""
    from prosody_transfer.cli.app import app

    return lambda *args: CliRunner().invoke(app, [str(a) for a in args], prog_name="ptx")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """One second of something voiced, without any words."""
    return write_recording(tmp_path / "src.wav")


def write_recording(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(RATE) / RATE
    soundfile.write(path, 0.1 * np.sign(np.sin(2 * np.pi * 120 * time)) * np.hanning(RATE), RATE)
    return path


@pytest.fixture
def make_recording():
    return write_recording


@pytest.fixture
def transferer(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The real `Transferer`'s file handling over a fake voice; remembers what it was made with and asked for."""
    from prosody_transfer.core.errors import AudioError
    from prosody_transfer.synthesis import transfer

    seen = SimpleNamespace(made=[], calls=[])

    class Fake(transfer.Transferer):
        def __init__(
            self, model: Any = None, vocoder: Any = None, device: str = "cpu", voices: Any = None,
            runtime: Any = None, shapes: str = "dynamic",
        ) -> None:  # fmt: skip
            seen.made.append((model, vocoder, device))

        def from_file(self, path: Any, speaker: str, **options: Any) -> Any:
            seen.calls.append((Path(path), speaker, options))
            if "bad" in Path(path).name:
                raise AudioError("holds no speech", place=str(path), remedy="say something")
            report = {
                "input": str(path), "seconds": 1.0, "words_from": "sidecar", "f0_correlation": 0.971,
                "energy_correlation": 0.9, "real_time_factor": 0.09, "warnings": ["turned down by 1.0 dB"],
                "credit": "Synthetic speech.",
            }  # fmt: skip
            waveform = np.zeros(RATE, np.float32) + 0.1
            nothing: Any = None
            return transfer.TransferResult(waveform, RATE, speaker, 1.0, nothing, nothing, None, report)

    monkeypatch.setattr(transfer, "Transferer", Fake)
    return seen
