"""Speech of known melody for `ptx train tracker`, made with a synthesiser that takes F0 as numbers.

Usage: python benchmarks/make_contours.py ORACLE TEXTS OUT [--minutes 25] [--seed 1]
ORACLE is a folder with oracle.py beside its graphs, as benchmarks/README.md says. Writes OUT/oracle/NAME.flac and
NAME.f0.npz (f0_hz, frames_per_second: what was asked for, 0 = unvoiced). Goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import soundfile as sf

from prosody_transfer.training.contours import varied

VOICES = [
    *("af_alloy", "af_aoede", "af_heart", "af_jessica", "af_kore", "af_river", "af_sky", "am_adam"),
    *("am_echo", "am_fenrir", "am_michael", "am_onyx", "bf_alice", "bf_emma", "bm_george", "bm_lewis"),
]
RATE = 80.0  # of the oracle's contours, frames a second


def render(oracle, text: str, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    """Audio at 24 kHz and the contour commanded, or None where the text is too long or short."""
    voice, driver = rng.choice(VOICES), rng.choice(VOICES)
    tokens = oracle.tokens(oracle.phones(text, british=voice.startswith("b")))
    if not 12 <= tokens.shape[1] <= 90:
        return None
    durations = oracle.durations(tokens, driver, rng.uniform(0.85, 1.2))
    f0, energy = oracle.contours(tokens, driver, durations)
    own, own_energy = oracle.contours(tokens, voice, durations)
    spoken = np.where(f0[0, 0] > 10, f0[0, 0], 0.0)
    if not (spoken > 0).any() or not (own > 10).any():
        return None
    level = np.median(own[own > 10]) / np.median(spoken[spoken > 0])
    command = varied(spoken * level, RATE, rng)
    sent = np.where(command > 0, command, f0[0, 0])[None, None]
    audio = oracle.speak(tokens, voice, durations, sent, energy - energy.mean() + own_energy.mean())
    return audio, command, voice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("oracle", type=Path), parser.add_argument("texts", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--code", type=Path, help="where oracle.py lies, if not in ORACLE")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.path.insert(0, str(options.code or options.oracle))
    from oracle import SAMPLE_RATE, Oracle  # type: ignore[import-not-found]

    oracle = Oracle(options.oracle)
    texts = options.texts.read_text(encoding="utf8").splitlines()
    order = np.random.default_rng(options.seed).permutation(len(texts))
    folder = options.out / "oracle"
    folder.mkdir(parents=True, exist_ok=True)
    seconds = 0.0
    for number, at in enumerate(order):
        if seconds > 60 * options.minutes:
            break
        path = folder / f"oracle_{number:05d}.flac"
        if path.exists():
            seconds += sf.info(path).duration
            continue
        made = render(oracle, texts[at], np.random.default_rng([options.seed, number]))
        if made is None:
            continue
        audio, command, voice = made
        with open(path.with_suffix(".f0.npz"), "wb") as file:
            np.savez(file, f0_hz=command.astype(np.float32), frames_per_second=RATE, voice=voice)
        sf.write(path, audio, SAMPLE_RATE, subtype="PCM_16")
        seconds += len(audio) / SAMPLE_RATE
        print(path.name, voice, f"{seconds:.1f}", flush=True)


if __name__ == "__main__":
    main()
