"""From a film or a gated recording to a result: its track, its rate, its length, its silence."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from prosody_transfer.alignment.textgrid import write_textgrid
from prosody_transfer.core.errors import OutputError
from prosody_transfer.synthesis.transfer import TransferSettings


@pytest.fixture
def film(tmp_path: Path, make_murmur, make_spelling) -> Path:
    """Two tracks at 44.1 kHz: a tone, and somebody who murmurs."""
    path, rate = tmp_path / "film.mov", 44100
    murmur = np.interp(np.arange(60_001) / rate, np.arange(36_000) / 24000, make_murmur(1.5, 0))
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=rate, layout="mono") for _ in range(2)]
        for stream, track in zip(streams, (0.1 * np.sin(np.arange(60_001) / 20), murmur), strict=True):
            data = np.round(32767 * np.clip(track, -1, 1)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(data[None], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    write_textgrid(replace(make_spelling(60_001 / rate), words=()), path.with_suffix(".TextGrid"))
    return path


@pytest.mark.parametrize(("rate", "samples"), [(44100, 60_001), (48000, 65_307), (None, 32_654)])
def test_a_films_track_is_spoken_at_the_wanted_rate(tiny, film: Path, rate: int | None, samples: int) -> None:
    settings = TransferSettings(track=2, sample_rate=rate)
    result = tiny.from_file_to_file(film, "alice", settings=settings)
    written = soundfile.info(film.with_name("film.alice.wav"))
    assert (
        (written.samplerate, written.frames) == (rate or 24000, samples) == (result.sample_rate, len(result.waveform))
    )
    assert result.report["warnings"][0].startswith("audio track 2 is used of 1 (pcm_s16le, mono), 2")


def test_a_rate_that_the_format_cannot_hold_is_refused_before_any_work(tiny, film: Path) -> None:
    with pytest.raises(OutputError, match="opus cannot hold 44100 Hz"):
        settings = TransferSettings(sample_rate=44100)
        tiny.from_file_to_file(film, "alice", film.with_suffix(".opus"), settings=settings)


@pytest.mark.parametrize(("rate", "scale"), [(None, 1.0), (48000, 1.0), (None, 1.5), (44100, 0.75)])
def test_digital_silence_stays_silent(tiny, make_murmur, make_spelling, rate: int | None, scale: float) -> None:
    source = np.concatenate([make_murmur(1.0, 0), np.zeros(48_000, np.float32), make_murmur(1.0, 1)])
    settings = TransferSettings(sample_rate=rate, duration_scale=scale)
    result = tiny.from_audio(source, 24000, "alice", alignment=make_spelling(4.0), settings=settings)
    at = lambda seconds: int(seconds * scale * result.sample_rate)
    assert not result.waveform[at(1.03) : at(2.97)].any()
    assert np.abs(result.waveform[: at(1.0)]).max() > 1e-3 and np.abs(result.waveform[at(3.0) :]).max() > 1e-3
