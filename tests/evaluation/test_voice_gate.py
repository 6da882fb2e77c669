"""The gate: what passes, what does not, and why."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from prosody_transfer.core.errors import AudioError, ModelError, UsageError
from prosody_transfer.evaluation import voice_gate
from prosody_transfer.evaluation.identity import unit
from prosody_transfer.evaluation.voice_gate import VoiceGate
from prosody_transfer.evaluation.voice_page import voice_page
from prosody_transfer.evaluation.voice_verdict import LEAST_RATIO, Output, judge_figures

SOURCE = np.eye(64)[9]


def outputs(similarity: float, margin: float, count: int = 10) -> list[Output]:
    """Outputs as the speaker's own recordings are, whatever their figures say."""
    made = recordings(count, seed=5)
    values = [{"similarity": similarity + 0.001 * i, "margin": margin + 0.001 * i} for i in range(count)]
    return [Output(f"s{i}.flac", "eve", v, made[i], SOURCE, np.zeros(0)) for i, v in enumerate(values)]


def recordings(count: int, seed: int = 0) -> np.ndarray:
    """(count, 64) about one axis."""
    noise = np.random.default_rng(seed).standard_normal((count, 64))
    return unit(np.eye(64)[0] + 0.02 * noise)


def moved(share: float, count: int = 10) -> list[Output]:
    """Outputs that lie so far towards the source."""
    found = outputs(0.8, 0.2, count)
    return [replace(o, vector=unit((1 - share) * o.vector + share * SOURCE)) for o in found]


def old(adapted: float = 0.0) -> dict[str, list[tuple[str, dict[str, float]]]]:
    """Ten outputs of five sources; through the adapted network each figure is `adapted` higher."""
    rows = []
    for i in range(10):
        value = 0.8 + 0.01 * i
        rows.append((f"s{i // 2}", {"similarity": value, "margin": value - 0.5, "mel_distance": value}))
    moved = [(source, {key: value + adapted for key, value in values.items()}) for source, values in rows]
    return {"shipped": rows, "adapted": moved}


KNOWN = recordings(4)


def test_a_good_voice_passes():
    found = judge_figures(outputs(0.8, 0.2), old(), KNOWN, "judge")
    assert found.passed and not found.failed and found.judge == "judge"
    figures = found.figures
    assert figures["similarity"] == pytest.approx(0.8045) and figures["margin"] == pytest.approx(0.2045)
    assert figures["similarity_ratio"] == pytest.approx(0.8045 / 0.845, abs=1e-4)
    assert figures["margin_ratio"] == pytest.approx(1, abs=0.05) and figures["margin_ratio_low"] > 0.9
    assert figures["smallest_shortfall"] < 0.05 and figures["margin_least"] == ""
    assert figures["margin_positive"] == 1 and figures["outputs"] == 10 and figures["held_out"] == 4
    assert set(figures["old_voices"]) == {"similarity", "margin", "mel_distance"}


@pytest.mark.parametrize(("own", "change", "problem"), [
    (outputs(0.8, -0.2), 0.0, "is not above 0"),
    (moved(0.3), 0.0, r"outputs reach 0\.\d\d of the margin of the speaker's own recordings, not 0.85"),
    (moved(0.3), 0.0, r"its lower 90% bound is .*, not 0.75 \(10 sources can show a shortfall of 0\.\d\d or more\)"),
    (outputs(0.5, 0.1), 0.0, f"of the shipped voices' 0.845, not {LEAST_RATIO}"),
    (outputs(0.8, 0.2), -0.1, r"old voices' similarity went from 0.845 to 0.745, out of \[0"),
    (outputs(0.8, 0.2), 0.1, "old voices' mel distance went from 0.845 to 0.945"),
])  # fmt: skip
def test_what_fails_is_said(own, change, problem):
    found = judge_figures(own, old(change), KNOWN)
    assert not found.passed
    import re

    assert any(re.search(problem, line) for line in found.failed), found.failed


def test_a_neighbour_that_is_as_near_to_her_own_recordings_does_not_refuse_her():
    """Thirteen sources are far from her; the last is her natural neighbour, and its output nearer to it than to her."""
    near = unit(np.eye(64)[0] + 0.1 * SOURCE)
    found = outputs(0.8, 0.2, 14)
    values = {"similarity": 0.8, "margin": -0.01}
    found[-1] = replace(found[-1], vector=unit(found[-1].vector + near), centre=near, values=values)
    verdict = judge_figures(found, old(), KNOWN)
    assert verdict.figures["margin_positive"] == pytest.approx(13 / 14, abs=1e-3) and verdict.passed, verdict.failed


