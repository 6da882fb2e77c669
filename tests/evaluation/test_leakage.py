"""A made-up world: speakers are vectors, a waveform is the embedding that the judge hears. Are leaks seen?"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.core.errors import AudioError, DependencyError, OutputError
from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.data.manifest import Row
from prosody_transfer.evaluation import leakage as test_of
from prosody_transfer.evaluation import probe
from prosody_transfer.evaluation.identity import unit
from prosody_transfer.evaluation.leakage_floor import (
    average_steps,
    most_frequent_steps,
    normalised,
    plain_frames,
    plain_prosody,
)
from prosody_transfer.evaluation.leakage_measure import Measured, Parts, Setup, choose_targets, measure
from prosody_transfer.evaluation.leakage_model import Analysed
from prosody_transfer.evaluation.leakage_page import leakage_page, write_leakage
from prosody_transfer.evaluation.tracing import Target

SIZE, STEPS, TARGETS = 32, 6, ("alice", "adam")
KINDS = np.array(["silence", "vowel", "stop", "nasal"])
ROOT = Path(__file__).parents[2]


def voice(name: str) -> np.ndarray:
    """A direction for each name, all of them somewhat alike, as embeddings of speakers are."""
    return unit(unit(np.random.default_rng([*name.encode()]).normal(size=SIZE)) + 0.8 * unit(np.ones(SIZE)))


def target(name: str) -> Target:
    references = unit(voice(name) + 0.05 * np.random.default_rng(1).normal(size=(10, SIZE)))
    return Target(name, unit(references.mean(0)), references, "female" if name == "alice" else "male")


def sources(speakers: int = 6, utterances: int = 8) -> list[Row]:
    names = [(f"s{s}", u) for s in range(speakers) for u in range(utterances)]
    return [Row(id=f"{s}/{u}", audio=f"nowhere/{s}/{u}.wav", speaker=s) for s, u in names]


@dataclass
class Model:
    """A model whose latent and outputs carry as much of the source speaker as it is told.

    Attributes:
        latent: Weight of the speaker's vector in the latent; the rest is noise.
        output: Weight of the source's vector in the output's embedding.
        rate: How far speakers differ in rate, and
        spread: in the range of their melody.
        plain: The latent is one of these and nothing else.
        broken: Ids of sources that can't be read.
        analysed: Ids of those that were, in order.
    """

    latent: float = 0.0
    output: float = 0.0
    rate: float = 0.0
    spread: float = 0.0
    plain: bool = False
    broken: tuple[str, ...] = ()
    analysed: list[str] = field(default_factory=list)
    speakers: tuple[str, ...] = TARGETS

    def analyse(self, source: Row) -> Analysed:
        if source.id in self.broken:
            raise AudioError("is damaged", place=source.audio)
        self.analysed.append(source.id)
        random, own = np.random.default_rng([*source.id.encode()]), voice(source.speaker)
        frames = random.normal(size=(4, STEPS))
        frames[0] *= np.exp(self.spread * own[0])
        frames[1] = 1.0
        prosody = random.normal(size=13) * (not self.spread)  # where ranges differ, nothing else does
        prosody[8:] += self.rate * own[:5]
        prosody[:8] = np.resize(probe.pool(frames[:1]), 8)
        latent = random.normal(size=(4, STEPS)) + self.latent * own[4:8, None]
        if self.plain:
            latent = frames[[0, 0, 0, 0]] if self.spread else np.repeat(prosody[8:12, None], STEPS, 1)
        natural = unit(own + 0.05 * random.normal(size=SIZE))
        return Analysed(natural, latent, frames, random.choice(KINDS, STEPS), prosody, 120.0, (own, random))

    def transfer(self, source: Analysed, speaker: str) -> np.ndarray:
        own, random = source.state
        mixed = (1 - self.output) * voice(speaker) + self.output * own
        return mixed + 0.05 * random.normal(size=SIZE)


def setup(model: Model, targets: tuple[str, ...] = TARGETS) -> Setup:
    return Setup(model, unit, {name: target(name) for name in targets}, {"model": "fake", "judge": "ears"})


def run(model: Model, rows: list[Row] | None = None, **options) -> dict:
    return test_of.leakage(sources() if rows is None else rows, lambda: setup(model), **options)


def failed(report: dict) -> list[str]:
    return [c["name"] for c in report["checks"] if c["passed"] is False]


@pytest.fixture(scope="module", autouse=True)
def _quickly():
    """Small networks need not converge to the last digit here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "ITERATIONS", 40)
        yield


