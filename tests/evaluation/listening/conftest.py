"""Small listening tests on the disk, of sounds made on the fly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 24000


def voice(seconds: float = 0.5, f0_hz: float = 120.0, glide: float = 0.2, gain: float = 0.3) -> np.ndarray:
    """A gliding buzz that swells and fades twice, (N,)."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(f0_hz * 2 ** (glide * np.sin(2 * np.pi * time / seconds))) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 30))
    return (gain * buzz * np.sin(np.pi * 2 * time / seconds) ** 2 / 2).astype(np.float32)


def write_voice(path: Path, **settings: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, voice(**settings), RATE)
    return path


def write_test(folder: Path, kind: str = "prosody", items: int = 3, more: str = "", seconds: float = 0.5) -> Path:
    """test.toml with sources, references, natural recordings and two systems; returns its path."""
    names = [f"item{i}" for i in range(items)]
    for i, name in enumerate(names):
        f0_hz = 110.0 + 7 * i
        write_voice(folder / "sources" / f"{name}.wav", f0_hz=f0_hz, seconds=seconds)
        write_voice(folder / "natural" / f"{name}.wav", f0_hz=1.5 * f0_hz, seconds=seconds)
        write_voice(folder / "enrol" / f"{name}.wav", f0_hz=1.6 * f0_hz, seconds=1.4 * seconds)
        write_voice(folder / "ours" / f"{name}.wav", f0_hz=1.5 * f0_hz, seconds=seconds, gain=0.1)
        write_voice(folder / "theirs" / f"{name}.alice.flac", f0_hz=1.4 * f0_hz, glide=0.1, seconds=seconds)
    keys = {
        "prosody": 'source = "sources"',
        "similarity": 'source = "sources"\nreference = "enrol/{item}.wav"',
        "naturalness": 'natural = "natural/{item}.wav"',
    }[kind]
    path = folder / "test.toml"
    path.write_text(
        f'title = "A <test>"\nid = "t1"\nkind = "{kind}"\nseed = 3\nitems = {names}\n{keys}\n{more}\n'
        '[systems]\nours = "ours"\ntheirs = "theirs/{item}.alice.flac"\n'
    )
    return path


@pytest.fixture(scope="session")
def make_voice():
    return voice


@pytest.fixture(scope="session")
def save_voice():
    return write_voice


@pytest.fixture(scope="session")
def make_test():
    return write_test
