"""Results at the rate that is asked for, exactly as long as their source."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import UsageError
from prosody_transfer.synthesis.delivery import Recorded, at_rate
from prosody_transfer.synthesis.prosody import TransferSettings


@given(st.integers(2400, 10**6), st.sampled_from([16000, 22050, 24000, 44100, 48000]))
def test_at_the_sources_rate_a_result_has_its_samples(samples: int, rate: int) -> None:
    assert Recorded(rate, samples).length_at(rate) == samples
    assert Recorded(rate, samples).length_at(rate, 0.5) == (samples + 1) // 2
    assert abs(Recorded(rate, samples).length_at(48000, 1.5) / 48000 - 1.5 * samples / rate) <= 0.5 / 48000 + 1e-9


@pytest.mark.parametrize(("source_rate", "samples"), [(44100, 100_001), (48000, 99_999), (16000, 33_333)])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_the_waveform_has_that_length_and_its_times_stay(source_rate: int, samples: int, rate: int) -> None:
    recorded = Recorded(source_rate, samples)
    inside = np.sin(2 * np.pi * 440 * np.arange(recorded.length_at(24000)) / 24000).astype(np.float32)
    out = at_rate(inside, 24000, recorded, TransferSettings(sample_rate=rate))
    assert len(out) == recorded.length_at(rate)
    wanted = np.sin(2 * np.pi * 440 * np.arange(len(out)) / rate)
    assert np.abs(out - wanted)[rate // 10 : -rate // 10].max() < 1e-3


def test_without_a_rate_nothing_is_touched() -> None:
    wave = np.ones(100, np.float32)
    assert at_rate(wave, 24000, Recorded(44100, 184), TransferSettings()) is wave


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"track": 0}, "--track: there is no track 0"),
        ({"channel": "x"}, "--channel: 'x' is no channel"),
        ({"sample_rate": 7999}, "--sample-rate: 7999 Hz is out of range"),
        ({"sample_rate": 192_001}, "such as 44100 or 48000"),
    ],
)
def test_what_cannot_be_is_refused(setting: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        TransferSettings(**setting).check()  # type: ignore[arg-type]
