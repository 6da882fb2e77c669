"""All that speaks works where torch is not installed, and the rest says at once what to do: one process, no torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from prosody_transfer.store.consent import Consent
from prosody_transfer.store.header import checksum
from prosody_transfer.store.voice_folder import VoiceRecord, write_folder
from prosody_transfer.store.voice_info import VoiceInfo
from prosody_transfer.store.voice_network import ROW
from prosody_transfer.store.weights import shipped_acoustic

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "examples" / "audio" / "source.flac"
RUN = """
import contextlib, importlib.util, io, json, sys, time

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name.partition(".")[0] == "torch" else found(name, *more)
sys.meta_path.insert(0, Hidden())
from prosody_transfer.cli.app import app

for line in json.load(sys.stdin):
    out, err, began = io.StringIO(), io.StringIO(), time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            app(line, prog_name="ptx")
            code = 0
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, time.process_time() - began, out.getvalue()[-20000:], err.getvalue()]), flush=True)
assert "torch" not in sys.modules
"""


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice of the user's, of what `ptx voice add` makes: a row, and some parameters of its own."""
    root = tmp_path_factory.mktemp("voices")
    base = shipped_acoustic()
    with safe_open(str(base), "np") as file:
        row = file.get_tensor("speaker_table.weight")[:2].mean(0)
        tensors = {ROW: row, "head.bias": file.get_tensor("head.bias") + np.float16(0.1)}
    voice = VoiceInfo(
        name="jane", synthetic=False, accent="", gender="female", f0_median_hz=180.0, f0_low_hz=140.0, f0_high_hz=240.0,
        minutes=5.0, licence="by consent", provenance="her recordings",
    )  # fmt: skip
    record = VoiceRecord(
        voice=voice, log_f0_median=5.19, phone_log_frames=(2.0,) * 40, base=checksum(base), weights="", consent="",
        made="2024-02-01", ptx="0.1.0",
    )  # fmt: skip
    consent = Consent(who="Jane Doe", purposes=("tests",), date="2024-01-31", until="unlimited")
    write_folder(root / "jane", record, consent, tensors, {}, {})
    return root


def run(lines: list[str], folder: Path, voices: Path) -> list[tuple[int, float, str, str]]:
    """Command lines, one after another in one process: exit code, CPU seconds, stdout and stderr of each."""
    env = {**os.environ, "PTX_VOICES": str(voices), "OMP_NUM_THREADS": "1"}
    given = json.dumps([line.split() for line in lines])
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=folder, env=env, input=given, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(lines)
    return [tuple(one) for one in found]


SPEAKING = [
    f"transfer {SOURCE} -s alice -o a.wav --save-plan plan.json --json",
    f"transfer {SOURCE} -s jane -o jane.wav --recognise phones",
    f"transfer {SOURCE} -s alice -o b.wav --model copycat --shapes fixed --keep rhythm,pitch --strength 0.5",
    f"align {SOURCE} --json",
    f"features {SOURCE} --json",
    "speakers --json",
    "render plan.json -s jane -o c.wav",
    "speak Hello. -s jane --prosody plain -o d.wav",
    "speak Hello. -s alice -o e.wav",
    "linguistics Hello. --json",
    "voice export jane",
    "voice import jane.ptxvoice --name joan",
    f"addon show {ROOT}/models/camp --json",
    f"addon check {ROOT}/models/recogniser --json",
    "doctor --json",
]
RUN_FILE = ROOT / "models" / "vocoder" / "vocoder.safetensors"  # any checkpoint that is no addon of an acoustic model
REFUSED = {
    "train copycat": "[train]",
    "voice add jim recordings": "[train]",
    f"addon export {shipped_acoustic()} -o mine": "[train]",
    f"transfer {SOURCE} -s alice -o x.wav --runtime torch": "or use onnx",
    f"transfer {SOURCE} -s alice -o x.wav --model {RUN_FILE}": "or ptx addon export",
    f"transfer {SOURCE} -s alice -o x.wav --vocoder griffin-lim": "or leave it out",
    "evaluate --benchmark --quality": "[evaluate]",
}


def test_all_that_speaks_works_without_torch(voices: Path, tmp_path: Path) -> None:
    found = dict(zip(SPEAKING, run(SPEAKING, tmp_path, voices), strict=True))
    wrong = {line: err for line, (code, _, _, err) in found.items() if code}
    assert not wrong
    report, jane, half, aligned, measured, listed = (_json(found[line][2]) for line in SPEAKING[:6])
    assert report["f0_correlation"] > 0.9 and report["words"][0]["word"] == "Shall"
    assert jane is half is None, "they print a line"
    assert [word["word"].lower() for word in aligned["words"]][:2] == ["shall", "we"]
    assert measured["f0_median_hz"] > 50 and {"jane", "alice"} <= {voice["name"] for voice in listed}
    assert all((tmp_path / f"{name}.wav").stat().st_size > 10_000 for name in ("a", "jane", "b", "c", "d", "e"))
    states = {check["name"]: check for check in _json(found["doctor --json"][2])["checks"]}
    assert not states["torch"]["works"] and not states["torch"]["needed"] and states["weights camp"]["works"]


def test_what_needs_torch_says_so_at_once(voices: Path, tmp_path: Path) -> None:
    for line, (code, seconds, out, err) in zip(REFUSED, run([*REFUSED], tmp_path, voices), strict=True):
        assert code == 7 and "torch" in err and REFUSED[line] in err and err.count("\n") == 1, (line, err)
        assert seconds < 2 and not out, "of a processor that is shared; some of it is the first import"
    assert not list(tmp_path.iterdir())


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
