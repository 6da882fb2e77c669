"""Recordings said again with melodies that are known, for `ptx train tracker`.

Usage: python benchmarks/make_resynthesis.py FOLDER RECORDING... [--natural] [--longest 8]
Writes FOLDER/NAME.flac and NAME.f0.npz for every recording; with --natural the recordings themselves, with the contour
that ptx tracks as their command (frames where the sound does not bear it out are not trained on).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import soundfile as sf

from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.levelling import level_source
from prosody_transfer.features.pitch import track_f0
from prosody_transfer.training.contours import resynthesised

RATE = 24000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path), parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--natural", action="store_true")
    parser.add_argument("--longest", type=float, default=8.0, help="seconds; the rest is left out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted(options.recordings)):
        out = options.folder / f"{path.parent.name}_{path.stem}.flac"
        if out.exists():
            continue
        rng = np.random.default_rng([options.seed, number])
        waveform = read_audio(path, RATE).waveform[: round(options.longest * RATE)]
        audio = level_source(waveform, RATE).waveform
        per_second = 200.0
        if options.natural:
            size = 1 + len(audio) // (RATE // 200)
            log_f0, voiced = track_f0(audio, RATE, RATE // 200, size)
            command = np.where(voiced, np.exp(log_f0), 0.0)
        else:
            audio, command = resynthesised(audio, RATE, rng)
        if (peak := np.abs(audio).max()) > 0.95:
            audio = audio * (0.9 / peak)
        with open(out.with_suffix(".f0.npz"), "wb") as file:
            np.savez(file, f0_hz=command.astype(np.float32), frames_per_second=per_second, natural=options.natural)
        sf.write(out, audio, RATE, subtype="PCM_16")
        print(out.name, flush=True)


if __name__ == "__main__":
    main()
