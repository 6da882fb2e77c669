"""A plan in a file: the same samples again, edits that stretch, and what is refused of a stranger's."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import ModelError, ShapeError, UsageError
from prosody_transfer.synthesis.plan_file import load_plan, numbers, parse_plan, plan_json, save_plan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.stretch import stretched

TEXT = "Shall we drive, or take the night train?"
SETTINGS = TransferSettings(check_transcript=False)


@pytest.fixture(scope="module")
def said(tiny, clip):
    """The example said by the small networks."""
    return tiny.from_audio(clip, 24000, "alice", text=TEXT, settings=SETTINGS, measure_output=False)


@pytest.fixture(scope="module")
def stored(said) -> dict:
    return json.loads(plan_json(said.plan))


@pytest.mark.parametrize("options", [{}, {"strength": 0.5}, {"duration_scale": 1.2}, {"sample_rate": 48000}])
def test_saved_loaded_and_rendered_gives_the_same_samples(tiny, said, tmp_path, options):
    save_plan(said.plan, tmp_path / "p.json")
    again, settings = load_plan(tmp_path / "p.json"), TransferSettings(**options)
    expected = tiny.render(said.plan, "emma", settings).waveform
    np.testing.assert_array_equal(tiny.render(again, "emma", settings).waveform, expected)


def test_a_plan_renders_to_what_the_transfer_gave(tiny, said):
    np.testing.assert_array_equal(tiny.render(said.plan, "alice").waveform, said.waveform)


def test_heard_phones_and_several_pieces_come_back(tiny, make_murmur, tmp_path):
    settings = TransferSettings(recognise="phones")
    said = tiny.from_audio(make_murmur(24.0), 24000, "alice", settings=settings, measure_output=False)
    save_plan(said.plan, tmp_path / "p.json")
    again = load_plan(tmp_path / "p.json")
    assert len(again.pieces) > 1 and np.array_equal(again.phones.posteriors, said.plan.phones.posteriors)
    np.testing.assert_array_equal(tiny.render(again, "alice").waveform, said.waveform)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20))
def test_numbers_give_the_same_bits(values):
    for kind in (np.float32, np.float64):
        array = np.array(values, kind)
        again = np.array(json.loads(json.dumps(numbers(array))), kind)
        np.testing.assert_array_equal(again, array)


def test_an_edited_duration_stretches_the_contours_inside_that_phone(tiny, said, stored):
    edited = json.loads(json.dumps(stored))
    phones = edited["pieces"][0]["phones"]
    number = max(range(len(phones)), key=lambda i: phones[i]["frames"] * sum(phones[i]["voiced"]))
    before = phones[number]["frames"]
    phones[number]["frames"] = 2 * before
    plan = parse_plan(json.dumps(edited).encode())
    start = int(said.plan.phones.durations[:number].sum())
    assert plan.n_frames == said.plan.n_frames + before
    old = said.plan.log_f0
    np.testing.assert_array_equal(plan.log_f0[:start], old[:start])
    np.testing.assert_array_equal(plan.log_f0[start + 2 * before :], old[start + before :])
    inside = plan.log_f0[start : start + 2 * before]
    expected = np.interp((np.arange(2 * before) + 0.5) / 2 - 0.5, np.arange(before), old[start : start + before])
    assert inside == pytest.approx(expected, abs=1e-6)
    assert plan.source.samples == said.plan.source.samples + before * 256
    assert len(tiny.render(plan, "alice").waveform) == plan.source.samples


@given(st.data())
def test_any_durations_fit_together(plan_of_noise, data):
    plan = plan_of_noise
    wanted = data.draw(st.lists(st.integers(1, 40), min_size=len(plan.pieces) * 4, max_size=len(plan.pieces) * 4))
    made = stretched(plan, np.array(wanted))
    assert made.n_frames == sum(wanted) and np.isfinite(made.log_f0).all() and (made.power >= 0).all()
    assert [rows.shape[1] for rows in made.embedding.steps] == [cut.stop - cut.start for _, cut in made.split()]
    assert made.log_f0.min() >= plan.log_f0.min() and made.log_f0.max() <= plan.log_f0.max()
    assert all(0 <= s.start < s.stop <= made.source.samples for s in made.source.silences)
    assert stretched(plan, plan.phones.durations) is plan


@pytest.fixture(scope="module")
def plan_of_noise(said):
    """Two pieces of four phones, with a silence."""
    from prosody_transfer.audio.silence import Silence
    from prosody_transfer.synthesis.plan import PlannedEmbedding, PlannedPhones

    rng, sizes = np.random.default_rng(0), np.array([3, 9, 1, 7, 5, 2, 8, 6])
    count = int(sizes.sum())
    names = ("SIL", "AE1", "T", "SIL") * 2
    phones = PlannedPhones(names, sizes, np.array([-1, 0, 0, -1, -1, 1, 1, -1]), ("at", "at"))
    samples = (count - 1) * 256
    level = replace(said.plan.source.level, samples=samples, ride_db=rng.random(count + 5))
    source = replace(said.plan.source, samples=samples, level=level, silences=(Silence(100, 900, 0.0),))
    steps = tuple(rng.random((2, -(-int(s) // 8))).astype(np.float32) for s in (sizes[:4].sum(), sizes[4:].sum()))
    return replace(
        said.plan, phones=phones, pieces=np.array([4, 4]), log_f0=rng.normal(0, 0.1, count).astype(np.float32),
        voiced=rng.random(count) > 0.5, energy_db=rng.normal(0, 5, count).astype(np.float32), power=rng.random(90),
        source=source, embedding=PlannedEmbedding(steps, "steps", "", 8),
    )  # fmt: skip


def test_an_embedding_of_another_model_is_left_out_and_said(tiny, said, tmp_path):
    plan = replace(said.plan, embedding=replace(said.plan.embedding, model="of another"))
    without = replace(said.plan, embedding=None)
    expected = tiny.render(without, "alice").waveform
    np.testing.assert_array_equal(tiny.render(plan, "alice").waveform, expected)
    assert np.abs(expected - said.waveform).max() > 0
    report = tiny.render_to_file(plan, "alice", tmp_path / "a.wav")
    assert any("of another model" in text for text in report["warnings"])


def test_a_plan_of_other_features_is_refused(tiny, said):
    config = type(said.plan.config)(n_mels=80)
    with pytest.raises(ModelError, match="other features"):
        tiny.render(replace(said.plan, config=config), "alice")


def test_a_plan_that_does_not_fit_together_is_refused(said):
    with pytest.raises(ShapeError, match="does not fit together"):
        replace(said.plan, voiced=said.plan.voiced[1:])
    with pytest.raises(ShapeError, match="durations"):
        stretched(said.plan, said.plan.phones.durations * 0)


def change(stored: dict, path: tuple, value) -> bytes:
    copy = json.loads(json.dumps(stored))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(copy).encode()


PHONE = ("pieces", 0, "phones", 3)


@pytest.mark.parametrize(("path", "value", "says"), [
    (("format",), 2, "format 2, not 1"), ((*PHONE, "phone"), "QQ", "piece 0, phone 3: 'QQ' is no phone"),
    ((*PHONE, "frames"), 0, "piece 0, phone 3: frames"), ((*PHONE, "frames"), 10**9, "frames are out of range"),
    ((*PHONE, "frames"), "7", "is no plan"), ((*PHONE, "log_f0"), [], "not equally long"),
    ((*PHONE, "log_f0", 0), 1e300, "log_f0: 1e"), ((*PHONE, "voiced", 0), 2, "other than 0 and 1"),
    ((*PHONE, "word"), 99, "word 99 is out of order"), ((*PHONE, "colour"), "red", "unknown field `colour`"),
    (("source", "samples"), 10**15, "samples are out of range"), (("source", "samples"), 75_999, "frames are in its"),
    (("source", "f0_level"), 1e9, "f0_level"), (("power", 0), -1.0, "power"), (("pieces",), [], "no phones"),
    (("pieces", 0, "embedding"), None, "embedding: is missing"), (("mel", "hop_length"), 8, "mel: out of range"),
    (("pieces", 0, "embedding", 0), [0.0], "not equally long"), (("source", "silences"), [[5, 1, 0]], "do not lie"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(stored, path, value, says):
    with pytest.raises(UsageError, match=says):
        parse_plan(change(stored, path, value), "p.json")


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"format": 1e999}', b"7"])
def test_rubbish_is_refused(data):
    with pytest.raises(UsageError, match="is no plan"):
        parse_plan(data)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(UsageError, match=r"p\.json: cannot be read \(No such file"):
        load_plan(tmp_path / "p.json")
