"""How phrases of a real reader end: the means that `evaluation/texts/endings.py` tells rises and falls by.

Usage: python benchmarks/final_contours.py MANIFEST CACHE [SPEAKER ...]
What is before a pause of 100 ms or more, and what ends a recording, is an ending; k-means makes three kinds of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans

from prosody_transfer.core.config import MelConfig
from prosody_transfer.data.manifest import cache_path, read_manifest
from prosody_transfer.evaluation.texts.endings import shape
from prosody_transfer.features.cache import load_utterance

PAUSE_FRAMES, FIRST_PHONE = 10, 4


def main() -> None:
    manifest, cache, speakers = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    config = MelConfig()
    step = config.hop_length / config.sample_rate
    shapes, final = [], []
    for row in read_manifest(manifest):
        path = cache_path(cache, row)
        if speakers and row.speaker not in speakers or not path.with_suffix(".phones.npz").exists():
            continue
        utterance = load_utterance(path, config, False)
        features, lasting = utterance.features, utterance.durations.astype(int)
        starts = np.cumsum(lasting) - lasting
        for i in np.flatnonzero(utterance.phones == 0):
            last = i == len(lasting) - 1
            if i < FIRST_PHONE or not last and lasting[i] < PAUSE_FRAMES:
                continue
            found = shape(features.log_f0, features.voiced, int(starts[i]), step)
            if found is not None:
                shapes.append(found)
                final.append(last)
    values, ends = np.array(shapes), np.array(final)
    kinds = KMeans(3, n_init=20, random_state=0).fit(values)
    print(f"{len(values)} endings, {ends.sum()} of sentences")
    for number, mean in enumerate(kinds.cluster_centers_):
        own = kinds.labels_ == number
        print(np.round(mean, 1).tolist(), f"final {own[ends].mean():.3f}, others {own[~ends].mean():.3f}")


if __name__ == "__main__":
    main()
