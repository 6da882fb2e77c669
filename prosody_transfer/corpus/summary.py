"""What a prepared corpus holds, in figures: the same for the page and for programs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.corpus.examine import Examination
from prosody_transfer.corpus.verdicts import F0_BINS_PER_OCTAVE, F0_LOW_HZ, Verdict, unpack
from prosody_transfer.data.layouts import LAYOUTS, Detected, kaldi, vctk
from prosody_transfer.data.reasons import REASONS
from prosody_transfer.data.splits import DEV, TRAIN
from prosody_transfer.text.phones import PHONES

EXAMPLES = 5  # of each reason
RARE = 10  # a phone that is heard less often will hardly be learnt
WORDS_FROM = {
    "transcript": "their transcripts", "textgrid": "TextGrids, phones included", "asr": "a word recogniser",
    "heard": "nowhere: phones were heard", "": "nowhere: for the vocoder only",
}  # fmt: skip


def summarise(
    detected: Detected, verdicts: Sequence[Verdict], sides: Sequence[str], rejected: Sequence[Mapping[str, Any]],
    setup: Examination, chosen: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Everything that the page shows, as plain data.

    Args:
        verdicts: Of all utterances.
        sides: "train", "dev" or "" for each of those that are good.
        rejected: What is in rejected.jsonl.
        chosen: Settings of the split.
    """
    good = [v for v in verdicts if not v.reason]
    return {
        "corpus": str(detected.source.listing or detected.source.root),
        "layout": {"name": detected.name, "why": detected.why, "shape": LAYOUTS[detected.name].shape},
        "settings": {
            "aligner": setup.aligner, "recognise": setup.recognise, "mel": setup.mel.to_dict(), **chosen,
        },
        "thresholds": [{"reason": name, "when": when} for name, when in setup.quality.lines()],
        "limits": setup.quality.to_dict(),
        "used": {"utterances": len(good), **_hours(good)},
        "splits": _splits(good, sides),
        "words_from": dict(Counter(v.words_from for v in good)),
        "sample_rates": {str(rate): n for rate, n in sorted(Counter(v.sample_rate for v in good).items())},
        "seconds": _histogram([v.seconds for v in good], 0, np.ceil(setup.quality.max_seconds), 40),
        "level_db": _histogram([v.level_db for v in good], -60, 0, 40),
        "snr_db": _histogram([v.snr_db for v in good], 0, 60, 40),
        "speakers": _speakers(good, sides, _known(detected.source.root)),
        "phones": _phones(good),
        "rejected": _reasons(rejected),
        "notes": dict(Counter(_plain(n) for v in good for n in v.notes).most_common(10)),
    }  # fmt: skip


def _known(root: Path) -> dict[str, dict[str, str]]:
    """What the corpus says of its speakers: gender, accent."""
    return {**kaldi.speaker_info(root), **vctk.speaker_info(root)}


def _hours(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    return {"seconds": round(sum(v.seconds for v in verdicts), 1), "speakers": len({v.speaker for v in verdicts})}


def _splits(good: Sequence[Verdict], sides: Sequence[str]) -> dict[str, Any]:
    """Each side's size; the sentences on both, which must be none; speakers in dev alone."""
    of: dict[str, list[Verdict]] = {TRAIN: [], DEV: [], "": []}
    for verdict, side in zip(good, sides, strict=True):
        of[side].append(verdict)
    sentences = {side: {v.sentence for v in found if v.sentence} for side, found in of.items()}
    speakers = {side: {v.speaker for v in found} for side, found in of.items()}
    sizes = {
        name: {"utterances": len(of[side]), **_hours(of[side]), "sentences": len(sentences[side])}
        for name, side in (("train", TRAIN), ("dev", DEV), ("neither", ""))
    }
    return {
        **sizes, "shared_sentences": len(sentences[TRAIN] & sentences[DEV]),
        "speakers_in_dev_alone": sorted((speakers[DEV] | speakers[""]) - speakers[TRAIN]),
    }  # fmt: skip


def _histogram(values: Sequence[float], low: float, high: float, bins: int) -> dict[str, Any]:
    """Counts between `edges`; what lies beyond is in the first and last. Percentiles, None without values."""
    edges = np.linspace(low, high, bins + 1)
    counts = np.histogram(np.clip(values, low, high), edges)[0] if len(values) else np.zeros(bins, int)
    found = np.percentile(values, [5, 50, 95]).round(2).tolist() if len(values) else [None] * 3
    return {
        "edges": edges.round(4).tolist(), "counts": counts.tolist(), "p5": found[0], "median": found[1],
        "p95": found[2],
    }  # fmt: skip


def f0_percentile(counts: np.ndarray, share: float) -> float | None:
    """Hz below which `share` of the voiced frames lie, (104,) counts as in `Verdict.f0`; None without any.

    >>> f0_percentile(np.eye(104, dtype=int)[0], 0.5).__round__(2)
    40.58
    """
    total = counts.sum()
    if not total:
        return None
    cumulative = np.r_[0, np.cumsum(counts)]
    place = float(np.interp(share * total, cumulative, np.arange(len(cumulative))))
    return F0_LOW_HZ * 2 ** (place / F0_BINS_PER_OCTAVE)


def _speakers(
    good: Sequence[Verdict], sides: Sequence[str], known: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:  # fmt: skip
    of: dict[str, list[tuple[Verdict, str]]] = defaultdict(list)
    for verdict, side in zip(good, sides, strict=True):
        of[verdict.speaker].append((verdict, side))
    rows = []
    for name, found in sorted(of.items()):
        f0 = np.sum([unpack(v.f0) for v, _ in found], axis=0)
        low, middle, high = (f0_percentile(f0, share) for share in (0.05, 0.5, 0.95))
        rows.append({
            "name": name, "utterances": len(found), "dev": sum(side == DEV for _, side in found),
            "seconds": round(sum(v.seconds for v, _ in found), 1),
            "f0_low_hz": low and round(low, 1), "f0_median_hz": middle and round(middle, 1),
            "f0_high_hz": high and round(high, 1),
            "level_db": round(float(np.median([v.level_db for v, _ in found])), 1),
            **known.get(name, {}),
        })  # fmt: skip
    return rows


def _phones(good: Sequence[Verdict]) -> dict[str, Any]:
    """How often each phone occurs in transcripts and in what was heard; which are rare or missing."""
    nothing = np.zeros(len(PHONES), np.int64)
    told = sum((unpack(v.phones) for v in good if v.phones and v.words_from != "heard"), nothing)
    heard = sum((unpack(v.phones) for v in good if v.phones and v.words_from == "heard"), nothing)
    counts = {p: int(told[i] + heard[i]) for i, p in enumerate(PHONES)}
    speech = list(PHONES[1:])
    return {
        "counts": counts, "heard": int(heard[1:].sum()), "told": int(told[1:].sum()),
        "missing": [p for p in speech if not counts[p]], "rare": [p for p in speech if 0 < counts[p] < RARE],
    }  # fmt: skip


def _reasons(rejected: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By reason, the commonest first, with a few examples."""
    of: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rejected:
        of[row["reason"]].append(row)
    return [
        {
            "reason": name, "means": REASONS[name].means, "remedy": REASONS[name].remedy, "count": len(rows),
            "examples": [{k: row[k] for k in ("id", "audio", "detail")} for row in rows[:EXAMPLES]],
        }
        for name, rows in sorted(of.items(), key=lambda item: (-len(item[1]), item[0]))
    ]  # fmt: skip


def _plain(note: str) -> str:
    """A note without its place: "at 0.0 s" differs from one recording to the next."""
    return note.replace(" at 0.0 s", "")
