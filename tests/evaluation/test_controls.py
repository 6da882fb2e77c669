"""Controls: what each of them keeps of the source, and that they are the same each time."""

from __future__ import annotations

import itertools
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import soundfile
import torch

from prosody_transfer.audio.io import read_audio
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import AudioError, TranscriptError, UsageError
from prosody_transfer.evaluation.benchmark import benchmark_pairs
from prosody_transfer.evaluation.controls import RARE, SYSTEMS, Controls, lend
from prosody_transfer.features.extract import extract
from prosody_transfer.synthesis.plan import PlannedEmbedding
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.transfer import Transferer

PAIRS = benchmark_pairs()
PAIR = next(p for p in PAIRS if p.id.startswith("compound_2.") and p.speaker == "sky")
OTHERS = PAIRS[:4]


def changed(pair, **changes):
    return msgspec.convert(pair.to_dict() | changes, type(pair))


@pytest.fixture(scope="module")
def transferer() -> Transferer:
    torch.set_num_threads(1)
    return Transferer()


@pytest.fixture(scope="module")
def controls(transferer) -> Controls:
    return Controls(transferer)


@pytest.fixture(scope="module")
def made(controls) -> dict[str, np.ndarray]:
    rows = list(controls.make(PAIR, OTHERS))
    assert [name for name, _, _ in rows] == list(SYSTEMS)
    assert {rate for _, _, rate in rows} == {24000}
    return {name: waveform for name, waveform, _ in rows}


def contour(waveform):
    features = extract(waveform, MelConfig())
    return features, features.log_f0, features.voiced


def correlation(a, b) -> float:
    (_, x, u), (_, y, v) = contour(a), contour(b)
    return float(np.corrcoef(x[u & v], y[u & v])[0, 1])


def test_every_system_is_as_long_as_the_source(controls, made):
    for name, waveform in made.items():
        assert waveform.shape == controls.analyse(PAIR).analysis.waveform.shape, name
        assert np.isfinite(waveform).all() and 0 < np.abs(waveform).max() <= 1, name


def test_ptx_is_what_a_transfer_gives(transferer, made):
    np.testing.assert_array_equal(made["ptx"], transferer.from_file(PAIR.source, "sky", text=PAIR.text).waveform)


def test_the_other_settings_are_what_a_transfer_gives(transferer, made):
    for name, settings in [
        ("no_prosody", TransferSettings(strength=0.0)),
        ("no_latent", TransferSettings(keep=("rhythm", "pitch", "energy"))),
        ("latent_only", TransferSettings(keep=("rhythm", "latent"))),
    ]:
        expected = transferer.from_file(PAIR.source, "sky", text=PAIR.text, settings=settings).waveform
        np.testing.assert_array_equal(made[name], expected)


def test_melodies_are_kept_or_not(controls, made):
    source = controls.analyse(PAIR).analysis.waveform
    for name in ("copy_synthesis", "ptx", "no_latent", "wrong_speaker", "classical"):
        assert correlation(made[name], source) > 0.9, name
    assert correlation(made["random_prosody"], source) < 0.8
    own = correlation(made["no_prosody"], source)  # the model's own melody of the same sentence is not unlike
    assert own < 0.88 and own < correlation(made["ptx"], source) - 0.05


def test_levels_of_voices(controls, made):
    level = lambda wave: (lambda c: np.median(c[1][c[2]]))(contour(wave))
    source = controls.analyse(PAIR).analysis.waveform
    assert level(made["copy_synthesis"]) == pytest.approx(level(source), abs=0.03)
    assert level(made["wrong_speaker"]) < level(made["ptx"]) - 0.1  # a man, where a woman was asked for


def test_random_prosody_differs_and_keeps_the_voicing(made):
    assert np.abs(made["random_prosody"] - made["ptx"]).max() > 0.05
    voicing = [contour(made[name])[2] for name in ("random_prosody", "ptx")]
    assert np.mean(voicing[0] == voicing[1]) > 0.75
    assert np.abs(made["random_latent"] - made["latent_only"]).max() > 1e-3


def test_the_same_each_time_in_any_order(transferer, made):
    again = Controls(transferer)
    list(again.make(PAIRS[0], OTHERS, ["random_prosody"]))
    wanted = ("wrong_speaker", "random_prosody", "copy_synthesis")
    rows = {name: wave for name, wave, _ in again.make(PAIR, OTHERS[::-1], wanted)}
    assert rows.keys() == set(wanted)
    for name, waveform in rows.items():
        np.testing.assert_array_equal(waveform, made[name])


def test_another_seed_is_another_utterance(transferer):
    drawn = {Controls(transferer, seed=s)._other(PAIR, PAIRS[:8]).analysis.aligned.text for s in range(6)}
    assert len(drawn) > 1 and PAIR.text not in drawn


def test_each_source_is_analysed_once(transferer, monkeypatch):
    asked = []
    original = transferer.aligner.align
    monkeypatch.setattr(transferer.aligner, "align", lambda *a, **k: asked.append(1) or original(*a, **k))
    controls = Controls(transferer)
    twin = next(p for p in PAIRS if p.source == PAIR.source and p is not PAIR)
    for pair in (PAIR, twin):
        list(controls.make(pair, [PAIR, twin], ["ptx", "copy_synthesis", "no_latent", "random_prosody"]))
    assert len(asked) == 1
    monkeypatch.setattr("prosody_transfer.evaluation.controls.KEPT_SECONDS", 5.0)
    controls.analyse(PAIRS[0])
    assert [key[0] for key in controls._known] == [PAIRS[0].source] and not controls._copies


