"""Which listeners count: post-screening after ITU-R BS.1534-3, or attention checks where that can't be applied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from prosody_transfer.evaluation.listening.panel import Panel
from prosody_transfer.evaluation.listening.ratings import Rating

THRESHOLD, SHARE = 90.0, 0.15  # BS.1534-3, 4.1.2
MOST_ASSESSORS = 0.25  # ... whose mid anchor may lie above the threshold, or the item does not count
REPEAT_DIFFERENCE = 20.0
MID_ANCHORS = ("anchor70",)  # webMUSHRA's; tests made here have none

RULE_REFERENCE = (
    "After ITU-R BS.1534-3, 4.1.2: a listener is excluded who rates the hidden reference below 90 in more than 15 % of "
    "its ratings (one for each page and aspect)."
)
RULE_MID_ANCHOR = (
    "Also excluded is who rates the mid-quality anchor above 90 in more than 15 % of its ratings; pages on which over "
    "25 % of all listeners do so do not count."
)
RULE_REPEAT = (
    "The test has no true hidden reference, so the rule of ITU-R BS.1534-3 does not apply. Attention check instead: a "
    "listener is excluded whose two ratings of the same recordings, on repeated pages, differ by 20 points or more in "
    "the mean. Who did not reach a repeated page is kept."
)
RULE_NONE = (
    "No screening: the test has neither a true hidden reference, as the rule of ITU-R BS.1534-3 needs, nor a repeated "
    "page to check attention."
)


@dataclass(frozen=True)
class ListenerCheck:
    """What screening looked at; shares are 0 to 1, None where there is nothing to look at.

    Attributes:
        ratings: How many the listener gave.
        reference_low: Share of the hidden reference's ratings that are below 90.
        mid_anchor_high: Share of the mid anchor's ratings that are above 90.
        repeat_difference: Mean absolute difference of the two ratings of the same recording, points.
        reason: Why the listener is excluded; "" if not.
    """

    listener: str
    ratings: int
    reference_low: float | None
    mid_anchor_high: float | None
    repeat_difference: float | None
    reason: str


@dataclass(frozen=True)
class Screening:
    """The rule in words and what came of it, for every listener in order of name."""

    rule: str
    listeners: tuple[ListenerCheck, ...]

    @property
    def excluded(self) -> tuple[ListenerCheck, ...]:
        return tuple(check for check in self.listeners if check.reason)

    @property
    def kept(self) -> tuple[str, ...]:
        return tuple(check.listener for check in self.listeners if not check.reason)


def screen(panel: Panel) -> Screening:
    """Apply the rule that fits the test.

    Source:
        ITU-R BS.1534-3 (10/2015), 4.1.2. Differs from it in: where a page is rated in several aspects, each rating of
        the hidden reference counts; tests without a true hidden reference are screened by repeated pages.
    """
    of_reference = [r for r in panel.ratings if r.role == "reference"] if panel.reference else []
    of_anchor = _counted([r for r in panel.ratings if r.system in MID_ANCHORS]) if of_reference else []
    repeats = any(r.repeat for r in panel.ratings)
    low = _shares(of_reference, lambda score: score < THRESHOLD)
    high = _shares(of_anchor, lambda score: score > THRESHOLD)
    differences = repeat_differences(panel.ratings)
    counts: dict[str, int] = defaultdict(int)
    for rating in panel.ratings:
        counts[rating.listener] += 1
    checks = []
    for listener in sorted(counts):
        reason = _reason(low.get(listener), high.get(listener))
        if not of_reference:
            reason = _inattentive(differences.get(listener))
        checks.append(
            ListenerCheck(
                listener, counts[listener], low.get(listener), high.get(listener), differences.get(listener), reason
            )
        )
    if of_reference:
        rule = RULE_REFERENCE + (f" {RULE_MID_ANCHOR}" if of_anchor else "")
    else:
        rule = RULE_REPEAT if repeats else RULE_NONE
    return Screening(rule, tuple(checks))


def _reason(low: float | None, high: float | None) -> str:
    found = []
    if low is not None and low > SHARE:
        found.append(f"the hidden reference is below {THRESHOLD:.0f} in {100 * low:.0f} % of its ratings")
    if high is not None and high > SHARE:
        found.append(f"the mid anchor is above {THRESHOLD:.0f} in {100 * high:.0f} % of its ratings")
    return "; ".join(found)


def _inattentive(difference: float | None) -> str:
    if difference is None or difference < REPEAT_DIFFERENCE:
        return ""
    return f"repeated pages were rated {difference:.0f} points apart"


def _shares(ratings: Iterable[Rating], what: Callable[[float], bool]) -> dict[str, float]:
    """For each listener the share of the ratings for which `what(score)` holds."""
    scores: dict[str, list[bool]] = defaultdict(list)
    for rating in ratings:
        scores[rating.listener].append(what(rating.score))
    return {listener: float(np.mean(found)) for listener, found in scores.items()}


def _counted(ratings: list[Rating]) -> list[Rating]:
    """Ratings of the mid anchor on pages where at most a quarter of the listeners put it above the threshold."""
    pages: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for rating in ratings:
        pages[rating.page, rating.aspect].append(rating.score > THRESHOLD)
    return [r for r in ratings if np.mean(pages[r.page, r.aspect]) <= MOST_ASSESSORS]


def repeat_differences(ratings: Iterable[Rating]) -> dict[str, float]:
    """For each listener who rated the same recording on a page and on its repeat: the mean absolute difference."""
    first: dict[tuple[str, str, str, str], float] = {}
    second: dict[tuple[str, str, str, str], float] = {}
    for r in ratings:
        (second if r.repeat else first)[r.listener, r.item, r.aspect, r.system] = r.score
    differences: dict[str, list[float]] = defaultdict(list)
    for place in sorted(first.keys() & second.keys()):
        differences[place[0]].append(abs(first[place] - second[place]))
    return {listener: float(np.mean(found)) for listener, found in differences.items()}
