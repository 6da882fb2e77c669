"""What one vector an utterance carries, and what choosing it by text gives, on readings that were held out.

Usage: python benchmarks/utterance.py MANIFEST CACHE [--vae FILE] [--kathaka FILE] [--sound VOICE...] [--json OUT]
MANIFEST and CACHE as for `ptx train`. Nothing is drawn but the order in which recordings are exchanged (seed 0). Paired
differences are over readings, with a t-test. Figures:
  own, other, zero    mean error of ln durations, of ln F0, and correlation of F0 with the reading, said with its own
                      vector, another reading's, none
  follow              correlation of tempo and range of the plan (or with --sound of the sound) with those of 40
                      readings of other words whose vector it was said with
  selection           share of nearest sentences of the same class; F0, prominence and variety over paragraphs
  sampling            spread of F0 of ten draws against that of camp's ten voices; likelihood of readings' posteriors
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import ttest_rel

from prosody_transfer.analysis.readings import Reading
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.data.manifest import read_manifest
from prosody_transfer.features.extract import Features, extract
from prosody_transfer.features.prominence import measure_words
from prosody_transfer.models import registry
from prosody_transfer.models.kathaka.network import Words
from prosody_transfer.models.kathaka.task import divergence
from prosody_transfer.models.utterance.network import Posterior, Said
from prosody_transfer.models.utterance.speaking import Told, bank_of
from prosody_transfer.models.utterance.task import UtteranceTask, UtteranceTaskConfig
from prosody_transfer.models.vae.task import VaeTask
from prosody_transfer.selection.bank import distances_of
from prosody_transfer.store.weights import load_network
from prosody_transfer.synthesis.speaking.predicted import Contours
from prosody_transfer.text.prosody_tokens import Tokens

REFERENCES, PARAGRAPH, DRAWS = 40, 6, 10


def paired(a: list[float], b: list[float]) -> dict[str, float]:
    """Means of two and p of their difference."""
    one, other = np.array(a), np.array(b)
    known = np.isfinite(one) & np.isfinite(other)
    test = ttest_rel(one[known], other[known])
    return {"a": round(float(one[known].mean()), 4), "b": round(float(other[known].mean()), 4), "p": float(test.pvalue)}


class Held:
    """Readings that were held out, with their tokens and vectors."""

    def __init__(self, manifest: Path, cache: Path, checkpoint: Path | None) -> None:
        self.network, header = load_network("vae", checkpoint)
        config = UtteranceTaskConfig()
        task: UtteranceTask = VaeTask(
            self.network.config, config, read_manifest(manifest), cache, header["voices"], dev=True
        )
        self.spoken, self.collate = task.readings, task.collate
        self.model = registry.get("vae").load("speaking")
        with torch.inference_mode():
            self.posteriors = [Posterior(*self.network.encode(Said(*self.collate([s]).said))) for s in self.spoken]
        self.latents = [p.mean[0].numpy() for p in self.posteriors]

    def tokens(self, number: int) -> Tokens:
        spoken = self.spoken[number]
        return Tokens(spoken.reading.tokens.classes, spoken.numbers, spoken.reading.tokens.word)

    def said(self, number: int, latent: np.ndarray, level: float | None = None) -> tuple[np.ndarray, Contours]:
        """Frames and contours of a text, said with a vector."""
        told = Told(self.tokens(number), latent)
        level = self.spoken[number].reading.level if level is None else level
        found = self.model.lengths(self.network, told, "", level)
        frames = np.where(told.tokens.is_gap & (found.pause < 0.5), 0, np.maximum(1, np.round(found.frames))).astype(
            int
        )
        frames[[0, -1]] = 8
        return frames, self.model.contours(self.network, told, frames, "", level)

    def on_durations(self, number: int, latent: np.ndarray) -> Contours:
        reading = self.spoken[number].reading
        return self.model.contours(self.network, Told(self.tokens(number), latent), reading.frames, "", reading.level)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 2 and a.std() > 0 and b.std() > 0 else float("nan")


def _known(reading: Reading) -> np.ndarray:
    return (reading.voiced > 0.5) & (reading.frames > 0)


def errors(held: Held, number: int, latent: np.ndarray) -> tuple[float, float, float]:
    """Of ln durations, of ln F0, and the correlation of F0."""
    reading, told = held.spoken[number].reading, Told(held.tokens(number), latent)
    lasting = held.model.lengths(held.network, told, "", reading.level).frames
    phone, known = ~told.tokens.is_gap, _known(reading)
    log_f0 = held.on_durations(number, latent).log_f0[known]
    of_lengths = np.abs(np.log(lasting[phone]) - np.log(np.maximum(reading.frames[phone], 1))).mean()
    return (
        float(of_lengths),
        float(np.abs(log_f0 - reading.log_f0[known]).mean()),
        _correlation(log_f0, reading.log_f0[known]),
    )


def own_other_zero(held: Held) -> dict[str, Any]:
    order = np.random.default_rng(0).permutation(len(held.spoken))
    ways = {"own": held.latents, "other": [held.latents[i] for i in order], "zero": [0 * z for z in held.latents]}
    rows = {name: np.array([errors(held, i, z) for i, z in enumerate(latents)]).T for name, latents in ways.items()}
    names = ("duration_error", "f0_error", "f0_correlation")
    found: dict[str, Any] = {
        name: dict(zip(names, np.nanmean(v, 1).round(4).tolist(), strict=True)) for name, v in rows.items()
    }
    for other in ("other", "zero"):
        found[f"own_against_{other}"] = {
            n: paired(list(a), list(b)) for n, a, b in zip(names, rows["own"], rows[other], strict=True)
        }
    return found


def manner(log_f0: np.ndarray, voiced: np.ndarray, frames: np.ndarray, gap: np.ndarray) -> tuple[float, float]:
    """Mean ln frames of phones, and deviation of ln F0 where it is voiced."""
    there = voiced & ((frames > 0) & ~gap)
    return float(np.log(np.maximum(frames[~gap], 1)).mean()), float(log_f0[there].std())


def follow(held: Held) -> dict[str, Any]:
    """Tempo and range of plans of other words against those of the readings that they take the vector of."""
    rng = np.random.default_rng(1)
    references = rng.choice(len(held.spoken), REFERENCES, replace=False)
    texts = [i for i, s in enumerate(held.spoken) if 30 < len(s.reading.frames) < 70]
    texts = [int(i) for i in rng.choice(texts, min(5, len(texts)), replace=False)]
    own = []
    for k in references:
        r = held.spoken[k].reading
        own.append(manner(r.log_f0, r.voiced > 0.5, r.frames, r.tokens.is_gap))
    rows = []
    for text in texts:
        made = []
        for k in references:
            frames, found = held.said(text, held.latents[k])
            made.append(manner(found.log_f0, found.voiced > 0.5, frames, held.tokens(text).is_gap))
        rows.append([_correlation(np.array(made)[:, j], np.array(own)[:, j]) for j in (0, 1)])
    tempo, spread = np.mean(rows, 0)
    return {
        "references": REFERENCES,
        "texts": len(texts),
        "tempo": round(float(tempo), 3),
        "range": round(float(spread), 3),
    }


def follow_in_sound(held: Held, voices: list[str]) -> dict[str, Any]:
    """The same of sound: one text a voice, said by 40 vectors; tempo by its length, range by tracked F0."""
    from dataclasses import replace

    from prosody_transfer.synthesis.speaking.settings import SpeakSettings
    from prosody_transfer.synthesis.speaking.speaker import Speaker

    speaker, rng = Speaker(), np.random.default_rng(1)
    references = rng.choice(len(held.spoken), REFERENCES, replace=False)
    settings = SpeakSettings(prosody="vae:centroid")
    request = speaker.requests("The baker opened the shop before the sun came up.", settings)
    source, rows = speaker.source(settings.prosody), {}
    own = [
        manner(r.log_f0, r.voiced > 0.5, r.frames, r.tokens.is_gap)
        for r in (held.spoken[k].reading for k in references)
    ]
    from prosody_transfer.synthesis.speaking.planning import plan_sentence

    for name in voices:
        made, level = [], speaker.transferer.voice(name).log_f0_median
        for k in references:
            planned = plan_sentence(
                request[0],
                replace(source, manner=held.latents[k]),
                name,
                level,
                config=speaker.transferer.config,
                rng=rng,
            )
            wave = speaker.render(planned.plan, name).waveform
            features = extract(wave, speaker.transferer.config)
            made.append((np.log(len(wave)), features.log_f0[features.voiced].std()))
        rows[name] = {
            n: round(_correlation(np.array(made)[:, j], np.array(own)[:, j]), 3)
            for j, n in enumerate(("tempo", "range"))
        }
    return rows


def prominences(held: Held, number: int, frames: np.ndarray, found: Contours) -> np.ndarray:
    """How prominent each word is in a plan, measured as it is in recordings."""
    tokens, config = held.tokens(number), MelConfig()
    owner = np.repeat(np.arange(len(frames)), frames)
    passed = np.concatenate([(np.arange(n) + 0.5) / n for n in frames if n])
    part = np.minimum((passed * 4).astype(int), 3)
    size = len(owner)
    features = Features(
        np.zeros((1, size), np.float32), found.log_f0[part, owner].astype(np.float32),
        (found.voiced[part, owner] > 0.5) & ~tokens.is_gap[owner], found.energy[part, owner].astype(np.float32),
        size * config.hop_length, config,
    )  # fmt: skip
    step = config.hop_length / config.sample_rate
    ends = np.cumsum(frames) * step
    starts = ends - frames * step
    names = ["SIL" if gap else "AH" for gap in tokens.is_gap]
    phones = [PhoneInterval(n, float(a), float(b)) for n, a, b in zip(names, starts, ends, strict=True) if b > a]
    words = []
    for word in range(int(tokens.word.max()) + 1):
        at = np.flatnonzero((tokens.word == word) & ~tokens.is_gap)
        words.append(WordInterval("w", float(starts[at[0]]), float(ends[at[-1]])))
    return measure_words(features, Alignment(tuple(phones), tuple(words), float(ends[-1]))).prominence


def heard(reading: Reading) -> np.ndarray:
    """How prominent each word of a reading was."""
    first = [int(np.flatnonzero(reading.tokens.word == w)[0]) for w in range(int(reading.tokens.word.max()) + 1)]
    return np.asarray(reading.tokens.numbers[4, first])


def selection(held: Held) -> dict[str, Any]:
    bank = bank_of(held.network)
    chosen = [i for i, s in enumerate(held.spoken) if s.described is not None]
    order = [int(i) for i in np.random.default_rng(2).permutation(chosen)]  # paragraphs of sentences of any length
    found: dict[str, Any] = {}
    rows: dict[str, dict[str, list[float]]] = {}
    shares = np.bincount(bank.kinds) / len(bank.kinds)
    kinds = np.array([held.spoken[i].described.kind for i in order])  # type: ignore[union-attr]
    found["class_at_random"] = round(float(np.mean(shares[np.minimum(kinds, len(shares) - 1)])), 3)
    for option in ("centroid", "syntactic", "contextual", "both"):
        row: dict[str, list[float]] = {name: [] for name in ("f0", "prominence", "range", "tempo", "same")}
        for i in order:
            asked = held.spoken[i].described
            latent = bank.centroid
            if option != "centroid":
                nearest = int(distances_of(bank, asked, option).argmin())  # type: ignore[arg-type]
                latent = bank.means[nearest]
                row["same"].append(float(bank.kinds[nearest] == asked.kind))  # type: ignore[union-attr]
            row["f0"].append(errors(held, i, latent)[2])
            frames, said = held.said(i, latent)
            row["prominence"].append(_correlation(prominences(held, i, frames, said), heard(held.spoken[i].reading)))
            tempo, spread = manner(said.log_f0, said.voiced > 0.5, frames, held.tokens(i).is_gap)
            row["range"].append(spread)
            row["tempo"].append(tempo)
        rows[option] = row
    groups = [slice(k, k + PARAGRAPH) for k in range(0, len(order) - PARAGRAPH + 1, PARAGRAPH)]
    variety = {
        option: {n: [float(np.std(row[n][g])) for g in groups] for n in ("range", "tempo")}
        for option, row in rows.items()
    }
    readings = [held.spoken[i].reading for i in order]
    natural = [manner(r.log_f0, r.voiced > 0.5, r.frames, r.tokens.is_gap) for r in readings]
    found["natural_variety_of_range"] = round(float(np.mean([np.std(np.array(natural)[g, 1]) for g in groups])), 4)
    for option in ("syntactic", "contextual", "both"):
        found[option] = {"same_class": round(float(np.mean(rows[option]["same"])), 3)}
        by = {int(k): round(float(np.mean(np.array(rows[option]["same"])[kinds == k])), 2) for k in np.unique(kinds)}
        found[option]["same_class_of_each"] = round(float(np.mean(list(by.values()))), 3)
        for name in ("f0", "prominence"):
            found[option][f"{name}_against_centroid"] = paired(rows[option][name], rows["centroid"][name])
        for name in ("range", "tempo"):
            found[option][f"variety_of_{name}_against_centroid"] = paired(
                variety[option][name], variety["centroid"][name]
            )
    return found


def sampling(held: Held, checkpoint: Path | None) -> dict[str, Any]:
    """Kathaka's distribution against the bank's, and draws against voices."""
    network, _ = load_network("kathaka", checkpoint)
    bank, gains, distance = bank_of(network), [], []
    centroid = Posterior(
        *(torch.from_numpy(v[None].astype(np.float32)) for v in (bank.centroid, np.log(bank.variance)))
    )
    camp, header = load_network("camp")
    camp_model, rng = registry.get("camp").load("speaking"), np.random.default_rng(3)
    spreads: list[tuple[float, float]] = []
    for i, spoken in enumerate(held.spoken):
        batch = held.collate([spoken])
        with torch.inference_mode():
            known = network.encode(Said(*batch.said))
            predicted = network.predict(Words(*batch.words))
        gains.append(-float(divergence(known, predicted)))
        distance.append(-float(divergence(known, centroid)))
        if i % 7 == 0:
            frames, mean = held.said(i, predicted.mean[0].numpy())
            there = (mean.voiced > 0.5) & (frames > 0) & ~held.tokens(i).is_gap
            deviation = np.exp(predicted.log_variance[0].numpy() / 2)
            draws = [predicted.mean[0].numpy() + deviation * rng.standard_normal(len(deviation)) for _ in range(DRAWS)]
            drawn = [
                held.model.contours(
                    network, Told(held.tokens(i), z.astype(np.float32)), frames, "", spoken.reading.level
                ).log_f0[there]
                for z in draws
            ]
            names = [n for n in camp.config.speakers if n in header["voices"]][:DRAWS]
            voices = []
            for name in names:
                told, level = held.tokens(i), header["voices"][name]["log_f0_median"]
                voices.append(camp_model.contours(camp, told, frames, name, level).log_f0[there])
            spreads.append((float(np.std(drawn, axis=0).mean()), float(np.std(voices, axis=0).mean())))
    a, b = np.mean(spreads, 0)
    return {
        "spread_of_draws": round(float(a), 4), "spread_of_voices": round(float(b), 4), "ratio": round(float(a / b), 3),
        "log_likelihood_against_centroid": paired(gains, distance),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--vae", type=Path)
    parser.add_argument("--kathaka", type=Path)
    parser.add_argument("--sound", nargs="*", default=[], metavar="VOICE")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    held = Held(arguments.manifest, arguments.cache, arguments.vae)
    found: dict[str, Any] = {"readings": len(held.spoken), "vectors": own_other_zero(held), "follow": follow(held)}
    found["selection"] = selection(held)
    found["sampling"] = sampling(held, arguments.kathaka)
    if arguments.sound:
        found["follow_in_sound"] = follow_in_sound(held, arguments.sound)
    print(json.dumps(found, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
