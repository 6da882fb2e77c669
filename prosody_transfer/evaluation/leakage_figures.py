"""All figures of a leakage test, from sources that were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from prosody_transfer.evaluation import probe as p
from prosody_transfer.evaluation import tracing as t
from prosody_transfer.evaluation.figures import Values
from prosody_transfer.evaluation.identity import identity_by_group, identity_summary, relation
from prosody_transfer.evaluation.leakage_floor import normalised
from prosody_transfer.evaluation.leakage_measure import Measured
from prosody_transfer.evaluation.statistics import Interval

FIGURES = (*p.FIGURES, *t.FIGURES)


def all_figures(measured: Sequence[Measured], targets: Mapping[str, t.Target]) -> dict[str, Any]:
    """Every figure of sources that were measured, as plain data.

    Returns:
        "chance": of naming a speaker. "probes": for each of `probe.FIGURES` that is one, `compare`'s result. "figures":
        of outputs, key -> {"value", "low", "high", "n"}. "groups": the same for the outputs of one target, of one
        source speaker, and by register. "confusion": {"speakers", "share"}: row the source, column whom it was taken
        for. "rows": one an output.
    """
    speakers = np.array([m.speaker for m in measured])
    probes, floor_hits = _probes(measured, speakers)
    voices = list(measured[0].outputs)
    sources = np.repeat(np.arange(len(measured)), len(voices))
    spoken = np.array(voices * len(measured))
    vectors = np.stack([m.outputs[name] for m in measured for name in voices])
    natural = np.stack([m.natural for m in measured])
    rows = t.compare_outputs(vectors, sources, spoken, natural, speakers, targets)
    said = t.trace(vectors, sources, spoken, natural, np.arange(len(measured)), speakers)
    ids = [measured[int(i)].id for i in sources]
    return {
        "chance": 1 / len(set(speakers)),
        "probes": _plain(probes),
        "figures": _plain({
            **identity_summary(rows, ids), **_traced(said, vectors, sources, spoken, speakers, floor_hits),
        }),
        "groups": _plain(_groups(rows, ids, sources, spoken, measured, targets)),
        "confusion": _confusion(said, speakers[sources]),
        "rows": [
            {"id": i, "speaker": v, "source_speaker": str(speakers[s]), "traced_to": str(w), **row}
            for i, v, s, w, row in zip(ids, spoken.tolist(), sources, said, rows, strict=True)
        ],
    }  # fmt: skip


def _probes(measured: Sequence[Measured], speakers: np.ndarray) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Probes on latent and floor; and, for tracing, the hits of all that pooled plain prosody was asked with."""
    steps = p.thin([m.latent.shape[1] for m in measured])
    of_step = np.repeat(np.arange(len(measured)), [len(s) for s in steps])
    latents = np.concatenate([m.latent[:, s].T for m, s in zip(measured, steps, strict=True)])
    frames, floor = floor_features(measured, speakers)
    plain = np.concatenate([_with_neighbours(f)[:, s].T for f, s in zip(frames, steps, strict=True)])
    phones = np.concatenate([m.phones[s] for m, s in zip(measured, steps, strict=True)])
    each = np.arange(len(measured))
    pooled, ranges = np.stack([p.pool(m.latent) for m in measured]), np.stack([m.prosody for m in measured])
    found = {
        "probe_pooled": compare(pooled, floor, speakers, each, speakers),
        "probe_frames": compare(latents, plain, speakers[of_step], of_step, speakers),
        "probe_content": compare(latents, plain, phones, of_step, speakers),
    }
    found["probe_pooled"]["with_ranges"] = {k: p.probe(ranges, speakers, each, speakers, k) for k in p.KINDS}
    values, counts = np.unique(phones, return_counts=True)
    found["probe_content"] |= {"chance": 1 / len(values), "majority": float(counts.max() / len(phones))}
    by_floor = [t.trace_prosody(floor, speakers), *(f.hits for f in found["probe_pooled"]["floor"].values())]
    return found, by_floor


