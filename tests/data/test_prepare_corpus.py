"""A corpus in any layout becomes a prepared folder; faults are listed, none is fatal, nothing is done twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.alignment import base, heard, words
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import DependencyError, UsageError
from prosody_transfer.core.types import Alignment, PhoneInterval
from prosody_transfer.corpus import examine, transcripts
from prosody_transfer.corpus.examine import Examination
from prosody_transfer.corpus.measure import prepare
from prosody_transfer.corpus.prepare import prepare_corpus
from prosody_transfer.data.dataset import Corpus
from prosody_transfer.data.layouts import LAYOUTS, Entry
from prosody_transfer.data.manifest import cache_path, read_manifest
from prosody_transfer.data.quality import Quality
from prosody_transfer.data.reasons import REASONS

SPEECH = Path(base.__file__).parents[1] / "evaluation" / "benchmark_set"
TEXTS = {row["id"]: row["text"] for row in json.loads((SPEECH / "manifest.json").read_text())}


def four_phones(seconds: float) -> Alignment:
    ends = np.linspace(0, seconds, 5)
    names = ("SIL", "HH", "AH0", "L")
    return Alignment(tuple(PhoneInterval(n, a, b) for n, a, b in zip(names, ends, ends[1:], strict=False)), (), seconds)


class FakeAligner:
    def align(self, waveform, sample_rate, words, heard=None):
        return four_phones(len(waveform) / sample_rate)


@pytest.fixture
def deaf(monkeypatch):
    """Every text matches every sound: what is tested is all the rest."""
    monkeypatch.setattr(base, "get_aligner", lambda name: FakeAligner())
    monkeypatch.setattr(heard, "check_match", lambda *args: [])
    monkeypatch.setattr(transcripts, "hear", lambda features: four_phones(features.n_samples / 24000))
    monkeypatch.setattr(transcripts, "tools", {})


def rejected(out: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]
    assert all(set(r) == {"id", "audio", "reason", "detail", "remedy"} and r["detail"] and r["remedy"] for r in rows)
    return {r["id"]: r["reason"] for r in rows}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_planted_fault_is_listed_and_none_is_fatal(planted, tmp_path, deaf, name):
    corpus = planted[name]
    done = prepare_corpus(corpus.root, tmp_path, workers=1, recognise="phones")
    assert done.layout == name and rejected(tmp_path) == corpus.faults
    assert {r["id"]: r["reason"] for r in done.rejected} == corpus.faults
    rows = read_manifest(tmp_path / "train.jsonl") + read_manifest(tmp_path / "dev.jsonl")
    assert rows == done.train + done.dev and {row.id for row in rows} == corpus.good
    for row in rows:
        assert cache_path(done.cache, row).exists() and cache_path(done.cache, row).with_suffix(".phones.npz").exists()
    kept = set(tmp_path.rglob("*.npz"))
    assert len(kept) == 2 * len(rows), "nothing of what was rejected"
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary == done.summary and summary["used"]["utterances"] == len(rows)
    assert sum(r["count"] for r in summary["rejected"]) == len(done.rejected)
    assert not (corpus.root / "was-run").exists()


def test_training_takes_what_was_prepared(planted, tmp_path, deaf, monkeypatch):
    done = prepare_corpus(planted["mfa"].root, tmp_path, workers=1, recognise="phones")
    monkeypatch.setattr(base, "get_aligner", lambda name: pytest.fail("aligned again"))
    assert prepare(done.train + done.dev, done.cache, MelConfig()) == []
    corpus = Corpus(done.train + done.dev, done.cache, MelConfig(), with_pcm=True, keep=lambda u: len(u.phones) > 2)
    assert len(corpus.utterances) == 2 and corpus.seconds() == pytest.approx(1.8, abs=0.05)


def test_nothing_is_done_twice_and_what_changed_is(planted, tmp_path, deaf, monkeypatch, sounds):
    root, out = tmp_path / "in", tmp_path / "out"
    for name in "abc":
        (root / f"{name}.wav").parent.mkdir(exist_ok=True)
        (root / f"{name}.wav").write_bytes(sounds[name])
        (root / f"{name}.txt").write_text(f"Text {name}.")
    (root / "low.wav").write_bytes(sounds["low"])
    judged = []
    judge = examine._judge
    monkeypatch.setattr(examine, "_judge", lambda entry, setup: judged.append(entry.id) or judge(entry, setup))
    first = prepare_corpus(root, out, workers=1)
    stamps = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.suffix in (".npz", ".json") and p.parent != out}
    texts = {name: (out / name).read_bytes() for name in ("train.jsonl", "dev.jsonl", "rejected.jsonl", "summary.html")}
    assert judged == ["a", "b", "c", "low"] and len(stamps) == 6 + 4
    assert prepare_corpus(root, out, workers=1) == first and len(judged) == 4, "not even the rejected one"
    assert stamps == {p: p.stat().st_mtime_ns for p in stamps}
    assert texts == {name: (out / name).read_bytes() for name in texts}
    (root / "b.txt").write_text("Other words.")
    (root / "c.wav").write_bytes(sounds["c"] + b"\0\0")
    cache_path(out / "cache", first.train[0]).unlink()
    again = prepare_corpus(root, out, workers=1)
    assert judged[4:] == ["a", "b", "c"] and {r.text for r in again.train + again.dev} >= {"Other words."}
    (root / "c.wav").unlink()
    left = prepare_corpus(root, out, workers=1)
    assert {r.id for r in left.train + left.dev} == {"a", "b"}


def test_recordings_without_words(planted, tmp_path, deaf, monkeypatch):
    root = tmp_path / "in"
    root.mkdir()
    (root / "a.wav").write_bytes((planted["folder"].root / "1.wav").read_bytes())
    line = lambda out: json.loads((out / "train.jsonl").read_text())
    prepare_corpus(root, tmp_path / "1", workers=1, recognise="phones")
    assert line(tmp_path / "1")["phones"] == "heard" and line(tmp_path / "1")["text"] == ""
    aligned = cache_path(tmp_path / "1" / "cache", read_manifest(tmp_path / "1" / "train.jsonl")[0])
    with np.load(aligned.with_suffix(".phones.npz")) as data:
        assert data["phones"].tolist() == [0, 16, 3, 21]
    prepare_corpus(root, tmp_path / "2", workers=1, recognise="none")
    assert "phones" not in line(tmp_path / "2") and not list((tmp_path / "2").rglob("*.phones.npz"))
    monkeypatch.setattr(words, "asr_available", lambda: True)
    monkeypatch.setattr(words, "WordRecogniser", lambda threads: type("W", (), {"text": lambda *a: "Said so."}))
    prepare_corpus(root, tmp_path / "3", workers=1)
    assert line(tmp_path / "3")["text"] == "Said so." and line(tmp_path / "3")["phones"] == "heard"
    monkeypatch.setattr(words, "asr_available", lambda: False)
    with pytest.raises(DependencyError, match="recognising words needs faster-whisper.*; install ptx again"):
        prepare_corpus(root, tmp_path / "4", workers=1, recognise="words")


def test_parts_of_a_recording_get_files_of_their_own(tmp_path, deaf, make_babble):
    root, out = tmp_path / "in", tmp_path / "out"
    make_babble(root / "r1.wav", 3, seconds=3.0)
    (root / "wav.scp").write_text("r1 r1.wav\n")
    (root / "segments").write_text("u1 r1 0 1\nu2 r1 1 -1\nu3 r1 2.5 9\nu4 r1 1.0 1.2\n")
    (root / "text").write_text("u1 one\nu2 two\nu3 three\nu4 four\n")
    done = prepare_corpus(root, out, workers=1)
    assert rejected(out) == {"u3": "row", "u4": "short"}
    found = {r.id: soundfile.read(r.audio)[0] for r in done.train + done.dev}
    whole = soundfile.read(root / "r1.wav")[0]
    assert np.array_equal(found["u1"], whole[:16000]) and np.array_equal(found["u2"], whole[16000:])
    assert prepare_corpus(root, out, workers=1) == done


def test_one_recording_under_two_names(tmp_path, deaf, sounds):
    """Also where two speakers' ids are the same; the same words said again are no copy."""
    for name, sound in (("ann/1", "a"), ("ben/1", "a"), ("ben/2", "b")):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / f"{name}.wav").write_bytes(sounds[sound])
    rows = [
        {"audio": f"{n}.wav", "speaker": n[:3], "id": n[4:], "text": "Same words."} for n in ("ann/1", "ben/1", "ben/2")
    ]
    (tmp_path / "in" / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = prepare_corpus(tmp_path / "in", tmp_path / "out", workers=1)
    assert [(r["id"], r["reason"], r["detail"]) for r in done.rejected] == [
        ("1", "duplicate", "the same samples as ann 1")
    ]
    assert [(r.speaker, r.id) for r in done.train + done.dev] == [("ann", "1"), ("ben", "2")]


def test_whispers_and_what_crashes(tmp_path, deaf):
    rng, beat = np.random.default_rng(0), np.sin(np.arange(48000) / 900) > -0.3
    whisper = rng.standard_normal(48000) * np.where(beat, 0.1, 1e-3)
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "w.wav", whisper, 24000)
    with pytest.raises(UsageError, match="1 have hardly any voiced sound"):
        prepare_corpus(tmp_path / "in", tmp_path / "out", workers=1)
    entry, setup = Entry(id="x", audio="x.wav", speaker="a"), Examination(out=str(tmp_path / "out"))
    verdicts = examine.crashed(entry, setup)
    assert verdicts[0].reason == "crashed" and examine.done_before(entry, setup) == verdicts, "and is not tried again"


