"""`ptx addon`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prosody_transfer.store.weights import shipped

VOCODER = shipped("vocoder").parent


def test_show_prints_a_tree(ptx) -> None:
    result = ptx("addon", "show", VOCODER)
    assert result.exit_code == 0 and result.stderr == ""
    for line in ("vocoder, addon format 1, Apache-2.0", "  filters (vocoder)", "    input   mel float32 (B, 100, T)",
                 "    state   14 tensors; 21 frames late", "    Vocoder matching=3"):  # fmt: skip
        assert line.strip() in result.stdout, line


def test_show_as_json_is_what_addon_json_says(ptx) -> None:
    result = ptx("addon", "show", VOCODER, "--json")
    shown, stored = json.loads(result.stdout), json.loads((VOCODER / "addon.json").read_text())
    assert shown["networks"] == stored["networks"] and shown["stack"] == stored["stack"]
    assert shown["files"]["vocoder.safetensors"] == shipped("vocoder").stat().st_size


def test_check_tells_what_is_kept(ptx, monkeypatch: pytest.MonkeyPatch) -> None:
    from prosody_transfer.integration import check

    found = [check.Check("one", "onnx", True, "fine"), check.Check("two", "torch", None, "not installed")]
    monkeypatch.setattr(check, "check_addon", lambda folder: found)
    result = ptx("addon", "check", VOCODER)
    lines = ["ok      onnx   one  fine", "-       torch  two  not installed"]
    assert result.exit_code == 0 and result.stdout.splitlines() == lines
    found.append(check.Check("three", "onnx", False, "broken"))
    assert ptx("addon", "check", VOCODER).exit_code == 6
    told = json.loads(ptx("addon", "check", VOCODER, "--json").stdout)
    assert told["kept"] is False and told["checks"][2] == {
        "name": "three", "runtime": "onnx", "works": False, "found": "broken"
    }  # fmt: skip


def test_the_shipped_vocoder_s_addon_keeps_its_promises(ptx) -> None:
    result = ptx("addon", "check", VOCODER)
    assert result.exit_code == 0, result.stdout
    assert "BROKEN" not in result.stdout and "chunks of 1, 7, 32, 200" in result.stdout


def test_what_is_no_addon_is_one_line(ptx, tmp_path: Path) -> None:
    for verb in ("show", "check"):
        result = ptx("addon", verb, tmp_path)
        assert result.exit_code == 6 and result.stdout == ""
        assert result.stderr == f"ptx: {tmp_path}: is no addon: it has no addon.json; give an addon's folder\n"
    assert ptx("addon", "export", "x", "-o", tmp_path / "y", "--precision", "int8").exit_code == 2
    assert not (tmp_path / "y").exists()