@pytest.fixture(scope="module")
def leaking() -> dict:
    return run(Model(latent=20.0, output=0.7))


@pytest.fixture(scope="module")
def clean() -> dict:
    return run(Model())


def test_a_model_that_copies_identity_through_the_latent_is_flagged(leaking):
    assert leaking["verdict"] == "leak" and leaking["exit_code"] == 3
    assert failed(leaking) == [
        "speaker in the prosody embedding", "source in the output", "nearer to the target",
        "source traced from the output",
    ]  # fmt: skip
    assert leaking["probes"]["probe_pooled"]["latent"]["logistic"]["value"] > 0.8
    assert leaking["figures"]["leak_index"]["low"] > 0.5 and leaking["figures"]["tracing"]["value"] > 0.9
    share = np.array(leaking["confusion"]["share"])
    assert (share.argmax(1) == np.arange(6)).all()


def test_a_latent_of_noise_and_outputs_of_the_target_pass(clean):
    assert clean["verdict"] == "no leak found" and clean["exit_code"] == 0 and not failed(clean)
    assert "no proof of absence" in clean["summary"]
    chance, found = clean["chance"], clean["probes"]["probe_pooled"]["latent"]["logistic"]
    assert chance == pytest.approx(1 / 6) and found["low"] < chance < found["high"]
    assert clean["figures"]["leak_index"]["value"] == pytest.approx(0, abs=0.05)
    assert clean["figures"]["tracing"]["low"] < chance < clean["figures"]["tracing"]["high"]


def test_what_plain_prosody_tells_is_no_leak():
    report = run(Model(rate=10.0, plain=True))
    found = report["probes"]["probe_pooled"]
    assert found["latent"]["logistic"]["value"] > 2 * report["chance"]
    assert report["exit_code"] == 0, report["checks"]


def test_the_range_of_the_melody_is_found_and_named_for_what_it_may_be():
    report = run(Model(spread=12.0, plain=True))
    assert failed(report) == ["speaker in the prosody embedding"]
    assert "the range of the melody or the loudness" in report["checks"][0]["text"]


def test_a_leak_in_the_outputs_alone_is_enough():
    assert failed(run(Model(output=0.3)))[:1] == ["source in the output"]


def test_a_leak_beyond_what_the_limit_allows_and_not_below():
    assert "source in the output" not in failed(run(Model(output=0.1)))


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        (sources(3, 8), "2 more speakers with 6 utterances or more (found 3, needed 5)"),
        (sources(6, 5), "s0 has 5 utterances"),
        ([], "5 more speakers"),
    ],
)
def test_too_little_data_is_said_before_any_network_is_loaded(rows, missing):
    def prepare() -> Setup:
        raise AssertionError("must not be called")

    report = test_of.leakage(rows, prepare)
    assert report["exit_code"] == 4 and report["verdict"] == "too little data to say"
    assert any(missing in line for line in report["missing"]) and missing in report["summary"]
    assert "probes" not in report and not report["checks"]


def test_broken_sources_and_target_voices_can_make_it_too_little():
    broken = tuple(f"s{s}/{u}" for s in (0, 1) for u in range(3))
    report = run(Model(broken=broken))
    assert report["exit_code"] == 4
    assert [(e["id"], e["reason"]) for e in report["excluded"]][0] == ("s0/0", "nowhere/s0/0.wav: is damaged")
    rows = [*sources(4), *(Row(id=f"a/{u}", audio="x", speaker="Alice") for u in range(6))]
    report = run(Model(), rows)
    assert report["exit_code"] == 4 and report["excluded"][0]["reason"] == "Alice is a target voice"


def test_a_speaker_with_too_few_is_left_out_and_the_rest_tested():
    rows = [*sources(5, 6), Row(id="few/1", audio="x", speaker="few")]
    report = run(Model(), rows)
    assert report["exit_code"] == 0 and list(report["speakers"]) == ["s0", "s1", "s2", "s3", "s4"]
    assert report["excluded"] == [{"id": "few", "reason": "has fewer than 6 utterances that can be used"}]


