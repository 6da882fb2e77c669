"""A tiny acoustic model that takes the place of the shipped one, and a voice of the user's for it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from prosody_transfer.models.copycat.config import adaptable
from prosody_transfer.store import weights
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.store.consent import Consent
from prosody_transfer.store.voice_folder import UserVoice, VoiceRecord, checksum, write_folder
from prosody_transfer.store.voice_network import ROW
from prosody_transfer.store.voices import VoiceInfo

AGREED = Consent(
    who="Jane Doe", purposes=("audiobooks", "tests"), date="2024-01-31", until="unlimited", contact="j@x.org"
)
SMALL: dict[str, Any] = {
    "speakers": ("alice", "emma"), "phone_channels": 8, "phone_layers": 1, "channels": 12, "layers": 2,
    "speaker_channels": 6, "reference_channels": 8, "reference_layers": 2, "source_channels": 4, "latent_channels": 2,
}  # fmt: skip


def make_base(path: Path, seed: int = 0) -> Path:
    """A random acoustic model with the voices alice and emma."""
    from prosody_transfer.models.copycat.config import CopyCatConfig
    from prosody_transfer.models.copycat.network import CopyCat

    torch.manual_seed(seed)
    network = CopyCat(CopyCatConfig(**SMALL))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    facts = {"log_f0_median": 5.0, "phone_log_frames": [1.0] * 40}
    voices = {"alice": facts, "emma": facts}
    path.parent.mkdir(exist_ok=True)
    save_checkpoint(path, "copycat", network.state_dict(), network.config.to_dict(), voices=voices)
    return path


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It, in the place of the shipped one."""
    path = make_base(tmp_path / "base" / "copycat.safetensors")
    found = weights.shipped
    monkeypatch.setattr(weights, "shipped", lambda kind: path if kind == "copycat" else found(kind))
    return path


def save_voice(root: Path, base: Path, name: str = "jane", consent: Consent = AGREED, **changes: Any) -> UserVoice:
    """Write a voice of the user's under `root`; every adaptable tensor differs from the base's."""
    network = weights.load_network("copycat", base)[0]
    torch.manual_seed(1)
    state = dict(network.named_parameters())
    tensors = {key: (state[key] + 0.1).detach().half() for key in adaptable(state)}
    tensors[ROW] = torch.randn(network.config.speaker_channels).half()
    voice = VoiceInfo(
        name=name, synthetic=False, accent="", gender="female", f0_median_hz=180.0, f0_low_hz=140.0, f0_high_hz=240.0,
        minutes=5.0, licence="by consent", provenance="recordings of Jane Doe",
    )  # fmt: skip
    record = VoiceRecord(
        voice=voice, log_f0_median=round(math.log(180.0), 4), phone_log_frames=(2.0,) * 40,
        base=checksum(base), weights="", consent="", made="2024-02-01", ptx="0.1.0", measured={"margin": 0.3},
    )  # fmt: skip
    return write_folder(root / name, record, consent, {**tensors, **changes}, network.config.to_dict(), {"steps": 3})


@pytest.fixture
def make_voice(base: Path, tmp_path: Path):
    """Write a voice into the folder `tmp_path / "voices"`."""
    return lambda name="jane", consent=AGREED, **changes: save_voice(
        tmp_path / "voices", base, name, consent, **changes
    )


@pytest.fixture
def agreed() -> Consent:
    return AGREED


@pytest.fixture
def make_base_at():
    return make_base


@pytest.fixture
def save_voice_at():
    return save_voice
