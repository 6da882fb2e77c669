"""A voice of the user's speaks; the model's own voices are what they were, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from prosody_transfer.analysis.source import SourceAligner
from prosody_transfer.audio.io import read_audio, read_comment, write_audio
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.models.copycat.config import adaptable
from prosody_transfer.store.consent import Consent
from prosody_transfer.store.voice_folder import VoiceRecord, checksum, remove_voice, write_folder
from prosody_transfer.store.voice_network import ROW
from prosody_transfer.store.voices import VoiceInfo
from prosody_transfer.store.weights import load_network
from prosody_transfer.synthesis.transfer import Transferer

AGREED = Consent(who="Jané Doe", purposes=("audiobooks", "tests"), date="2024-01-31", until="unlimited")
OVER = Consent(who="Jané Doe", purposes=("tests",), date="2020-01-01", until="2020-12-31")


def save(root: Path, base: Path, name: str, consent: Consent = AGREED, move: float = 0.3) -> None:
    network = load_network("copycat", base)[0]
    state = dict(network.named_parameters())
    tensors = {key: (state[key] + move).detach().half() for key in adaptable(state)}
    tensors[ROW] = torch.linspace(-1, 1, network.config.speaker_channels).half()
    voice = VoiceInfo(
        name=name, synthetic=False, accent="", gender="female", f0_median_hz=180.0, f0_low_hz=140.0, f0_high_hz=240.0,
        minutes=5.0, licence="by consent", provenance="her recordings",
    )  # fmt: skip
    record = VoiceRecord(
        voice=voice, log_f0_median=5.19, phone_log_frames=(2.0,) * 40, base=checksum(base), weights="", consent="",
        made="2024-02-01", ptx="0.1.0",
    )  # fmt: skip
    write_folder(root / name, record, consent, tensors, network.config.to_dict(), {})


@pytest.fixture(scope="module")
def voices(networks, tmp_path_factory):
    root = tmp_path_factory.mktemp("voices")
    save(root, networks / "copycat.safetensors", "jane")
    save(root, networks / "copycat.safetensors", "old", OVER)
    return root


def load(networks: Path, voices: Path) -> Transferer:
    made = Transferer(networks / "copycat.safetensors", networks / "vocoder.safetensors", voices=voices)
    made.aligner = SourceAligner(load_network("recogniser", networks / "recogniser.safetensors")[0])
    return made


@pytest.fixture(scope="module")
def speaking(networks, voices):
    return load(networks, voices)


def say(transferer, clip, speaker, make_spelling) -> np.ndarray:
    alignment = make_spelling(len(clip) / 24000)
    return transferer.from_audio(clip, 24000, speaker, alignment=alignment, measure_output=False).waveform


def test_old_voices_are_bit_identical(tiny, speaking, clip, make_spelling):
    before = {name: say(tiny, clip, name, make_spelling) for name in ("alice", "emma")}
    own = say(speaking, clip, "jane", make_spelling)
    assert own.shape == clip.shape and np.isfinite(own).all()
    for name, waveform in before.items():
        assert np.array_equal(say(speaking, clip, name, make_spelling), waveform)
        assert not np.allclose(own, waveform, atol=1e-3)


def test_the_report_says_what_its_speaker_agreed_to(speaking, clip, make_spelling):
    about = {"alignment": make_spelling(len(clip) / 24000), "measure_output": False}
    assert speaking.from_audio(clip, 24000, "jane", **about).report["purposes"] == ["audiobooks", "tests"]
    assert "purposes" not in speaking.from_audio(clip, 24000, "alice", **about).report


def test_it_is_known_beside_the_others(speaking):
    assert set(speaking.voices) == {"alice", "emma", "jane"}, "one that may not speak is not offered"
    assert speaking.voice("jane").row == 2 and speaking.voice("jane").network is not speaking.network
    assert speaking.voice("jane").network is speaking.voice("jane").network, "loaded once"
    with pytest.raises(UsageError, match="did you mean jane"):
        speaking.voice("jana")


def test_a_voice_that_is_added_or_removed_meanwhile(networks, tmp_path):
    transferer = load(networks, tmp_path)
    with pytest.raises(UsageError, match="no voice is called 'late'"):
        transferer.voice("late")
    save(tmp_path, networks / "copycat.safetensors", "late")
    assert transferer.voice("late").name == "late"
    remove_voice("late", tmp_path)
    with pytest.raises(UsageError, match="no voice is called 'late'"):
        transferer.voice("late")


def test_an_ended_consent_is_refused_everywhere(speaking, clip, tmp_path):
    write_audio(tmp_path / "src.wav", clip, 24000)
    with pytest.raises(UsageError, match="agreed to this voice until 2020-12-31") as caught:
        speaking.from_file_to_file(tmp_path / "src.wav", "old", text="a")
    assert "Jané Doe" in str(caught.value)
    failed = speaking.from_files_to_files([tmp_path / "src.wav"], "old", tmp_path / "out")
    assert len(failed) == 1 and "until 2020-12-31" in str(failed[0][1])
    assert not list(tmp_path.glob("**/*.old.wav"))


def test_for_another_model_it_does_not_speak(networks, voices, tmp_path, clip):
    from prosody_transfer.store.checkpoint import load_checkpoint, save_checkpoint

    tensors, header = load_checkpoint(networks / "copycat.safetensors", "copycat")
    facts = {key: value for key, value in header.items() if key != "config"}
    save_checkpoint(tmp_path / "other.safetensors", "copycat", tensors, header["config"], **facts, more=1)
    transferer = Transferer(tmp_path / "other.safetensors", networks / "vocoder.safetensors", voices=voices)
    assert set(transferer.voices) == {"alice", "emma"}
    with pytest.raises(ModelError, match="was made for another acoustic model .* add it again"):
        transferer.voice("jane")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".opus"])
@pytest.mark.parametrize("speaker", ["jane", "alice"])
def test_every_file_says_who_speaks_and_by_whose_leave(speaking, clip, tmp_path, suffix, speaker):
    write_audio(tmp_path / "src.wav", clip, 24000)
    (tmp_path / "src.txt").write_text("Does he wear a black suit or a blue one?")
    target = tmp_path / f"out{suffix}"
    speaking.from_file_to_file(tmp_path / "src.wav", speaker, target)
    said = read_comment(target)
    assert said == speaking.credit(speaker) and f"Voice: {speaker}" in said
    assert (AGREED.line() in said) == (speaker == "jane")
    assert ("synthetic, nobody's voice" in said) == (speaker == "alice")
    assert read_audio(target).original_samples == len(clip)


def test_a_comment_of_any_length_and_script_is_kept(tmp_path, clip):
    for comment in ("", "x", "Jané 日本語 " + "é" * 900):
        for suffix in (".wav", ".flac", ".opus"):
            write_audio(tmp_path / f"a{suffix}", clip, 24000, overwrite=True, comment=comment)
            assert read_comment(tmp_path / f"a{suffix}") == comment
            assert len(read_audio(tmp_path / f"a{suffix}").waveform) == len(clip)
