"""Plans said chunk by chunk are what is rendered as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.analysis.analyse import analyse_file
from prosody_transfer.streaming.plans import PlanSession
from prosody_transfer.synthesis.plan import ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.transferer import Transferer

LINE = Path(__file__).parents[2] / "examples" / "audio" / "source.flac"


@pytest.fixture(scope="module")
def plan(transferer: Transferer) -> ProsodyPlan:
    settings = TransferSettings(recognise="phones")
    return transferer.plan(analyse_file(LINE, transferer.aligner, settings, config=transferer.config))


@pytest.mark.parametrize(
    "settings",
    [TransferSettings(), TransferSettings(duration_scale=1.3, strength=0.5), TransferSettings(keep=("rhythm",))],
)
def test_a_plan_is_said_as_it_is_rendered(
    transferer: Transferer, plan: ProsodyPlan, settings: TransferSettings
) -> None:
    expected = transferer.render(plan, "emma", settings).waveform
    chunks = list(PlanSession(transferer, "emma").say(plan, settings))
    found = np.concatenate(chunks)
    assert len(chunks) > 5 and len(chunks[0]) < 4000
    assert len(found) == len(expected) and np.abs(expected).max() > 0.05
    inner = slice(240, -240)  # the stream fades in and out
    error = np.square(found - expected)[inner].mean()
    assert 10 * np.log10(np.square(expected).mean() / max(error, 1e-20)) > 60


def test_the_first_sound_needs_no_more_than_it_waits_for(transferer: Transferer, plan: ProsodyPlan) -> None:
    """One run of each network, over a chunk and the look-ahead: no second round for the first sound."""
    session = PlanSession(transferer, "alice")
    runs = []
    for runtime in session.layer.setting.networks._open.values():
        run = runtime.run
        runtime.run = lambda name, *more, run=run: runs.append(name) or run(name, *more)  # type: ignore[method-assign,misc]
    first = next(iter(session.say(plan)))
    assert 0 < len(first) < 2400
    assert sorted(runs) == ["decoder"] * 4 + ["filters", "phone_encoder"]
