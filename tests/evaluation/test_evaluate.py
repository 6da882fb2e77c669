"""The runner: what is measured of whom, what is left out and why, and what a second run need not do again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import OutputError
from prosody_transfer.evaluation import evaluate as runner
from prosody_transfer.evaluation.cache import Results, file_hash
from prosody_transfer.evaluation.judges import Judges, Settings
from prosody_transfer.evaluation.measuring import pack, unpack
from prosody_transfer.evaluation.references import speech_level


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import evaluate_fakes

    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    return evaluate_fakes


@pytest.fixture
def log(tmp_path: Path) -> Any:
    """Ids of the pairs that controls were made for since the last call."""

    def read() -> list[str]:
        path = tmp_path / "log"
        found = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    return read


def run(fakes: ModuleType, pairs: Any, work: Path, tools: Any = None, **options: Any) -> runner.Measured:
    settings = {k: options.pop(k) for k in tuple(options) if k in Settings.__struct_fields__}
    return runner.evaluate(pairs, Settings(**settings), work, workers=1, tools=tools or fakes.FakeJudges, **options)


def change(pair: Any, **new: Any) -> Any:
    return msgspec.structs.replace(pair, **new)


def rows_of(measured: runner.Measured, system: str) -> list[dict[str, Any]]:
    return [row for row in measured.rows if row["system"] == system]


def test_exact_answers_against_themselves_are_zeros(tmp_path: Path, fakes: ModuleType) -> None:
    pairs = [change(p, output=p.exact) for p in fakes.make_pairs(tmp_path)]

    class RealMelody(fakes.FakeJudges):  # type: ignore[name-defined]
        track = Judges.track

    measured = run(fakes, pairs, tmp_path / "work", RealMelody, controls=0)
    assert len(rows_of(measured, "ptx")) == 6
    zeros = ("ffe", "gpe", "vde", "f0_rmse_cents", "f0_mad_cents", "energy_rmse_db", "phone_mae_ms", "boundary_mae_ms")
    for row in rows_of(measured, "ptx"):
        assert [row[f"exact_{key}"] for key in zeros] == [0.0] * len(zeros)
        assert (row["mcd13_db"], row["log_mel_db"], row["modulation_db"]) == (0.0, 0.0, 0.0)
        ones = (row["exact_f0_correlation"], row["exact_energy_correlation"], row["gv_ratio"])
        np.testing.assert_allclose(ones, 1.0, atol=1e-9)
        assert 0 < row["f0_rmse_cents"] < 100  # against the source there is something to measure


def test_systems_and_what_is_measured_of_each(tmp_path: Path, fakes: ModuleType) -> None:
    measured = run(fakes, fakes.make_pairs(tmp_path), tmp_path / "work")
    found = {s: rows_of(measured, s) for s in dict.fromkeys(row["system"] for row in measured.rows)}
    assert set(found) == {
        "ptx", "source", "exact", "natural", "copy_synthesis", "no_prosody", "random_prosody", "latent_only",
        "random_latent", "wrong_speaker",
    }  # fmt: skip
    assert all(len(rows) == 6 for rows in found.values())
    assert all("ffe" in row for s, rows in found.items() if s != "natural" for row in rows)
    has = lambda key: {s for s, rows in found.items() if any(key in row for row in rows)}
    assert has("wer") == {"ptx", "source", "copy_synthesis"}
    assert has("dnsmos_overall") == {"ptx", "source", "copy_synthesis", "exact"}
    assert has("phone_mae_ms") == {"ptx", "source", "copy_synthesis", "exact", "no_prosody"}
    assert all(row["voice"] for row in measured.rows)
    assert {s for s, rows in found.items() if any(row.get("levelled") for row in rows)} == {"ptx", "exact"}
    assert not measured.excluded and not measured.notes


def test_one_output_for_two_targets_is_heard_as_loud_as_each(tmp_path: Path, fakes: ModuleType) -> None:
    """A system that ignores the target: its file is read once, but not judged at the first target's level twice."""

    class Levels(fakes.FakeJudges):  # type: ignore[name-defined]
        def embed_levelled(self, waveform: np.ndarray, level_db: float) -> np.ndarray:
            return np.full(256, level_db, np.float32)

    pairs = fakes.make_pairs(tmp_path, 1)
    shared = [change(p, output=pairs[0].output) for p in pairs]
    found = rows_of(run(fakes, shared, tmp_path / "work", Levels, controls=0), "ptx")
    levels = {row["speaker"]: unpack(row["levelled"])[0] for row in found}
    assert len(set(levels.values())) == 2
    assert levels == pytest.approx({name: speech_level(name) for name in levels})


