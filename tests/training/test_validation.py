"""Validation: figures on fixed crops, the best weights kept, and samples that can be opened."""

from __future__ import annotations

import math
from importlib.util import find_spec

import numpy as np
import pytest
import soundfile
import torch

from prosody_transfer.core.errors import ModelError
from prosody_transfer.data.manifest import Row
from prosody_transfer.models.copycat.batches import CopyCatTaskConfig
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.task import CopyCatTask
from prosody_transfer.models.recogniser.network import RecogniserConfig
from prosody_transfer.models.recogniser.task import RecogniserTask, RecogniserTaskConfig
from prosody_transfer.models.vocoder.network import VocoderConfig
from prosody_transfer.models.vocoder.task import VocoderTask, VocoderTaskConfig
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.store.weights import shipped
from prosody_transfer.training.logs import TensorBoard
from prosody_transfer.training.loop import LoopConfig, Trainer, run
from prosody_transfer.training.samples import choose
from prosody_transfer.training.validation import Validation, hold_out, make_validation

SMALL = CopyCatConfig(
    speakers=("one", "two"), phone_channels=16, phone_layers=1, channels=24, layers=2, speaker_channels=8,
    reference_channels=16, reference_layers=1, source_channels=8, latent_channels=2,
)  # fmt: skip
LEVELS = {"one": math.log(115.0), "two": math.log(200.0)}


def copycat(cache) -> CopyCatTask:
    torch.manual_seed(0)
    return CopyCatTask(SMALL, CopyCatTaskConfig(batch_size=2, crop_frames=64), *cache, LEVELS)


def vocoder(cache) -> VocoderTask:
    return VocoderTask(VocoderConfig(channels=8, layers=1), VocoderTaskConfig(batch_size=1, crop_frames=24), *cache)


def recogniser(cache) -> RecogniserTask:
    settings = RecogniserTaskConfig(batch_size=1, crop_frames=64)
    return RecogniserTask(RecogniserConfig(channels=8, layers=1), settings, *cache)


def test_the_same_weights_give_the_same_figures(fake_cache):
    task, dev = copycat(fake_cache), Validation(copycat(fake_cache), "mel")
    weights = task.network.state_dict()
    first, again = dev.measure(weights, 1), dev.measure(weights, 1)
    assert first == again != dev.measure(weights, 2)
    assert {"loss", "mel", "pitch", "voicing", "latent_bits_per_second"} == set(first)
    changed = {k: v + 0.1 if v.is_floating_point() else v for k, v in weights.items()}
    assert dev.measure(changed, 1)["mel"] != first["mel"]


class Fake:
    """Figures of a run that gets better, then worse."""

    criterion = "mel"

    def __init__(self, values: list[float]) -> None:
        self.values, self.shown = iter(values), []

    def measure(self, weights, seed):
        return {"mel": next(self.values)}

    def show(self, folder, step, board):
        self.shown.append(step)


def test_the_best_weights_are_kept(fake_cache, tmp_path):
    loop, fake = LoopConfig(total_steps=7, warmup_steps=2, validation_steps=2), Fake([3.0, 1.0, 2.0, 1.0])
    told = []
    kept = {}

    def look(step, figures):
        told.append((step, figures))
        kept[step] = {k: v.clone() for k, v in trainer.average.items()}

    trainer = Trainer(copycat(fake_cache), loop, tmp_path, {"data": 1}, fake)
    run(trainer, on_validation=look)
    assert [s for s, _ in told] == fake.shown == [2, 4, 6, 7], "every second step, and at the end"
    assert [f["best_step"] for _, f in told] == [2, 4, 4, 4], "as good is not better"
    tensors, header = load_checkpoint(tmp_path / "best.safetensors", "copycat")
    assert header["validation"] == {"criterion": "mel", "value": 1.0, "step": 4} and header["step"] == 4
    assert header["data"] == 1 and all(torch.equal(v, kept[4][k]) for k, v in tensors.items())
    assert (tmp_path / "validation" / "log.csv").read_text().startswith("step,seconds,mel\n2,")
    again = Trainer(copycat(fake_cache), LoopConfig(total_steps=9, validation_steps=2), tmp_path, {}, Fake([0.9, 1.5]))
    run(again, resume=True)
    assert load_checkpoint(tmp_path / "best.safetensors", "copycat")[1]["validation"]["step"] == 8


