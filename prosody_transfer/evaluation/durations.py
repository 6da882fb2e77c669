"""How well the timing arrived: phones and pauses of two alignments of the same words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prosody_transfer.alignment.match import align_sequences
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval
from prosody_transfer.evaluation.figures import Figure, Values
from prosody_transfer.evaluation.prosody import pearson
from prosody_transfer.text.phones import is_vowel

LEAST_PHONES = 10  # matched, for a correlation
LEAST_PAUSE_SECONDS = 0.150
PAUSE_TOLERANCE_SECONDS = 0.075
LEAST_SECONDS = 0.001  # of a phone, before its logarithm is taken

_MATCHED = "phones matched by the cheapest edit alignment of the two sequences, silences left out"
_PAUSE = "silence of 150 ms or more between phones"

FIGURES = (
    Figure(
        "phone_mae_ms", "Phone durations off by", "ms", "zero",
        f"Mean absolute difference of the durations of {_MATCHED}; the judged recording's phones are aligned afresh.",
    ),
    Figure(
        "boundary_mae_ms", "Phone boundaries off by", "ms", "zero",
        f"Mean absolute difference of the starts and ends of {_MATCHED}; a boundary that two matched phones share "
        "counts once.",
    ),
    Figure(
        "duration_correlation", "Duration correlation", "", "high",
        f"Pearson's r of ln duration over {_MATCHED}, none below 10 of them.",
    ),
    Figure(
        "rate_ratio", "Speaking rate ratio", "", "one",
        "Phones per second, judged over reference; phones over the sum of their durations, silences left out.",
    ),
    Figure(
        "pause_precision", "Pauses, precision", "", "high",
        f"Share of the judged recording's pauses ({_PAUSE}) that start and end within 75 ms of one in the reference.",
    ),
    Figure(
        "pause_recall", "Pauses, recall", "", "high",
        f"Share of the reference's pauses ({_PAUSE}) that start and end within 75 ms of one in the judged recording.",
    ),
    Figure("pause_f1", "Pauses, F1", "", "high", "Harmonic mean of the two; 0 where only one side pauses."),
    Figure(
        "npvi_difference", "nPVI difference", "", "zero",
        "Absolute difference of the normalised pairwise variability index over vocalic intervals (0 to 200; Grabe and "
        "Low 2002); vowels in a row are one interval, pairs across a silence do not count.",
    ),
    Figure("phones_matched", "Phones matched", "", "high", f"Share of the reference's phones among {_MATCHED}."),
)  # fmt: skip


def duration_figures(reference: Alignment, judged: Alignment) -> Values:
    """All figures of `FIGURES`; the two phone sequences may differ a little (stress, variants, phones misheard).

    Args:
        reference: Whose timing it should be.
        judged: Of the recording that is judged, on the same time axis.

    Returns:
        None where a figure can't be said: no phone matched, no pause on the side that it is a share of, fewer than
        two vowels between silences.

    Raises:
        KeyError: A phone is not one of ours.
    """
    pairs = align_sequences([p.phone for p in reference.phones], [p.phone for p in judged.phones])
    matched = [(reference.phones[i], judged.phones[j]) for i, j in pairs if i is not None and j is not None]
    values: Values = dict.fromkeys((f.key for f in FIGURES), None)
    spoken = sum(i is not None for i, _ in pairs)
    values["phones_matched"] = len(matched) / spoken if spoken else None
    if matched:
        seconds = np.maximum([[a.end - a.start, b.end - b.start] for a, b in matched], LEAST_SECONDS)
        values["phone_mae_ms"] = float(1000 * np.abs(seconds[:, 1] - seconds[:, 0]).mean())
        borders = {(a.start, b.start) for a, b in matched} | {(a.end, b.end) for a, b in matched}
        values["boundary_mae_ms"] = float(1000 * np.mean([abs(a - b) for a, b in sorted(borders)]))
        values["rate_ratio"] = _rate(judged.phones) / _rate(reference.phones)
        if len(matched) >= LEAST_PHONES:
            values["duration_correlation"] = pearson(np.log(seconds[:, 0]), np.log(seconds[:, 1]))
    indices = npvi(reference), npvi(judged)
    if indices[0] is not None and indices[1] is not None:
        values["npvi_difference"] = abs(indices[1] - indices[0])
    return values | _pause_figures(pauses(reference), pauses(judged))


def pauses(alignment: Alignment) -> list[tuple[float, float]]:
    """Start and end in seconds of the silences of 150 ms or more between the first and the last phone."""
    spoken = [p for p in alignment.phones if p.phone != SILENCE]
    gaps = [(before.end, after.start) for before, after in zip(spoken, spoken[1:], strict=False)]
    return [(start, end) for start, end in gaps if end - start >= LEAST_PAUSE_SECONDS - 1e-6]


def npvi(alignment: Alignment) -> float | None:
    """Normalised pairwise variability index of the vocalic intervals, 0 to 200; None without two between silences.

    Mean over neighbours of 100 |d1 - d2| / ((d1 + d2) / 2), Grabe and Low 2002.
    """
    found: list[float] = []
    last = 0.0  # the vocalic interval before; 0: none since the last silence
    current = 0.0
    for phone in (*alignment.phones, PhoneInterval(SILENCE, 0.0, 0.0)):
        if phone.phone != SILENCE and is_vowel(phone.phone):
            current += phone.end - phone.start
            continue
        if current > 0:
            if last > 0:
                found.append(200 * abs(current - last) / (current + last))
            last, current = current, 0.0
        if phone.phone == SILENCE:
            last = 0.0
    return float(np.mean(found)) if found else None


def _rate(phones: Sequence[PhoneInterval]) -> float:
    """Phones per second of phones."""
    seconds = [p.end - p.start for p in phones if p.phone != SILENCE]
    return len(seconds) / max(sum(seconds), LEAST_SECONDS)


def _pause_figures(reference: list[tuple[float, float]], judged: list[tuple[float, float]]) -> Values:
    """Pauses lie apart by more than the tolerance, so none has two counterparts."""
    near = lambda a, b: max(abs(a[0] - b[0]), abs(a[1] - b[1])) <= PAUSE_TOLERANCE_SECONDS + 1e-6
    hits = sum(any(near(a, b) for b in judged) for a in reference)
    total = len(reference) + len(judged)
    return {
        "pause_precision": hits / len(judged) if judged else None,
        "pause_recall": hits / len(reference) if reference else None,
        "pause_f1": 2 * hits / total if total else None,
    }
