"""What is said of planted data: what was planted, and nothing where nothing was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from prosody_transfer.evaluation.catalogue import SYSTEMS, figures
from prosody_transfer.evaluation.verdicts import COMPARISONS, compare, judge

KEYS = ("ffe", "f0_correlation", "energy_correlation", "target_similarity", "wer", "dnsmos_overall")


def system(seed: int, n: int = 24, **means: float) -> list[dict[str, Any]]:
    """Rows of noise about the given means; the noise of a seed is always the same."""
    rng = np.random.default_rng(seed)
    return [
        {"id": f"p{i}", "speaker": "alice", "source": f"s{i // 2}"}
        | {k: means.get(k, 0.5) + rng.normal(0, 0.05) for k in KEYS}
        for i in range(n)
    ]


def verdicts(systems: dict[str, Any], positive: Any = None) -> dict[str, Any]:
    return {v["name"]: v for v in judge(compare(systems), positive)}


GOOD = {
    "ptx": system(0, ffe=0.1, f0_correlation=0.95, target_similarity=0.85, wer=0.02),
    "source": system(1, wer=0.02),
    "no_prosody": system(2, ffe=0.4, f0_correlation=0.4),
    "random_prosody": system(3, ffe=0.35, f0_correlation=0.4),
    "latent_only": system(4, f0_correlation=0.7),
    "random_latent": system(5, f0_correlation=0.5),
    "wrong_speaker": system(6, target_similarity=0.6),
    "copy_synthesis": system(7, wer=0.02),
}


def test_a_good_transfer_passes_everything() -> None:
    found = verdicts(GOOD, {"value": 1.0, "low": 1.0, "high": 1.0, "n": 24})
    assert {name: v["passed"] for name, v in found.items()} == dict.fromkeys(found, True)
    assert len(found) == 5 and all(v["text"] and "\n" not in v["text"] for v in found.values())
    assert "transfer gain +0.3" in found["source prosody is moved"]["text"]


def test_gain_is_what_was_planted() -> None:
    by_name = {c["name"]: c for c in compare(GOOD)}
    gain = by_name["transfer_gain"]
    assert gain["value"] == pytest.approx(0.3, abs=0.03) and gain["low"] < 0.3 < gain["high"] and gain["n"] == 24
    assert by_name["correlation_gain"]["value"] == pytest.approx(0.55, abs=0.03)
    assert by_name["word_errors"]["low"] < 0 < by_name["word_errors"]["high"]


def test_random_prosody_that_scores_alike_is_said() -> None:
    alike = {**GOOD, "random_prosody": system(0, ffe=0.1, f0_correlation=0.95)}
    found = verdicts(alike)["source prosody is moved"]
    assert found["passed"] is False and "score alike" in found["text"]


def test_one_figure_alone_is_no_proof() -> None:
    half = {**GOOD, "random_prosody": system(9, ffe=0.35, f0_correlation=0.96)}
    found = verdicts(half)["source prosody is moved"]
    assert found["passed"] is None and "only one figure" in found["text"]


def test_a_dead_latent_is_called_dead() -> None:
    found = verdicts({**GOOD, "random_latent": system(4, f0_correlation=0.7)})["the latent is alive"]
    assert found["passed"] is False and found["text"].startswith("the latent is dead")


def test_a_speaker_id_that_does_nothing() -> None:
    found = verdicts({**GOOD, "wrong_speaker": system(8, target_similarity=0.85)})["the speaker id is obeyed"]
    assert found["passed"] is False and "does nothing" in found["text"]


@pytest.mark.parametrize(("wer", "passed"), [(0.02, True), (0.3, False)])
def test_lost_words(wer: float, passed: bool) -> None:
    lost = {**GOOD, "ptx": system(0, wer=wer)}
    assert verdicts(lost)["words are kept"]["passed"] is passed


@pytest.mark.parametrize(("share", "passed"), [(1.0, True), (0.95, True), (0.9, False)])
def test_nearness_to_the_target(share: float, passed: bool) -> None:
    found = verdicts({}, {"value": share, "low": share, "high": share, "n": 20})
    assert found["nearer to the target than to the source"]["passed"] is passed


def test_without_controls_nothing_is_said() -> None:
    found = verdicts({"ptx": GOOD["ptx"]})
    assert {v["passed"] for v in found.values()} == {None}
    assert all(v["text"].startswith("not said: ") for v in found.values())


def test_nothing_is_found_where_nothing_was_planted() -> None:
    """Two systems alike in all: at most one in twenty verdicts may be wrong; both figures must be so by chance."""
    alike = lambda i: {"ptx": system(100 + i), "random_prosody": system(1000 + i)}
    wrong = sum(bool(verdicts(alike(i))["source prosody is moved"]["passed"]) for i in range(40))
    assert wrong <= 2


def test_comparisons_name_what_there_is() -> None:
    known = figures()
    for c in COMPARISONS:
        assert c.figure in known and {c.first, c.second} <= set(SYSTEMS) and c.definition.endswith(".")


def test_nothing_is_said_of_too_few_sources() -> None:
    for verdict in judge(compare(GOOD), {"value": 1.0, "low": 1.0, "high": 1.0, "n": 3}, sources=1):
        assert verdict["passed"] is None and "not said" in verdict["text"]


def test_a_faint_latent_is_called_little() -> None:
    faint = {**GOOD, "latent_only": system(4, f0_correlation=0.55), "random_latent": system(4, f0_correlation=0.5)}
    assert "carries little prosody" in verdicts(faint)["the latent is alive"]["text"]
    assert "carries prosody" in verdicts(GOOD)["the latent is alive"]["text"]
