"""The three tasks on a made-up cache: batches are what they say, and the losses fall."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import fields

import numpy as np
import pytest
import torch

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.data.dataset import speaker_weights
from prosody_transfer.models.copycat.batches import CopyCatTaskConfig, default_confusion
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.network import MEL_FLOOR
from prosody_transfer.models.copycat.task import CopyCatTask
from prosody_transfer.models.recogniser.network import RecogniserConfig
from prosody_transfer.models.recogniser.task import RecogniserTask, RecogniserTaskConfig, phone_bigram
from prosody_transfer.models.vocoder.network import VocoderConfig
from prosody_transfer.models.vocoder.task import VocoderTask, VocoderTaskConfig
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.training.loop import LoopConfig, Trainer, run

SMALL = CopyCatConfig(
    speakers=("one", "two"), phone_channels=16, phone_layers=1, channels=24, layers=2, speaker_channels=8,
    reference_channels=16, reference_layers=1, source_channels=8, latent_channels=2,
)  # fmt: skip
LEVELS = {"one": math.log(115.0), "two": math.log(200.0)}


@pytest.fixture
def vocoder(fake_cache) -> VocoderTask:
    torch.manual_seed(0)
    return VocoderTask(
        VocoderConfig(channels=16, layers=1), VocoderTaskConfig(batch_size=2, crop_frames=24), *fake_cache
    )


@pytest.fixture
def copycat(fake_cache) -> CopyCatTask:
    torch.manual_seed(0)
    return CopyCatTask(SMALL, CopyCatTaskConfig(batch_size=3, crop_frames=64), *fake_cache, LEVELS)


@pytest.fixture
def recogniser(fake_cache) -> RecogniserTask:
    torch.manual_seed(0)
    return RecogniserTask(
        RecogniserConfig(channels=16, layers=1), RecogniserTaskConfig(batch_size=3, crop_frames=160), *fake_cache
    )


@pytest.mark.parametrize(
    ("name", "steps", "fall"), [("vocoder", 25, 0.85), ("copycat", 40, 0.7), ("recogniser", 40, 0.6)]
)
def test_the_loss_falls(name, steps, fall, request, tmp_path):
    losses = []
    loop = LoopConfig(total_steps=steps, warmup_steps=3, learning_rate=5e-3)
    task = request.getfixturevalue(name)
    path = run(Trainer(task, loop, tmp_path), on_step=lambda step, figures: losses.append(figures["loss"]))
    assert np.mean(losses[-5:]) < fall * np.mean(losses[:3])
    tensors, header = load_checkpoint(path, name)
    assert load_config(type(task.config), header["config"]) == task.config
    assert set(tensors) == set(task.network.state_dict())


@pytest.mark.parametrize("name", ["vocoder", "copycat", "recogniser"])
def test_every_task_resumes_exactly(name, request, tmp_path):
    fresh = request.getfixturevalue(name)
    loop = LoopConfig(total_steps=4, warmup_steps=2)

    def train(folder, task, **how):
        return run(Trainer(task, loop, folder), **how)

    train(tmp_path / "straight", deepcopy(fresh))
    train(tmp_path / "parts", deepcopy(fresh), max_minutes=0.0)
    other = deepcopy(fresh)
    other.network.load_state_dict({k: torch.zeros_like(v) for k, v in fresh.network.state_dict().items()})
    train(tmp_path / "parts", other, resume=True)
    straight, parts = (
        load_checkpoint(tmp_path / f / "state.safetensors", f"{name}-training")[0] for f in ("straight", "parts")
    )
    assert set(straight) == set(parts) and all(torch.equal(v, parts[k]) for k, v in straight.items())


@pytest.mark.parametrize("name", ["vocoder", "copycat", "recogniser"])
def test_a_batch_depends_on_its_seed_alone(name, request):
    task = request.getfixturevalue(name)
    flat = lambda batch: [
        t
        for t in (batch if isinstance(batch, tuple) else [getattr(batch, f.name) for f in fields(batch)])
        if torch.is_tensor(t)
    ]
    first, again, other = (flat(task.batch(np.random.default_rng([s, 4]), 4)) for s in (1, 1, 2))
    assert first and all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(a.shape != b.shape or not torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_vocoder_crops_match_their_waveforms(vocoder):
    """The energy that the mel shows is that of the samples beside it, gain included."""
    inputs, target = vocoder.batch(np.random.default_rng(0), 0)
    assert inputs.shape == (2, 102, 24) and target.shape == (2, 24 * 256)
    assert set(inputs[:, 100].unique().tolist()) <= {0.0, 1.0}
    assert ((inputs[:, 101] > math.log(50)) & (inputs[:, 101] < math.log(700))).all()
    heard = torch.stft(target, 1024, 256, window=torch.hann_window(1024), return_complex=True).abs()
    heard = torch.log((vocoder_bank() @ heard).clamp(min=1e-7))[..., 3:21]
    assert (heard - inputs[:, :100, 3:21]).abs().median() < 0.02


def vocoder_bank() -> torch.Tensor:
    from prosody_transfer.core.config import MelConfig
    from prosody_transfer.features.mel import mel_filterbank

    return torch.from_numpy(mel_filterbank(MelConfig()))


def test_vocoder_without_edges(fake_cache):
    task = VocoderTask(
        VocoderConfig(channels=8, layers=1), VocoderTaskConfig(batch_size=1, crop_frames=24, edge_frames=0), *fake_cache
    )
    loss, _ = task.loss(task.batch(np.random.default_rng(0), 0), 0, 10)
    assert torch.isfinite(loss)


def test_copycat_batch(copycat):
    batch = copycat.batch(np.random.default_rng(0), 0)
    assert batch.mel.shape == batch.heard.shape == (3, 100, 64) and batch.mask.shape == (3, 64) and batch.mask.all()
    assert batch.mel.min() >= MEL_FLOOR and batch.mel.dtype == torch.float32
    assert (batch.phones.durations.sum(1) == 114).all() and batch.total_frames == 114
    assert torch.allclose(batch.phones.phones.sum(-1)[batch.phones.mask], torch.tensor(1.0), atol=1e-5)
    expected = torch.tensor([LEVELS[("one", "two")[i]] for i in batch.speaker])
    assert torch.allclose(batch.level, expected)
    assert set(batch.prosody.keep.unique().tolist()) <= {0.0, 1.0}


def test_copycat_pads_short_utterances(fake_cache):
    task = CopyCatTask(SMALL, CopyCatTaskConfig(batch_size=2, crop_frames=150), *fake_cache, LEVELS)
    batch = task.batch(np.random.default_rng(0), 0)
    assert batch.mask.sum(1).tolist() == [114, 114] and batch.mel.shape[2] == 150
    loss, figures = task.loss(batch, 0, 10)
    assert torch.isfinite(loss) and set(figures) >= {"mel", "pitch", "voicing", "latent_bits_per_second"}


def test_the_target_is_never_perturbed(copycat):
    rng = np.random.default_rng(3)
    heard, mels = zip(*[(b.heard, b.mel) for b in (copycat.batch(rng, i) for i in range(4))], strict=True)
    true = np.stack([np.maximum(u.features.mel, MEL_FLOOR) for u in copycat.corpus.utterances])
    for mel in torch.cat(mels).numpy():
        starts = range(true.shape[2] - 63)
        assert min(np.abs(true[i, :, s : s + 64] - mel).max() for i in range(4) for s in starts) < 1e-6
    assert (torch.cat(heard) - torch.cat(mels)).abs().mean() > 0.1


def test_recogniser_targets(recogniser):
    mels, targets = recogniser.batch(np.random.default_rng(0), 0)
    assert mels.shape == (3, 100, 160) and targets.shape == (3, 160)
    assert (targets[:, 114:] == -100).all() and (targets[:, :114] >= 0).all()
    assert targets[0, :14].eq(0).all() and targets[0, 14] == 5


def test_a_recogniser_goes_on_with_crops_said_faster_in_rooms_and_half_hidden(recogniser, fake_cache, tmp_path):
    first = run(Trainer(recogniser, LoopConfig(total_steps=2), tmp_path / "first"))
    settings = RecogniserTaskConfig(
        batch_size=4, crop_frames=160, tempo=0.2, masked=True, reverberated=1.0, start_from=str(first)
    )
    task = RecogniserTask(recogniser.config, settings, *fake_cache)
    for name, tensor in load_checkpoint(first, "recogniser")[0].items():
        assert torch.equal(tensor, task.network.state_dict()[name]), name
    batches = [task.batch(np.random.default_rng(i), i) for i in range(6)]
    lengths = torch.cat([(targets >= 0).sum(1) for _, targets in batches])
    assert all(mels.shape == (4, 100, 160) and mels.isfinite().all() for mels, _ in batches)
    assert lengths.min() >= 95 - 1 and lengths.max() <= 143 and len(set(lengths.tolist())) > 10  # 114 / 1.2, / 0.8
    again = task.batch(np.random.default_rng(0), 0)
    assert all(torch.equal(a, b) for a, b in zip(again, batches[0], strict=True))


def test_no_step_from_two_runs_is_their_mean_and_says_how_they_were_trained(fake_cache, tmp_path):
    config, paths = RecogniserConfig(channels=16, layers=1), []
    for steps in (1, 3):
        task = RecogniserTask(config, RecogniserTaskConfig(batch_size=2), *fake_cache)
        paths.append(str(run(Trainer(task, LoopConfig(total_steps=steps, seed=steps), tmp_path / str(steps)))))
    both = RecogniserTask(config, RecogniserTaskConfig(start_from=tuple(paths)), *fake_cache)
    mean, header = load_checkpoint(run(Trainer(both, LoopConfig(total_steps=0), tmp_path / "mean")), "recogniser")
    one, two = (load_checkpoint(path, "recogniser")[0] for path in paths)
    for name, tensor in mean.items():
        torch.testing.assert_close(tensor, (one[name] + two[name]) / 2)
    known = header["started_from"]
    assert [(run["step"], run["loop"]["seed"], run["task"]["batch_size"]) for run in known] == [(1, 1, 2), (3, 3, 2)]
    assert "started_from" not in known[0] and header["step"] == 0


def test_phone_bigram_by_hand():
    table = np.exp(phone_bigram([np.array([0, 1, 1, 2], np.uint8)], 3))
    assert np.allclose(table.sum(1), 1)
    assert np.allclose(table, [[1 / 4, 2 / 4, 1 / 4], [1 / 5, 2 / 5, 2 / 5], [1 / 3, 1 / 3, 1 / 3]])


def test_confusion_rows_are_distributions():
    table = default_confusion()
    assert table.shape == (40, 40) and np.allclose(table.sum(1), 1) and (table > 0).all()


def test_an_empty_cache_is_refused(fake_cache, tmp_path):
    with pytest.raises(UsageError, match="no usable utterance is in the cache"):
        VocoderTask(VocoderConfig(channels=8, layers=1), VocoderTaskConfig(), fake_cache[0], tmp_path)


def test_speaker_weights_by_hand():
    weights = speaker_weights(["a", "a", "b"], [100, 300, 100])
    assert weights.sum() == pytest.approx(1)
    assert weights / weights[0] == pytest.approx([1, 3, 2]), "by length within a speaker, by the root of it between"
