"""The names of the weights are a promise: published checkpoints must go on loading.

After a deliberate change: python tests/contracts/test_state_dicts.py --write
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import nn

GOLDEN = Path(__file__).parents[1] / "golden" / "state_keys.json"


def copycat() -> nn.Module:
    from prosody_transfer.models.copycat.config import CopyCatConfig
    from prosody_transfer.models.copycat.network import CopyCat

    return CopyCat(CopyCatConfig(speakers=("one", "two")))


def vocoder() -> nn.Module:
    from prosody_transfer.models.vocoder.network import Vocoder

    return Vocoder()


def vocos() -> nn.Module:
    from prosody_transfer.models.vocoder.vocos import VocosVocoder

    return VocosVocoder()


def recogniser() -> nn.Module:
    from prosody_transfer.models.recogniser.network import Recogniser, RecogniserConfig

    return Recogniser(RecogniserConfig())


def verifier() -> nn.Module:
    from prosody_transfer.models.verifier.network import Verifier

    return Verifier()


def tracker() -> nn.Module:
    from prosody_transfer.models.tracker.network import Tracker, TrackerConfig

    return Tracker(TrackerConfig())


def camp() -> nn.Module:
    from prosody_transfer.models.camp.network import Camp, CampConfig

    return Camp(CampConfig(speakers=("one", "two")))


def utterance() -> nn.Module:
    from prosody_transfer.models.utterance.network import Utterance, UtteranceConfig

    return Utterance(UtteranceConfig(bank=3))


def vae() -> nn.Module:
    from prosody_transfer.models.vae.network import Vae, VaeConfig

    return Vae(VaeConfig(bank=3))


def kathaka() -> nn.Module:
    from prosody_transfer.models.kathaka.network import Kathaka, KathakaConfig

    return Kathaka(KathakaConfig(bank=3))


def attention() -> nn.Module:
    from prosody_transfer.models.attention.config import AttentionConfig
    from prosody_transfer.models.attention.network import Attention

    return Attention(AttentionConfig(speakers=("one", "two")))


def copycat_latent() -> nn.Module:
    from prosody_transfer.models.copycat_latent.config import CopyCatLatentConfig
    from prosody_transfer.models.copycat_latent.network import CopyCatLatent

    return CopyCatLatent(CopyCatLatentConfig(speakers=("one", "two")))


def recogniser_live() -> nn.Module:
    from prosody_transfer.models.recogniser_live.network import LiveRecogniser, LiveRecogniserConfig

    return LiveRecogniser(LiveRecogniserConfig())


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "attention": attention,
    "camp": camp,
    "copycat": copycat,
    "copycat_latent": copycat_latent,
    "kathaka": kathaka,
    "recogniser": recogniser,
    "recogniser_live": recogniser_live,
    "tracker": tracker,
    "utterance": utterance,
    "vae": vae,
    "verifier": verifier,
    "vocoder": vocoder,
    "vocos": vocos,
}


def keys(network: nn.Module) -> dict[str, list[int]]:
    return {name: list(value.shape) for name, value in network.state_dict().items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_are_stable(name):
    assert keys(NETWORKS[name]()) == json.loads(GOLDEN.read_text(encoding="utf8"))[name]


@pytest.mark.parametrize("name", ["copycat", "verifier", "vocoder"])
def test_only_learned_numbers_are_stored(name):
    network = NETWORKS[name]()
    assert set(network.state_dict()) == {k for k, _ in network.named_parameters()}


def test_every_network_is_listed():
    """A network folder that gains a network.py must appear in the table above."""
    import prosody_transfer.models as models

    folders = {p.parent.name for p in Path(models.__file__).parent.glob("*/network.py")}
    assert importlib.util.find_spec("prosody_transfer.models.copycat.network")
    assert folders <= set(NETWORKS)


if __name__ == "__main__" and "--write" in sys.argv:
    GOLDEN.write_text(
        json.dumps({name: keys(make()) for name, make in NETWORKS.items()}, indent=1) + "\n", encoding="utf8"
    )
