"""The vocoder as one more StreamableBlock: mel frames in, samples out."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.ports import Port
from prosody_transfer.integration.components import Flow, Ledger, Stream, register, steps
from prosody_transfer.integration.runtimes import Tensors
from prosody_transfer.integration.sound import match_mel, source_filter
from prosody_transfer.integration.streams import NetworkStream


@register("Vocoder")
class Vocoder(NetworkStream):
    """mel (B, M, T), voiced (B, T) and pitch (B, T, ln Hz) -> waveform (B, 1, N), N = T * hop_length. B is 1.

    Args:
        network: That gives the filters of each frame.
        matching: Passes in which the spectrum is brought to the mel.
    """

    def __init__(self, network: str = "filters", matching: int = 3) -> None:
        super().__init__(network)
        if not isinstance(matching, int) or not 0 <= matching <= 16:
            raise ValueError(f"matching = {matching!r}: give 0 to 16 passes")
        self.matching = matching

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        flow = super().plan(ledger, before)
        config = self.setting.features
        side = config.n_fft // 2 // config.hop_length
        self.side = side
        frames = 2 * side + 1 + self.matching * 2 * side
        latency = flow.latency + Fraction(frames) / self.setting.frame_rate
        ports = {"waveform": Port(name="waveform", axes=("B", 1, "N"))}
        return Flow(Fraction(config.sample_rate), self.chunk * config.hop_length, latency, ports)

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        assert source is not None
        head = _Head(self.setting.features, self.side, self.matching)
        for chunk, found in self.aligned(sequence, source):
            if steps(chunk):
                yield {"waveform": head.push(found["filters"][0], chunk["pitch"][0], chunk["mel"][0])[None, None]}
        yield {"waveform": head.finish()[None, None]}


class _Head:
    """Source-filter head and mel matching of one stream, frames fed as they come.

    Every push renders again as many frames as later ones can still change, which is what makes chunks of any size give
    the same samples.
    """

    def __init__(self, config: MelConfig, side: int, matching: int) -> None:
        self.config, self.matching = config, matching
        self.late, self.history = 2 * side + 1, 2 * side + 1
        self.match_late = matching * 2 * side
        bins = config.n_fft // 2 + 1
        self.filters = np.zeros((3 * bins, 0), np.float32)
        self.pitch = np.zeros(0, np.float32)
        self.phase, self.first = 0.0, 0  # of the oldest frame that is kept
        self.rendered = 0  # frames whose samples are final, before matching
        self.samples = np.zeros(0, np.float32)
        self.mel = np.zeros((config.n_mels, 0), np.float32)
        self.mel_first = self.given = 0

    def push(self, filters: np.ndarray, pitch: np.ndarray, mel: np.ndarray) -> np.ndarray:
        """Filters (3 * bins, T), ln F0 (T,) and mel (M, T) of the next frames -> the samples that are final."""
        self.filters = np.concatenate([self.filters, filters], 1)
        self.pitch = np.concatenate([self.pitch, pitch])
        self.mel = np.concatenate([self.mel, mel], 1)
        return self._render(last=False)

    def finish(self) -> np.ndarray:
        """The samples that are left."""
        return self._render(last=True)

    def _render(self, last: bool) -> np.ndarray:
        hop, total = self.config.hop_length, self.first + len(self.pitch)
        final = total if last else max(self.rendered, total - self.late)
        if final > self.rendered:
            real = np.ones(len(self.pitch), bool)
            sound, starts = source_filter(self.filters, self.pitch, real, self.phase, self.first, self.config)
            fresh = slice((self.rendered - self.first) * hop, (final - self.first) * hop)
            self.samples = np.concatenate([self.samples, sound[fresh]])
            self.rendered = final
            drop = max(0, final - self.history - self.first)
            self.phase, self.first = float(starts[drop]), self.first + drop
            self.filters, self.pitch = self.filters[:, drop:], self.pitch[drop:]
        return self._match(last)

    def _match(self, last: bool) -> np.ndarray:
        hop = self.config.hop_length
        final = self.rendered if last else max(self.given, self.rendered - self.match_late)
        if final <= self.given:
            return np.zeros(0, np.float32)
        count = self.rendered - self.mel_first
        matched = self.samples
        if self.matching:
            matched = match_mel(matched, self.mel[:, :count], np.ones(count, bool), self.matching, self.config)
        fresh = matched[(self.given - self.mel_first) * hop : (final - self.mel_first) * hop]
        self.given = final
        drop = max(0, final - self.match_late - self.mel_first)
        self.mel_first += drop
        self.samples, self.mel = self.samples[drop * hop :], self.mel[:, drop:]
        return fresh.astype(np.float32)
