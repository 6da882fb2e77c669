"""The judge of voices: a speaker verification network that nothing here is trained against."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.core.errors import AudioError, DependencyError
from prosody_transfer.core.extras import remedy
from prosody_transfer.evaluation.figures import EVALUATION_RATE
from prosody_transfer.evaluation.slaney import power_mel_array

Runner = Callable[[np.ndarray], np.ndarray]
LEVEL_DB = -30.0  # dBFS; softer speech is raised to it, louder speech left
WINDOWS_A_SECOND = 1.3
LEAST_COVERAGE = 0.75  # of the last window; below it the window is left out
SHORTEST_SECONDS = 0.5  # of speech
_VAD_SAMPLES = 480  # 30 ms
_VAD_SMOOTHING = 8  # windows
_VAD_LONGEST_PAUSE = 6  # windows; longer pauses are cut down to about it


def raise_level(waveform: np.ndarray) -> np.ndarray:
    """(N,) raised to `LEVEL_DB` where it is softer; the network's input is no logarithm, so level is not ignored."""
    level = float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))
    wanted = 10.0 ** (LEVEL_DB / 20.0)
    return (waveform * (wanted / level) if 0.0 < level < wanted else waveform).astype(np.float32)


def without_pauses(waveform: np.ndarray) -> np.ndarray:
    """(N,) float32 at 16 kHz without what WebRTC's voice activity detector, at its strictest, hears as long pauses.

    Raises:
        DependencyError: The `evaluate` extra is not installed.
    """
    try:
        import webrtcvad
    except ImportError:
        raise DependencyError("judging voices needs webrtcvad", remedy=remedy("evaluate")) from None
    count = len(waveform) // _VAD_SAMPLES
    waveform = waveform[: count * _VAD_SAMPLES]
    pcm = np.round(np.clip(waveform, -1.0, 1.0) * 32767).astype("<i2").reshape(count, _VAD_SAMPLES)
    detector = webrtcvad.Vad(3)
    flags = np.array([detector.is_speech(window.tobytes(), EVALUATION_RATE) for window in pcm], float)
    before = (_VAD_SMOOTHING - 1) // 2
    padded = np.concatenate([np.zeros(before), flags, np.zeros(_VAD_SMOOTHING - 1 - before)])
    smooth = np.convolve(padded, np.ones(_VAD_SMOOTHING), "valid") / _VAD_SMOOTHING if count else flags
    speech = np.round(smooth)  # halves to even: exactly half of the windows is no speech
    margin = _VAD_LONGEST_PAUSE // 2
    kept = np.convolve(np.pad(speech, margin), np.ones(2 * margin + 1), "valid") > 0 if count else speech > 0
    return waveform[np.repeat(kept, _VAD_SAMPLES)]


def window_starts(samples: int) -> list[int]:
    """First frame of each window of 160 frames over so many samples; at least one.

    >>> window_starts(16_000), window_starts(40_000)
    ([0], [0, 77])
    """
    hop, length = 160, 160
    step = round(EVALUATION_RATE / WINDOWS_A_SECOND / hop)
    frames = -(-(samples + 1) // hop)
    starts = list(range(0, max(1, frames - length + step + 1), step))
    covered = (samples - starts[-1] * hop) / (length * hop)
    return starts[:-1] if len(starts) > 1 and covered < LEAST_COVERAGE else starts


class Judge:
    """Says which voice a recording is in, as a vector.

    Loads its weights at the first use. Deterministic: the same recording gives the same vector, in whatever order.

    Args:
        path: Other weights of the same kind; None for the shipped ones.

    Source:
        `embed_utterance` of Resemblyzer 0.1.4, whose network and weights these are. Differs from it in: half-precision
        weights, less than half a second of speech is refused, and where the detector hears too little, all is judged.
        Cosine to its own vectors .999999 on 24 recordings (tested: at least .9995).
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = path

    @property
    def _loaded(self) -> tuple[Runner, dict[str, Any], str]:
        """See `_load`; ModelError where its weights are missing or damaged."""
        return _load(None if self.path is None else str(self.path))

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change with any weight: stored vectors of another judge are not comparable."""
        return self._loaded[2]

    def embed(self, waveform: np.ndarray) -> np.ndarray:
        """The voice of a recording.

        Args:
            waveform: (N,) at `EVALUATION_RATE`.

        Returns:
            (256,) float32, unit length, nowhere negative. The shipped voices have a cosine of .5 to .7 to each other's
            centroids, and of .83 to .98 to their own.

        Raises:
            AudioError: It is shorter than `SHORTEST_SECONDS`, or silent.
            DependencyError: The `evaluate` extra is not installed.
            ModelError: The weights are missing or damaged.
        """
        least = round(SHORTEST_SECONDS * EVALUATION_RATE)
        if len(waveform) < least:
            problem = f"{len(waveform) / EVALUATION_RATE:.2f} s are too short to judge a voice by"
            raise AudioError(problem, remedy=f"give at least {SHORTEST_SECONDS} s of speech")
        level = raise_level(waveform)
        speech = without_pauses(level)
        speech = speech if len(speech) > least else level
        run, config, _ = self._loaded
        starts, size, hop = window_starts(len(speech)), config["window_frames"], config["hop_length"]
        padded = np.pad(speech, (0, max(0, (starts[-1] + size) * hop - len(speech))))
        mel = power_mel_array(padded, config["sample_rate"], config["n_fft"], hop, config["n_mels"])  # (M, T)
        mean = run(np.stack([mel[:, start : start + size] for start in starts])).mean(0)
        length = float(np.linalg.norm(mean))
        if not 0.0 < length < np.inf:
            raise AudioError("holds no voice that could be judged", remedy="check that it is speech")
        return (mean / length).astype(np.float32)


@functools.lru_cache(maxsize=2)
def _load(path: str | None) -> tuple[Runner, dict[str, Any], str]:
    """What turns windows (B, M, T) into vectors, its settings, and the fingerprint of the weights."""
    from prosody_transfer.store.checkpoint import load_arrays
    from prosody_transfer.store.weights import load_network, shipped

    file = Path(path) if path is not None else shipped("verifier")
    tensors, header = load_arrays(file, "verifier")
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].tobytes())
    if path is None:
        from prosody_transfer.integration import Networks, open_addon

        handle = Networks([open_addon(file.parent)]).handle("verifier")
        run: Runner = lambda windows: handle.run({"mel": windows})["embedding"]
        return run, header["config"], digest.hexdigest()[:12]
    import torch

    network = load_network("verifier", file)[0]

    def in_torch(windows: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(windows)).numpy()  # type: ignore[no-any-return]

    return in_torch, header["config"], digest.hexdigest()[:12]
