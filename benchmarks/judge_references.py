"""Writes what the judge of voices knows of the shipped voices, and prints how well it tells them apart.

Usage: python benchmarks/judge_references.py FOLDER... [--out FILE]
Each FOLDER holds a folder for each voice, named like it, with at least 12 natural recordings that no training has seen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from prosody_transfer.audio.io import SUFFIXES
from prosody_transfer.evaluation.identity import equal_error_rate, leave_one_out, mean_direction, unit
from prosody_transfer.evaluation.references import save_references
from prosody_transfer.store.voices import list_voices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    voices: dict[str, list[str | Path]] = {}
    for voice in list_voices():
        files = [f for folder in options.folders for f in (folder / voice.name).glob("*") if f.suffix in SUFFIXES]
        voices[voice.name] = sorted(files)
    found = save_references(voices, options.out)
    genders = {voice.name: voice.gender for voice in list_voices()}
    own, other = [], []
    for name, vectors in found.items():
        mine = leave_one_out(vectors)
        centre = mean_direction(vectors)
        same = [unit(found[n]) @ centre for n in found if n != name and genders[n] == genders[name]]
        crossed = [unit(found[n]) @ centre for n in found if genders[n] != genders[name]]
        own.append(mine)
        other += same + crossed
        near, far = (np.mean([scores.mean() for scores in group]) for group in (same, crossed))
        figures = f"ceiling {mine.mean():.3f}  least {mine.min():.3f}"
        print(f"{name:10} {len(vectors):3}  {figures}  same gender {near:.3f}  other gender {far:.3f}")
    print(f"equal error rate of verification: {equal_error_rate(np.concatenate(own), np.concatenate(other)):.4f}")


if __name__ == "__main__":
    main()
