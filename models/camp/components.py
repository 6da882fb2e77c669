"""What CAMP needs around its two networks, as components: whole frames for tokens, and contours on them."""

from __future__ import annotations

import numpy as np

from prosody_transfer.core.ports import Port
from prosody_transfer.integration.components import Flow, Ledger, SequenceBlock, StreamableBlock, register
from prosody_transfer.integration.runtimes import Tensors

PAUSE_FROM = 0.0  # logit
LOWEST_LOG, HIGHEST_LOG = -1.0, 6.0  # ln frames
ENERGY_SCALE_DB = 10.0
RANGE = 1.2  # what the melody is stretched by about the level: see CARD.md
_TOKENS, _FRAME = ("B", "P"), ("B", "T")
_TIMING = ("log_frames", "pause_logit", "log_pause")
_MELODY = ("log_f0", "voicing_logit", "energy")


@register("TokenLengths")
class TokenLengths(SequenceBlock):
    """Whole frames of each token, `frames` (for the melody) and `durations` (for an Upsampler), (B, P) int64.

    A gap lasts where it is a pause. Not run where the caller gives `frames`: then that is how long tokens are.
    """

    def plan(self, ledger: Ledger) -> None:
        for name in _TIMING:
            ledger.ask(Port(name=name, axes=_TOKENS), self.place)
        ledger.ask(Port(name="classes", axes=("B", 4, "P"), dtype="int64"), self.place)
        for name in ("frames", "durations"):
            ledger.give(Port(name=name, axes=_TOKENS, dtype="int64"))

    def run(self, tensors: Tensors) -> Tensors:
        if "frames" in tensors:
            return {"durations": tensors["frames"]}
        gap = tensors["classes"][:, 0] == 0
        lasting = np.where(gap, tensors["log_pause"], tensors["log_frames"])
        frames = np.exp(np.clip(lasting, LOWEST_LOG, HIGHEST_LOG))
        frames[gap & (tensors["pause_logit"] < PAUSE_FROM)] = 0.0
        whole = np.round(np.cumsum(frames, 1)).astype(np.int64)
        found = np.diff(whole, axis=1, prepend=0)
        return {"frames": found, "durations": found}


@register("TokenContours")
class TokenContours(StreamableBlock):
    """Of the points in each token the one that a frame is in: `contour` (ln F0), `tracked`, `loudness` (dB), (B, T)."""

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        flow = super().plan(ledger, before)
        ports = {"contour": "float32", "tracked": "bool", "loudness": "float32"}
        made = [Port(name=name, axes=_FRAME, dtype=kind) for name, kind in ports.items()]  # type: ignore[arg-type]
        return Flow(flow.rate, flow.chunk, flow.latency, {port.name: port for port in made})

    def process(self, chunk: Tensors) -> Tensors:
        passed = chunk["position"][0, 0] + np.float32(0.5)  # share of the token
        points = chunk["log_f0"].shape[1]
        point = np.clip((passed * points).astype(np.int64), 0, points - 1)
        log_f0, logit, energy = (chunk[name][0, point, np.arange(len(point))][None] for name in _MELODY)
        contour, loudness = np.float32(RANGE) * log_f0, np.float32(ENERGY_SCALE_DB) * energy
        return {"contour": contour, "tracked": logit > 0, "loudness": loudness}
