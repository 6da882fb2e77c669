"""Hearing phones while they are spoken, by the live recogniser's addon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from prosody_transfer.alignment.live import LAG, LiveDecoder, LivePhone
from prosody_transfer.analysis.recogniser_addon import distributions
from prosody_transfer.audio.resample import Resampler
from prosody_transfer.features.mel import mel_of_frames
from prosody_transfer.integration import Networks, open_addon
from prosody_transfer.store.weights import shipped

KIND = "recogniser-live"


class LiveListener:
    """Takes samples in blocks of any size, and gives the phones that are over.

    What it gives depends on no sample that comes later than the phone's end and the delay: `delay` seconds. Equal for
    the same samples in blocks of any size, but for a frame at the very end.

    Args:
        sample_rate: Hz, of what is pushed.
        options: "runtime" and "provider" of `integration.Networks`; ONNX Runtime on the CPU if None.
    """

    def __init__(self, sample_rate: int, options: Mapping[str, Any] | None = None) -> None:
        addon = open_addon(shipped(KIND).parent)
        assert addon.config.features is not None
        self.config = config = addon.config.features
        self._handle = Networks([addon], **(options or {})).handle("recogniser")
        self._state = self._handle.initial_state()
        self._resampler = Resampler(sample_rate, config.sample_rate)
        step = config.hop_length / config.sample_rate
        self._decoder = LiveDecoder(addon.tensor("recogniser", "bigram"), step)
        self._left = np.zeros(0, np.float32)  # samples from half a window before the next frame's middle
        self._masked = self._handle.spec.lag
        self.delay = step * (LAG + self._handle.spec.lag + 1) + config.n_fft / 2 / config.sample_rate

    def push(self, samples: np.ndarray) -> list[LivePhone]:
        """(N,) float32 -> the phones that are over."""
        return self._hear(self._resampler.push(np.asarray(samples, np.float32)), last=False)

    def finish(self) -> list[LivePhone]:
        """The rest; it may not be pushed to again."""
        found = self._hear(self._resampler.push(np.zeros(0, np.float32), last=True), last=True)
        return found + self._decoder.finish()

    def _hear(self, sound: np.ndarray, last: bool) -> list[LivePhone]:
        config, half = self.config, self.config.n_fft // 2
        if not len(self._left) and len(sound):
            self._left = np.zeros(half, np.float32)  # nothing was there before
        self._left = np.concatenate([self._left, sound, np.zeros(half if last else 0, np.float32)])
        frames = max(0, (len(self._left) - config.n_fft) // config.hop_length + 1)
        if not frames:
            return []
        mel = mel_of_frames(self._left[: (frames - 1) * config.hop_length + config.n_fft], config)
        self._left = self._left[frames * config.hop_length :]
        return self._decoder.push(self._posteriors(mel))

    def _posteriors(self, mel: np.ndarray) -> np.ndarray:
        """(M, T) -> (T', V); the first frames of a network that lags are nobody's."""
        given = {"mel": mel[None], "mask": np.ones((1, mel.shape[1]), bool), **self._state}
        found = self._handle.run(given)
        self._state = {name: found[f"next_{name}"] for name in self._state}
        logits = found["logits"][0].T[self._masked :]
        self._masked = max(0, self._masked - mel.shape[1])
        return distributions(logits)
