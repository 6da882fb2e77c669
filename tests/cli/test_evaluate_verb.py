"""`ptx evaluate` and `ptx leakage` on the command line: what is refused before any work, and what is printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from prosody_transfer.evaluation import evaluate as runner

EVALUATION = Path(__file__).parents[1] / "evaluation"


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Judges that cost nothing in the place of the real ones."""
    monkeypatch.syspath_prepend(str(EVALUATION))
    import evaluate_fakes

    real = runner.evaluate

    def quick(pairs: Any, settings: Any, work: Any, **options: Any) -> Any:
        return real(pairs, settings, work, **{**options, "workers": 1, "tools": evaluate_fakes.FakeJudges})

    monkeypatch.setattr(runner, "evaluate", quick)
    return evaluate_fakes


@pytest.fixture
def pairs(fakes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps(pair.to_dict()) for pair in fakes.make_pairs(tmp_path / "in")]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join([*lines, "{broken"]) + "\n")
    return path


def test_the_rest_is_judged_and_the_broken_named(pairs: Path, ptx) -> None:
    done = ptx("evaluate", pairs, "--report", "report.html")
    assert done.exit_code == 1, done.stderr
    assert "line 7: is not a JSON object" in done.stderr and "1 of 7 pairs" in done.stderr
    assert "6 pairs of 3 sources" in done.stdout and "MCD13" in done.stdout and "report.html" in done.stdout
    assert Path("report.html").exists() and Path("ptx-evaluate/results").is_dir()


def test_numbers_for_programs(pairs: Path, ptx) -> None:
    found = json.loads(ptx("evaluate", pairs, "--json", "--exact").stdout)
    assert found["settings"]["outputs"] == "the exact answers themselves"
    assert found["systems"]["ptx"]["figures"]["exact_ffe"]["value"] == 0
    assert found["systems"]["ptx"]["figures"]["mcd13_db"]["value"] == 0


def test_at_most_so_many(pairs: Path, ptx) -> None:
    assert json.loads(ptx("evaluate", pairs, "--json", "--limit", "2").stdout)["pairs"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        ([], 2, "give one of PAIRS, --sources and --benchmark"),
        (["nothere.jsonl"], 2, "nothere.jsonl"),
        (["pairs.jsonl", "--benchmark"], 2, "give one of"),
        (["--sources", "."], 2, "belong together"),
        (["--sources", ".", "--speaker", "alicia"], 2, "did you mean alice"),
        (["--benchmark", "--workers", "0"], 2, "too few"),
        (["--benchmark", "--report", "page.txt"], 5, "page.txt"),
        (["--benchmark", "--report", "none/page.html"], 5, "no folder"),
        (["--benchmark", "--model", "nothere.safetensors"], 6, "no such checkpoint"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], code: int, problem: str, ptx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = ptx("evaluate", *arguments)
    assert done.exit_code == code and problem in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_judges_asked_for_by_name_must_be_there(ptx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jiwer", None)
    done = ptx("evaluate", "--benchmark", "--asr")
    assert done.exit_code == 7 and "jiwer" in done.stderr and "[evaluate]" in done.stderr


def test_leakage_says_what_is_missing(ptx, tmp_path: Path, make_recording) -> None:
    make_recording(tmp_path / "ann" / "1.wav")
    make_recording(tmp_path / "bob" / "1.wav")
    done = ptx("leakage", "--sources", tmp_path, "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 4 and found["verdict"] == "too little data to say" and found["missing"]
    assert ptx("leakage", "--sources", tmp_path / "nothere").exit_code == 2
