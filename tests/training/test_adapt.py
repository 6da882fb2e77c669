"""`add_voice` with a tiny network: killed and called again, refused, accepted; nothing half-made is ever seen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from prosody_transfer.core.errors import ModelError, OutputError, UsageError
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.store.checkpoint import load_checkpoint, save_checkpoint
from prosody_transfer.store.consent import Consent
from prosody_transfer.store.voice_folder import read_voice, read_weights
from prosody_transfer.store.voice_network import REFERENCES
from prosody_transfer.store.voices import user_voices
from prosody_transfer.voices import recordings
from prosody_transfer.voices.adapt import Adaptation, add_voice
from prosody_transfer.voices.go_on import Before
from prosody_transfer.voices.recordings import fingerprint, set_aside
from prosody_transfer.voices.settings import VoiceTaskConfig

AGREED = Consent(who="Jane Doe", purposes=("tests",), date="2024-01-31", until="unlimited")
OVER = Consent(who="Jane Doe", purposes=("tests",), date="2020-01-01", until="2020-12-31")
PASSED = SimpleNamespace(
    passed=True, failed=(), figures={"margin": 0.3}, references=np.eye(4), judge="judge", page="<p>passed"
)
FAILED = SimpleNamespace(
    passed=False, failed=("margin -0.1 is not above 0",), figures={"margin": -0.1}, references=np.eye(4), judge="judge",
    page="<p>why",
)  # fmt: skip
SETTINGS = Adaptation(steps=6, task=VoiceTaskConfig(batch_size=2, crop_frames=64, distil_size=1, ewc_weight=0.0))


@pytest.fixture
def made(fake_cache, tmp_path, monkeypatch):
    """A prepared folder of one speaker, a base model, and where voices go."""
    rows, cache = fake_cache
    data = tmp_path / "data"
    data.mkdir()
    (data / "cache").symlink_to(cache)
    lines = [json.dumps(row.to_dict()) for row in rows if row.speaker == "one"]
    (data / "train.jsonl").write_text("\n".join(lines))
    torch.manual_seed(0)
    config = CopyCatConfig(
        speakers=("old",), phone_channels=8, phone_layers=1, channels=8, layers=2, speaker_channels=4,
        reference_channels=8, reference_layers=1, source_channels=4, latent_channels=2,
    )  # fmt: skip
    model = tmp_path / "base.safetensors"
    voices = {"old": {"log_f0_median": 5.0, "phone_log_frames": [1.0] * 40}}
    save_checkpoint(model, "copycat", CopyCat(config).state_dict(), config.to_dict(), voices=voices)
    monkeypatch.setattr(recordings, "LEAST_MINUTES", 0.0)
    add = lambda name="jane", consent=AGREED, gate=lambda *asked: PASSED, settings=SETTINGS, **more: add_voice(
        name, data, consent, gate, voices=tmp_path / "voices", model=model, settings=settings, **more
    )
    count = lambda: len((data / "train.jsonl").read_text().splitlines())
    return SimpleNamespace(add=add, data=data, model=model, voices=tmp_path / "voices", lines=count)


def test_a_voice_is_added(made):
    asked, stages = [], set()

    def gate(name, folder, held_out, learnt):
        asked.append((name, user_voices(folder), user_voices(made.voices), held_out))
        assert len(learnt) == made.lines()
        return PASSED

    own = made.add(gate=gate, on_event=lambda stage, *rest: stages.add(stage))
    assert asked == [("jane", ["jane"], [], [])], "tested before it is anywhere to be seen"
    assert own == read_voice("jane", made.voices) and own.record.measured == {"margin": 0.3}
    assert own.record.sharpening[1] == 0.5, "six steps on random weights: no onset is left, and the bound holds"
    assert own.voice.gender == "male" and own.voice.f0_median_hz == pytest.approx(117, abs=10)
    tensors, header = read_weights(own)
    assert tensors[REFERENCES].shape == (4, 4) and header["judge"] == "judge" and header["steps"] == 6
    assert [p.name for p in made.voices.iterdir()] == ["jane"] and stages == {"train"}
    assert all(value.dtype == torch.float16 for value in tensors.values())


def test_the_same_call_again_does_nothing_and_another_is_refused(made):
    first = made.add()
    before = (first.folder / "weights.safetensors").stat().st_mtime_ns
    assert made.add(gate=None) == first
    assert (first.folder / "weights.safetensors").stat().st_mtime_ns == before
    with pytest.raises(OutputError, match="there is a voice 'jane'"):
        made.add(settings=Adaptation(steps=7))


def test_a_voice_that_fails_is_kept_and_does_not_speak(made):
    message = "jane: the voice was not accepted: margin -0.1 is not above 0; .*ptx voice accept jane"
    with pytest.raises(ModelError, match=message) as caught:
        made.add(gate=lambda *asked: FAILED)
    own = read_voice("jane", made.voices)
    assert str(own.folder / "test.html") in str(caught.value) and (own.folder / "test.html").read_text() == "<p>why"
    assert not own.accepted and own.facts()["failed"] == ("margin -0.1 is not above 0",)
    assert own.record.measured == {"margin": -0.1} and read_weights(own)[0][REFERENCES].shape == (4, 4)
    with pytest.raises(UsageError, match="was not accepted"):
        own.allowed()
    assert [p.name for p in made.voices.iterdir()] == ["jane"]
    with pytest.raises(ModelError, match=message):
        made.add(gate=None, on_event=lambda *told: pytest.fail("the same call again works on nothing"))


def fail(made, **more) -> None:
    with pytest.raises(ModelError, match="was not accepted"):
        made.add(gate=lambda *asked: FAILED, **more)


def test_more_steps_go_on_from_what_was_learnt(made):
    fail(made)
    learnt = read_weights(read_voice("jane", made.voices))[0]["head.bias"]
    steps = []
    more = Adaptation(steps=9, task=SETTINGS.task)
    own = made.add(settings=more, on_event=lambda stage, done, *rest: steps.append(done))
    assert steps == [7, 8, 9] and own.accepted and not own.record.failed
    tensors, header = read_weights(own)
    assert header["steps"] == 9 and not torch.equal(tensors["head.bias"], learnt)
    assert not (own.folder / "training").exists(), "what is accepted needs nothing to go on from"
    assert [p.name for p in made.voices.iterdir()] == ["jane"]


def test_more_recordings_go_on_and_none_that_was_learnt_from_is_tested_on(made):
    lines = (made.data / "train.jsonl").read_text().splitlines()
    (made.data / "train.jsonl").write_text("\n".join(lines[:-1]))
    fail(made)
    (made.data / "train.jsonl").write_text("\n".join(lines[-1:]))
    (made.data / "dev.jsonl").write_text("\n".join(lines[:-1]))
    found, steps = [], []

    def gate(name, folder, held_out, learnt):
        found.append((held_out, learnt))
        return PASSED

    more = Adaptation(steps=8, task=SETTINGS.task)
    made.add(gate=gate, settings=more, on_event=lambda stage, done, *rest: steps.append(done))
    learnt = [str(made.data / "nowhere.wav")] * 2
    assert steps == [7, 8] and found == [([], learnt)], "both say one sentence: none is left to test with"


def test_no_more_steps_than_it_has_had_are_refused_at_once(made):
    fail(made)
    with pytest.raises(UsageError, match="--steps: the voice jane has learnt for 6 steps already; give more than 6"):
        made.add(settings=Adaptation(steps=6, task=VoiceTaskConfig(batch_size=3)))


def test_going_on_killed_in_the_test_leaves_the_voice_as_it_was(made):
    fail(made)
    before = read_voice("jane", made.voices)

    def killed(*asked):
        raise KeyboardInterrupt

    more = Adaptation(steps=8, task=SETTINGS.task)
    with pytest.raises(KeyboardInterrupt):
        made.add(gate=killed, settings=more)
    assert read_voice("jane", made.voices) == before
    steps = []
    assert made.add(settings=more, on_event=lambda *told: steps.append(told)).accepted and steps == []


def test_a_voice_that_is_kept_is_learnt_anew_for_another_model_or_where_its_state_is_damaged(made):
    fail(made)
    (read_voice("jane", made.voices).folder / "training" / "learnt.json").write_text("[")
    steps = []
    made.add(settings=Adaptation(steps=4, task=SETTINGS.task), on_event=lambda stage, done, *rest: steps.append(done))
    assert steps == [1, 2, 3, 4]


def test_the_gate_listens_before_the_training(made):
    order = []

    class Gate:
        def before(self, held_out, learnt):
            order.append(len(held_out) + len(learnt))

        def __call__(self, *asked):
            order.append("test")
            return PASSED

    made.add(gate=Gate(), on_event=lambda stage, *rest: order.append(stage))
    assert order == [made.lines(), *["train"] * 6, "test"]


def test_what_is_refused_before_any_work(made):
    with pytest.raises(UsageError, match="agreed until 2020-12-31, which is over"):
        made.add(consent=OVER)
    with pytest.raises(UsageError, match="cannot name a voice"):
        made.add("../up")
    with pytest.raises(UsageError, match="is a shipped voice"):
        made.add("alice")
    assert not made.voices.exists()
    text = (made.data / "train.jsonl").read_text()
    (made.data / "train.jsonl").write_text(text.replace('"one"', '"other"', 1))
    with pytest.raises(UsageError, match="2 speakers .* say with --speaker"):
        made.add()


def test_asked_to_stop_it_keeps_its_work(made, monkeypatch):
    seen = []

    def stop(stage, done, total, figures):
        seen.append(done)
        if done == 3 and len(seen) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        made.add(on_event=stop)
    assert user_voices(made.voices) == []
    made.add(on_event=lambda stage, done, *rest: seen.append(done))
    assert seen == [1, 2, 3, 4, 5, 6]


def test_two_at_once(made):
    errors = []

    def gate(*asked):
        with pytest.raises(OutputError, match="is being added right now"):
            made.add()
        errors.append(1)
        return PASSED

    made.add(gate=gate)
    assert errors == [1]


def test_other_settings_do_not_go_on_with_the_old_work(made):
    def interrupt(*asked):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.add(gate=interrupt)
    ready = made.voices / ".jane.partial" / "ready" / "jane" / "weights.safetensors"
    assert load_checkpoint(ready, "voice")[1]["steps"] == 6
    own = made.add(settings=Adaptation(steps=4, task=SETTINGS.task))
    assert read_weights(own)[1]["steps"] == 4


SCRIPT = """
import sys, time, numpy as np
from pathlib import Path
from types import SimpleNamespace
from prosody_transfer.store.consent import Consent
from prosody_transfer.voices import adapt, recordings
from prosody_transfer.voices.settings import VoiceTaskConfig
recordings.LEAST_MINUTES = 0.0
loop = adapt.LoopConfig
adapt.LoopConfig = lambda **settings: loop(**{**settings, "checkpoint_minutes": 0.0})
settings = adapt.Adaptation(steps=16, task=VoiceTaskConfig(batch_size=2, crop_frames=64, distil_size=1, ewc_weight=0.0))
agreed = Consent(who="Jane Doe", purposes=("tests",), date="2024-01-31", until="unlimited")
passed = SimpleNamespace(passed=True, failed=(), figures={"margin": 0.3}, references=np.eye(4), judge="judge",
    page="")