def floor_features(measured: Sequence[Measured], speakers: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """`normalised` plain prosody, speaker by speaker: (4, T') of each utterance, and (U, 8)."""
    frames: list[np.ndarray] = [np.empty(0)] * len(measured)
    pooled = np.empty((len(measured), 8))
    for name in np.unique(speakers):
        own = np.flatnonzero(speakers == name).tolist()
        steps, pooled[own] = normalised([measured[i] for i in own])
        for i, values in zip(own, steps, strict=True):
            frames[i] = values
    return frames, pooled


def _with_neighbours(frames: np.ndarray) -> np.ndarray:
    """Plain prosody of a step, the one before and the one after, (C, T') -> (3 C, T')."""
    padded = np.pad(frames, ((0, 0), (1, 1)), mode="edge")
    return np.concatenate([padded[:, :-2], frames, padded[:, 2:]])


def compare(
    latent: np.ndarray, floor: np.ndarray, labels: np.ndarray, utterances: np.ndarray, speakers: np.ndarray
) -> dict[str, Any]:
    """Both kinds of probe on the embedding and on plain prosody; arguments as for `probe.probe`.

    Returns:
        "latent" and "floor": kind -> `Probed`. Where labels are the speakers also "above_floor": kind -> the latent
        probe minus the better floor, utterance by utterance; and "shuffled": the better kind with labels shuffled.
    """
    found = {kind: p.probe(latent, labels, utterances, speakers, kind) for kind in p.KINDS}
    below = {kind: p.probe(floor, labels, utterances, speakers, kind) for kind in p.KINDS}
    result: dict[str, Any] = {"latent": found, "floor": below}
    if (speakers[utterances] == labels).all():
        best = max(below.values(), key=lambda f: f.accuracy.value)
        random = p.shuffled(speakers)
        kind = max(p.KINDS, key=lambda k: found[k].accuracy.value)
        result["above_floor"] = {k: p.balanced(f.hits - best.hits, speakers) for k, f in found.items()}
        result["shuffled"] = p.probe(latent, random[utterances], utterances, random, kind)
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, p.Probed):
        value = value.accuracy
    return asdict(value) if isinstance(value, Interval) else value


def _traced(
    said: np.ndarray, vectors: np.ndarray, sources: np.ndarray, spoken: np.ndarray, speakers: np.ndarray,
    floor_hits: Sequence[np.ndarray],
) -> dict[str, Interval]:  # fmt: skip
    """Tracing by the judge, by one who knows other outputs, and by plain prosody."""
    informed = said.copy()
    for name in np.unique(spoken):
        own = spoken == name
        informed[own] = t.trace(vectors[own], sources[own], spoken[own], vectors[own], sources[own], speakers)
    hits, tracing = t.traced(said, sources, speakers)
    best = max(floor_hits, key=lambda f: p.balanced(f, speakers).value)
    return {
        "tracing": tracing, "tracing_informed": t.traced(informed, sources, speakers)[1],
        "tracing_floor": p.balanced(best, speakers), "tracing_above_floor": p.balanced(hits - best, speakers),
    }  # fmt: skip


def _groups(
    rows: Sequence[Values], ids: Sequence[str], sources: np.ndarray, spoken: np.ndarray, measured: Sequence[Measured],
    targets: Mapping[str, t.Target],
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Output figures by how the two voices compare, by target, and by source speaker."""
    by: list[list[str]] = [
        [relation("", targets[v].gender, measured[s].f0_median_hz) for s, v in zip(sources, spoken, strict=True)],
        [f"to {name}" for name in spoken],
        [f"from {measured[s].speaker}" for s in sources],
    ]
    found: dict[str, dict[str, Any]] = {}
    for names in by:
        found |= identity_by_group(rows, names, ids)
    return found


def _confusion(said: np.ndarray, true: np.ndarray) -> dict[str, Any]:
    names = sorted(set(true.tolist()))
    share = [[round(float((said[true == a] == b).mean()), 4) for b in names] for a in names]
    return {"speakers": names, "share": share}
