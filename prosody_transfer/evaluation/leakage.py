"""Does the source speaker shine through? Probes, output margins, tracing and splits, and one verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prosody_transfer.core.keys import name_key
from prosody_transfer.data.manifest import Row
from prosody_transfer.evaluation.leakage_figures import FIGURES, all_figures
from prosody_transfer.evaluation.leakage_measure import Measured, Setup, measure
from prosody_transfer.evaluation.pairs import Excluded
from prosody_transfer.evaluation.probe import require_sklearn
from prosody_transfer.evaluation.splits import SplitLeakage, duplicates, split_leakage, with_texts

NO_LEAK, LEAK, TOO_LITTLE = 0, 3, 4  # exit codes of `ptx leakage`
VERDICTS = {NO_LEAK: "no leak found", LEAK: "leak", TOO_LITTLE: "too little data to say"}

LEAST_SPEAKERS = 5  # with fewer, chance is so high that a probe has nothing to show
# Of each: one in every fold and one more, so that what is learned of a speaker is never one sentence.
LEAST_UTTERANCES = 6
ROOM = 0.10  # above the floor: less than 10 points may be legitimate prosody that the floor's 8 numbers don't say
MOST_LEAK_INDEX = 0.25  # a quarter of the way from another's natural voice to the source's own
LEAST_POSITIVE = 0.95  # one output in twenty that sounds more like the source than the target is one too many


def leakage(
    rows: Sequence[Row], prepare: Callable[[], Setup], *, train: Sequence[Row] | None = None,
    folder: Path | None = None, on_done: Callable[[int, str], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Test a model for leakage of the source speaker.

    Args:
        rows: Sources: at least `LEAST_SPEAKERS` speakers with `LEAST_UTTERANCES` utterances each, none of them seen in
            training, none of them a target voice.
        prepare: Gives the model, the judge and the target voices; called only when there is enough to test with.
        train: What the model was trained on, to find what is on both sides.
        folder, on_done: As for `measure`.

    Returns:
        The report, plain data: "verdict", "exit_code", "summary", "missing", "checks" [{name, passed, text}],
        "speakers", "targets", "facts", "split", "excluded", "definitions", and, where there was enough to say
        something, all of `all_figures`.
    """
    from importlib.metadata import version

    require_sklearn()
    rows, excluded = _apart(rows)
    split = split_leakage(train, with_texts(rows)) if train is not None else None
    checks = [_split_check(split)] if split else []
    setup, found, counts = None, {}, Counter(row.speaker for row in rows)
    missing = enough(counts)[1]
    if not missing:
        setup = prepare()
        measured, left_out = _measured(rows, setup, folder, on_done)
        excluded += left_out
        counts = Counter(m.speaker for m in measured)
        missing = enough(counts)[1]
        if not missing:
            found = all_figures(measured, setup.targets)
            checks = judge(found) + checks
    leak = any(c["passed"] is False for c in checks)  # also without enough data: what is shared needs no statistics
    code = LEAK if leak else TOO_LITTLE if missing else NO_LEAK
    return {
        "ptx": version("prosody-transfer"), "kind": "leakage", "verdict": VERDICTS[code], "exit_code": code,
        "summary": _summary(code, checks, missing), "missing": missing, "checks": checks, **found,
        "speakers": dict(sorted(counts.items())),
        "targets": list(setup.targets) if setup else [], "facts": dict(setup.facts) if setup else {},
        "split": split.to_dict() if split else None, "excluded": [asdict(e) for e in excluded],
        "definitions": {f.key: {k: v for k, v in asdict(f).items() if k != "key"} for f in FIGURES},
    }  # fmt: skip


def _measured(
    rows: Sequence[Row], setup: Setup, folder: Path | None, on_done: Callable[[int, str], None] | None
) -> tuple[list[Measured], list[Excluded]]:
    """Sources of speakers with enough utterances, measured; where there are too few of them, as many as there are."""
    voices = {name_key(name) for name in setup.targets}
    excluded = [Excluded(r.id, f"{r.speaker} is a target voice") for r in rows if name_key(r.speaker) in voices]
    rows = [row for row in rows if name_key(row.speaker) not in voices]
    counts = Counter(row.speaker for row in rows)
    short = {name for name, n in counts.items() if n < LEAST_UTTERANCES}
    measured, failed = measure([r for r in rows if r.speaker not in short], setup, folder, on_done)
    counts = Counter(m.speaker for m in measured)
    kept, missing = enough(counts)
    if not missing:
        measured, short = [m for m in measured if m.speaker in kept], short | {*counts} - kept
    few = f"has fewer than {LEAST_UTTERANCES} utterances that can be used"
    return measured, excluded + failed + [Excluded(name, few) for name in sorted(short)]


def _apart(rows: Sequence[Row]) -> tuple[list[Row], list[Excluded]]:
    """Sources without recordings that are there twice: a probe would know the second by the first."""
    twice = {row.id: Excluded(row.id, f"is the same recording as {first.id}") for row, first in duplicates(rows)}
    return [row for row in rows if row.id not in twice], [*twice.values()]