def test_she_is_measured_by_what_shipped_voices_reach():
    shipped = {"ann": (np.full(10, 0.2), np.full(10, 0.4)), "bea": (np.full(10, 0.3), np.full(10, 0.4))}
    alone, beside = (judge_figures(moved(0.3), old(), KNOWN, shipped=given) for given in (None, shipped))
    assert not alone.passed and beside.passed
    assert beside.figures["margin_least"] == "ann" and beside.figures["margin_usual"] == 0.5
    assert beside.figures["margin_ratio"] == pytest.approx(2 * alone.figures["margin_ratio"], abs=1e-3)


def test_recordings_of_two_speakers_are_refused_whatever_the_figures_say():
    verdict = judge_figures(outputs(0.8, 0.2), old(), KNOWN, several="the recordings sound like two speakers'")
    assert not verdict.passed and verdict.failed == ("the recordings sound like two speakers'",)


class Ears:
    """A judge that hears in a file's name whose it is."""

    fingerprint = "ears"

    def embed(self, waveform: np.ndarray) -> np.ndarray:
        if waveform[0] > 9:
            raise AudioError("too short")
        return recordings(1, seed=int(waveform[1]))[0] if waveform[0] < 1 else SOURCE


@pytest.fixture
def gate(monkeypatch):
    who = {"jane": 0, "eve": 1, "short": 10}
    hear = lambda path: np.array([who[Path(path).stem.split("_")[0]], int(Path(path).stem.split("_")[1])])
    monkeypatch.setattr(voice_gate, "load", hear)
    told: list[str] = []
    made = VoiceGate(on_note=told.append)
    made.judge = Ears()  # type: ignore[assignment]
    return made, told


def test_before_the_training_the_gate_says_whose_recordings_do_not_belong(gate):
    made, told = gate
    jane = [f"jane_{i}.wav" for i in range(12)]
    assert made.before(jane[:4], jane[4:]) == "" and told == []
    problem = made.before(jane[:4], [*jane[4:], "eve_1.wav", "eve_2.wav", "eve_3.wav", "eve_4.wav"])
    assert "two speakers', or one's over two microphones: 4 of 16 (eve_1.wav, eve_2.wav, eve_3.wav, ...)" in problem
    assert told == [f"{problem}; the voice will not be accepted with them"]


def test_too_few_recordings_for_the_test_are_refused_before_the_training(gate):
    with pytest.raises(AudioError, match="1 of 3 recordings kept from training can be judged"):
        gate[0].before(["jane_0.wav", "short_1.wav", "short_2.wav"], ["jane_1.wav"])


def test_a_model_without_a_voice_to_compare_with_is_said_in_one_line(gate, monkeypatch):
    made = gate[0]
    config = SimpleNamespace(speakers=("mine",))
    speaks = SimpleNamespace(network=SimpleNamespace(config=config), voice=lambda name: None)
    monkeypatch.setattr(voice_gate, "Transferer", lambda *asked, **more: speaks)
    monkeypatch.setattr(voice_gate, "Controls", lambda transferer: None)
    with pytest.raises(ModelError, match="speaks none of the voices that the test compares with"):
        made("jane", "voices", ["jane_1.wav", "jane_2.wav"])


def test_the_page_says_why_and_holds_what_was_said(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "own.wav", 0.1 * np.sin(np.arange(24000) / 20), 24000)
    spoken = [replace(o, waveform=np.sin(np.arange(24000 * 20) / 30).astype(np.float32)) for o in moved(0.3)]
    verdict = judge_figures(spoken, old(-0.1), KNOWN)
    shown = voice_page("jane<b>", verdict, spoken, tmp_path / "own.wav", 24000)
    assert "Test of the voice jane&lt;b&gt;" in shown and "not accepted by its test" in shown
    assert all(html.escape(reason) in shown for reason in verdict.failed)
    assert shown.count("<audio") == 4 and "http" not in shown
    assert len(shown) < 400_000, "no more than ten seconds of each"
    fine = judge_figures(outputs(0.8, 0.2), old(), KNOWN)
    assert "accepted" in voice_page("jane", fine, outputs(0.8, 0.2), tmp_path / "own.wav", 24000)


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
