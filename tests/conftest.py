"""Whoever runs the tests may have voices of their own: the tests must not see them. Nor do tests depend on luck."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval

os.environ["PTX_VOICES"] = os.path.join(tempfile.gettempdir(), f"ptx-tests-no-voices-{os.getpid()}")

# The same inputs every time, on machines of any speed. New ones are tried by benchmarks/fuzz.py, and by
# PTX_HYPOTHESIS=random, and what they find becomes an example of a test.
settings.register_profile(
    "fixed", derandomize=True, database=None, deadline=None, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("PTX_HYPOTHESIS", "fixed"))

RATE = 24000
EXAMPLE = Path(__file__).parents[1] / "examples" / "audio" / "source.flac"


def save_tiny_networks(folder: Path) -> None:
    """Random ones, the same each time: copycat (voices alice and emma), vocoder and recogniser, as NAME.safetensors."""
    import torch

    from prosody_transfer.models.copycat.config import CopyCatConfig
    from prosody_transfer.models.copycat.network import CopyCat
    from prosody_transfer.models.recogniser.network import Recogniser, RecogniserConfig
    from prosody_transfer.models.vocoder.network import Vocoder, VocoderConfig
    from prosody_transfer.store.checkpoint import save_checkpoint

    torch.manual_seed(0)
    config = CopyCatConfig(
        speakers=("alice", "emma"), phone_channels=8, phone_layers=1, channels=12, layers=2, speaker_channels=6,
        reference_channels=8, reference_layers=2, source_channels=4, latent_channels=2,
    )  # fmt: skip
    phone_log_frames = np.linspace(1.0, 2.5, 40).round(3).tolist()
    voices = {
        name: {"log_f0_median": level, "phone_log_frames": phone_log_frames}
        for name, level in (("alice", 5.3), ("emma", 4.7))
    }
    network = CopyCat(config)
    for parameter in network.parameters():  # also those that start at zero
        torch.nn.init.normal_(parameter, std=0.2)
    save_checkpoint(folder / "copycat.safetensors", "copycat", network.state_dict(), config.to_dict(), voices=voices)
    vocoder = Vocoder(VocoderConfig(channels=8, layers=1))
    save_checkpoint(folder / "vocoder.safetensors", "vocoder", vocoder.state_dict(), vocoder.config.to_dict())
    recogniser = Recogniser(RecogniserConfig(channels=8, layers=1))
    kept = recogniser.state_dict()
    save_checkpoint(folder / "recogniser.safetensors", "recogniser", kept, recogniser.config.to_dict())


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    save_tiny_networks(folder)
    return folder


def load_tiny_transferer(folder: Path, vocoder: str | None = None) -> Any:
    """A `Transferer` of these networks."""
    from prosody_transfer.analysis.source import SourceAligner
    from prosody_transfer.store.weights import load_network
    from prosody_transfer.synthesis import transfer

    made = transfer.Transferer(folder / "copycat.safetensors", vocoder or folder / "vocoder.safetensors")
    made.aligner = SourceAligner(load_network("recogniser", folder / "recogniser.safetensors")[0])
    return made


@pytest.fixture(scope="session")
def tiny(networks: Path) -> Any:
    """A `Transferer` whose networks are small and random."""
    return load_tiny_transferer(networks)


@pytest.fixture(scope="session")
def clip() -> np.ndarray:
    """The shipped example, 3.1 s at 24 kHz."""
    from prosody_transfer.audio.io import read_audio

    return read_audio(EXAMPLE, RATE).waveform


def murmur(seconds: float, seed: int = 0) -> np.ndarray:
    """Syllables of a gliding buzz, with pauses in which the noise floor is left; (N,) float32 at 24 kHz."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(150 * 2 ** (0.3 * np.sin(2 * np.pi * 0.4 * time))) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 15))
    syllables = np.maximum(0, np.sin(2 * np.pi * 3 * time)) ** 2 * (np.sin(2 * np.pi * 0.25 * time + seed) > -0.7)
    return (0.1 * buzz * syllables + rng.normal(0, 1e-4, len(time))).astype(np.float32)


def spell(duration: float, seconds: float = 0.08) -> Alignment:
    """Made-up phones and words of even length over [0, duration], a pause every eighth."""
    edges = np.append(np.arange(0, duration - 0.01, seconds), duration)
    names = ("DH", "AH0", "K", "AE1", "T", "S", "IH2", SILENCE)
    phones = [PhoneInterval(names[i % 8], a, b) for i, (a, b) in enumerate(zip(edges, edges[1:], strict=False))]
    words = [
        WordInterval(f"w{i}", phones[i].start, phones[min(i + 6, len(phones) - 1)].end)
        for i in range(0, len(phones), 8)
    ]
    return Alignment(
        tuple(PhoneInterval(p, float(a), float(b)) for p, a, b in phones), tuple(words), duration, "made-up"
    )


def plan(features: Any, alignment: Alignment, level: float, network: Any = None) -> Any:
    """The plan of one piece at the speech level, with its embedding where a network is given."""
    from prosody_transfer.analysis.recorded import Recorded
    from prosody_transfer.audio.levelling import SourceLevel
    from prosody_transfer.models.copycat.embedding import embedding_steps
    from prosody_transfer.synthesis.plan import PlannedEmbedding, PlannedSource, measured_plan

    size, rate = features.n_samples, features.config.sample_rate
    durations = alignment.durations(features.n_frames, rate, features.config.hop_length)
    source = PlannedSource(Recorded(rate, size), size, level, SourceLevel(0.0, rate, size))
    made = measured_plan(features, [alignment], [durations], source, np.zeros(0))
    if network is None:
        return made
    steps = embedding_steps(network, features, made.phones)[0][0].numpy()
    return replace(made, embedding=PlannedEmbedding((steps,)))


@pytest.fixture(scope="session")
def make_plan():
    return plan


@pytest.fixture(scope="session")
def make_murmur():
    return murmur


@pytest.fixture(scope="session")
def make_spelling():
    return spell


@pytest.fixture(scope="session")
def make_tiny_transferer():
    return load_tiny_transferer


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch):
    """A model in a folder of its own, named to ptx by PTX_MODELS; forgotten afterwards."""
    from prosody_transfer.integration import REGISTRY
    from prosody_transfer.models import registry

    monkeypatch.setenv(registry.FOLDERS, str(Path(__file__).parent / "toy_model"))
    yield registry.get("toy")
    REGISTRY.pop("ToyProsody", None)
    registry._known.cache_clear()
    for name in [n for n in sys.modules if n.split(".")[0] == "toy_model"]:
        del sys.modules[name]