def test_what_training_has_seen_is_a_leak_even_without_enough_data():
    rows = sources(2, 2)
    report = test_of.leakage(rows, lambda: setup(Model()), train=[Row(id="t", audio="x", speaker="S1")])
    assert report["exit_code"] == 3 and failed(report) == ["training and test apart"]
    assert report["missing"] and report["split"]["speakers"] == ["s1"]


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    class Killed(Exception):
        pass

    def kill(done: int, _: str) -> None:
        if done == 10:
            raise Killed

    first, second, rows = Model(), Model(), sources(2, 8)
    with pytest.raises(Killed):
        measure(rows, setup(first), tmp_path / "parts", kill)
    measured, excluded = measure(rows, setup(second), tmp_path / "parts")
    assert first.analysed + second.analysed == [r.id for r in rows] and len(second.analysed) == 6
    fresh = measure(rows, setup(Model()))[0]
    assert not excluded and [m.id for m in measured] == [r.id for r in rows]
    for a, b in zip(measured, fresh, strict=True):
        assert (a.latent == b.latent).all() and (a.phones == b.phones).all()
        assert all((a.outputs[name] == b.outputs[name]).all() for name in TARGETS)


def test_parts_of_another_model_or_damaged_ones_are_not_taken(tmp_path):
    row = sources(1, 1)[0]
    array = np.zeros((2, 3))
    found = Measured(row.id, row.speaker, array, array, KINDS, array, 100.0, array, {"alice": array})
    Parts(tmp_path, ["a"]).write(row, found)
    assert Parts(tmp_path, ["a"]).read(row, ["alice"]) is not None
    assert Parts(tmp_path, ["b"]).read(row, ["alice"]) is None
    assert Parts(tmp_path, ["a"]).read(row, ["adam"]) is None
    next(tmp_path.glob("*.npz")).write_bytes(b"PK half")
    assert Parts(tmp_path, ["a"]).read(row, ["alice"]) is None


def test_what_is_not_installed_stops_the_test_rather_than_every_source():
    def deaf(_: np.ndarray) -> np.ndarray:
        raise DependencyError("no ears")

    with pytest.raises(DependencyError):
        measure(sources(1, 2), Setup(Model(), deaf, {}))


