"""Results at the rate that is asked for, exactly as long as their source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.analysis.recorded import Recorded
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import UsageError
from prosody_transfer.features.extract import extract
from prosody_transfer.synthesis.plan import ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.render import finish


@given(st.integers(2400, 10**6), st.sampled_from([16000, 22050, 24000, 44100, 48000]))
def test_at_the_sources_rate_a_result_has_its_samples(samples: int, rate: int) -> None:
    assert Recorded(rate, samples).length_at(rate) == samples
    assert Recorded(rate, samples).length_at(rate, 0.5) == (samples + 1) // 2
    assert abs(Recorded(rate, samples).length_at(48000, 1.5) / 48000 - 1.5 * samples / rate) <= 0.5 / 48000 + 1e-9


@pytest.fixture
def plan_at(make_plan, make_murmur, make_spelling):
    """A plan of half a second that was recorded at some rate."""

    def make(rate: int, samples: int) -> ProsodyPlan:
        features = extract(make_murmur(samples / rate), MelConfig())
        plan = make_plan(features, make_spelling(features.n_samples / 24000), 5.0)
        return replace(plan, source=replace(plan.source, recorded=Recorded(rate, samples)))

    return make


@pytest.mark.parametrize(("source_rate", "samples"), [(44100, 30_001), (48000, 29_999), (16000, 11_111)])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_the_waveform_has_that_length_and_its_times_stay(plan_at, source_rate: int, samples: int, rate: int) -> None:
    plan = plan_at(source_rate, samples)
    inside = 0.3 * np.sin(2 * np.pi * 440 * np.arange(plan.source.samples) / 24000).astype(np.float32)
    out, limited = finish(plan, inside, [], TransferSettings(sample_rate=rate))
    assert len(out) == plan.source.recorded.length_at(rate) and limited == []
    wanted = 0.3 * np.sin(2 * np.pi * 440 * np.arange(len(out)) / rate)
    assert np.abs(out - wanted)[rate // 10 : -rate // 10].max() < 1e-3


def test_without_a_rate_nothing_is_touched(plan_at) -> None:
    plan = plan_at(44100, 30_001)
    wave = np.full(plan.source.samples, 0.1, np.float32)
    np.testing.assert_array_equal(finish(plan, wave, [], TransferSettings())[0], wave)


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