def test_bad_pairs_cost_only_themselves(tmp_path: Path, fakes: ModuleType) -> None:
    pairs = fakes.make_pairs(tmp_path)
    Path(pairs[1].output).write_bytes(b"RIFF no sound")
    Path(pairs[4].source).unlink()
    pairs[3] = change(pairs[3], text="...")
    pairs[2] = change(pairs[2], text="misread")
    measured = run(fakes, pairs, tmp_path / "work")
    assert {e.id for e in measured.excluded} == {pairs[1].id, pairs[4].id, pairs[5].id}
    assert all("\n" not in e.reason and Path(e.reason.split(":")[0]).suffix == ".wav" for e in measured.excluded)
    assert [p.id for p in measured.pairs] == [pairs[0].id, pairs[2].id, pairs[3].id]
    assert {row["id"] for row in measured.rows} == {p.id for p in measured.pairs}
    assert "could not be aligned" in measured.notes[f"durations of {pairs[2].id}, ptx"]
    assert "no words" in measured.notes[f"words of {pairs[3].id}"]


def test_a_mistake_of_ours_costs_only_its_source(tmp_path: Path, fakes: ModuleType) -> None:
    pairs = fakes.make_pairs(tmp_path)
    pairs[0] = change(pairs[0], id="mistake")
    measured = run(fakes, pairs, tmp_path / "work")
    assert {e.id for e in measured.excluded} == {"mistake", pairs[1].id}
    assert "ZeroDivisionError: ours" in measured.excluded[0].reason and len(measured.pairs) == 4


def test_without_controls_a_pair_is_still_judged(tmp_path: Path, fakes: ModuleType) -> None:
    pairs = fakes.make_pairs(tmp_path, 1)
    pairs[0] = change(pairs[0], id="uncontrolled")
    measured = run(fakes, pairs, tmp_path / "work")
    assert not measured.excluded and "does not match" in measured.notes["controls of uncontrolled"]
    assert len(rows_of(measured, "ptx")) == 2 and len(rows_of(measured, "no_prosody")) == 1


def test_what_is_not_installed_is_not_measured(tmp_path: Path, fakes: ModuleType) -> None:
    class Bare(fakes.FakeJudges):  # type: ignore[name-defined]
        absent = ("voice", "quality")

    measured = run(fakes, fakes.make_pairs(tmp_path, 1), tmp_path / "work", Bare)
    assert set(measured.notes) == {"speaker similarity", "DNSMOS"}
    assert all("pip install 'prosody-transfer[evaluate]'" in why for why in measured.notes.values())
    assert not any(row["voice"] or "dnsmos_overall" in row for row in measured.rows)
    assert len(rows_of(measured, "ptx")) == 2


