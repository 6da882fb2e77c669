"""The list of shipped voices."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.store.voices import get_voice, list_voices


def test_the_shipped_list_is_sound():
    voices = list_voices()
    names = [v.name for v in voices]
    assert names == sorted(set(names)) and len(names) >= 10
    for voice in voices:
        assert 50 < voice.f0_low_hz < voice.f0_median_hz < voice.f0_high_hz < 500, voice.name
        assert voice.gender in ("female", "male") and voice.minutes > 1
        assert all((voice.accent, voice.licence, voice.provenance))
        assert voice.synthetic == ("synthetic" in voice.provenance), "a synthetic voice says so"


def test_a_voice_by_name():
    first = list_voices()[0]
    assert get_voice(first.name) == first


def test_an_unknown_voice_gets_the_nearest_names():
    name = list_voices()[0].name
    with pytest.raises(UsageError, match=rf"--speaker: no voice is called '{name}x'; did you mean .*{name}") as caught:
        get_voice(name + "x")
    assert caught.value.exit_code == 2
    with pytest.raises(UsageError, match=f"known voices: .*{name}"):
        get_voice("qqqqqq")
    with pytest.raises(UsageError, match="known voices: other"):
        get_voice(name, known=["other"])


@pytest.mark.parametrize("content", [None, "not json", "[{"])
def test_a_damaged_list(tmp_path, content):
    if content is not None:
        (tmp_path / "voices.json").write_text(content)
    with pytest.raises(ModelError, match="the list of voices is missing or damaged"):
        list_voices(tmp_path / "voices.json")


def test_an_unknown_key_is_refused(tmp_path):
    row = list_voices()[0].to_dict()
    (tmp_path / "voices.json").write_text(json.dumps([{**row, "mood": "good"}]))
    with pytest.raises(UsageError, match="mood"):
        list_voices(tmp_path / "voices.json")


def test_listing_voices_is_light():
    """The shell completes names with it: no torch, no numpy."""
    code = "import sys; from prosody_transfer.store import voices; voices.list_voices(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
