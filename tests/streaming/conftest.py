"""The shipped models on ONNX Runtime, loaded once, and a line to say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.audio.io import read_audio
from prosody_transfer.synthesis.transferer import Transferer

LINE = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"


@pytest.fixture(scope="session")
def transferer() -> Transferer:
    return Transferer(runtime="onnx")


@pytest.fixture(scope="session")
def line() -> np.ndarray:
    """A line of 3.1 s at 16 kHz."""
    return read_audio(LINE, 16000).waveform
