"""Tiny corpora in every layout, each with the same faults planted, and something that sounds enough like speech."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

RATE = 16000


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Processes are forked here: torch's threads would not survive that."""
    import torch

    torch.set_num_threads(1)


def babble(seed: int, f0: float = 130.0, seconds: float = 0.9, sample_rate: int = RATE) -> np.ndarray:
    """Vowel-like tones, bursts of noise and pauses in turn, (N,)."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(f0 * 2 ** (0.2 * np.sin(2 * np.pi * 1.3 * t + seed))) / sample_rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 20))
    beat = np.sin(2 * np.pi * (2 + 0.1 * seed) * t + seed)
    sound = np.where(beat > -0.3, tone, 0.2 * rng.standard_normal(len(t)))
    return 0.06 * np.where(beat > -0.8, sound, 0.0005 * rng.standard_normal(len(t)))


def write(path: Path, wave: np.ndarray, sample_rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, sample_rate)
    return path


class Planted(NamedTuple):
    """A corpus: where it is, who speaks, ids of what is good, and id -> the reason of each fault."""

    root: Path
    speakers: set[str]
    good: set[str]
    faults: dict[str, str]


@pytest.fixture(scope="session")
def sounds(tmp_path_factory) -> dict[str, bytes]:
    """The bytes of recordings: three good ones and two bad ones."""
    folder = tmp_path_factory.mktemp("sounds")
    found = {}
    for number, name in enumerate(("a", "b", "c")):
        found[name] = write(folder / f"{name}.wav", babble(number, 110 + 30 * number)).read_bytes()
    found["low"] = write(folder / "low.wav", babble(5, sample_rate=8000), 8000).read_bytes()
    found["empty"] = b""
    return found


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def loop(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path.name)


def ljspeech(root: Path, sounds: dict[str, bytes]) -> Planted:
    outside = root.parent / "outside.wav"
    outside.write_bytes(sounds["a"])
    texts = {"a": "Hello there.", "b": "Good day.", "low": "Low rate.", "empty": "Nothing.", "mute": ""}
    for name in texts:
        put(root / "wavs" / f"{name}.wav", sounds.get(name, sounds["c"]))
    loop(root / "wavs" / "round.wav")
    (root / "wavs" / "link.wav").symlink_to(outside)
    put(root / "wavs" / os.fsdecode(b"caf\xe9.wav"), sounds["c"])
    rows = [f"{n}|{t}|{t}" for n, t in texts.items()]
    rows += ["gone|Not there.|Not there.", "round|A loop.|A loop.", "link|A link.|A link.", "a|Again.|Again."]
    rows += ["../outside|Out.|Out.", "/etc/passwd|Out.|Out.", "no fields", "", "x|y|z|too many"]
    data = "\n".join(rows).encode() + b"\ncaf\xe9|Coffee.|Coffee.\nc|Latin \xe9t\xe9.|Latin \xe9t\xe9.\n"
    put(root / "metadata.csv", data)
    put(root / "wavs" / "c.wav", sounds["c"])
    faults = {
        "low": "sample_rate", "empty": "unreadable", "mute": "empty_text", "gone": "missing", "round": "loop",
        "link": "outside", "a": "duplicate_id", "../outside": "outside", "/etc/passwd": "outside", "no fields": "row",
        "x": "row", "caf\\xe9": "name", "c": "encoding",
    }  # fmt: skip
    return Planted(root, {root.name}, {"a", "b"}, faults)


def vctk(root: Path, sounds: dict[str, bytes]) -> Planted:
    audio, txt = root / "wav48_silence_trimmed", root / "txt"
    for name in ("p1_001", "p1_002", "p1_003", "p1_004"):
        put(txt / "p1" / f"{name}.txt", b"Please call Stella.\n" if name != "p1_004" else b"\n")
    put(audio / "p1" / "p1_001_mic1.wav", sounds["a"])
    put(audio / "p1" / "p1_001_mic2.wav", sounds["b"])
    put(audio / "p1" / "p1_003_mic1.wav", sounds["low"])
    put(audio / "p1" / "p1_004_mic2.wav", sounds["c"])
    put(audio / "p2" / "p2_001_mic2.wav", sounds["b"])
    put(audio / "p2" / os.fsdecode(b"p2_\xff.wav"), sounds["b"])
    put(audio / "p2" / "p2_005_mic1.wav", sounds["empty"])
    loop(audio / "p2" / "p2_006_mic1.wav")
    (audio / "p2" / "up").symlink_to("..")
    (audio / "p2" / "p2_007_mic1.wav").symlink_to("/etc/passwd")
    put(root / "speaker-info.txt", b"ID  AGE  GENDER  ACCENTS  REGION\np1  23  F  English  Southern England\n")
    faults = {
        "p1_002": "missing", "p1_003": "sample_rate", "p1_004": "empty_text", "p2_\\xff": "name",
        "p2_005": "unreadable", "p2_006_mic1": "loop", "up": "loop", "p2_007_mic1": "outside",
    }  # fmt: skip
    return Planted(root, {"p1", "p2"}, {"p1_001", "p2_001"}, faults)


def libritts(root: Path, sounds: dict[str, bytes]) -> Planted:
    folder = root / "train-clean-100" / "84" / "121123"
    for name, text in (("1", b"He was."), ("2", b" "), ("3", b"Gone."), ("4", b"Low."), ("5", b"Empty.")):
        put(folder / f"84_121123_00000{name}.normalized.txt", text)
        put(folder / f"84_121123_00000{name}.original.txt", text)
    for name, sound in (("1", "a"), ("2", "b"), ("4", "low"), ("5", "empty"), ("6", "b")):
        put(folder / f"84_121123_00000{name}.wav", sounds[sound])
    loop(folder / "84_121123_000007.wav")
    (folder / "84_121123_000008.wav").symlink_to("/etc/passwd")
    put(folder / os.fsdecode(b"84_\xe9.wav"), sounds["c"])
    (root / "train-clean-100" / "again").symlink_to(root)
    names = {
        "2": "empty_text", "3": "missing", "4": "sample_rate", "5": "unreadable", "7": "loop", "8": "outside",
    }  # fmt: skip
    faults = {f"84_121123_00000{n}": reason for n, reason in names.items()} | {"84_\\xe9": "name", "again": "loop"}
    return Planted(root, {"84"}, {"84_121123_000001", "84_121123_000006"}, faults)


def librispeech(root: Path, sounds: dict[str, bytes]) -> Planted:
    folder = root / "1688" / "142285"
    for name, sound in (("0", "a"), ("1", "b"), ("3", "low"), ("4", "empty"), ("8", "c")):
        put(folder / f"1688-142285-000{name}.flac", sounds[sound])
    loop(folder / "1688-142285-0005.flac")
    (folder / "1688-142285-0006.flac").symlink_to("/etc/passwd")
    put(folder / os.fsdecode(b"1688-\xe9.flac"), sounds["c"])
    lines = [f"1688-142285-000{n} HELLO THERE {n}" for n in "02345"] + ["1688-142285-0001", "../../../x OUT"]
    put(folder / "1688-142285.trans.txt", "\n".join(lines).encode() + b"\n1688-142285-0008 \xff\xe9\n")
    names = {
        "1": "empty_text", "2": "missing", "3": "sample_rate", "4": "unreadable", "5": "loop", "6": "outside",
        "8": "encoding",
    }  # fmt: skip
    faults = {f"1688-142285-000{n}": reason for n, reason in names.items()}
    return Planted(root, {"1688"}, {"1688-142285-0000"}, faults | {"1688-\\xe9": "name", "../../../x": "row"})


def kaldi(root: Path, sounds: dict[str, bytes]) -> Planted:
    mark = root / "was-run"
    lines = {
        "u1": "wav/a.wav", "u2": f"touch {mark} |", "u3": "wav/gone.wav", "u4": "/etc/passwd", "u5": "feats.ark:123",
        "u6": "../up.wav", "u7": "wav/low.wav", "u8": "wav/empty.wav", "u9": "wav/b.wav", "v1": "wav/round.wav",
    }  # fmt: skip
    for name in ("a", "b", "low", "empty"):
        put(root / "wav" / f"{name}.wav", sounds[name])
    put(root / "wav" / os.fsdecode(b"\xe9.wav"), sounds["c"])
    loop(root / "wav" / "round.wav")
    listing = "".join(f"{k} {v}\n" for k, v in lines.items()) + "u1 wav/b.wav\nv2\n"
    put(root / "wav.scp", listing.encode() + b"v3 wav/\xe9.wav\n")
    texts = [f"{k} some words\n" for k in lines if k != "u9"]
    put(root / "text", "".join([*texts, "v4 no recording\n"]).encode())
    put(root / "utt2spk", "".join(f"{k} ann\n" for k in lines).encode())
    faults = {
        "u2": "command", "u3": "missing", "u4": "outside", "u5": "command", "u6": "outside", "u7": "sample_rate",
        "u8": "unreadable", "u9": "empty_text", "v1": "loop", "v2": "row", "v3": "name", "v4": "missing",
        "u1": "duplicate_id",
    }  # fmt: skip
    return Planted(root, {"ann"}, {"u1"}, faults)


def mfa(root: Path, sounds: dict[str, bytes]) -> Planted:
    for name, sound, text in (("1", "a", b"Hello."), ("2", "b", b""), ("3", "low", b"Low."), ("4", "empty", b"Empty.")):
        put(root / "ann" / f"{name}.wav", sounds[sound])
        put(root / "ann" / f"{name}.lab", text)
    put(root / "ann" / "5.lab", b"Gone.")
    put(root / "ben" / "1.wav", sounds["b"])
    put(root / "ben" / "2.wav", sounds["c"])
    put(root / "ben" / "2.TextGrid", b"nonsense")
    put(root / "ben" / os.fsdecode(b"\xe9.wav"), sounds["c"])
    loop(root / "ben" / "6.wav")
    (root / "ben" / "7.wav").symlink_to("/etc/passwd")
    (root / "ben" / "up").symlink_to(root)
    faults = {
        "ann-2": "empty_text", "ann-3": "sample_rate", "ann-4": "unreadable", "ann-5": "missing", "\\xe9": "name",
        "ben-2": "alignment", "6": "loop", "7": "outside", "up": "loop",
    }  # fmt: skip
    return Planted(
        root, {"ann", "ben"}, {"ann-1", "ben-1"}, {k.replace("\\xe9", "ben-\\xe9"): v for k, v in faults.items()}
    )


def folder(root: Path, sounds: dict[str, bytes]) -> Planted:
    put(root / "1.wav", sounds["a"])
    put(root / "1.txt", b"Hello.")
    put(root / "more" / "2.wav", sounds["b"])
    put(root / "3.wav", sounds["low"])
    put(root / "4.wav", sounds["empty"])
    put(root / "5.wav", sounds["c"])
    put(root / "5.txt", b" \n")
    put(root / os.fsdecode(b"\xe9.wav"), sounds["c"])
    loop(root / "6.wav")
    (root / "7.wav").symlink_to("/etc/passwd")
    (root / "8.wav").symlink_to("nowhere.wav")
    (root / "more" / "up").symlink_to("..")
    put(root / "licence.txt", b"Free.")
    put(root / ".hidden.wav", sounds["c"])
    faults = {
        "3": "sample_rate", "4": "unreadable", "5": "empty_text", "\\xe9": "name", "6": "loop", "7": "outside",
        "8": "missing", "up": "loop",
    }  # fmt: skip
    return Planted(root, {root.name}, {"1", "more-2"}, faults)


def _listed(sounds: dict[str, bytes], root: Path) -> tuple[list[dict[str, str]], dict[str, str]]:
    for name in ("a", "b", "low", "empty", "c"):
        put(root / f"{name}.wav", sounds[name])
    loop(root / "round.wav")
    put(root / os.fsdecode(b"\xe9.wav"), sounds["c"])
    rows = [
        {"audio": "a.wav", "speaker": "ann", "text": "Hello, “you”.", "id": "a"},
        {"audio": "gone.wav", "speaker": "ann", "text": "x", "id": "gone"},
        {"audio": "c.wav", "speaker": "ann", "text": "", "id": "mute"},
        {"audio": "low.wav", "speaker": "ann", "text": "x", "id": "low"},
        {"audio": "empty.wav", "speaker": "ann", "text": "x", "id": "empty"},
        {"audio": "round.wav", "speaker": "ann", "text": "x", "id": "round"},
        {"audio": "../x.wav", "speaker": "ann", "text": "x", "id": "up"},
        {"audio": "/etc/passwd", "speaker": "ann", "text": "x", "id": "abs"},
        {"audio": "", "speaker": "ann", "text": "x", "id": "none"},
        {"audio": "b.wav", "speaker": "ann", "text": "x", "id": "a"},
        {"audio": "b.wav", "speaker": "", "text": "Who?", "id": "b"},
    ]
    faults = {
        "gone": "missing", "mute": "empty_text", "low": "sample_rate", "empty": "unreadable", "round": "loop",
        "up": "outside", "abs": "outside", "none": "row", "a": "duplicate_id",
    }  # fmt: skip
    return rows, faults


def jsonl(root: Path, sounds: dict[str, bytes]) -> Planted:
    rows, faults = _listed(sounds, root)
    lines = [json.dumps(row) for row in rows] + ["not json", "[1, 2]", '{"audio": 7}', "[" * 100_000]
    lines += [json.dumps({"audio": "\udce9.wav", "speaker": "ann", "id": "odd"})]
    put(root / "list.jsonl", "\n".join(lines).encode())
    return Planted(root, {"ann", root.name}, {"a", "b"}, faults | {"": "row", "odd": "name"})


def _table(root: Path, sounds: dict[str, bytes], kind: str, mark: str) -> Planted:
    rows, faults = _listed(sounds, root)
    quote = lambda value: f'"{value}"' if "," in value and kind == "csv" else value
    lines = [mark.join(rows[0])] + [mark.join(map(quote, row.values())) for row in rows] + ["too" + mark + "few"]
    odd = mark.join(["\udce9.wav", "ann", "x", "odd\n"]).encode("utf8", "surrogateescape")
    put(root / f"list.{kind}", "\n".join(lines).encode() + b"\n" + odd)
    return Planted(root, {"ann", root.name}, {"a", "b"}, faults | {"": "row", "odd": "name"})


def csv(root: Path, sounds: dict[str, bytes]) -> Planted:
    return _table(root, sounds, "csv", ",")


def tsv(root: Path, sounds: dict[str, bytes]) -> Planted:
    return _table(root, sounds, "tsv", "\t")


MAKERS: dict[str, Callable[[Path, dict[str, bytes]], Planted]] = {
    f.__name__: f for f in (ljspeech, vctk, libritts, librispeech, kaldi, mfa, folder, jsonl, csv, tsv)
}


@pytest.fixture(scope="session")
def planted(tmp_path_factory, sounds) -> dict[str, Planted]:
    """Layout -> a tiny corpus in it, with faults."""
    made = {}
    for name, make in MAKERS.items():
        root = tmp_path_factory.mktemp(name) / f"my {name}"
        root.mkdir()
        made[name] = make(root, sounds)
    return made


@pytest.fixture(scope="session")
def make_babble() -> Callable[..., Path]:
    """Write something that sounds enough like speech: (path, seed, seconds)."""
    return lambda path, seed, seconds=0.9: write(path, babble(seed, seconds=seconds))
