"""Training throughput of each network on random data. Usage: python benchmarks/training.py [--json OUT]"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch

from prosody_transfer.models.blocks import frames_from
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.inputs import PhoneInputs, ProsodyInputs
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.models.vocoder.network import Vocoder
from prosody_transfer.training.losses import mel_l1, multi_resolution_stft


def copycat_step(batch: int = 12, size: int = 192) -> Callable[[], None]:
    network = CopyCat(CopyCatConfig(speakers=("a", "b")))
    phones = PhoneInputs(
        torch.eye(40)[torch.randint(0, 40, (batch, 60))],
        torch.zeros(batch, 60).long(),
        torch.full((batch, 60), 6),
        torch.ones(batch, 60).bool(),
    )
    prosody = ProsodyInputs(
        torch.randn(batch, size), torch.ones(batch, size), torch.randn(batch, size), torch.ones(batch, 3)
    )
    mel, mask = torch.randn(batch, 100, size) - 5, torch.ones(batch, size).bool()

    def step() -> None:
        up, position = (x[..., :size] for x in network.expand(phones, 360))
        latent = network.spread(network.encode_reference(mel, mask, up, torch.ones(batch)).sample(), size)
        out = network.decode(up, position, mask, prosody, latent, torch.zeros(batch).long(), torch.full((batch,), 5.0))
        mel_l1(out.mel, mel, mask).backward()

    return step


def vocoder_step(batch: int = 12, size: int = 64) -> Callable[[], None]:
    network, inputs = Vocoder(), torch.randn(batch, 102, size)
    inputs[:, -1] = 5.0

    def step() -> None:
        output = network(frames_from(inputs)).values[:, 0]
        multi_resolution_stft(output, torch.randn_like(output)).backward()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("benchmark-training.json"))
    options = parser.parse_args()
    rows = []
    for name, step, frames in (("copycat", copycat_step(), 12 * 192), ("vocoder", vocoder_step(), 12 * 64)):
        step()
        began = time.perf_counter()
        for _ in range(5):
            step()
        seconds = (time.perf_counter() - began) / 5
        row = {
            "network": name,
            "seconds_per_step": seconds,
            "speech_hours_per_hour": frames * 256 / 24000 / seconds,
            "threads": torch.get_num_threads(),
        }
        rows.append(row)
        print(
            f"{name:10s} {seconds:6.2f} s a step, {row['speech_hours_per_hour']:6.1f} h of speech per hour"
        )
    options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
