"""Pictures are drawn, whole or not at all; their labels do not overlap."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import DependencyError, OutputError
from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.features.extract import Features
from prosody_transfer.synthesis import plots

pytest.importorskip("matplotlib")
FRAMES = 188


def features(level_hz: float) -> Features:
    t = np.linspace(0, 1, FRAMES)
    log_f0 = (np.log(level_hz) + 0.3 * np.sin(8 * t)).astype(np.float32)
    mel = np.random.default_rng(0).normal(-4, 2, (100, FRAMES)).astype(np.float32)
    energy = (-30 * (t - 0.5) ** 2).astype(np.float32)
    return Features(mel, log_f0, np.sin(40 * t) > -0.5, energy, 48000, MelConfig())


@pytest.fixture
def alignment() -> Alignment:
    """Phones from 10 ms to 0.5 s, and words that matplotlib or a font might choke on."""
    edges = [0.0, 0.1, 0.11, 0.14, 0.2, 0.5, 0.53, 0.56, 1.0, 1.5, 2.0]
    names = ["SIL", "AH0", "N", "EY1", "S", "T", "R", "AO1", "NG", "SIL"]
    phones = tuple(PhoneInterval(n, a, b) for n, a, b in zip(names, edges, edges[1:], strict=False))
    words = (WordInterval("$5_{x}$", 0.1, 0.2), WordInterval("naïveté", 0.2, 0.56), WordInterval("日本", 0.56, 1.5))
    return Alignment(phones, words, 2.0, "pocketsphinx")


def transfer(alignment: Alignment, **more: object) -> SimpleNamespace:
    both = {"source": features(120), "output": features(210)}
    return SimpleNamespace(**(both | {"speaker": "alice", "alignment": alignment, "report": {}} | more))


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_every_kind(suffix: str, magic: bytes, alignment: Alignment, tmp_path: Path, recwarn) -> None:
    path = tmp_path / f"picture{suffix}"
    plots.plot_features(features(120), alignment, path, title="take $1$.wav")
    assert path.read_bytes().startswith(magic) and list(tmp_path.iterdir()) == [path]
    assert not [str(w.message) for w in recwarn if "Glyph" in str(w.message)]


def test_a_transfer(alignment: Alignment, tmp_path: Path) -> None:
    plots.plot_transfer(transfer(alignment), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 20_000


def test_a_transfer_that_was_stretched_or_not_measured(alignment: Alignment, tmp_path: Path) -> None:
    f = features(210)
    double = [np.repeat(values, 2, -1) for values in (f.mel, f.log_f0, f.voiced, f.energy_db)]
    longer = Features(*double, n_samples=96000, config=f.config)
    plots.plot_transfer(transfer(alignment, output=longer), tmp_path / "long.png")
    waveform = (0.1 * np.sin(np.arange(48000) * 2 * np.pi * 200 / 24000)).astype(np.float32)
    plots.plot_transfer(transfer(alignment, output=None, waveform=waveform, sample_rate=24000), tmp_path / "short.png")
    assert {p.name for p in tmp_path.iterdir()} == {"long.png", "short.png"}


def test_nothing_voiced_and_nothing_said(tmp_path: Path) -> None:
    silent = features(120)
    silent = Features(silent.mel, silent.log_f0, np.zeros(FRAMES, bool), silent.energy_db, 48000, silent.config)
    empty = Alignment((PhoneInterval("SIL", 0.0, 2.0),), (), 2.0)
    plots.plot_transfer(transfer(empty, source=silent, output=silent), tmp_path / "a.png")
    assert (tmp_path / "a.png").exists()


def test_labels_do_not_overlap(alignment: Alignment) -> None:
    figure, axes = plots._figure(2.0, (0.5, 2.0))
    plots._draw_labels(axes[0], alignment, 1.0)
    figure.canvas.draw()
    plots._fit_labels(figure, axes[0], alignment, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the font has no Japanese
        boxes = [text.get_window_extent() for text in axes[0].texts]
    assert len(boxes) >= 8
    assert not [1 for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    row = axes[0].get_window_extent()
    assert all(row.y0 - 1 <= box.y0 and box.y1 <= row.y1 + 1 for box in boxes)


def test_the_source_is_moved_by_the_difference_of_levels() -> None:
    assert plots._level_difference(features(120), features(240)) == pytest.approx(np.log(2), abs=1e-5)


def test_an_existing_picture_is_kept(alignment: Alignment, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists"):
        plots.plot_features(features(120), alignment, path)
    assert path.read_bytes() == b"precious"
    plots.plot_features(features(120), alignment, path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib(alignment: Alignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"prosody-transfer\[evaluate\]") as caught:
        plots.plot_features(features(120), alignment, tmp_path / "a.png")
    assert caught.value.exit_code == 7 and not list(tmp_path.iterdir())
