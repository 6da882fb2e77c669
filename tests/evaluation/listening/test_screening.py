"""Who is excluded, by which rule; the limits themselves are in."""

from __future__ import annotations

import pytest

from prosody_transfer.evaluation.listening.panel import Panel
from prosody_transfer.evaluation.listening.ratings import Rating
from prosody_transfer.evaluation.listening.screening import (
    RULE_MID_ANCHOR,
    RULE_NONE,
    RULE_REFERENCE,
    RULE_REPEAT,
    repeat_differences,
    screen,
)


def rate(
    listener: str, page: int, score: float, system: str = "reference", role: str = "reference", repeat: bool = False
) -> Rating:
    item = f"i{0 if repeat else page}"
    return Rating(listener, listener, f"p{page}", item, "overall", system, system, role, score, 1.0, repeat)


def panel(ratings: list[Rating], reference: bool = True) -> Panel:
    return Panel("t", "prosody", "T", reference, ("overall",), tuple(ratings))


@pytest.mark.parametrize(("low", "excluded"), [(0, False), (3, False), (4, True)])
def test_the_hidden_reference_below_90_in_over_15_percent(low: int, excluded: bool) -> None:
    given = [rate("anna", i, 89.0 if i < low else 90.0) for i in range(20)]  # 3 of 20 are 15 %: not over it
    found = screen(panel(given))
    assert found.rule == RULE_REFERENCE
    assert bool(found.excluded) is excluded
    assert found.listeners[0].reference_low == low / 20
    if excluded:
        assert found.excluded[0].reason == "the hidden reference is below 90 in 20 % of its ratings"


def test_without_a_true_hidden_reference_that_rule_does_not_apply() -> None:
    given = [rate("anna", i, 20.0, "natural", "natural") for i in range(20)]
    found = screen(panel(given, reference=False))
    assert found.rule == RULE_NONE and found.kept == ("anna",) and found.listeners[0].reference_low is None


def test_the_mid_anchor_and_pages_where_it_can_not_be_heard() -> None:
    listeners = ["a", "b", "c", "d", "e"]
    given = [rate(who, i, 100.0) for who in listeners for i in range(4)]
    given += [rate(who, i, 50.0, "anchor70", "anchor") for who in listeners[1:] for i in range(4)]
    given += [rate("a", i, 95.0, "anchor70", "anchor") for i in range(4)]
    found = screen(panel(given))
    assert RULE_MID_ANCHOR in found.rule
    assert [check.listener for check in found.excluded] == ["a"]
    assert "mid anchor is above 90 in 100 %" in found.excluded[0].reason
    hidden = [r._replace(score=95.0) if r.system == "anchor70" else r for r in given]  # nobody hears it: all are kept
    assert not screen(panel(hidden)).excluded


@pytest.mark.parametrize(("apart", "excluded"), [(0.0, False), (19.0, False), (20.0, True)])
def test_repeated_pages_check_attention(apart: float, excluded: bool) -> None:
    given = [rate("anna", 0, 40.0, s, "system") for s in ("ptx", "other")] + [rate("bob", 0, 40.0, "ptx", "system")]
    given += [rate("anna", 9, 40.0 + apart, s, "system", repeat=True) for s in ("ptx", "other")]
    found = screen(panel(given, reference=False))
    assert found.rule == RULE_REPEAT
    assert [check.listener for check in found.excluded] == ["anna"] * excluded
    assert {check.listener: check.repeat_difference for check in found.listeners} == {"anna": apart, "bob": None}


def test_the_difference_is_a_mean_over_all_that_was_repeated() -> None:
    given = [rate("anna", 0, 50.0, s, "system") for s in ("a", "b")]
    given += [rate("anna", 9, 90.0, "a", "system", repeat=True), rate("anna", 9, 40.0, "b", "system", repeat=True)]
    assert repeat_differences(given) == {"anna": 25.0}