def test_what_a_pair_lacks_is_left_out(controls):
    names = lambda pair, others=(): [
        n for n, _, _ in controls.make(pair, others, ["ptx", "random_latent", "classical"])
    ]
    assert names(PAIR) == ["ptx", "classical"]
    assert names(changed(PAIR, output=PAIR.exact, natural="")) == []
    twin = changed(PAIR, source=PAIRS[0].source)  # the same words by somebody else are no random prosody
    assert names(changed(PAIR, output=PAIR.exact, natural=""), [PAIR, twin]) == []


def test_rare_controls_are_made_once_a_source(transferer):
    controls = Controls(transferer)
    chosen = [p for p in PAIRS if controls._has_rare(p, PAIRS)]
    assert sorted(p.source for p in chosen) == sorted({p.source for p in PAIRS})
    assert len({[p for p in PAIRS if p.source == c.source].index(c) for c in chosen}) == 2  # not always the first
    passed = next(p for p in PAIRS if p not in chosen)
    names = lambda c: [n for n, _, _ in c.make(passed, PAIRS, ["copy_synthesis", *RARE])]
    assert names(controls) == ["copy_synthesis"]
    assert names(Controls(transferer, every=True)) == ["copy_synthesis", *RARE]


def test_another_systems_voice_gets_the_controls_that_need_none(controls):
    stranger = changed(PAIR, speaker="nobody", output=PAIR.exact)
    assert [n for n, _, _ in controls.make(stranger, OTHERS)] == ["copy_synthesis", "classical"]
    with pytest.raises(UsageError, match="no voice is called 'nobody'"):
        next(controls.make(changed(PAIR, speaker="nobody"), OTHERS))


def test_a_natural_recording_that_does_not_fit_is_said(transferer):
    controls = Controls(transferer)
    gone = changed(PAIR, natural="gone.wav")
    assert list(controls.make(gone, (), ["classical"])) == []
    assert [(x.id, "no such file" in x.reason) for x in controls.left_out] == [(f"{PAIR.id}, classical", True)]


def test_sources_that_cannot_be_used(controls):
    with pytest.raises(AudioError, match="gone.wav: no such file"):
        next(controls.make(changed(PAIR, source="gone.wav"), OTHERS))
    with pytest.raises(TranscriptError, match="does not match the audio"):
        next(controls.make(changed(PAIR, text="Something else entirely was being said in here today."), OTHERS))
    with pytest.raises(UsageError, match="--duration-scale"):
        Controls(controls.transferer, TransferSettings(duration_scale=1.5))


def test_pieces_are_spoken_as_a_transfer_speaks_them(transferer, monkeypatch, tmp_path):
    from prosody_transfer.analysis import pieces

    monkeypatch.setattr(pieces, "MAXIMUM_SECONDS", 6.0)
    parts = [PAIR, next(p for p in PAIRS if p.id.startswith("complex_1."))]
    joined = np.concatenate([read_audio(p.source).waveform for p in parts])
    soundfile.write(tmp_path / "long.wav", joined, 24000)
    long = changed(PAIR, source=str(tmp_path / "long.wav"), text=" ".join(p.text for p in parts))
    controls = Controls(transferer)
    assert len(controls.analyse(long).analysis.pieces) == 2
    rows = {n: w for n, w, _ in controls.make(long, OTHERS, ["ptx", "random_prosody"])}
    np.testing.assert_array_equal(rows["ptx"], transferer.from_file(long.source, "sky", text=long.text).waveform)
    assert rows["random_prosody"].shape == joined.shape


def test_lending_by_hand(controls, monkeypatch):
    """A ramp over the other's speech arrives as a ramp over this one's, end on end."""
    source, other = controls.analyse(PAIRS[0]), controls.analyse(PAIR)
    have = other.plan.n_frames
    ramp = np.arange(have, dtype=np.float32)
    analysis, plan = other.analysis, other.plan
    level = np.float32(analysis.f0_level)
    for name, values in (("log_f0", ramp + level), ("energy_db", -ramp)):
        monkeypatch.setitem(vars(analysis), "features", replace(analysis.features, **{name: values}))
    steps = np.split(np.arange(have, dtype=np.float32)[None], [cut.stop for _, cut in plan.split()][:-1], 1)
    lent = lend(source, replace(other, plan=replace(plan, embedding=PlannedEmbedding(tuple(steps), "frames"))))
    size, latent = source.plan.n_frames, np.concatenate(lent.embedding.steps, -1)
    assert len(lent.log_f0) == len(lent.energy_db) == latent.shape[-1] == size
    for at, expected in zip(source.span, other.span, strict=True):
        assert lent.log_f0[at] == pytest.approx(expected, abs=1e-3)
        assert lent.energy_db[at] == pytest.approx(-expected, abs=1e-3)
        assert latent[0, at] == expected
    assert not len(lent.power) and np.array_equal(lent.voiced, source.plan.voiced)
    middle = [sum(s) // 2 for s in (source.span, other.span)]
    assert lent.log_f0[middle[0]] == pytest.approx(middle[1], abs=2)
    assert (
        all(b >= a for a, b in itertools.pairwise(lent.log_f0)) and -1e-3 <= lent.log_f0[0] < lent.log_f0[-1] < have
    )