def test_what_was_not_installed_is_measured_once_it_is(
    tmp_path: Path, fakes: ModuleType, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bare(fakes.FakeJudges):  # type: ignore[name-defined]
        absent = ("voice", "quality")

    pairs, work = fakes.make_pairs(tmp_path, 1), tmp_path / "work"
    monkeypatch.setattr(runner, "missing", lambda modules: ["speechmos", "webrtcvad-wheels"])
    run(fakes, pairs, work, Bare)
    log()
    again = run(fakes, pairs, work, Bare)
    assert again.resumed == 2 and log() == [] and set(again.notes) == {"speaker similarity", "DNSMOS"}
    monkeypatch.setattr(runner, "missing", lambda modules: ["speechmos"])  # one of them has come
    assert run(fakes, pairs, work, Bare).resumed == 0
    monkeypatch.setattr(runner, "missing", lambda modules: [])  # both are there, but broken
    assert run(fakes, pairs, work, Bare).resumed == run(fakes, pairs, work, Bare).resumed == 0
    whole = run(fakes, pairs, work)
    assert whole.resumed == 0 and not whole.notes and all(row["voice"] for row in whole.rows)
    assert any("dnsmos_overall" in row for row in whole.rows)
    assert run(fakes, pairs, work).resumed == 2, "and then it stays"


def test_what_is_not_wanted_is_not_measured(tmp_path: Path, fakes: ModuleType, log: Any) -> None:
    measured = run(fakes, fakes.make_pairs(tmp_path), tmp_path / "work", asr=False, quality=False, controls=0)
    assert not any("wer" in row or "dnsmos_overall" in row for row in measured.rows) and log() == []
    assert {row["system"] for row in measured.rows} == {"ptx", "source", "exact", "natural"}


def test_outputs_are_made_where_there_are_none(tmp_path: Path, fakes: ModuleType) -> None:
    pairs = [change(p, output="", id=f"../{p.id}") for p in fakes.make_pairs(tmp_path / "in", 1)]
    measured = run(fakes, pairs, tmp_path / "work", controls=1)
    made = {row["id"]: Path(row["audio"]) for row in rows_of(measured, "ptx")}
    assert len(made) == 2 and all(path.parent == tmp_path / "work" / "audio" for path in made.values())
    made["../s0.alice"].unlink()
    again = run(fakes, pairs, tmp_path / "work", controls=1)
    assert again.resumed == 0 and all(Path(row["audio"]).exists() for row in again.rows)


def test_a_second_run_measures_only_what_changed(tmp_path: Path, fakes: ModuleType, log: Any) -> None:
    pairs, work = fakes.make_pairs(tmp_path), tmp_path / "work"
    first = run(fakes, pairs, work)
    assert len(log()) == 6 and first.resumed == 0
    seen: list[tuple[int, str]] = []
    second = run(fakes, pairs, work, on_done=lambda done, name: seen.append((done, name)))
    assert log() == [] and second.resumed == 6 and second.rows == first.rows and seen[0][0] == 6
    shutil.copy(pairs[0].exact, pairs[1].output)  # other content under the same name
    assert run(fakes, pairs, work).resumed == 4 and len(log()) == 2
    assert run(fakes, pairs, work, quality=False).resumed == 0 and len(log()) == 6
    assert run(fakes, pairs, work, seed=1).resumed == 0
    more = [*pairs, change(pairs[0], id="another")]
    assert run(fakes, more, work).resumed == 4


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, fakes: ModuleType, log: Any) -> None:
    pairs, work = fakes.make_pairs(tmp_path), tmp_path / "work"

    class Killed(fakes.FakeJudges):  # type: ignore[name-defined]
        stop_at = "s1"

    with pytest.raises(KeyboardInterrupt):
        run(fakes, pairs, work, Killed)
    log()
    kept = list((work / "results").glob("*.json"))
    assert len(kept) == 1
    measured = run(fakes, pairs, work)
    assert measured.resumed == 2 and sorted(set(log())) == sorted(p.id for p in pairs[2:])
    whole = run(fakes, pairs, tmp_path / "other")
    plain = lambda m: [{k: v for k, v in row.items() if k != "audio"} for row in m.rows]
    assert plain(whole) == plain(measured)


