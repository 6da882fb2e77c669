"""What self-transfer costs: the acoustic model trained further on exact pairs, which nobody has but the oracle's owner.

The oracle's cross-driven recordings are exact answers to transfers whose sources it can still speak. `sources` makes
these; `train` goes on from a checkpoint for a while with the source's phones, melody, energy and latent told and the
target's recording asked for, or, with --self, with the same recordings asked for from themselves. Both write a
checkpoint for `ptx evaluate --model`. The model is for measuring: users have no pairs, so it never ships.

    exact_pairs.py sources ORACLE_DIR ORACLE_CODE LIST.jsonl PAIRS       LIST: lines of the oracle, with driver
    exact_pairs.py train PAIRS RUN --start-from MODEL [--self] [--steps 2500] [--count N]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from front_end import VOICES, load_oracle

from prosody_transfer.audio.io import write_audio
from prosody_transfer.core.atomic import make_folder, write_atomically
from prosody_transfer.core.config import load_config
from prosody_transfer.corpus.measure import prepare
from prosody_transfer.data.manifest import Row, cache_path
from prosody_transfer.features.cache import load_utterance
from prosody_transfer.models.copycat.batches import Batcher, CopyCatTaskConfig
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.inputs import F0_SCALE
from prosody_transfer.models.copycat.network import MEL_FLOOR
from prosody_transfer.models.copycat.task import CopyCatTask
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.training.loop import LoopConfig, Trainer, run

RATE = 24_000
LONGEST_SECONDS = 10.0


def make_sources(oracle_dir: Path, code: Path, listing: Path, out: Path) -> None:
    """The driver's own voice saying each cross-driven line, with its durations and contour; what exists stays."""
    oracle, retarget = load_oracle(oracle_dir, code)
    make_folder(out)
    rows = [json.loads(line) for line in listing.read_text(encoding="utf8").splitlines()]
    for row in (r for r in rows if r["driver"] and r["seconds"] <= LONGEST_SECONDS):
        audio = listing.parent / row["audio"]
        name = f"{listing.stem}-{audio.stem}"
        driver = VOICES.get(row["driver"], row["driver"])
        if (out / f"{name}.json").exists():
            continue
        tokens = oracle.tokens(row["phones"])
        durations = np.array(row["durations_25ms"], np.float32)[None]
        own = oracle.contours(tokens, driver, durations)
        f0, energy = retarget(*own, *own, row["f0_range_scale"])
        source = oracle.speak(tokens, driver, durations, f0, energy)
        write_audio(out / f"{name}.flac", source, RATE, subtype="PCM_16", overwrite=True)
        known = {"audio": f"{name}.flac", "target": str(audio.resolve()), **{k: row[k] for k in ("speaker", "text")}}
        write_atomically(out / f"{name}.json", json.dumps(known).encode())


class PairBatcher(Batcher):
    """Self-transfer's batches, but for what is asked for: `mels` of other recordings, one each of `corpus`."""

    def __init__(self, *given: Any, mels: list[np.ndarray]) -> None:
        super().__init__(*given)
        self.mels = mels
        for source, mel in zip(self.corpus.utterances, mels, strict=True):
            assert source.features.mel.shape == mel.shape, "a pair differs in length"

    def _item(self, i: int, rng: np.random.Generator) -> dict[str, Any]:
        item, features = super()._item(i, rng), self.corpus.utterances[i].features
        part = slice(item["start"], item["start"] + self.task.crop_frames)
        asked = np.maximum(self.mels[i][:, part], MEL_FLOOR)
        item["mel"] = np.pad(asked, ((0, 0), (0, self.task.crop_frames - asked.shape[1]))).astype(np.float32)
        own_level = float(np.median(features.log_f0[features.voiced]))
        item["log_f0"] += np.float32((item["level"] - own_level) / F0_SCALE)
        item["known"] = 0.0  # as in a transfer: the source's speaker is in no table
        return item


def known_pairs(folder: Path, count: int | None) -> Iterator[tuple[Row, Row]]:
    """Source and target of each pair that `make_sources` has made."""
    for path in sorted(folder.glob("*.json"))[:count]:
        known = json.loads(path.read_text())
        audio = {"source": str(folder / known["audio"]), "target": known["target"]}
        same = {"speaker": known["speaker"], "text": known["text"]}
        source, target = (Row(id=f"{path.stem}-{side}", audio=file, **same) for side, file in audio.items())
        yield source, target


def train(pairs: Path, run_dir: Path, start: Path, itself: bool, steps: int, count: int | None) -> Path:
    """Go on from `start`; returns the checkpoint."""
    _, header = load_checkpoint(start, "copycat")
    voices, network_config = header["voices"], load_config(CopyCatConfig, header["config"], str(start))
    settings = CopyCatTaskConfig(start_from=str(start), recogniser="shipped")
    cache, sources, targets, mels = pairs / "cache", [], [], []
    both = list(known_pairs(pairs, count))
    rejected = {r["id"] for r in prepare([row for pair in both for row in pair], cache, network_config.mel)}
    for source, target in both:
        if rejected & {source.id, target.id}:
            continue
        found = [load_utterance(cache_path(cache, row), network_config.mel, False) for row in (source, target)]
        long = all(len(u.phones) > 2 and u.features.n_frames >= settings.crop_frames // 2 for u in found)
        if long and all(u.features.voiced.any() for u in found):
            sources.append(source), targets.append(target), mels.append(found[1].features.mel)
    print(len(sources), "pairs", file=sys.stderr, flush=True)
    levels = {name: facts["log_f0_median"] for name, facts in voices.items()}
    task = CopyCatTask(network_config, settings, targets if itself else sources, cache, levels)
    if not itself:
        task.batcher = PairBatcher(network_config, settings, sources, cache, levels, mels=mels)
    loop = LoopConfig(total_steps=steps, warmup_steps=100, learning_rate=5e-4, seed=40, validation_steps=0)
    trainer = Trainer(task, loop, run_dir, {"voices": voices})
    report = lambda step, figures: step % 25 or print(step, figures, file=sys.stderr, flush=True)
    return run(trainer, resume=True, on_step=report)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    making, training = parts.add_parser("sources"), parts.add_parser("train")
    for name in ("oracle", "code", "list", "pairs"):
        making.add_argument(name, type=Path)
    for name in ("pairs", "run"):
        training.add_argument(name, type=Path)
    training.add_argument("--start-from", type=Path, required=True)
    training.add_argument("--self", dest="itself", action="store_true")
    training.add_argument("--steps", type=int, default=2500)
    training.add_argument("--count", type=int, help="pairs")
    options = parser.parse_args()
    if options.part == "sources":
        make_sources(options.oracle, options.code, options.list, options.pairs)
    else:
        pairs, start = options.pairs.resolve(), options.start_from
        print(train(pairs, options.run, start, options.itself, options.steps, options.count))


if __name__ == "__main__":
    main()