@pytest.mark.parametrize(("given", "message"), [
    ({"workers": 0}, "--workers: 0 processes"), ({"recognise": "x"}, "--recognise: 'x' is unknown; known: auto, words"),
    ({"aligner": "x"}, "--aligner: 'x' is unknown"), ({"dev_share": 0.6}, "--dev-share: 0.6 is out of range"),
])  # fmt: skip
def test_arguments_are_checked_first(tmp_path, given, message):
    with pytest.raises(UsageError, match=message):
        prepare_corpus(tmp_path, tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_corpus_of_which_nothing_is_good(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").touch()
    with pytest.raises(UsageError, match=r"no recording in it can be used: 1 are empty.*; see .*rejected.jsonl"):
        prepare_corpus(tmp_path / "in", tmp_path / "out", workers=1)
    assert rejected(tmp_path / "out") == {"a": "unreadable"} and (tmp_path / "out" / "summary.html").exists()


def speech(name: str) -> np.ndarray:
    return soundfile.read(SPEECH / f"{name}.natural.opus" if "." in name else SPEECH / f"{name}.source.opus")[0]


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """Real (synthetic) speech with everything that can be wrong with it, prepared in two processes."""
    root = tmp_path_factory.mktemp("studio") / "takes"
    root.mkdir()
    good, rng = speech("wh_1"), np.random.default_rng(0)
    noise = rng.standard_normal(len(good)) * good.std()
    long = np.concatenate([x for i in range(1, 4) for x in (speech(f"plain_{i}"), np.zeros(9000))])
    takes = {
        "right": (good, TEXTS["wh_1"]), "wrong": (speech("or_1"), TEXTS["complex_2"]), "heard": (speech("or_2"), None),
        "same": (0.5 * good, TEXTS["wh_1"]), "clipped": (np.clip(4 * good, -0.5, 0.5), TEXTS["wh_1"]),
        "noisy": (good + noise, TEXTS["wh_1"]), "short": (good[20000:28000], "where"),
        "silent": (1e-4 * good, TEXTS["wh_1"]), "hum": (0.1 * np.sin(np.arange(60000) / 40), "hum"),
        "odd": (speech("wh_3"), "他说什么"), "long": (long, " ".join(TEXTS[f"plain_{i}"] for i in range(1, 4))),
    }  # fmt: skip
    for name, (wave, text) in takes.items():
        soundfile.write(root / f"{name}.wav", wave, 24000)
        if text is not None:
            (root / f"{name}.txt").write_text(text, encoding="utf8")
    seen = []
    out = root.parent / "data"
    done = prepare_corpus(
        root, out, workers=2, recognise="phones", speaker="ann", quality=Quality(max_seconds=8, piece_seconds=8),
        on_event=lambda *event: seen.append(event),
    )  # fmt: skip
    return done, out, seen


def test_what_is_wrong_with_a_recording_is_said(studio):
    done, out, seen = studio
    assert rejected(out) == {
        "wrong": "mismatch", "same": "duplicate", "clipped": "clipped", "noisy": "noisy", "short": "short",
        "silent": "silent", "hum": "no_speech", "odd": "unpronounceable",
    }  # fmt: skip
    assert [s for s in seen if s[2] != 11] == [] and [s[1] for s in seen] == list(range(1, 12))
    details = {r["id"]: r["detail"] for r in done.rejected}
    assert "ann right at another level" in details["same"] and "14 words" in details["wrong"]


def test_long_recordings_are_cut_and_their_text_divided(studio):
    done, out, _ = studio
    rows = {row.id: row for row in done.train + done.dev}
    pieces = [row for name, row in sorted(rows.items()) if name.startswith("long-")]
    assert set(rows) - {p.id for p in pieces} == {"right", "heard"} and len(pieces) >= 2
    said = " ".join(TEXTS[f"plain_{i}"].strip(".") for i in range(1, 4))
    assert " ".join(p.text for p in pieces).replace(".", "") == said
    lengths = [soundfile.info(p.audio).duration for p in pieces]
    assert max(lengths) <= 8
    assert sum(lengths) == pytest.approx(sum(len(speech(f"plain_{i}")) + 9000 for i in range(1, 4)) / 24000)
    assert all(Path(p.audio).parent == (out / "pieces" / "ann").resolve() for p in pieces)


def test_every_reason_has_a_home(planted, studio):
    """Each reason is given in a test: in a layout, by the quality of a recording, or by hand below."""
    given = {reason for corpus in planted.values() for reason in corpus.faults.values()}
    given |= set(rejected(studio[1]).values())
    assert set(REASONS) - given == {"unvoiced", "long", "crashed"}
