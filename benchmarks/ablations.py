"""What each defence against leakage, and each temporal bottleneck, does: small networks, trained alike but for one.

Trains every variant from nothing on prepared recordings, for the same steps with the same seed. Then measures, on texts
that were not trained on and on sources whose speakers were not: what the latent alone moves, how well a linear probe
tells the source's speaker from it, and how near self-transfer comes. Results are kept as they come; the same command
goes on where it was killed, and prints the table.

    OMP_NUM_THREADS=1 python benchmarks/ablations.py TRAIN.jsonl SOURCES.jsonl --cache CACHE --sources-cache CACHE

TRAIN's and SOURCES's recordings are those of `ptx prepare` or of a training config, measured and aligned in the caches.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from prosody_transfer.analysis.phone_words import words_of_phones
from prosody_transfer.core.atomic import make_folder, write_atomically
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.data.manifest import Row, cache_path, read_manifest
from prosody_transfer.evaluation.leakage_floor import (
    average_steps,
    most_frequent_steps,
    normalised,
    plain_frames,
    plain_prosody,
)
from prosody_transfer.evaluation.probe import Probed, balanced, pool, probe
from prosody_transfer.evaluation.prosody import ENERGY_RANGE_DB, LEAST_FRAMES, pearson
from prosody_transfer.features.cache import Utterance, load_utterance
from prosody_transfer.features.mel import energy_from_mel
from prosody_transfer.models.copycat.batches import CopyCatTaskConfig
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.inputs import ENERGY_SCALE_DB, F0_SCALE, PhoneInputs, ProsodyInputs
from prosody_transfer.models.copycat.network import MEL_FLOOR, CopyCat
from prosody_transfer.models.copycat.task import CopyCatTask
from prosody_transfer.store.checkpoint import load_checkpoint, load_into
from prosody_transfer.text.phones import PHONES
from prosody_transfer.training.commands import voice_facts
from prosody_transfer.training.loop import LoopConfig, Trainer, run
from prosody_transfer.training.validation import hold_out

NETWORK: dict[str, Any] = {
    "phone_channels": 96, "phone_layers": 3, "channels": 128, "layers": 4, "speaker_channels": 64,
    "reference_channels": 96, "reference_layers": 4, "source_channels": 32,
}  # fmt: skip
TASK: dict[str, Any] = {"batch_size": 8, "crop_frames": 128}
FLOOR_FRAMES = 8  # a step of plain prosody, for the probe's floor


class Variant(NamedTuple):
    """What differs from the settings that ship.

    `known`: sources' speaker vectors are told when it is measured. `reseed` is added to the seed.
    """

    name: str
    network: dict[str, Any] = {}
    task: dict[str, Any] = {}
    known: bool = False
    reseed: int = 0


VARIANTS = (
    Variant("as shipped: 8 frames, all defences, 15 bits/s"),
    Variant("no perturbation of the encoder's mel", task={"perturb": False}),
    Variant("layer instead of instance normalisation", {"instance_norm": False}),
    Variant("source-speaker vector always told", task={"unknown_source": 0.0}, known=True),
    Variant("200 bits/s", task={"capacity_bits": 200.0}),
    Variant("with the speaker adversary, 0.05", task={"adversary_weight": 0.05}),
    Variant("a step for 4 frames", {"temporal_downsampling": 4}),
    Variant("a step for 16 frames", {"temporal_downsampling": 16}),
    Variant("a step for a phone", {"latent_unit": "phone"}),
    Variant("a step for a word", {"latent_unit": "word"}),
    Variant("as shipped, another seed", reseed=1),
    Variant(
        "no defence: no perturbation, layer normalisation, vector never told, 200 bits/s",
        {"instance_norm": False},
        {"perturb": False, "unknown_source": 1.0, "capacity_bits": 200.0},
    ),
    Variant("source-speaker vector never told", task={"unknown_source": 1.0}),
)


@dataclass
class Source:
    """A recording to measure with; `plain` is what the probe's floor reads."""

    row: Row
    utterance: Utterance
    words: np.ndarray
    speech: np.ndarray  # (T,) bool: not a pause
    plain: Any = None
    spectrum: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (M,) see `colour`