class Page(HTMLParser):
    """Tags that were opened and not closed, addresses, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.addresses, self.text, self.heads = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br", "link", "use", "path", "img"):
            self.open.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href") and v and not v.startswith(("#", "data:"))]
        self.heads += [tag] if tag in ("h1", "h2") else []

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", ["leaking", "clean"])
def test_the_page_is_whole_and_says_everything(name, request, tmp_path):
    report = request.getfixturevalue(name)
    write_leakage(report, tmp_path / "leak.html")
    page = Page((tmp_path / "leak.html").read_text())
    assert not page.open and not page.addresses and page.heads.count("h1") == 1
    assert report["verdict"].capitalize() in page.text and report["summary"] in page.text
    for check in report["checks"]:
        assert check["text"] in page.text
    for definition in report["definitions"].values():
        assert definition["definition"] in page.text
    again = json.loads((tmp_path / "leak.json").read_text())
    assert again["figures"] == report["figures"] and again["exit_code"] == report["exit_code"]
    with pytest.raises(OutputError, match="exists"):
        write_leakage(report, tmp_path / "leak.html")


def test_names_are_written_out_in_the_page():
    rows = [Row(id="<script>x", audio="x", speaker="<b>"), *sources(1, 1)]
    train = [Row(id="<i>", audio="y", speaker="<b>")]
    text = leakage_page(test_of.leakage(rows, lambda: setup(Model()), train=train))
    assert "<script>" not in text and "<b>" not in text and "&lt;b&gt;" in text
    assert "Too little" not in Page(text).text and "5 more speakers" not in Page(text).text  # the leak is the verdict


def test_the_voices_to_speak_in_when_none_is_named():
    assert choose_targets(["a", "b", "c"], {}) == ["a", "b"]
    assert choose_targets(["x", "y"], {"x": "male", "y": "male"}) == ["x"]


def make_features(f0: float = 0.0, gain_db: float = 0.0):
    """60 frames: a pause of 20, a vowel of 30, a stop of 10; the melody falls from +.2 to -.2 about its level."""
    from prosody_transfer.core.config import MelConfig
    from prosody_transfer.features.extract import Features

    config = MelConfig()
    size, unit_seconds = 60, config.hop_length / config.sample_rate
    voiced = (np.arange(size) >= 20) & (np.arange(size) < 50)
    log_f0 = (np.log(120) + f0 + np.interp(np.arange(size), [20, 49], [0.2, -0.2])).astype(np.float32)
    energy = np.where(np.arange(size) < 20, -60.0, np.where(voiced, 0.0, -10.0)) + gain_db
    features = Features(np.zeros((config.n_mels, size), np.float32), log_f0, voiced, energy.astype(np.float32),
                        size * config.hop_length, config)  # fmt: skip
    edges = [0, 20 * unit_seconds, 50 * unit_seconds, 60 * unit_seconds]
    phones = tuple(PhoneInterval(p, a, b) for p, a, b in zip(("SIL", "AA1", "T"), edges, edges[1:], strict=False))
    return features, Alignment(phones, (), edges[-1])


def test_plain_prosody_by_hand_and_without_register_and_gain():
    features, alignment = make_features()
    seconds = features.config.hop_length / features.config.sample_rate
    found = plain_prosody(features, alignment)
    assert found[0] == pytest.approx(np.linspace(-0.2, 0.2, 30).std(), abs=1e-4)
    assert found[3] == pytest.approx(0.4 / 29 / seconds, rel=1e-3)
    assert found[8] == pytest.approx(2 / (40 * seconds)) and found[11] == pytest.approx(1 / 3)
    assert found[10] == pytest.approx(np.log(30 * seconds)) and found[12] == pytest.approx(30 / 40)
    assert plain_prosody(*make_features(0.5, 12.0)) == pytest.approx(found, abs=1e-4)


def source(f0_hz: float, spread: float, gain_db: float, loudness: float, seed: int) -> Analysed:
    random = np.random.default_rng(seed)
    contour, energy = spread * random.normal(size=40), gain_db + loudness * random.normal(size=40)
    frames = np.stack([contour, np.arange(40) % 4 > 0, energy, np.zeros(40)])
    phones = np.where(np.arange(40) < 5, "silence", "vowel")
    return Analysed(np.zeros(1), np.zeros((1, 40)), frames, phones, np.arange(13.0), f0_hz)


def test_the_floor_holds_neither_level_nor_range_of_a_speaker():
    one = [source(110.0 * 1.1**k, 0.1, -5.0, 2.0, k) for k in range(3)]
    other = [source(220.0 * 1.1 ** (k * 3), 0.3, 4.0, 6.0, k) for k in range(3)]
    (frames, rows), (frames_other, rows_other) = normalised(one), normalised(other)
    assert rows == pytest.approx(rows_other) and rows.shape == (3, 8)
    for a, b in zip(frames, frames_other, strict=True):
        assert a == pytest.approx(b)
    assert rows[2, 0] > rows[1, 0] > rows[0, 0]  # but an utterance that lies higher than the speaker's others does so
    assert rows[0, 4:].tolist() == [8, 9, 10, 11]


def test_plain_frames_hold_no_register_and_steps_are_means():
    features, alignment = make_features()
    durations = np.array([20, 30, 10])
    frames, kinds = plain_frames(features, alignment, durations)
    moved, _ = plain_frames(*make_features(0.5), durations)
    assert moved == pytest.approx(frames, abs=1e-5)
    steps = average_steps(frames, 8)
    assert steps.shape == (4, 8) and steps[1, 2] == pytest.approx(0.5) and steps[1, -1] == 0
    assert steps[:, -1] == pytest.approx(frames[:, 56:].mean(1))
    assert list(most_frequent_steps(kinds, 8)) == ["silence"] * 2 + ["silence"] + ["vowel"] * 3 + ["stop"] * 2


def test_training_imports_neither_the_judge_nor_any_other_of_these():
    for path in (ROOT / "prosody_transfer" / "training").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any("verifier" in n or "evaluation" in n for n in names), path