def gate(*asked):
    print("test", flush=True)
    time.sleep(0.2)
    return passed
tell = lambda stage, done, total, figures: print(stage, done, flush=True)
where = {"voices": sys.argv[2], "model": sys.argv[3]}
adapt.add_voice("jane", sys.argv[1], agreed, gate, settings=settings, on_event=tell, **where)
print("done", flush=True)
"""


def start(made, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(made.data), str(folder), str(made.model)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_killed_anywhere_the_same_command_goes_on(made, tmp_path):
    """Killed after some steps, and in the test: a voice at the end, the same as without, no step twice but the last."""
    folder, steps = tmp_path / "killed", []
    for stop in ("train 8", "test"):
        process = start(made, folder)
        for line in process.stdout or ():
            if line.startswith("train"):
                steps.append(int(line.split()[1]))
            if line.strip() == stop:
                break
        process.kill()
        process.wait()
        assert user_voices(folder) == []
    process = start(made, folder)
    assert (process.communicate(timeout=120)[0] or "").split() == ["test", "done"]
    assert sorted(set(steps)) == list(range(1, 17)) and len(steps) <= 16 + 2, "a kill costs the step in hand"
    assert [p.name for p in folder.iterdir()] == ["jane"]
    whole = made.add(settings=Adaptation(steps=16, task=SETTINGS.task))
    (killed, said), (direct, header) = read_weights(read_voice("jane", folder)), read_weights(whole)
    assert all(torch.equal(killed[key], direct[key]) for key in direct)
    said["loop"].pop("checkpoint_minutes"), header["loop"].pop("checkpoint_minutes")  # the script's are 0
    assert said == header, "how long it took is no part of a voice"


def rows(count: int, texts: int = 10**6) -> list[Row]:
    return [Row(id=f"u{i}", audio=f"{i}.wav", speaker="one", text=f"text {i % texts}") for i in range(count)]


@pytest.mark.parametrize(("train", "dev", "held"), [(20, 2, 4), (200, 60, 24), (6, 0, 2), (2, 0, 0), (30, 5, 5)])
def test_what_is_set_aside(train, dev, held):
    everything = rows(train + dev)
    left, kept = set_aside(everything[:train], everything[train:])
    assert len(kept) == held and sorted(r.id for r in [*left, *kept]) == sorted(r.id for r in everything)
    assert set_aside(list(reversed(everything[:train])), everything[train:]) == (left, kept), "by their ids alone"


def test_what_was_learnt_from_before_is_never_set_aside():
    everything = rows(20, texts=18)
    learnt = {row.id for row in everything[::2]}
    left, kept = set_aside(everything[:10], everything[10:], learnt)
    assert len(kept) >= 4 and learnt.isdisjoint({row.id for row in kept})
    assert {r.text for r in kept}.isdisjoint({r.text for r in everything if r.id in learnt}), "nor what says the same"
    assert set_aside(everything, [], {row.id for row in everything})[1] == []


def test_a_recording_is_known_by_its_content_wherever_it_lies(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"one")
    (tmp_path / "b.wav").write_bytes(b"one")
    row = lambda name: Row(id=name, audio=str(tmp_path / name), speaker="one", text="a")
    assert fingerprint(row("a.wav")) == fingerprint(row("b.wav")) != fingerprint(row("missing.wav"))


def test_what_prepare_leaves_out_is_said(tmp_path, monkeypatch):
    from prosody_transfer.corpus import prepare as corpus

    found = SimpleNamespace(train=rows(3), dev=[], cache=tmp_path, rejected=[{"reason": "short"}] * 2)
    monkeypatch.setattr(corpus, "prepare_corpus", lambda *asked, **more: found)
    notes: list[str] = []
    with pytest.raises(UsageError, match="too few"):
        recordings.gather("one", tmp_path / "recordings", tmp_path / "out", on_note=notes.append)
    assert notes == ["2 of 5 recordings are left out: 2 are too short"]


@pytest.mark.parametrize(("asked", "usual", "total"), [(900, 400, 900), (0, 1200, 1200), (0, 800, 855), (0, 400, 655)])
def test_how_long_it_goes_on(asked, usual, total):
    assert Before(None, 455, 100.0, "one", frozenset()).total(asked, usual) == total


def test_a_sentence_said_twice_stays_on_one_side():
    left, kept = set_aside(rows(20, texts=12), [])
    assert {r.text for r in kept}.isdisjoint({r.text for r in left}) and len(kept) == 4
