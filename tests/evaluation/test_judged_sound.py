"""What the leakage test and the gate of new voices judge is what `ptx transfer` gives, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.audio.io import write_audio
from prosody_transfer.audio.resample import resample
from prosody_transfer.data.manifest import Row
from prosody_transfer.evaluation.controls import Controls
from prosody_transfer.evaluation.figures import EVALUATION_RATE
from prosody_transfer.evaluation.leakage_model import AcousticModel
from prosody_transfer.evaluation.pairs import Pair
from prosody_transfer.evaluation.voice_gate import VoiceGate
from prosody_transfer.synthesis.prosody import TransferSettings

TEXT = "Shall we drive, or take the night train?"
UNCHECKED = TransferSettings(check_transcript=False)


@pytest.fixture
def source(clip, tmp_path):
    """The example, softer than the speech level, with silence around it."""
    path = tmp_path / "source.wav"
    write_audio(path, np.pad(0.2 * clip, 12000), 24000)
    return path


def test_the_leakage_test(tiny, source):
    model = AcousticModel.__new__(AcousticModel)  # without loading the shipped networks
    model.transferer, model.settings = tiny, UNCHECKED
    found = model.transfer(model.analyse(Row(id="a", audio=str(source), speaker="x", text=TEXT)), "emma")
    said = tiny.from_file(source, "emma", text=TEXT, settings=UNCHECKED).waveform
    np.testing.assert_array_equal(found, resample(said, 24000, EVALUATION_RATE))
    assert np.abs(said[:6000]).max() < 10 ** (-90 / 20), "silence stays silent"


def test_the_gate_and_the_controls(tiny, source):
    pair = Pair(id="a", source=str(source), speaker="emma", text=TEXT)
    controls = Controls(tiny, UNCHECKED)
    said = tiny.from_file(source, "emma", text=TEXT, settings=UNCHECKED).waveform
    ((_, made, _),) = controls.make(pair, [pair], ["ptx"])
    np.testing.assert_array_equal(made, said)

    class Judge:
        def embed(self, waveform):
            return np.ones(4) / 2

    gate = VoiceGate.__new__(VoiceGate)
    gate.judge = Judge()
    judged = gate._judged(tiny, controls.analyse(pair), tiny.voice("emma"), np.ones(4) / 2, np.ones(4) / 2)
    np.testing.assert_array_equal(judged.rendered.waveform, said)
