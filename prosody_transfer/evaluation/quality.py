"""DNSMOS: how clean a recording sounds to networks made to judge noise suppression. No measure of naturalness."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from prosody_transfer.core.errors import AudioError, DependencyError
from prosody_transfer.core.extras import remedy
from prosody_transfer.evaluation.figures import EVALUATION_RATE, Figure, Values
from prosody_transfer.evaluation.onnx_weights import read_weights
from prosody_transfer.evaluation.slaney import power_mel

if TYPE_CHECKING:
    from torch import Tensor

_WHAT = (
    "DNSMOS {0} of 1 to 5, windows of 9.01 s, the recording repeated until it fills one. Made to compare noise "
    "suppressors: flat, over-smoothed speech scores well. For regressions; it says nothing about naturalness."
)
FIGURES = (
    Figure("dnsmos_overall", "DNSMOS overall", "", "high", _WHAT.format("P.835, overall,")),
    Figure("dnsmos_signal", "DNSMOS signal", "", "high", _WHAT.format("P.835, speech signal,")),
    Figure("dnsmos_background", "DNSMOS background", "", "high", _WHAT.format("P.835, background noise,")),
    Figure("dnsmos_p808", "DNSMOS P.808", "", "high", _WHAT.format("P.808, one number for all,")),
)
HOP = 160
WINDOW = 144_160  # samples: 9.01 s
FRAMES = 900  # of a window
_BLOCK = 100  # frames convolved at a time; what is alive at once then fits the processor's cache
_HALO = 4  # frames that the first four convolutions look to each side
# Raw score -> MOS: a x^2 + b x + c for signal, background, overall, in the network's order.
_POLYNOMIALS = (
    (-0.08397278, 1.22083953, 0.0052439), (-0.13166888, 1.60915514, -0.39604546), (-0.06766283, 1.11546468, 0.04602535)
)  # fmt: skip


@dataclass(frozen=True)
class _Network:
    """3x3 convolutions with rectifier, pooled by two before some, then the maximum over all places and dense layers."""

    convolutions: tuple[tuple[Tensor, Tensor, bool], ...]  # weight, bias, pooled before it
    dense: tuple[tuple[Tensor, Tensor], ...]
    spectrum: tuple[Tensor, Tensor] | None = None  # real and imaginary part, (161, 320)

    def convolve(self, maps: Tensor, start: int, end: int | None = None) -> Tensor:
        """Layers `start` to `end` of (B, C, T, K) maps."""
        import torch
        import torch.nn.functional as F

        maps = maps.contiguous(memory_format=torch.channels_last)
        for weight, bias, pooled in self.convolutions[start:end]:
            maps = F.max_pool2d(maps, 2) if pooled else maps
            maps = F.relu_(F.conv2d(maps, weight, bias, padding=1))
        return maps

    def score(self, maps: Tensor) -> Tensor:
        """(B, C, T, K) -> (B, scores)."""
        values = maps.amax((2, 3))
        for i, (weight, bias) in enumerate(self.dense):
            values = values @ weight + bias
            values = values.relu() if i + 1 < len(self.dense) else values
        return values


def quality_figures(waveform: np.ndarray, *, every_window: bool = False) -> Values:
    """DNSMOS of a recording.

    Args:
        waveform: (N,) at `EVALUATION_RATE`; clipped to [-1, 1].
        every_window: Score a repeated recording in all the windows that the reference implementation takes of it (up to
            nine, overlapping, of the same sound), not only in the first.

    Returns:
        Values for `FIGURES`.

    Raises:
        AudioError: There are less than 10 ms.
        DependencyError: The `evaluate` extra is not installed.

    Source:
        Reddy et al. 2022, DNSMOS P.835, and 2021 (P.808); the weights lie inside `speechmos` 0.0.1.1 (MIT), to whose
        own answers these are equal within 1e-3 (tested) with `every_window`. Differs from it in: for P.835
        recordings are cut to whole frames of 10 ms; one that must be repeated is scored in one window unless
        `every_window` is set (13 recordings: overall apart by .02 on average, at most .07; cutting 5 ms off a recording
        moves their own answer as much); what overlapping windows share is computed once.
    """
    import torch

    if len(waveform) < HOP:
        raise AudioError("is too short for DNSMOS", remedy="give at least 10 ms")
    audio = torch.from_numpy(np.clip(waveform, -1.0, 1.0).astype(np.float32))
    with torch.inference_mode():
        whole = audio[: len(audio) // HOP * HOP]
        looped, starts = _windows(whole, every_window)
        raw = _primary(whole, looped, [s // HOP for s in starts]).double().numpy()
        looped, starts = _windows(audio, every_window)
        p808 = [_p808(looped[s : s + WINDOW - HOP]) for s in starts]
    signal, background, overall = (float(np.polyval(p, raw[:, i]).mean()) for i, p in enumerate(_POLYNOMIALS))
    return {
        "dnsmos_overall": overall, "dnsmos_signal": signal, "dnsmos_background": background,
        "dnsmos_p808": float(np.mean(p808)),
    }  # fmt: skip


def _windows(audio: Tensor, every_window: bool) -> tuple[Tensor, list[int]]:
    """The recording, repeated until it fills a window, and the samples at which windows start: one each second."""
    repeats = 1
    while repeats * len(audio) < WINDOW:
        repeats *= 2
    total = repeats * len(audio)
    count = int(total // EVALUATION_RATE - WINDOW / EVALUATION_RATE) + 1 if repeats == 1 or every_window else 1
    # The reference loses windows whose end, a float, falls short of a whole sample.
    complete = [i for i in range(count) if int((i + 9.01) * EVALUATION_RATE) >= i * EVALUATION_RATE + WINDOW]
    return audio.repeat(repeats), [i * EVALUATION_RATE for i in complete]


def _primary(audio: Tensor, looped: Tensor, starts: list[int]) -> Tensor:
    """Raw P.835 scores (windows, 3) of windows that start at these frames of `looped`, which is `audio` repeated.

    The four costly convolutions see four frames to each side: inside, a window's maps are those of the whole, and those
    of a repeated sound repeat. Only the eight frames at a window's edges, beyond which it has zeros, are its own.
    """
    import torch

    network = _networks()[0]
    period = len(audio) // HOP
    repeats = len(looped) > len(audio)
    levels = _log_power(torch.cat([looped, looped[:HOP]]) if repeats else looped, network)
    if repeats:
        at = torch.arange(-_HALO, period + _HALO) % period
        inside = _in_blocks(levels[at], network)[:, _HALO:-_HALO]  # one period
    else:
        inside = _in_blocks(levels[: starts[-1] + FRAMES], network)
    edge = 2 * _HALO
    pieces = torch.stack([levels[a : a + edge] for s in starts for a in (s, s + FRAMES - edge)])[:, None]
    edges = network.convolve(pieces, 0, 4)
    scores = []
    for i, start in enumerate(starts):
        maps = inside[:, torch.arange(start, start + FRAMES) % inside.shape[1]]
        maps[:, :_HALO] = edges[2 * i, :, :_HALO]
        maps[:, -_HALO:] = edges[2 * i + 1, :, _HALO:]
        scores.append(network.score(network.convolve(maps[None], 4))[0])
    return torch.stack(scores)


def _log_power(audio: Tensor, network: _Network) -> Tensor:
    """log10 of the power in 161 bands of frames of 20 ms each 10 ms, (T, 161)."""
    assert network.spectrum is not None
    frames = audio.unfold(0, 2 * HOP, HOP)  # (T, 320)
    real, imaginary = (frames @ part.T for part in network.spectrum)
    return (real.square() + imaginary.square()).clamp(min=1e-12).log10()


def _in_blocks(levels: Tensor, network: _Network) -> Tensor:
    """The first four convolutions over (T, 161), zeros beyond both ends, block by block: (32, T, 161)."""
    import torch

    size = len(levels)
    count = -(-size // _BLOCK)
    length = -(-size // count)
    found = []
    for start in range(0, size, length):
        end = min(start + length, size)
        first, last = max(0, start - _HALO), min(size, end + _HALO)
        part = levels[None, None, first:last]
        found.append(network.convolve(part, 0, 4)[0, :, start - first : end - first])
    return torch.cat(found, 1)


def _p808(audio: Tensor) -> float:
    import torch

    network = _networks()[1]
    mel = power_mel(audio, EVALUATION_RATE, 2 * HOP + 1, HOP, 120).clamp(min=1e-10)  # (120, 900 + 1)
    level = 10.0 * torch.log10(mel / mel.max())
    maps = (level.clamp(min=float(level.max()) - 80.0) + 40.0) / 40.0
    return float(network.score(network.convolve(maps.T[None, None], 0))[0, 0])


@functools.lru_cache(maxsize=1)
def _networks() -> tuple[_Network, _Network]:
    """P.835 and P.808, from the files inside the `speechmos` wheel."""
    from importlib.resources import files

    try:
        folder = files("speechmos") / "dnsmos_models"
        first, second = (read_weights((folder / name).read_bytes()) for name in ("sig_bak_ovr.onnx", "model_v8.onnx"))
        return (
            _build(first, "conv2d{}", ("", "_1", "_2", "_3", "_4", "_5", "_6"), (4, 5, 6),
                   "mos_estimator_logpow/dense{}", ("", "_1", "_3")),
            _build(second, "conv2d{}", ("_5", "_6", "_7", "_8", "_9"), (1, 2, 4),
                   "mos_estimator_small_1/dense{}", ("_3", "_4", "_5")),
        )  # fmt: skip
    except (ImportError, OSError):
        raise DependencyError("DNSMOS needs the networks inside speechmos", remedy=remedy("evaluate")) from None
    except (KeyError, ValueError):
        problem = "the networks inside speechmos are not those of 0.0.1.1"
        raise DependencyError(problem, remedy=remedy("evaluate")) from None


def _build(
    weights: dict[str, np.ndarray], convolution: str, layers: tuple[str, ...], pooled: tuple[int, ...], dense: str,
    heads: tuple[str, ...],
) -> _Network:  # fmt: skip
    import torch

    taken = lambda name: torch.from_numpy(weights[name])
    suffix = "ReadVariableOp/resource:0"
    parts = [f"time2freq/stft-{part}/kernel:0" for part in ("real", "imag")]
    return _Network(
        tuple(
            (taken(f"{convolution.format(n)}/kernel:0").contiguous(memory_format=torch.channels_last),
             taken(f"{convolution.format(n)}/bias:0"), i in pooled)
            for i, n in enumerate(layers)
        ),
        tuple((taken(f"{dense.format(n)}/MatMul/{suffix}"), taken(f"{dense.format(n)}/BiasAdd/{suffix}"))
              for n in heads),
        (taken(parts[0])[..., 0], taken(parts[1])[..., 0]) if parts[0] in weights else None,
    )  # fmt: skip
