"""The gate: what passes, what does not, and why."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.core.errors import UsageError
from prosody_transfer.evaluation.voice_gate import LEAST_RATIO, judge_figures


def outputs(similarity: float, margin: float, count: int = 10) -> list[dict[str, float]]:
    return [{"similarity": similarity + 0.001 * i, "margin": margin + 0.001 * i} for i in range(count)]


def old(adapted: float = 0.0) -> dict[str, list[tuple[str, dict[str, float]]]]:
    """Ten outputs of five sources; through the adapted network each figure is `adapted` higher."""
    rows = []
    for i in range(10):
        value = 0.8 + 0.01 * i
        rows.append((f"s{i // 2}", {"similarity": value, "margin": value - 0.5, "mel_distance": value}))
    moved = [(source, {key: value + adapted for key, value in values.items()}) for source, values in rows]
    return {"shipped": rows, "adapted": moved}


KNOWN = np.eye(6)[:4] + 0.5


def test_a_good_voice_passes():
    found = judge_figures(outputs(0.8, 0.2), old(), KNOWN, "judge")
    assert found.passed and not found.failed and found.judge == "judge"
    figures = found.figures
    assert figures["similarity"] == pytest.approx(0.8045) and figures["margin"] == pytest.approx(0.2045)
    assert figures["similarity_ratio"] == pytest.approx(0.8045 / 0.845, abs=1e-4)
    assert figures["margin_positive"] == 1 and figures["outputs"] == 10 and figures["held_out"] == 4
    assert set(figures["old_voices"]) == {"similarity", "margin", "mel_distance"}


@pytest.mark.parametrize(("own", "change", "problem"), [
    (outputs(0.8, -0.2), 0.0, "is not above 0"),
    ([*outputs(0.8, 0.3), {"similarity": 0.8, "margin": -0.01}], 0.0, "91% of outputs are nearer .* not 95%"),
    (outputs(0.5, 0.1), 0.0, f"of the shipped voices' 0.845, not {LEAST_RATIO}"),
    (outputs(0.8, 0.2), -0.1, r"old voices' similarity went from 0.845 to 0.745, out of \[0"),
    (outputs(0.8, 0.2), 0.1, "old voices' mel distance went from 0.845 to 0.945"),
])  # fmt: skip
def test_what_fails_is_said(own, change, problem):
    found = judge_figures(own, old(change), KNOWN)
    assert not found.passed
    import re

    assert any(re.search(problem, line) for line in found.failed), found.failed


def test_a_small_change_is_none():
    assert judge_figures(outputs(0.8, 0.2), old(0.005), KNOWN).passed


def test_a_figure_that_no_output_has_is_left_out():
    values = old()
    for rows in values.values():
        for _, row in rows:
            row["f0_correlation"] = None
    assert "f0_correlation" not in judge_figures(outputs(0.8, 0.2), values, KNOWN).figures["old_voices"]


def test_a_users_voice_is_known_by_what_was_kept_from_its_training(monkeypatch):
    import torch

    from prosody_transfer.evaluation import references
    from prosody_transfer.evaluation.speaker import Judge
    from prosody_transfer.store import voice_network

    kept = torch.nn.functional.normalize(torch.randn(4, 256, generator=torch.manual_seed(0)), dim=1)
    known = {("jane", Judge().fingerprint): kept}
    monkeypatch.setattr(voice_network, "read_references", lambda name, judge: known.get((name, judge)))
    np.testing.assert_allclose(references.references("jane"), kept.numpy(), rtol=1e-6)
    with pytest.raises(UsageError, match="no recordings of the voice 'john'"):
        references.references("john")
