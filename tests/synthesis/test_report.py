"""Numbers of a recording, and how reports get onto the disk."""

from __future__ import annotations

import csv
import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import OutputError
from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.features.extract import Features
from prosody_transfer.synthesis import report

FRAMES = 95  # at 24000 / 256 frames a second, 1.003 s of centres


@pytest.fixture
def features() -> Features:
    voiced = np.zeros(FRAMES, bool)
    voiced[30:60] = True
    log_f0 = np.full(FRAMES, np.log(100.0), np.float32)
    log_f0[45:60] = np.log(200.0)
    energy = np.linspace(-40, 0, FRAMES).astype(np.float32)
    return Features(np.zeros((100, FRAMES), np.float32), log_f0, voiced, energy, 24000, MelConfig())


@pytest.fixture
def alignment() -> Alignment:
    spans = [("SIL", 0.0, 0.32), ("AH0", 0.32, 0.48), ("N", 0.48, 0.64), ("SIL", 0.64, 1.0)]
    phones = tuple(PhoneInterval(*span) for span in spans)
    return Alignment(phones, (WordInterval('a "n"', 0.32, 0.64),), 1.0, "pocketsphinx")


def test_numbers(features: Features, alignment: Alignment) -> None:
    numbers = report.feature_numbers(features, alignment)
    assert numbers["seconds"] == 1.0 and numbers["aligner"] == "pocketsphinx"
    assert numbers["f0_median_hz"] == 150.0
    assert numbers["voiced_share"] == pytest.approx(30 / FRAMES, abs=1e-4)
    silence, vowel, nasal, _ = numbers["phones"]
    assert (vowel["seconds"], vowel["word"], vowel["f0_hz"]) == (0.16, 'a "n"', 100.0)
    assert (silence["word"], silence["f0_hz"], nasal["f0_hz"]) == (None, None, 200.0)
    assert all(len(column) == FRAMES for column in numbers["frames"].values())
    assert numbers["frames"]["f0_hz"][29:31] == [None, 100.0]
    assert numbers["frames"]["phone"][-1] is None, "the last frame lies after the end of the recording"


def test_csv_has_a_row_a_frame(features: Features, alignment: Alignment) -> None:
    rows = list(csv.DictReader(io.StringIO(report.features_csv(features, alignment))))
    assert len(rows) == FRAMES and tuple(rows[0]) == report.CSV_COLUMNS
    assert list(rows[40].values()) == ["0.4267", "100.0", "-22.98", "AH0", "0.16", 'a "n"', "0.32"]
    assert (rows[0]["f0_hz"], rows[0]["word"], rows[0]["phone"]) == ("", "", "SIL")


def test_nothing_voiced(features: Features, alignment: Alignment) -> None:
    from dataclasses import replace

    numbers = report.feature_numbers(replace(features, voiced=np.zeros(FRAMES, bool)), alignment)
    assert numbers["f0_median_hz"] is None and numbers["voiced_share"] == 0


def test_a_report_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    report.write_report(path, b"one")
    with pytest.raises(OutputError, match="exists; .*--force"):
        report.write_report(path, b"two")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="the disk is full"):
        report.write_report(path, b"three", overwrite=True)
    assert path.read_bytes() == b"one" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "problem"),
    [("a.doc", "unknown kind"), ("a", "no suffix"), ("no/a.csv", "there is no folder"), ("d.csv", "is a folder")],
)
def test_refused_early(name: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(OutputError, match=problem):
        report.check_report(tmp_path / name, (".csv", ".json"))
    report.check_report(tmp_path / "fine.CSV", (".csv", ".json"))
