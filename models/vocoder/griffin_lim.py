"""A vocoder without weights: phases found by iteration. Rough, but there is nothing to train or to download."""

from __future__ import annotations

import torch
from torch import Tensor

from prosody_transfer.core.config import MelConfig
from prosody_transfer.models.vocoder.mel_vocoder import MelVocoder

TINY = 1e-12


def linear_magnitude(mel: Tensor, filterbank: Tensor, iterations: int) -> Tensor:
    """Non-negative magnitudes whose mel bands come close to the given ones.

    Multiplicative updates for the Kullback-Leibler divergence (Lee and Seung 2001) from a smooth start: they never
    leave the non-negative side, and come nearer to the true spectrum than a clipped pseudo-inverse (0.38 to 0.42 ln
    units on speech).

    Args:
        mel: (B, M, T) magnitudes, not logarithms.
        filterbank: (M, n_fft // 2 + 1).

    Returns:
        (B, n_fft // 2 + 1, T); zero in bins that no filter sees.
    """
    back = filterbank.T / filterbank.sum(0).clamp(min=TINY)[:, None]  # (bins, M), every row an average of bands
    areas = filterbank.sum(1).clamp(min=TINY)[:, None]
    magnitude = back @ (mel / areas)  # (B, bins, T)
    for _ in range(iterations):
        magnitude = magnitude * (back @ (mel / (filterbank @ magnitude).clamp(min=TINY)))
    return magnitude


class GriffinLim(MelVocoder):
    """Fast Griffin-Lim on the magnitudes recovered from the mel. The same input always gives the same output.

    Args:
        mel: Feature settings.
        filterbank: (M, n_fft // 2 + 1), the filters that made the mels.
        iterations: Of the phase search.
        momentum: 0 is plain Griffin-Lim.

    Source:
        Griffin and Lim 1984; momentum from Perraudin, Balazs and Sondergaard 2013.
    """

    def __init__(
        self,
        mel: MelConfig,
        filterbank: Tensor,
        iterations: int = 48,
        momentum: float = 0.99,
        mel_iterations: int = 30,
        seed: int = 7,
    ) -> None:
        super().__init__(mel)
        self.iterations, self.momentum, self.mel_iterations, self.seed = iterations, momentum, mel_iterations, seed
        self.register_buffer("filterbank", filterbank.clone(), persistent=False)
        self.register_buffer("window", torch.hann_window(mel.win_length), persistent=False)
        self.filterbank: Tensor
        self.window: Tensor

    def _analyse(self, waveform: Tensor) -> Tensor:
        mel = self.mel
        return torch.stft(
            waveform,
            mel.n_fft,
            mel.hop_length,
            mel.win_length,
            self.window,
            center=True,
            pad_mode="constant",
            return_complex=True,
        )

    def _synthesise(self, spectrum: Tensor, length: int) -> Tensor:
        mel = self.mel
        return torch.istft(spectrum, mel.n_fft, mel.hop_length, mel.win_length, self.window, center=True, length=length)

    def decode(self, mel: Tensor) -> Tensor:
        with torch.no_grad():
            magnitude = linear_magnitude(mel.to(self.filterbank).exp(), self.filterbank, self.mel_iterations)
            size = mel.shape[-1]
            length = (size - 1) * self.mel.hop_length
            turns = torch.rand(magnitude.shape, generator=torch.Generator().manual_seed(self.seed)).to(magnitude)
            search = torch.polar(magnitude, 2 * torch.pi * turns)
            previous = torch.zeros_like(search)
            for _ in range(self.iterations):
                # The nearest spectrum that some waveform has, then on past it in the direction it has moved.
                possible = self._analyse(self._synthesise(self._with_magnitude(search, magnitude), length))
                search = possible + self.momentum * (possible - previous)
                previous = possible
            return self._synthesise(self._with_magnitude(search, magnitude), length).to(mel)

    @staticmethod
    def _with_magnitude(spectrum: Tensor, magnitude: Tensor) -> Tensor:
        return spectrum * (magnitude / spectrum.abs().clamp(min=TINY))
