"""DNSMOS against speechmos itself, and that it hears noise."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from prosody_transfer.core.errors import AudioError, DependencyError
from prosody_transfer.evaluation import quality
from prosody_transfer.evaluation.figures import load
from prosody_transfer.evaluation.onnx_weights import read_weights
from prosody_transfer.evaluation.quality import FIGURES, quality_figures

ROOT = Path(__file__).parents[2]
# What `speechmos.dnsmos.run` 0.0.1.1 answers for `signal(samples)`, in the order of FIGURES.
SPEECHMOS = {
    49_920: (3.2846, 3.5412, 4.0876, 3.86), 145_280: (3.3693, 3.5983, 4.1421, 3.9975),
    193_600: (3.3233, 3.5691, 4.1036, 3.9768),
}  # fmt: skip


@pytest.fixture(scope="module")
def source():
    torch.set_num_threads(1)
    return load(ROOT / "examples" / "audio" / "source.flac")  # 3.125 s: 312.5 frames


@pytest.mark.parametrize("samples", SPEECHMOS)
def test_equal_to_speechmos(source, samples):
    """Repeated four times, in several overlapping windows; in one window; in four that overlap."""
    waveform = np.tile(source[:49_920], 4)[:samples] * np.linspace(1.0, 0.3, samples)
    found = quality_figures(waveform, every_window=True)
    assert [found[f.key] for f in FIGURES] == pytest.approx(SPEECHMOS[samples], abs=1e-3)


def test_one_window_is_near_all_of_them(source):
    one, every = quality_figures(source), quality_figures(source, every_window=True)
    assert one != every
    assert all(abs(one[key] - every[key]) < 0.12 for key in one)


def test_the_example_scores_what_it_did(source):
    """Needs no other part of speechmos than its weights."""
    wanted = {"dnsmos_overall": 3.259, "dnsmos_signal": 3.497, "dnsmos_background": 4.110, "dnsmos_p808": 4.131}
    found = quality_figures(source)
    assert all(found[key] == pytest.approx(value, abs=0.01) for key, value in wanted.items())


def test_noise_is_heard(source):
    noise = np.random.default_rng(0).standard_normal(len(source)).astype(np.float32)
    clean, loud = (quality_figures(source + level * noise) for level in (0.0, 0.02))
    for key in ("dnsmos_overall", "dnsmos_background"):
        assert clean[key] > loud[key] + 0.5, key


def test_what_clips_is_clipped(source):
    loud = source * (3.0 / np.abs(source).max())
    assert quality_figures(loud) == quality_figures(np.clip(loud, -1.0, 1.0))


def test_any_length_is_scored(source):
    for samples in (160, 7_000):
        assert all(np.isfinite(v) for v in quality_figures(source[20_000 : 20_000 + samples]).values())
    with pytest.raises(AudioError, match="too short for DNSMOS"):
        quality_figures(source[:159])


def test_without_the_extra(source, monkeypatch):
    quality._networks.cache_clear()
    monkeypatch.setitem(sys.modules, "speechmos", None)
    with pytest.raises(DependencyError, match=r"speechmos; pip install 'prosody-transfer\[evaluate\]'"):
        quality_figures(source)


def test_weights_by_hand():
    """A model whose graph holds "w", [[1, 2]], and an int64 tensor, which is left out."""
    field = lambda number, data: bytes([number << 3 | 2, len(data)]) + data
    tensor = lambda name, kind, raw: b"\x08\x01\x08\x02" + bytes([0x10, kind]) + field(8, name) + field(9, raw)
    floats = tensor(b"w", 1, struct.pack("<2f", 1.0, 2.0))
    model = b"\x08\x07" + field(7, field(5, floats) + field(5, tensor(b"n", 7, struct.pack("<2q", 1, 2))))
    found = read_weights(model)
    assert list(found) == ["w"] and found["w"].tolist() == [[1.0, 2.0]]
    for damaged in (model[:-3], b"not a model at all", model[:9] + b"\xff" * 30):
        with pytest.raises(ValueError):
            read_weights(damaged)
