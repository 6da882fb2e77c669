"""Settings: frozen, named, and nothing unknown gets in."""

from __future__ import annotations

import json

import msgspec
import pytest

from prosody_transfer.core.config import Config, MelConfig, load_config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.vocoder.network import VocoderConfig


class Outer(Config):
    size: int
    mel: MelConfig = MelConfig()
    names: tuple[str, ...] = ()
    rate: float = 1.0


def test_unknown_keys_are_refused():
    with pytest.raises(UsageError, match="^run.toml: .*`n_mel`.*; compare it with recipes/shipped.toml") as caught:
        load_config(MelConfig, {"n_mel": 80}, "run.toml")
    assert caught.value.exit_code == 2
    with pytest.raises(UsageError, match=r"^Outer: .*`n_mel` - at `\$\.mel`"):
        load_config(Outer, {"size": 1, "mel": {"n_mel": 80}})


@pytest.mark.parametrize(
    "data", [{"size": "3"}, {"size": 1.5}, {"size": None}, {"size": 1, "names": "abc"}, {}, {"size": 1, "mel": 3}, [1]]
)
def test_wrong_types_are_refused(data):
    with pytest.raises(UsageError):
        load_config(Outer, data)


def test_what_json_and_toml_give_is_taken():
    config = load_config(Outer, {"size": 1, "names": ["a", "b"], "rate": 2, "mel": {"n_mels": 80}})
    assert config.names == ("a", "b") and config.rate == 2.0 and config.mel.n_mels == 80


@pytest.mark.parametrize(
    "config",
    [
        MelConfig(n_mels=80),
        CopyCatConfig(speakers=("a", "b"), mel=MelConfig(hop_length=200)),
        VocoderConfig(channels=8),
    ],
)
def test_round_trip_through_json(config):
    assert load_config(type(config), json.loads(json.dumps(config.to_dict()))) == config


def test_frozen():
    with pytest.raises(AttributeError):
        MelConfig().n_mels = 80  # type: ignore[misc]
    assert len({MelConfig(), MelConfig(), MelConfig(n_mels=80)}) == 2, "usable as a key"


def test_the_fingerprint_changes_with_any_setting():
    first = MelConfig()
    prints = {first.fingerprint()}
    for field in msgspec.structs.fields(MelConfig):
        prints.add(msgspec.structs.replace(first, **{field.name: getattr(first, field.name) * 2}).fingerprint())
    assert len(prints) == 1 + len(msgspec.structs.fields(MelConfig))
    assert first.fingerprint() == MelConfig(n_mels=100).fingerprint() and len(first.fingerprint()) == 12


def test_the_fingerprint_of_the_defaults_is_stable():
    """Caches made before are recognised: this may only change together with the features themselves."""
    assert MelConfig().fingerprint() == "5e6af7e14a35"


def test_the_defaults_are_those_of_the_public_vocoder():
    config = MelConfig()
    assert (config.sample_rate, config.n_fft, config.win_length, config.hop_length, config.n_mels, config.floor) == (
        24000,
        1024,
        1024,
        256,
        100,
        1e-7,
    )


@pytest.mark.parametrize("data", [{"\ud800": 1}, {"n_mels": "\ud800"}])
def test_half_a_pair_that_json_can_spell_is_one_line(data: dict[str, object]) -> None:
    with pytest.raises(UsageError) as raised:
        load_config(MelConfig, data, "x.json")
    str(raised.value).encode("utf8")
