"""kill -9 at random moments, five times: the run that goes on ends with the same bits as one that was left alone."""

from __future__ import annotations

import math
import random
import time

import torch

from prosody_transfer.models.copycat.batches import CopyCatTaskConfig
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.task import CopyCatTask
from prosody_transfer.store.checkpoint import load_checkpoint
from prosody_transfer.training.loop import LoopConfig, Trainer, run
from prosody_transfer.training.validation import Validation

SMALL = CopyCatConfig(
    speakers=("one", "two"), phone_channels=8, phone_layers=1, channels=8, layers=2, speaker_channels=4,
    reference_channels=8, reference_layers=1, source_channels=4, latent_channels=2,
)  # fmt: skip
LOOP = LoopConfig(total_steps=40, warmup_steps=5, log_steps=5, checkpoint_minutes=0.0, validation_steps=16)


def train(cache, folder, resume: bool) -> None:
    def task() -> CopyCatTask:
        levels = {"one": math.log(115.0), "two": math.log(200.0)}
        return CopyCatTask(SMALL, CopyCatTaskConfig(batch_size=2, crop_frames=64), *cache, levels)

    torch.manual_seed(1)
    training, dev = task(), Validation(task(), "mel")
    dev.show = lambda *about: None  # no sounds and pictures: they take longer than all the rest
    run(Trainer(training, LOOP, folder, validation=dev), resume=resume)


def test_killed_five_times(fake_cache, tmp_path, start):
    begun = time.monotonic()
    straight = start(train, fake_cache, tmp_path / "straight", False)
    straight.join(60)
    whole = time.monotonic() - begun
    moments = random.Random(7)
    killed = []
    for _ in range(5):
        process = start(train, fake_cache, tmp_path / "parts", True)
        process.join(moments.uniform(0.05, 0.25) * whole)
        process.kill()  # also where it has just ended
        process.join()
        state = tmp_path / "parts" / "state.safetensors"
        killed.append(load_checkpoint(state, "copycat-training")[1]["step"] if state.exists() else 0)
    assert killed == sorted(killed) and killed[0] < 40
    last = start(train, fake_cache, tmp_path / "parts", True)
    last.join(60)
    assert straight.exitcode == last.exitcode == 0
    for name, kind in (("state", "copycat-training"), ("model", "copycat"), ("best", "copycat")):
        one, two = (load_checkpoint(tmp_path / f / f"{name}.safetensors", kind) for f in ("straight", "parts"))
        assert set(one[0]) == set(two[0]) and all(torch.equal(v, two[0][k]) for k, v in one[0].items()), name
        assert one[1].get("validation") == two[1].get("validation")
    steps = [line.split(",")[0] for line in (tmp_path / "parts" / "log.csv").read_text().splitlines()]
    assert steps == ["step", *(str(i) for i in range(5, 41, 5))], "nothing is logged twice"
    steps = [line.split(",")[0] for line in (tmp_path / "parts" / "validation" / "log.csv").read_text().splitlines()]
    assert steps == ["step", "16", "32", "40"]