class Plain(NamedTuple):
    frames: np.ndarray
    phones: np.ndarray
    prosody: np.ndarray
    f0_median_hz: float


def colour(mel: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """The long-term spectrum without its level: (..., M, T) natural log and (T,) bool -> (..., M)."""
    spectrum = np.maximum(mel[..., speech], MEL_FLOOR).mean(-1)
    return spectrum - spectrum.mean(-1, keepdims=True)


def read(rows: Sequence[Row], cache: Path, most: int) -> list[Source]:
    """Up to `most` aligned recordings of each speaker."""
    found: dict[str, list[Source]] = {}
    for row in rows:
        path, mine = cache_path(cache, row), found.setdefault(row.speaker, [])
        if len(mine) >= most or not path.with_suffix(".phones.npz").exists():
            continue
        utterance = load_utterance(path, MelConfig(), with_pcm=False)
        if len(utterance.phones) > 2 and utterance.features.voiced.sum() >= LEAST_FRAMES:
            speech = np.repeat(utterance.phones != 0, utterance.durations)
            words = words_of_phones(utterance.phones, row.text)
            mine.append(Source(row, utterance, words, speech, None, colour(utterance.features.mel, speech)))
    return [source for mine in found.values() for source in mine]


def add_plain(source: Source) -> None:
    """Plain prosody, from the cache's phones and durations."""
    utterance, features = source.utterance, source.utterance.features
    ends = np.cumsum(utterance.durations) * features.config.hop_length / features.config.sample_rate
    names = [PHONES[p] for p in utterance.phones]
    phones = [PhoneInterval(n, s, e) for n, s, e in zip(names, [0.0, *ends[:-1]], ends, strict=True)]
    alignment = Alignment(tuple(phones), (), float(ends[-1]))
    frames, kinds = plain_frames(features, alignment, utterance.durations)
    source.plain = Plain(
        average_steps(frames, FLOOR_FRAMES), most_frequent_steps(kinds, FLOOR_FRAMES),
        plain_prosody(features, alignment), float(np.exp(np.median(features.log_f0[features.voiced]))),
    )  # fmt: skip


def floor_of(sources: Sequence[Source]) -> np.ndarray:
    """(U, 8) plain prosody without the speakers' levels and ranges."""
    names = np.array([s.row.speaker for s in sources])
    result = np.zeros((len(sources), 8))
    for name in np.unique(names):
        own = np.flatnonzero(names == name)
        result[own] = normalised([sources[i].plain for i in own])[1]
    return result


class Reader:
    """A trained network, asked about one recording at a time."""

    def __init__(self, network: CopyCat, levels: Sequence[float], known: bool) -> None:
        self.network, self.levels, self.known = network.eval(), levels, known

    def expand(self, source: Source) -> tuple[Tensor, Tensor, Tensor | None]:
        """Phone encodings and positions on frames, and units."""
        utterance = source.utterance
        batch = lambda values: torch.from_numpy(np.asarray(values, np.int64))[None]
        phones = PhoneInputs(
            torch.eye(len(PHONES))[utterance.phones.astype(np.int64)][None], batch(utterance.stress),
            batch(utterance.durations), torch.ones(1, len(utterance.phones), dtype=torch.bool), batch(source.words),
        )  # fmt: skip
        size = utterance.features.n_frames
        return *self.network.expand(phones, size), self.network.units(phones, size)

    def encode(self, source: Source) -> tuple[np.ndarray, float]:
        """The latent's means, (D, T'), and its rate in bits a second."""
        up, _, units = self.expand(source)
        mel = torch.from_numpy(source.utterance.features.mel)[None]
        mask = torch.ones(1, mel.shape[2], dtype=torch.bool)
        found = self.network.encode_reference(mel, mask, up, torch.full((1,), float(self.known)), units)
        kl = 0.5 * (found.mean**2 + found.log_variance.exp() - 1 - found.log_variance).sum(1)[found.mask].sum()
        seconds = mel.shape[2] * MelConfig().hop_length / MelConfig().sample_rate
        return found.mean[0][:, found.mask[0]].numpy(), kl.item() / math.log(2) / seconds

    def say(
        self, source: Source, voices: Sequence[int], asked: Sequence[tuple[Sequence[float], np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Say a recording in voices, with flags of what is told (pitch, energy, latent) and a latent each.

        Latents of another recording are repeated or cut to this one's steps.

        Returns:
            Mels (A, V, M, T) and normalised log F0 (A, V, T), for A things asked and V voices.
        """
        up, position, units = self.expand(source)
        features = source.utterance.features
        size, count = features.n_frames, len(asked) * len(voices)
        if units is None:
            steps = -(-size // self.network.config.temporal_downsampling)
        else:
            present, units = torch.unique(units, return_inverse=True)
            steps = len(present)
        latents = np.stack([latent[:, np.arange(steps) % latent.shape[1]] for _, latent in asked])
        units = None if units is None else units.expand(len(asked), -1)
        latent = self.network.spread(torch.from_numpy(latents), size, units)
        each = lambda values: torch.from_numpy(np.asarray(values, np.float32)).expand(count, -1)
        level = float(np.median(features.log_f0[features.voiced]))
        keep = torch.tensor([flags for flags, _ in asked]).repeat_interleave(len(voices), 0).float()
        prosody = ProsodyInputs(
            each((features.log_f0 - level) / F0_SCALE), each(features.voiced),
            each(features.energy_db / ENERGY_SCALE_DB), keep,
        )  # fmt: skip
        rows = torch.tensor(voices).repeat(len(asked))
        decoded = self.network.decode(
            up.expand(count, -1, -1), position.expand(count, -1, -1), torch.ones(count, size, dtype=torch.bool),
            prosody, latent.repeat_interleave(len(voices), 0), rows, torch.tensor([self.levels[v] for v in rows]),
        )  # fmt: skip
        shaped = lambda values: values.reshape(len(asked), len(voices), *values.shape[1:]).numpy()
        return shaped(decoded.mel), shaped(decoded.log_f0)


def follows(source: Source, mels: np.ndarray, log_f0s: np.ndarray) -> np.ndarray:
    """How much of a source's melody and loudness is in outputs, (V, M, T) and (V, T): Pearson's r of both, (2,)."""
    features = source.utterance.features
    heard = features.energy_db > features.energy_db.max() - ENERGY_RANGE_DB
    energies = [energy_from_mel(torch.from_numpy(mel), features.config).numpy() for mel in mels]
    melody = [pearson(features.log_f0[features.voiced], log_f0[features.voiced]) or 0.0 for log_f0 in log_f0s]
    loudness = [pearson(features.energy_db[heard], energy[heard]) or 0.0 for energy in energies]
    return np.array([np.mean(melody), np.mean(loudness)])


def mean_of(values: Sequence[float] | np.ndarray) -> list[float]:
    """Mean and half the width of its normal 95 % interval."""
    values = np.asarray(values, float)
    return [float(values.mean()), float(1.96 * values.std(ddof=1) / math.sqrt(len(values)))]


def measure_transfer(
    reader: Reader, sources: Sequence[Source], latents: Sequence[np.ndarray], each: int, voices: Sequence[int]
) -> dict[str, list[float]]:
    """What a latent moves, told alone; and how far a stranger's latent pulls the voice's spectrum to its speaker's."""
    by_speaker: dict[str, list[int]] = {}
    for i, source in enumerate(sources):
        by_speaker.setdefault(source.row.speaker, []).append(i)
    names, found = list(by_speaker), defaultdict(list)
    for n, name in enumerate(names):
        mine, others = by_speaker[name], by_speaker[names[(n + 1) % len(names)]]
        timbre = np.mean([sources[i].spectrum for i in mine], 0)
        for k, i in enumerate(mine[:each]):
            source, own, other = sources[i], latents[i], latents[mine[(k + 1) % len(mine)]]
            stranger = latents[others[k % len(others)]]
            alone, explicit, everything = (0, 0, 1), (1, 1, 0), (1, 1, 1)
            asked = [(alone, own), (alone, other), (everything, other), (everything, stranger), (explicit, own)]
            mel, log_f0 = reader.say(source, voices, asked)
            same, strange, origin = colour(mel[2:], source.speech)  # (V, M) each
            way = timbre - origin
            pulls = ((same - strange) * way).sum(-1) / (way**2).sum(-1)
            found["pull"].append(pulls.mean())
            by_own, by_other = (follows(source, mel[a], log_f0[a]) for a in (0, 1))
            for at, what in enumerate(("f0", "energy")):
                found[what].append(by_own[at])
                found[f"{what}_gain"].append(by_own[at] - by_other[at])
    return {k: mean_of(v) for k, v in found.items()}


def measure(
    reader: Reader, speakers: Sequence[str], held: Sequence[Source], sources: Sequence[Source], floor: Probed, each: int
) -> dict[str, Any]:
    """All figures of one variant."""
    with torch.inference_mode():
        encoded = [reader.encode(source) for source in sources]
        latents = [latent for latent, _ in encoded]
        figures: dict[str, Any] = {"bits": mean_of([rate for _, rate in encoded])}
        figures |= measure_transfer(reader, sources, latents, each, (0, 1))
        errors = []
        for source in held:
            latent, _ = reader.encode(source)
            wanted = np.maximum(source.utterance.features.mel, MEL_FLOOR)
            row, asked = speakers.index(source.row.speaker), [((1, 1, 1), latent), ((1, 1, 0), latent)]
            mel, _ = reader.say(source, [row], asked)
            errors.append(np.abs(mel[:, 0] - wanted).mean((1, 2)))
    figures["mel"], figures["mel_none"] = (mean_of(column) for column in np.stack(errors, 1))
    names = np.array([s.row.speaker for s in sources])
    probed = probe(np.stack([pool(latent) for latent in latents]), names, np.arange(len(names)), names, "logistic")
    for key, interval in {"probe": probed.accuracy, "above_floor": balanced(probed.hits - floor.hits, names)}.items():
        figures[key] = [interval.value, interval.low, interval.high]
    return figures


def table(results: dict[str, dict[str, Any]]) -> str:
    """Markdown, in the order of `VARIANTS`; intervals of 95 %."""
    results = {v.name: results[v.name] for v in VARIANTS if v.name in results}
    floor = next((f["probe"][0] - f["above_floor"][0] for f in results.values()), math.nan)
    lines = [
        "| variant | bits/s | self-transfer mel L1: all / no latent | F0 r of the latent alone: own / minus another's "
        f"| energy r: own / minus another's | speaker probe / minus floor ({100 * floor:.0f} %), points "
        "| pull to the source's timbre, % |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, f in results.items():
        gain = lambda key, f=f: f"{f[key][0]:.3f} / {f[key + '_gain'][0]:+.3f} ± {f[key + '_gain'][1]:.3f}"
        low, high = (100 * v for v in f["above_floor"][1:])
        probed = f"{100 * f['probe'][0]:.0f} % / {100 * f['above_floor'][0]:+.0f} ({low:+.0f} to {high:+.0f})"
        mels = f"{f['mel'][0]:.3f} / {f['mel_none'][0]:.3f}"
        pull = f"{100 * f['pull'][0]:+.1f} ± {100 * f['pull'][1]:.1f}"
        cells = [name, f"{f['bits'][0]:.0f}", mels, gain("f0"), gain("energy"), probed, pull]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def train(variant: Variant, rows: list[Row], levels: dict[str, float], options: argparse.Namespace) -> CopyCat:
    """Train one, or go on with it; the averaged weights."""
    network = CopyCatConfig(**{"speakers": tuple(levels), **NETWORK, **variant.network})
    drops = {"drop_pitch": options.drop, "drop_energy": options.drop}
    seed = options.seed + variant.reseed
    torch.manual_seed(seed)
    task = CopyCatTask(network, CopyCatTaskConfig(**{**TASK, **drops, **variant.task}), rows, options.cache, levels)
    loop = LoopConfig(
        total_steps=options.steps, learning_rate=1.5e-3, warmup_steps=min(100, options.steps), ema_decay=0.99,
        seed=seed, validation_steps=0, checkpoint_minutes=2.0, precision=options.precision,
    )  # fmt: skip
    folder = options.out / "".join(c if c.isalnum() else "-" for c in variant.name)
    trainer = Trainer(task, loop, folder)
    path = run(trainer, resume=True)
    if trainer.ending != "finished":
        raise SystemExit(130)
    load_into(task.network, load_checkpoint(path, "copycat")[0], str(path))
    return task.network


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path, help="manifest of the voices to train")
    parser.add_argument("sources", type=Path, help="manifest of sources by other speakers")
    parser.add_argument("--cache", type=Path, required=True, help="where the first are measured")
    parser.add_argument("--sources-cache", type=Path, required=True, help="where the second are")
    parser.add_argument("--out", type=Path, default=Path("runs/ablations"), help="runs and results")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drop", type=float, default=0.5, help="share of crops without melody, and without loudness")
    parser.add_argument("--each", type=int, default=100, help="recordings of a speaker, voice or source")
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--pairs", type=int, default=10, help="sources of a speaker transferred, to two voices")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of variants, from 0")
    return parser.parse_args()


def main() -> None:
    options = parse()
    make_folder(options.out)
    store = options.out / "results.json"
    facts = {k: str(v) for k, v in vars(options).items() if k not in ("out", "only")}
    kept = json.loads(store.read_text()) if store.exists() else {"facts": facts, "variants": {}}
    if kept["facts"] != facts:
        raise SystemExit(f"{store} was made with other options: choose another --out")
    missing = [v for k, v in enumerate(VARIANTS) if v.name not in kept["variants"] and k in (options.only or [k])]
    if missing:
        fill(missing, kept, options, store)
    print(table(kept["variants"]))


def fill(missing: Sequence[Variant], kept: dict[str, Any], options: argparse.Namespace, store: Path) -> None:
    """Train and measure what is missing; every finished variant is kept in `store`."""
    learnt, dev = hold_out(read_manifest(options.train))
    speakers = tuple(sorted({r.speaker for r in learnt}))
    rows = [r for s in speakers for r in [q for q in learnt if q.speaker == s][: options.each]]
    levels = {k: v["log_f0_median"] for k, v in voice_facts(rows, options.cache, speakers, len(PHONES)).items()}
    held = read(dev, options.cache, 6)
    sources = read(read_manifest(options.sources), options.sources_cache, options.each)
    for source in sources:
        add_plain(source)
    names = np.array([s.row.speaker for s in sources])
    floor = probe(floor_of(sources), names, np.arange(len(names)), names, "logistic")
    for variant in missing:
        began = time.perf_counter()
        reader = Reader(train(variant, rows, levels, options), list(levels.values()), variant.known)
        trained = time.perf_counter()
        figures = measure(reader, speakers, held, sources, floor, options.pairs)
        seconds = {"train_seconds": trained - began, "measure_seconds": time.perf_counter() - trained}
        kept["variants"][variant.name] = {**figures, **seconds}
        write_atomically(store, json.dumps(kept, indent=1).encode())
        print(table({variant.name: kept["variants"][variant.name]}).splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
