"""Training the pitch tracker on contours that are known, the sound degraded anew each time."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.data.manifest import Row, cache_path
from prosody_transfer.features.cache import write_npz
from prosody_transfer.models.tracker.network import ENERGY_SCALE_DB, Tracker, TrackerConfig
from prosody_transfer.models.tracker.spectrum import SpectrumConfig, spectrum
from prosody_transfer.training.contours import refined
from prosody_transfer.training.degrade import degrade
from prosody_transfer.training.distributed import shared_mean
from prosody_transfer.training.start import start_from
from prosody_transfer.training.task import Task

PRE_FRAMES = 40  # before a crop, so that a room's tail and a codec have begun
EDGE_FRAMES = 3  # half the spectrum's window
SMEAR_BINS = 1.2  # of the target around the true candidate
GROSS_BINS = 5  # 100 cents: further off is an error that doubt should know of
ENERGY_FLOOR_DB = 45.0  # below the loud frames; softer is silence
MOST_DB = 30.0  # of a correction


class TrackerTaskConfig(Config):
    """Batch and loss settings.

    `degraded`: share of crops whose sound is made bad; `emphasis`: {part of a recording's path: weight} of how often it
    is drawn; `start_from`: a checkpoint of the same [network] to go on from, or several: their mean.
    """

    batch_size: int = 12
    crop_frames: int = 192
    degraded: float = 1.0
    voicing_weight: float = 1.0
    doubt_weight: float = 0.1
    energy_weight: float = 0.3
    emphasis: dict[str, float] = {}
    start_from: str | tuple[str, ...] = ""


@dataclass(frozen=True)
class Known:
    """Sound whose melody is known: pcm (N,) int16, f0_hz (T,) float32 with 0 where unvoiced, weight (T,) float32."""

    pcm: np.ndarray
    f0_hz: np.ndarray
    weight: np.ndarray


def load_known(row: Row, cache: str | Path, config: SpectrumConfig) -> Known:
    """A recording with its contour: of NAME.f0.npz beside it, or else as the prepared cache has it; refined, and kept.

    Raises:
        UsageError: Neither is there.
        ModelError: What is kept of it is damaged.
    """
    kept = cache_path(Path(cache), row).with_suffix(".tracker.npz")
    if not kept.exists():
        signal, command, natural = _commanded(row, cache, config)
        f0, weight = refined(signal, config.sample_rate, config.hop_length, command, natural)
        kept.parent.mkdir(parents=True, exist_ok=True)
        pcm = np.round(np.clip(signal, -1, 1) * 32767).astype(np.int16)
        write_npz(kept, pcm=pcm, f0_hz=f0, weight=weight)
    try:
        with np.load(kept) as data:
            return Known(data["pcm"], data["f0_hz"], data["weight"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise ModelError("is damaged", place=str(kept), remedy="delete it and train again") from None


def _commanded(row: Row, cache: str | Path, config: SpectrumConfig) -> tuple[np.ndarray, np.ndarray, bool]:
    """Signal at the spectrum's rate, commanded F0 on its frames, and whether that is a tracker's guess."""
    import soundfile as sf
    import soxr

    beside, prepared = Path(row.audio).with_suffix(".f0.npz"), cache_path(Path(cache), row)
    if beside.exists():
        sound, rate = sf.read(row.audio, dtype="float32")
        with np.load(beside) as data:
            f0, speed = data["f0_hz"], float(data["frames_per_second"])
            natural = bool(data["natural"]) if "natural" in data else False
    elif prepared.exists():
        with np.load(prepared) as data:
            sound, rate = data["pcm"].astype(np.float32) / 32768, 2 * config.sample_rate
            f0, natural = np.where(data["voiced"], np.exp(data["log_f0"]), 0.0), True
        speed = config.sample_rate / config.hop_length
    else:
        problem = f"{row.id} has no known melody"
        raise UsageError(problem, place=row.audio, remedy=f"put {beside.name} beside it, or run ptx prepare")
    signal = soxr.resample(sound, rate, config.sample_rate)
    frames = np.arange(1 + len(signal) // config.hop_length)
    at = np.round(frames * config.hop_length / config.sample_rate * speed).astype(int)
    return signal, np.append(f0, 0.0)[np.minimum(at, len(f0))], natural


@dataclass(frozen=True)
class Batch:
    """Crops.

    Attributes:
        spectrum: (B, C, T), of the degraded sound.
        f0_bin: (B, T) float, the true candidate; below 0 where unvoiced.
        weight: (B, T), how sure that is.
        energy: (B, T) dB, see `correction`.
    """

    spectrum: Tensor
    f0_bin: Tensor
    weight: Tensor
    energy: Tensor


class TrackerTask(Task):
    """Cross-entropy of the candidates, of voicing, and of doubt; and the correction of the energy."""

    kind, settings_class, measured = "tracker", TrackerTaskConfig, False

    def __init__(
        self, config: TrackerConfig, task: TrackerTaskConfig, rows: list[Row], cache: str | Path, device: str = "cpu"
    ) -> None:
        self.config, self.task, self.device = config, task, device
        self.network = Tracker(config).to(device)
        if task.start_from:
            self.started_from = start_from(self.network, self.kind, task.start_from)
        self.known = [load_known(row, cache, config.spectrum) for row in rows]
        weight = lambda row: np.prod([w for part, w in task.emphasis.items() if part in row.audio])
        weights = np.array([len(k.f0_hz) * weight(row) for row, k in zip(rows, self.known, strict=True)])
        self.weights = weights / weights.sum()

    def batch(self, rng: np.random.Generator, step: int) -> Batch:
        """Degraded crops of recordings drawn by their length and emphasis."""
        parts = [self._crop(int(i), rng) for i in rng.choice(len(self.known), self.task.batch_size, p=self.weights)]
        return Batch(*(torch.from_numpy(np.stack(values)) for values in zip(*parts, strict=True)))

    def _region(self, known: Known, first: int, size: int) -> np.ndarray:
        """Samples of `size` frames from frame `first` on, zeros beyond the recording."""
        hop = self.config.spectrum.hop_length
        start, stop = first * hop, (first + size) * hop
        inside = known.pcm[max(0, start) : max(0, stop)].astype(np.float32) / 32767
        before = max(0, -start)
        return np.pad(inside, (before, size * hop - len(inside) - before))

    def _babble(self, size: int, rng: np.random.Generator) -> np.ndarray:
        hop, mixed = self.config.spectrum.hop_length, np.zeros(size, np.float32)
        for _ in range(int(rng.integers(3, 9))):
            other = self.known[int(rng.integers(len(self.known)))]
            first = int(rng.integers(0, max(1, len(other.f0_hz) - size // hop)))
            voice = self._region(other, first, size // hop + 1)[:size]
            mixed += voice * rng.uniform(0.3, 1) / max(float(np.abs(voice).max()), 1e-3)
        return mixed

    def _crop(self, number: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        known, size, hop = self.known[number], self.task.crop_frames, self.config.spectrum.hop_length
        first = int(rng.integers(-size // 8, max(1 - size // 8, len(known.f0_hz) - size * 3 // 4)))
        clean = self._region(known, first - PRE_FRAMES, PRE_FRAMES + size + EDGE_FRAMES)
        heard = clean
        if rng.random() < self.task.degraded and np.abs(clean).max() > 1e-3:
            heard = degrade(clean, self.config.spectrum.sample_rate, rng, lambda n: self._babble(n, rng))
        begin = (PRE_FRAMES - EDGE_FRAMES) * hop
        seen = spectrum(heard[begin:], self.config.spectrum, size + EDGE_FRAMES)[:, EDGE_FRAMES:]
        frames = np.arange(first, first + size)
        real = (frames >= 0) & (frames < len(known.f0_hz))
        at = frames.clip(0, len(known.f0_hz) - 1)
        f0 = np.where(real, known.f0_hz[at], 0.0)
        lowest = self.config.spectrum.lowest_hz
        f0_bin = np.where(f0 > 0, self.config.spectrum.bins_per_octave * np.log2(np.maximum(f0, 1) / lowest), -99.0)
        weight = np.where(real, known.weight[at], 1.0).astype(np.float32)
        energy = correction(clean, heard, hop)[PRE_FRAMES : PRE_FRAMES + size]
        return seen, f0_bin.astype(np.float32), weight, energy

    def loss(self, batch: Batch, step: int, total_steps: int) -> tuple[Tensor, dict[str, float]]:
        tensors = (batch.spectrum, batch.f0_bin, batch.weight, batch.energy)
        seen, f0_bin, weight, wanted = (t.to(self.device) for t in tensors)
        out = self.network(seen, torch.ones_like(weight, dtype=torch.bool)).float()
        pitches = self.config.spectrum.pitches
        logits, (voicing, doubt, energy) = out[:, :pitches], out[:, pitches:].unbind(1)
        voiced = f0_bin >= 0
        pitched = voiced * weight
        count, every = pitched.sum(), weight.sum()
        mean = lambda values, by, total: shared_mean((values * by).sum() / total.clamp(min=1), total)
        bins = torch.arange(pitches, device=self.device, dtype=torch.float32)[None, :, None]
        target = torch.softmax(-0.5 * ((bins - f0_bin[:, None]) / SMEAR_BINS) ** 2, 1)
        entropy = -(target * torch.log_softmax(logits, 1)).sum(1)
        wrong = ((logits.argmax(1) - f0_bin).abs() > GROSS_BINS).float()
        binary = lambda guess, truth: F.binary_cross_entropy_with_logits(guess, truth, reduction="none")
        losses = {
            "pitch": mean(entropy, pitched, count),
            "voicing": mean(binary(voicing, voiced.float()), weight, every),
            "doubt": mean(binary(doubt, wrong), pitched, count),
            "energy": shared_mean(F.smooth_l1_loss(energy, wanted / ENERGY_SCALE_DB), weight.numel()),
        }
        task = self.task
        weights = {"voicing": task.voicing_weight, "doubt": task.doubt_weight, "energy": task.energy_weight}
        loss = torch.stack([value * weights.get(name, 1.0) for name, value in losses.items()]).sum()
        figures = {name: float(value.detach()) for name, value in losses.items()}
        figures["gross"] = float(mean(wrong, pitched, count))
        figures["voicing_errors"] = float(mean(((voicing > 0) != voiced).float(), weight, every))
        return loss, figures

    def speech_seconds(self, batch: Batch) -> float:
        """Of recorded speech in a batch."""
        spectrum_config = self.config.spectrum
        return batch.weight.numel() * spectrum_config.hop_length / spectrum_config.sample_rate


def correction(clean: np.ndarray, heard: np.ndarray, hop_length: int) -> np.ndarray:
    """What makes the measured energy the voice's, (T,) float32 dB, 0 where the voice is loud.

    Args:
        clean, heard: (N,), the same moments before and after noise, rooms and lines.
    """
    window = np.hanning(4 * hop_length + 1)
    window /= window.sum()
    levels = [
        10 * np.log10(np.convolve(np.square(x.astype(np.float64)), window, "same")[::hop_length] + 1e-12)
        for x in (clean, heard)
    ]
    level = np.maximum(levels[0], levels[0].max() - ENERGY_FLOOR_DB)
    apart = level - levels[1]
    loud = level > level.max() - 10
    return np.asarray(np.clip(apart - apart[loud].mean(), -MOST_DB, 6.0), np.float32)
