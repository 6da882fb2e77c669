"""Corpus to cache: measured once, resumed, faults named and left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.alignment import base
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError, TranscriptError, UsageError
from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.corpus import measure as module
from prosody_transfer.corpus.measure import cache_path, prepare
from prosody_transfer.data.dataset import Corpus
from prosody_transfer.data.manifest import Row, read_manifest
from prosody_transfer.features.cache import load_utterance

CONFIG = MelConfig()


def tone(path: Path, seconds: float = 0.8, hz: float = 140.0, sample_rate: int = 16000) -> str:
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    wave = 0.1 * sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 12)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))
    soundfile.write(path, wave, sample_rate)
    return str(path)


class FakeAligner:
    """SIL, then three phones of equal length; refuses the words "wrong words"."""

    calls = 0

    def align(self, waveform, sample_rate, words, heard=None):
        FakeAligner.calls += 1
        if words == ["wrong", "words"]:
            raise TranscriptError("does not match the audio")
        ends = np.linspace(0, len(waveform) / sample_rate, 5)
        names = ("SIL", "HH", "AH0", "L")
        phones = tuple(PhoneInterval(n, a, b) for n, a, b in zip(names, ends, ends[1:], strict=False))
        return Alignment(phones, (), float(ends[-1]), "fake")


@pytest.fixture
def aligner(monkeypatch):
    monkeypatch.setattr(base, "get_aligner", lambda name: FakeAligner())
    monkeypatch.setattr(module, "_aligner", {})
    FakeAligner.calls = 0
    return "fake"


def row(audio: str, **known: str) -> Row:
    return Row(**{"id": Path(audio).stem, "audio": audio, "speaker": "ann", "text": "hello", **known})


def test_what_is_measured_comes_back(tmp_path, aligner):
    one = row(tone(tmp_path / "a.wav"))
    seen = []
    assert (
        prepare(
            [one], tmp_path / "cache", CONFIG, aligner=aligner, on_done=lambda r, reason: seen.append((r.id, reason))
        )
        == []
    )
    assert seen == [("a", "")]
    utterance = load_utterance(cache_path(tmp_path / "cache", one), CONFIG)
    features = utterance.features
    assert features.config == CONFIG and features.n_samples == 19200 and features.mel.shape == (100, 76)
    assert len(utterance.pcm) == 75 * 256 and utterance.pcm.dtype == np.int16
    assert np.exp(np.median(features.log_f0[features.voiced])) == pytest.approx(140, abs=2)
    assert utterance.durations.sum() == features.n_frames and len(utterance.phones) == len(utterance.stress) == 4
    assert utterance.phones[0] == 0 and utterance.stress.tolist() == [0, 0, 1, 0]
    assert features.energy_db.max() == pytest.approx(0, abs=6), "brought to the one level"


def test_only_what_is_missing_is_done_again(tmp_path, aligner):
    rows = [row(tone(tmp_path / f"{n}.wav", hz=120 + 30 * i)) for i, n in enumerate("ab")]
    cache = tmp_path / "cache"
    prepare(rows, cache, CONFIG, aligner=aligner)
    stamps = {p: p.stat().st_mtime_ns for p in cache.rglob("*.npz")}
    assert len(stamps) == 4 and FakeAligner.calls == 2
    prepare(rows, cache, CONFIG, aligner=aligner)
    assert FakeAligner.calls == 2 and stamps == {p: p.stat().st_mtime_ns for p in cache.rglob("*.npz")}
    cache_path(cache, rows[0]).with_suffix(".phones.npz").unlink()
    prepare(rows, cache, CONFIG, aligner=aligner)
    assert (
        FakeAligner.calls == 3 and cache_path(cache, rows[0]).stat().st_mtime_ns == stamps[cache_path(cache, rows[0])]
    )


def test_faults_are_named_and_the_rest_is_done(tmp_path, aligner):
    good = tone(tmp_path / "good.wav")
    (tmp_path / "text.wav").write_text("not audio")
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), 16000)
    rows = [
        row(str(tmp_path / "gone.wav")), row(str(tmp_path / "text.wav")), row(str(tmp_path / "silent.wav")),
        row(good, id="mismatch", text="wrong words"), row(good, id="good"), row(good, id="wordless", text=""),
    ]  # fmt: skip
    cache = tmp_path / "cache"
    rejected = {r["id"]: r["reason"] for r in prepare(rows, cache, CONFIG, aligner=aligner)}
    assert set(rejected) == {"gone", "text", "silent", "mismatch"}
    assert (
        "no such file" in rejected["gone"]
        and "silen" in rejected["silent"]
        and "does not match" in rejected["mismatch"]
    )
    listed = [json.loads(line) for line in (cache / "rejected.jsonl").read_text().splitlines()]
    assert {r["id"]: r["reason"] for r in listed} == rejected and all(
        Path(r["audio"]).parent == tmp_path for r in listed
    )
    # the one whose words do not match is measured all the same: the vocoder needs no words
    corpus = Corpus(rows, cache, CONFIG, with_pcm=False, keep=lambda u: True)
    assert len(corpus.utterances) == 3 and [len(u.phones) for u in corpus.utterances] == [0, 4, 0]
    assert corpus.seconds() == pytest.approx(3 * 0.8, abs=0.01) and corpus.speakers == ["ann"] * 3
    assert corpus.utterances[0].pcm.size == 0


def test_a_whole_manifest_in_two_processes(tmp_path):
    for i, n in enumerate("abc"):
        tone(tmp_path / f"{n}.wav", seconds=0.4, hz=120 + 30 * i)
    lines = [{"audio": f"{n}.wav", "speaker": "ann"} for n in "abcx"]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, lines)))
    seen = []
    rejected = prepare(
        read_manifest(tmp_path / "m.jsonl"),
        tmp_path / "cache",
        CONFIG,
        aligner="",
        workers=2,
        on_done=lambda r, e: seen.append(r.id),
    )
    assert [r["id"] for r in rejected] == ["ann-x"] and sorted(seen) == ["ann-a", "ann-b", "ann-c", "ann-x"]
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 3


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", ".hidden", "", "ü?*", "con fused"])
def test_names_never_leave_the_cache(tmp_path, name):
    path = cache_path(tmp_path, Row(id=name, audio="a.wav", speaker=name))
    assert path.parent.parent == tmp_path and path.suffix == ".npz"
    assert not path.name.startswith(".n") and not path.parent.name.startswith(".")


def test_an_empty_corpus_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no usable utterance is in the cache; see its rejected.jsonl"):
        Corpus([row("gone.wav")], tmp_path, CONFIG, with_pcm=False, keep=lambda u: True)
    prepare([row(tone(tmp_path / "a.wav"))], tmp_path / "cache", CONFIG, aligner="")
    with pytest.raises(UsageError, match="no usable utterance"):
        Corpus([row("a.wav")], tmp_path / "cache", CONFIG, with_pcm=False, keep=lambda u: False)


def test_a_cache_of_other_settings_is_refused(tmp_path):
    one = row(tone(tmp_path / "a.wav"))
    prepare([one], tmp_path / "cache", CONFIG, aligner="")
    with pytest.raises(ModelError, match="was measured with other settings; delete the cache"):
        load_utterance(cache_path(tmp_path / "cache", one), MelConfig(n_mels=80))


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    from prosody_transfer.core.errors import OutputError

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        prepare([row(tone(tmp_path / "a.wav"))], tmp_path / "cache", CONFIG, aligner="")
