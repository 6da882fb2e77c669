"""Phones that a recogniser hears wrong: of recordings whose words are known, clean and through conditions.py.

    python benchmarks/recognisers.py MANIFEST [--recogniser FILE ...] [--condition NAME ...] [--limit N] [--live]

Substituted, left out and put in, of all phones that the dictionary has for the words (its first entry for each), by
"source" of the manifest's rows. Of several recognisers the differences to the first are printed, paired over the
recordings. --live hears as `ptx align --live` does, with decisions that are never taken back.
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from conditions import CONDITIONS, heard_through

from prosody_transfer.alignment.live import LiveDecoder
from prosody_transfer.alignment.match import align_sequences
from prosody_transfer.alignment.recognise import log_bigram, posteriors_of_mel, viterbi
from prosody_transfer.audio.highpass import high_pass
from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.core.errors import PtxError
from prosody_transfer.evaluation.statistics import bootstrap
from prosody_transfer.features.extract import pad_to_frames
from prosody_transfer.features.mel import log_mel_array
from prosody_transfer.store.header import read_kind
from prosody_transfer.store.weights import load_network
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.normalise import words_with_origin
from prosody_transfer.text.phones import PHONES, split_stress


def said(text: str) -> list[str]:
    """Phones without stress."""
    return [split_stress(p)[0] for word, _ in words_with_origin(text) for p in pronounce(word)[0]]


def heard(network: Any, sound: np.ndarray, live: bool) -> list[str]:
    """Phones without silences."""
    config = network.config.mel
    level = sound if live else normalise_level(high_pass(sound, config.sample_rate), config.sample_rate)[0]
    posteriors = posteriors_of_mel(network, log_mel_array(pad_to_frames(level, config), config))
    if live:
        decoder = LiveDecoder(log_bigram(network), config.hop_length / config.sample_rate)
        names = [p.phone for p in [*decoder.push(posteriors), *decoder.finish()]]
    else:
        path = viterbi(np.log(posteriors + 1e-6), log_bigram(network))
        names = [PHONES[path[0]], *(PHONES[b] for a, b in zip(path, path[1:], strict=False) if a != b)]
    return [name for name in names if name != "SIL"]


def wrong(truth: list[str], found: list[str]) -> int:
    """Substituted, left out and put in."""
    return sum(i is None or j is None or truth[i] != found[j] for i, j in align_sequences(truth, found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--recogniser", action="append", default=[])
    parser.add_argument("--condition", action="append", default=[], choices=[*CONDITIONS])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--live", action="store_true")
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.manifest.read_text(encoding="utf8").splitlines()][: args.limit]
    files = args.recogniser or [None]
    networks = [load_network(read_kind(f) if f else "recogniser", f)[0] for f in files]
    found: dict[tuple[str, str], list[list[int]]] = {}
    for row, condition in product(rows, args.condition or ["clean"]):
        try:
            truth = said(row["text"])
            rate = networks[0].config.mel.sample_rate
            sound = read_audio(args.manifest.parent / row["audio"], rate).waveform
            sound = heard_through(condition, sound, rate, row["audio"]).astype(np.float32)
            counts = [len(truth), *(wrong(truth, heard(network, sound, args.live)) for network in networks)]
        except PtxError as error:
            print(f"  left out: {error}")
            continue
        found.setdefault((row.get("source", row["speaker"]), condition), []).append(counts)
    for (source, condition), counts_of in sorted(found.items()):
        table = np.array(counts_of)
        shares = " ".join(f"{100 * table[:, k].sum() / table[:, 0].sum():5.1f}" for k in range(1, table.shape[1]))
        more = [bootstrap(100 * (table[:, k] - table[:, 1]) / table[:, 0].mean()) for k in range(2, table.shape[1])]
        told = "; ".join(f"{d.value:+.1f} ({d.low:+.1f} to {d.high:+.1f})" for d in more)
        print(f"{source:24} {condition:14} n = {len(table):3}  {shares} %  {told}", flush=True)


if __name__ == "__main__":
    main()
