"""A transfer is as loud as its source, and says so where it is not; its figures compare voice with voice."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.audio.loudness import frame_power, speech_level_db
from prosody_transfer.synthesis.compare import compare
from prosody_transfer.synthesis.transfer import Transferer, TransferSettings

RATE = 24000


@pytest.fixture(scope="module")
def shipped() -> Transferer:
    return Transferer()


def level_db(wave: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(wave, dtype=np.float64)) + 1e-12))


def test_one_loud_burst_does_not_turn_the_rest_down(tiny, clip, make_spelling):
    plain = clip * np.float32(0.1 / np.abs(clip).max())
    strong = plain.copy()
    strong[RATE : RATE + 4800] *= 9.5
    outputs = [tiny.from_audio(w, RATE, "alice", alignment=make_spelling(len(clip) / RATE)) for w in (plain, strong)]
    rest = slice(int(1.6 * RATE), int(2.8 * RATE))
    for wave, output in zip((plain, strong), outputs, strict=True):
        assert np.abs(output.waveform).max() <= 0.99
        assert level_db(output.waveform[rest]) == pytest.approx(level_db(wave[rest]), abs=2.0)
    assert level_db(outputs[0].waveform[rest]) == pytest.approx(level_db(outputs[1].waveform[rest]), abs=1.0)


def test_a_limited_moment_is_in_the_warnings(tiny, clip, make_spelling):
    loud = np.clip(clip * np.float32(3 / np.abs(clip).max()), -1, 1)
    result = tiny.from_audio(loud, RATE, "alice", alignment=make_spelling(len(clip) / RATE))
    said = [w for w in result.report["warnings"] if w.startswith("limited")]
    assert bool(said) == bool((np.abs(result.waveform) > 0.985).any()) and not any("turned down" in w for w in said)


@pytest.mark.parametrize("soft_db", [-20, -40])
def test_a_soft_line_after_a_loud_one_stays_soft(shipped, clip, soft_db):
    gap = np.zeros(RATE // 2, np.float32)
    wave = np.concatenate([clip, gap, clip * np.float32(10 ** (soft_db / 20))])
    result = shipped.from_audio(wave, RATE, "alice", settings=TransferSettings(recognise="phones"))
    for part in (slice(0, len(clip)), slice(len(wave) - len(clip), len(wave))):
        assert speech_level_db(result.waveform[part], RATE) == pytest.approx(speech_level_db(wave[part], RATE), abs=2.0)
    half = result.source.n_frames // 2
    assert result.source.voiced[half:].mean() > 0.7 * result.source.voiced[:half].mean()


def test_a_long_pause_is_not_compared(tiny, clip, make_spelling):
    short = tiny.from_audio(clip, RATE, "alice", alignment=make_spelling(len(clip) / RATE))
    wave = np.pad(clip, (0, 10 * RATE))
    long = tiny.from_audio(wave, RATE, "alice", alignment=make_spelling(len(wave) / RATE))
    assert long.source.voiced[short.source.n_frames + 20 :].mean() < 0.01
    found = compare(long.source, long.source)
    assert found["f0_correlation"] == 1.0 and found["energy_correlation"] == 1.0
    assert found["f0_median_source_hz"] == pytest.approx(short.report["f0_median_source_hz"], rel=0.1)


def test_rumble_and_an_offset_do_not_reach_the_output(tiny, clip, make_spelling):
    time = np.arange(len(clip)) / RATE
    rumble = (0.1 * np.sin(2 * np.pi * 25 * time) + 0.1).astype(np.float32)
    spelling = make_spelling(len(clip) / RATE)
    plain, rumbling = (tiny.from_audio(w, RATE, "alice", alignment=spelling) for w in (clip, clip + rumble))
    powers = [frame_power(r.waveform, RATE).mean() for r in (plain, rumbling)]
    assert 10 * np.log10(powers[1] / powers[0]) == pytest.approx(0, abs=0.5)
    assert (plain.source.voiced == rumbling.source.voiced).mean() > 0.95