def enough(counts: Mapping[str, int]) -> tuple[set[str], list[str]]:
    """Speakers with enough utterances; and what is missing for a verdict, in words, nothing where nothing is.

    >>> enough({"ann": 6, "bob": 6, "cy": 6, "di": 6, "ed": 4})[1]
    ['1 more speaker with 6 utterances or more (found 4, needed 5)', 'ed has 4 utterances']
    """
    kept = {name for name, n in counts.items() if n >= LEAST_UTTERANCES}
    if len(kept) >= LEAST_SPEAKERS:
        return kept, []
    more = LEAST_SPEAKERS - len(kept)
    facts = f"(found {len(kept)}, needed {LEAST_SPEAKERS})"
    missing = [f"{more} more speaker{'s' if more > 1 else ''} with {LEAST_UTTERANCES} utterances or more {facts}"]
    short = sorted(((-n, name) for name, n in counts.items() if n < LEAST_UTTERANCES))[:LEAST_SPEAKERS]
    return kept, missing + [f"{name} has {-n} utterance{'s' if n < -1 else ''}" for n, name in short]


def judge(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Figures against the limits: [{"name", "passed", "text"}]; `passed` is None where nothing can be said."""
    values, pooled = found["figures"], found["probes"]["probe_pooled"]
    kind = max(pooled["latent"], key=lambda k: pooled["above_floor"][k]["low"])
    names = {"logistic": "logistic regression", "mlp": "a small network"}
    embedding = _above(
        "speaker in the prosody embedding", f"{names[kind]} names the speaker from the embedding",
        pooled["latent"][kind], pooled["above_floor"][kind],
    )  # fmt: skip
    ranges = max(f["value"] for f in pooled["with_ranges"].values())
    if not embedding["passed"] and pooled["latent"][kind]["value"] <= ranges + ROOM:
        embedding["text"] += (
            f"; with its ranges left in, plain prosody names {100 * ranges:.0f} %, so that it may be the range of the "
            "melody or the loudness that is found, and no voice"
        )
    return [
        embedding,
        _against("source in the output", "normalised leak index", values.get("leak_index"), MOST_LEAK_INDEX, most=True),
        _against("nearer to the target", "P(margin > 0)", values["margin_positive"], LEAST_POSITIVE, most=False),
        _above(
            "source traced from the output", "the source is told from the output", values["tracing"],
            values["tracing_above_floor"],
        ),
    ]  # fmt: skip


def _above(name: str, what: str, value: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """A leak where the whole interval of the difference from the floor, plain prosody, lies above `ROOM`."""
    passed = above["low"] <= ROOM
    text = (
        f"{what} in {100 * value['value']:.0f} % of cases: {100 * above['value']:+.0f} points against the floor "
        f"({100 * above['low']:+.0f} to {100 * above['high']:+.0f}); a leak when that interval lies above "
        f"{100 * ROOM:.0f}, which takes {100 * (ROOM + above['value'] - above['low']):.0f} with this many utterances"
    )
    return {"name": name, "passed": passed, "text": text}


def _against(name: str, what: str, value: Mapping[str, Any] | None, limit: float, most: bool) -> dict[str, Any]:
    if value is None:
        return {"name": name, "passed": None, "text": f"{what}: not said, sources and targets sound alike to the judge"}
    text = f"{what} {value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f}); "
    text += f"{'at most' if most else 'at least'} {limit} is asked for"
    if value["low"] < limit < value["high"]:
        text += ", which lies within the interval"
    return {"name": name, "passed": (value["value"] <= limit) if most else (value["value"] >= limit), "text": text}


def _split_check(split: SplitLeakage) -> dict[str, Any]:
    counts: dict[str, Sequence[Any]] = {
        "texts": split.texts, "recordings": split.recordings, "speakers": split.speakers,
    }  # fmt: skip
    shared = ", ".join(f"{len(v)} {k}" for k, v in counts.items() if v)
    text = f"training and sources share {shared or 'no text, no recording and no speaker'}; nothing may be shared"
    if split.unread:
        text += f"; {len(split.unread)} recordings could not be compared"
    return {"name": "training and test apart", "passed": split.clean, "text": text}


def _summary(code: int, checks: Sequence[Mapping[str, Any]], missing: Sequence[str]) -> str:
    """The verdict in a sentence or two."""
    if code == TOO_LITTLE:
        return f"Too little data to say. Missing: {'; '.join(missing)}."
    failed = [c["name"] for c in checks if c["passed"] is False]
    if failed:
        return f"Leak: {len(failed)} of {len(checks)} tests failed ({', '.join(failed)})."
    return (
        f"No leak found in {len(checks)} tests. That is no proof of absence: what the judge does not hear and the "
        "probes do not find may still be there."
    )