def test_validating_changes_nothing(fake_cache, tmp_path):
    loop = LoopConfig(total_steps=4, warmup_steps=2, validation_steps=1)
    dev = Validation(copycat(fake_cache), "mel")
    dev.show = lambda *about: None
    for name, validation in (("with", dev), ("without", None)):
        run(Trainer(copycat(fake_cache), loop, tmp_path / name, {}, validation))
    one, two = (load_checkpoint(tmp_path / n / "state.safetensors", "copycat-training")[0] for n in ("with", "without"))
    assert all(torch.equal(v, two[k]) for k, v in one.items())


@pytest.mark.parametrize("make", [copycat, vocoder, recogniser])
def test_samples_can_be_opened(make, fake_cache, tmp_path):
    dev = Validation(make(fake_cache), "loss")
    dev.measure(dev.task.network.state_dict(), 1)
    dev.show(tmp_path, 50, TensorBoard(tmp_path))
    names = {p.name for p in tmp_path.iterdir()}
    speaks = make is vocoder or (make is copycat and shipped("vocoder").exists())
    sounds = {name for name in names if name.endswith(".flac")}
    assert sounds == ({"000050-0-one.flac", "000050-2-two.flac"} if speaks else set())
    if speaks:
        waveform, rate = soundfile.read(tmp_path / "000050-0-one.flac")
        assert rate == 24000 and len(waveform) == int(1.2 * 24000)
    if find_spec("matplotlib"):
        picture = (tmp_path / "000050-2-two.png").read_bytes()
        assert picture.startswith(b"\x89PNG") and len(picture) > 5000


def test_without_matplotlib_there_is_sound(fake_cache, tmp_path, monkeypatch):
    from prosody_transfer.training import validation

    monkeypatch.setattr(validation, "can_plot", lambda: False)
    Validation(vocoder(fake_cache), "loss").show(tmp_path, 1, TensorBoard(tmp_path))
    assert {p.suffix for p in tmp_path.iterdir()} == {".flac"}


def test_a_sample_is_what_it_says(fake_cache):
    task = copycat(fake_cache)
    made = task.sample(2)
    assert made.speaker == "two" and made.target.shape == made.predicted.shape == (100, 114)
    assert np.nanmedian(made.target_f0) == pytest.approx(210, rel=0.1)
    phones = recogniser(fake_cache).sample(0)
    assert phones.predicted.sum(0) == pytest.approx(1, abs=1e-4) and phones.waveform is None
    assert phones.target[:, 0].argmax() == 0 and phones.target[:, 14].argmax() == 5
    assert choose(task, 2) == [0, 2] and choose(task, 3) == [0, 2, 1], "one of each speaker first"


def test_holding_out():
    rows = [Row(id=f"{s}{i}", audio="x", speaker=s, text=f"Text {i}.") for s in "abc" for i in range(200)]
    train, dev = hold_out(rows)
    assert 15 <= len(dev) <= 60 and len(train) + len(dev) == 600
    assert not {r.text for r in train} & {r.text for r in dev}, "no text is on both sides"
    assert hold_out(rows[:300])[1] == [r for r in dev if r in rows[:300]], "more rows move none"
    assert hold_out(rows, 1.0) == (rows, []), "something must be left to train on"


def test_dev_rows_of_nobody_that_is_trained(fake_cache, tmp_path):
    rows, cache = fake_cache
    make = lambda rows: CopyCatTask(SMALL, CopyCatTaskConfig(), rows, cache, LEVELS)
    stranger = [Row(id="x", audio="x", speaker="three", text="a")]
    assert make_validation(make, stranger, "mel") is None and make_validation(make, [], "mel") is None
    assert make_validation(make, rows, "mel") is not None


def test_a_damaged_best_is_refused(fake_cache, tmp_path):
    loop = LoopConfig(total_steps=2, validation_steps=2)
    run(Trainer(copycat(fake_cache), loop, tmp_path, {}, Fake([1.0])))
    (tmp_path / "best.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"best\.safetensors"):
        run(Trainer(copycat(fake_cache), loop, tmp_path, {}, Fake([1.0])), resume=True)


def test_holding_out_a_sentence_however_it_is_punctuated():
    plain = [Row(id=f"a{i}", audio="x", speaker="a", text=f"text {i}") for i in range(200)]
    other = [Row(id=f"b{i}", audio="x", speaker="b", text=f"TEXT  {i}!") for i in range(200)]
    train, dev = hold_out(plain + other)
    said = lambda rows: {r.id[1:] for r in rows}
    assert len(dev) > 5 and len(train) > 300 and not said(train) & said(dev)
