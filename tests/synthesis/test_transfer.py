"""The main job on one recording: lengths, levels, settings and reports, with small random networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_transfer.audio.resample import resampled_length
from prosody_transfer.audio.silence import silences
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import AudioError, ModelError, ShapeError, TranscriptError, UsageError
from prosody_transfer.store.weights import shipped
from prosody_transfer.synthesis.compare import compare
from prosody_transfer.synthesis.transfer import Transferer, TransferSettings, default_output

TEXT = "Shall we take the train, or would you prefer to drive?"
RATE = 24000
UNCHECKED = TransferSettings(check_transcript=False)
hushed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@hushed
@given(st.integers(7200, 60000))
def test_the_output_is_exactly_as_long_as_the_source(tiny, make_murmur, make_spelling, size):
    waveform = make_murmur(2.6)[:size]
    result = tiny.from_audio(waveform, RATE, "alice", alignment=make_spelling(size / RATE))
    assert result.waveform.shape == (size,) and result.waveform.dtype == np.float32 and result.sample_rate == RATE
    assert np.isfinite(result.waveform).all() and np.abs(result.waveform).max() > 0
    assert result.source.n_frames == -(-size // 256) + 1
    assert result.output is not None and result.output.n_frames == result.source.n_frames


@hushed
@given(st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000]), st.integers(0, 400))
def test_at_any_rate(tiny, make_spelling, rate, extra):
    size = round(0.4 * rate) + extra
    waveform = np.random.default_rng(extra).normal(0, 0.1, size).astype(np.float32)
    result = tiny.from_audio(waveform, rate, "alice", alignment=make_spelling(size / rate))
    assert len(result.waveform) == resampled_length(size, rate, RATE)
    assert result.alignment.phones[-1].end == result.alignment.duration == len(result.waveform) / RATE


@hushed
@given(st.integers(7200, 20000), st.floats(0.25, 4))
def test_stretched(tiny, make_murmur, make_spelling, size, scale):
    given = make_spelling(size / RATE)
    result = tiny.from_audio(
        make_murmur(1.0)[:size], RATE, "alice", alignment=given, settings=TransferSettings(duration_scale=scale)
    )
    assert len(result.waveform) == round(size * scale) and np.isfinite(result.waveform).all()
    assert np.abs(result.waveform[-200:]).max() > 0, "no silence is put at the end"


@pytest.mark.parametrize(
    ("vocoder", "seconds", "scale"), [(None, 41.3, 1.0), (None, 23.7, 0.61), ("griffin-lim", 20.9, 1.0)]
)
def test_several_pieces(networks, make_tiny_transferer, make_murmur, seconds, scale, vocoder):
    waveform = make_murmur(seconds)[:-77]
    chosen = TransferSettings(duration_scale=scale, recognise="phones")
    result = make_tiny_transferer(networks, vocoder).from_audio(waveform, RATE, "emma", settings=chosen)
    assert len(result.waveform) == round(len(waveform) * scale) and np.isfinite(result.waveform).all()
    phones = result.alignment.phones
    assert phones[0].start == 0 and phones[-1].end == len(waveform) / RATE
    assert all(a.end == b.start for a, b in zip(phones, phones[1:], strict=False))
    assert result.source.n_frames == -(-len(waveform) // 256) + 1
    assert result.report["words_from"] == "phones" and result.report["seconds"] == pytest.approx(
        len(result.waveform) / RATE, abs=1e-4
    )


@pytest.mark.parametrize("gain", [0.1, 0.01])
def test_a_quiet_source_gives_the_same_but_quiet(tiny, make_murmur, make_spelling, gain):
    waveform = make_murmur(2.0) * np.float32(0.1)  # so that none is turned down to avoid clipping
    loud = tiny.from_audio(waveform, RATE, "alice", alignment=make_spelling(2.0))
    quiet = tiny.from_audio(waveform * np.float32(gain), RATE, "alice", alignment=make_spelling(2.0))
    heard = np.ones(len(waveform), bool)
    for silent in silences(waveform * np.float32(gain), RATE):  # below -90 dBFS, and the fades around it
        heard[max(0, silent.start - 100) : silent.stop + 100] = False
    assert heard.mean() > 0.2
    assert np.abs(quiet.waveform / gain - loud.waveform)[heard].max() < 1e-3 * np.abs(loud.waveform).max()


def test_the_same_input_gives_the_same_output(tiny, clip):
    once, again = (tiny.from_audio(clip, RATE, "alice", text=TEXT, settings=UNCHECKED) for _ in range(2))
    assert np.array_equal(once.waveform, again.waveform) and once.alignment == again.alignment


def test_a_source_without_any_voice(tiny, make_spelling):
    rng = np.random.default_rng(0)
    whisper = (rng.normal(0, 0.05, 2 * RATE) * np.abs(np.sin(np.arange(2 * RATE) / 4000))).astype(np.float32)
    result = tiny.from_audio(whisper, RATE, "alice", alignment=make_spelling(2.0))
    assert len(result.waveform) == len(whisper) and np.isfinite(result.waveform).all()
    assert result.report["f0_correlation"] is None


@pytest.mark.parametrize("keep", [(), ("latent",), ("rhythm", "pitch")])
@pytest.mark.parametrize("strength", [0.0, 0.4])
def test_partial_transfer_keeps_the_length(tiny, clip, keep, strength):
    chosen = TransferSettings(keep=keep, strength=strength, check_transcript=False)
    result = tiny.from_audio(clip, RATE, "alice", text=TEXT, settings=chosen)
    assert len(result.waveform) == len(clip) and np.isfinite(result.waveform).all()
    assert result.report["settings"]["keep"] == keep or result.report["settings"]["keep"] == list(keep)


def test_what_the_report_says(tiny, clip):
    import json

    result = tiny.from_audio(clip, RATE, "alice", text=TEXT, settings=UNCHECKED)
    report = json.loads(json.dumps(result.report))
    assert report["speaker"] == "alice" and report["text"] == TEXT and report["words_from"] == "text"
    assert report["aligner"] == "pocketsphinx" and report["seconds"] == 3.125 and report["vocoder"] == "ptx"
    assert report["real_time_factor"] > 0 and report["phones"] == len(result.alignment.phones)
    assert report["f0_median_source_hz"] == pytest.approx(110, abs=40)
    assert isinstance(report["warnings"], list)


def test_a_voice_that_would_clip_is_turned_down(tiny, make_murmur, make_spelling):
    result = tiny.from_audio(make_murmur(1.0) * 300, RATE, "alice", alignment=make_spelling(1.0))
    assert np.abs(result.waveform).max() <= 0.991
    assert any("to avoid clipping" in warning for warning in result.report["warnings"])


@pytest.mark.parametrize(
    ("name", "nearest"), [("alise", "alice"), ("ALICE", "alice"), ("ema", "emma"), ("xyz", "alice, emma")]
)
def test_an_unknown_voice(tiny, clip, name, nearest):
    with pytest.raises(UsageError, match=nearest) as caught:
        tiny.from_audio(clip, RATE, name, text=TEXT)
    assert caught.value.place == "--speaker" and repr(name) in caught.value.problem


@pytest.mark.parametrize(("change", "rate", "error"), [
    (lambda x: x[:7199], RATE, AudioError), (lambda x: x * np.nan, RATE, AudioError),
    (lambda x: x * 0, RATE, AudioError),
    (lambda x: x[:0], RATE, AudioError),
    (lambda x: x, 4000, AudioError), (lambda x: x, 0, AudioError),
    (lambda x: np.stack([x, x]), RATE, ShapeError), (lambda x: (x * 32767).astype(np.int16), RATE, ShapeError),
])  # fmt: skip
def test_waveforms_that_are_refused(tiny, clip, change, rate, error):
    with pytest.raises(error) as caught:
        tiny.from_audio(change(clip), rate, "alice", text=TEXT)
    assert caught.value.problem


@pytest.mark.parametrize("text", ["", "  ", "...", "日本"])
def test_texts_without_words_are_refused(tiny, clip, text):
    with pytest.raises(TranscriptError):
        tiny.from_audio(clip, RATE, "alice", text=text, settings=UNCHECKED)


def test_settings_are_checked(tiny, clip):
    with pytest.raises(UsageError, match="--strength"):
        tiny.from_audio(clip, RATE, "alice", text=TEXT, settings=TransferSettings(strength=2.0))


def test_lists_will_do(tiny, make_murmur, make_spelling):
    assert len(tiny.from_audio(make_murmur(0.4).tolist(), RATE, "alice", alignment=make_spelling(0.4)).waveform) == 9600


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "meta"])
def test_an_unknown_device(networks: Path, device):
    with pytest.raises(UsageError, match="is no device that works here"):
        Transferer(networks / "copycat.safetensors", networks / "vocoder.safetensors", device)


def test_checkpoints_that_do_not_fit(networks: Path, tmp_path):
    from prosody_transfer.models.vocoder.network import Vocoder
    from prosody_transfer.store.checkpoint import load_checkpoint, save_checkpoint

    with pytest.raises(ModelError, match="of kind 'vocoder', not of an acoustic model; give one of .*copycat"):
        Transferer(networks / "vocoder.safetensors")
    with pytest.raises(ModelError, match="no such checkpoint"):
        Transferer(tmp_path / "none.safetensors")
    tensors, header = load_checkpoint(networks / "copycat.safetensors", "copycat")
    save_checkpoint(tmp_path / "voiceless.safetensors", "copycat", tensors, header["config"], voices={"emma": {}})
    with pytest.raises(ModelError, match="says nothing of the voice 'alice'"):
        Transferer(tmp_path / "voiceless.safetensors", networks / "vocoder.safetensors")
    config = {"mel": MelConfig(hop_length=300).to_dict(), "channels": 8, "layers": 1}
    save_checkpoint(tmp_path / "other.safetensors", "vocoder", Vocoder(config).state_dict(), config)
    with pytest.raises(ModelError, match="was made for other features"):
        Transferer(networks / "copycat.safetensors", tmp_path / "other.safetensors")


def test_comparison_by_hand(make_murmur):
    from dataclasses import replace

    from prosody_transfer.features.extract import extract

    features = extract(make_murmur(2.0), MelConfig())
    same = compare(features, replace(features, log_f0=features.log_f0 + 0.5))
    assert same["f0_correlation"] == same["energy_correlation"] == 1.0
    assert same["f0_median_output_hz"] == pytest.approx(same["f0_median_source_hz"] * np.exp(0.5), rel=0.01)
    assert compare(features, replace(features, voiced=~features.voiced))["f0_correlation"] is None
    assert compare(features, replace(features, log_f0=-features.log_f0))["f0_correlation"] == -1.0


def test_default_output_keeps_the_folder():
    assert default_output("a/b.c.wav", "emma") == Path("a/b.c.emma.wav")
    assert default_output("b.wav", "emma", ".opus") == Path("b.emma.opus")


@pytest.mark.skipif(
    not shipped("copycat").exists() or not shipped("vocoder").exists(), reason="the weights are not there"
)
def test_the_shipped_weights_on_the_shipped_example(clip):
    transferer = Transferer()
    for voice in ("alice", "adam"):
        result = transferer.from_audio(clip, RATE, voice, text=TEXT, settings=UNCHECKED)
        assert len(result.waveform) == len(clip)
        assert result.report["f0_correlation"] > 0.9 and result.report["energy_correlation"] > 0.6
        facts = transferer.voices[voice]
        assert result.report["f0_median_output_hz"] == pytest.approx(np.exp(facts["log_f0_median"]), rel=0.35)
