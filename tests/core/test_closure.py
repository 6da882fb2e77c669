"""Results are keyed by the code that computed them: all that it imports, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prosody_transfer.core import closure as module
from prosody_transfer.core.closure import closure, code_digest
from prosody_transfer.evaluation import cache
from prosody_transfer.models import registry

A_ROOM = "prosody_transfer.evaluation"


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The digest of what measures once a module has something more in it."""

    def digest(name: str, more: str) -> str:
        real = module._file

        def find(wanted: str) -> Path | None:
            path = real(wanted)
            if wanted != name or path is None:
                return path
            other = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
            other.write_text(path.read_text() + more)
            return other

        with monkeypatch.context() as patch:
            patch.setattr(module, "_file", find)
            return cache.code_version.__wrapped__()

    return digest


@pytest.mark.parametrize("name", [
    "prosody_transfer.evaluation.prosody", "prosody_transfer.evaluation.identity",
    "prosody_transfer.evaluation.references", "prosody_transfer.features.pitch", "prosody_transfer.synthesis.render",
])  # fmt: skip
def test_stored_figures_are_measured_again_where_what_measured_them_has_changed(changed, name: str) -> None:
    """A list kept by hand left out what the measuring modules import."""
    assert changed(name, "\nNEW = 1\n") != cache.code_version()
    assert changed(name, "\n# a remark\n") == cache.code_version()


@pytest.mark.parametrize("name", ["evaluation.cache", "evaluation.html", "synthesis.records", "training.loop"])
def test_what_measures_nothing_costs_no_stored_figures(changed, name: str) -> None:
    assert changed(f"prosody_transfer.{name}", "\nNEW = 1\n") == cache.code_version()


def test_the_judges_and_what_is_judged_are_among_it() -> None:
    found = set(closure([*cache.MEASURED_BY, *registry.modules()]))
    names = ("trackers", "spectral", "speaker", "slaney", "quality", "intelligibility", "controls", "classical")
    assert {f"{A_ROOM}.{name}" for name in names} <= found
    assert {"prosody_transfer.synthesis.transferer", "prosody_transfer.models.copycat.network"} <= found


def test_files_that_python_keeps_beside_code_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled files once did: the second run of a new installation made everything again."""
    monkeypatch.setattr(module, "__file__", str(tmp_path / "core" / "closure.py"))
    (tmp_path / "text" / "data" / "deeper").mkdir(parents=True)
    (tmp_path / "text" / "data" / "words.txt").write_text("a")
    before = code_digest([])
    (tmp_path / "text" / "__pycache__").mkdir()
    (tmp_path / "text" / "__pycache__" / "rules.pyc").write_bytes(b"compiled")
    assert code_digest([]) == before
    (tmp_path / "text" / "data" / "words.txt").write_text("b")
    assert code_digest([]) != before


def test_what_a_table_names_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table.py").write_text('KINDS = {"viter": "prosody_transfer.alignment.viter:Viter"}\n')
    real = module._file
    monkeypatch.setattr(module, "_file", lambda name: tmp_path / "table.py" if name == "table" else real(name))
    found = closure(["table"])
    assert {"table", "prosody_transfer.alignment.viter", "prosody_transfer.core.errors"} <= set(found)
    assert set(closure(["table"], ["prosody_transfer.alignment"])) == {"table"}


def test_it_imports_nothing() -> None:
    code = (
        "import sys; from prosody_transfer.evaluation.cache import code_version; from prosody_transfer.synthesis.keys "
        "import code_version as speaking; code_version(), speaking(); print({'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