def test_a_torn_result_is_measured_again(tmp_path: Path, fakes: ModuleType) -> None:
    pairs, work = fakes.make_pairs(tmp_path), tmp_path / "work"
    run(fakes, pairs, work)
    torn, other, _ = sorted((work / "results").glob("*.json"))
    torn.write_bytes(torn.read_bytes()[:-9])
    other.write_bytes(b"[1]")
    (work / "results" / ".ptx-1-0.part").write_bytes(b"{")
    os.utime(work / "results" / ".ptx-1-0.part", (0, 0))
    measured = run(fakes, pairs, work)
    assert measured.resumed == 2 and len(rows_of(measured, "ptx")) == 6
    assert not list((work / "results").glob("*.part"))


def test_failures_are_tried_again(tmp_path: Path, fakes: ModuleType) -> None:
    pairs, work = fakes.make_pairs(tmp_path, 1), tmp_path / "work"
    good = Path(pairs[0].output).read_bytes()
    Path(pairs[0].output).write_bytes(b"")
    assert len(run(fakes, pairs, work).excluded) == 1
    Path(pairs[0].output).write_bytes(good)
    assert not run(fakes, pairs, work).excluded


def test_a_work_folder_that_cannot_be(tmp_path: Path, fakes: ModuleType) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        run(fakes, fakes.make_pairs(tmp_path, 1), tmp_path / "file" / "work")


def test_two_processes_find_what_one_finds(tmp_path: Path, fakes: ModuleType) -> None:
    pairs = fakes.make_pairs(tmp_path, 2)
    done: list[int] = []
    two = runner.evaluate(
        pairs, Settings(controls=1), tmp_path / "two", workers=2, tools=fakes.FakeJudges,
        on_done=lambda n, name: done.append(n),
    )  # fmt: skip
    one = run(fakes, pairs, tmp_path / "one", controls=1)
    plain = lambda m: [{k: v for k, v in row.items() if k != "audio"} for row in m.rows]
    assert plain(one) == plain(two) and done == [2, 4]


def test_a_result_is_whole_or_not_there(tmp_path: Path) -> None:
    results = Results(tmp_path)
    assert results.read("k") is None
    results.write("k", {"rows": [1.5]})
    assert results.read("k") == {"rows": [1.5]}
    with pytest.raises(ValueError):
        results.write("n", {"rows": [float("nan")]})
    assert results.read("n") is None


def test_a_file_that_changes_has_another_hash(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert (file_hash(""), file_hash(str(path))) == ("", "missing")
    path.write_text("one")
    before = file_hash(str(path))
    path.write_text("two, longer")
    assert len({before, file_hash(str(path)), "missing", ""}) == 4


@given(st.integers(0, 200), st.integers(0, 60))
def test_controls_are_evenly_spread(total: int, wanted: int) -> None:
    places = runner.spread(total, wanted)
    assert places == sorted(set(places)) and len(places) == min(total, wanted)
    assert all(0 <= p < total for p in places)
    if len(places) > 2:
        gaps = np.diff(places)
        assert gaps.max() - gaps.min() <= 1


def test_a_donor_says_other_words_and_stays_when_pairs_are_added(tmp_path: Path, fakes: ModuleType) -> None:
    pairs = [change(p, text=f"text {p.id[:2]}") for p in fakes.make_pairs(tmp_path, 6)]
    pairs[10] = change(pairs[10], text=pairs[0].text)
    pairs[11] = change(pairs[11], text=pairs[0].text)
    chosen = runner.donors(pairs[0], pairs, 0)
    assert len(chosen) == 3 and not {pairs[0].source, pairs[10].source} & {p.source for p in chosen}
    fewer = [p for p in pairs if p.source == pairs[0].source or p in chosen]
    assert {p.source for p in runner.donors(pairs[0], fewer, 0)} == {p.source for p in chosen}


def test_embeddings_survive_as_text() -> None:
    vector = np.random.default_rng(0).normal(size=256).astype(np.float32)
    restored = unpack(pack(vector))
    assert restored is not None and np.array_equal(restored, vector) and unpack(pack(None)) is None
