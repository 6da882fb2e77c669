"""docs/guides/addons.md: its script serves every shipped network without this package."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.integration import REGISTRY, Networks, open_addon
from prosody_transfer.store.weights import shipped

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "addons.md"


def script() -> str:
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf8"), re.DOTALL)[0]


def test_it_is_fifteen_lines() -> None:
    statements = [line for line in script().splitlines() if line and not line.startswith((" ", "import", "from"))]
    assert len([line for line in script().splitlines() if line]) <= 16 and len(statements) <= 11


SERVED = [("copycat", "decoder"), ("vocoder", "filters"), ("recogniser", "recogniser")]


@pytest.mark.parametrize(("kind", "name"), SERVED)
def test_plain_onnx_runtime_serves_it(kind: str, name: str, tmp_path: Path) -> None:
    end = """
assert not [m for m in sys.modules if m.split(".")[0] in ("prosody_transfer", "torch")]
np.savez("out.npz", **outputs)
"""
    (tmp_path / "serve.py").write_text(script() + end)
    folder = shipped(kind).parent
    done = subprocess.run([sys.executable, "serve.py", folder, name], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    handle = Networks([open_addon(folder)]).handle(name)
    dtypes = {"float32": np.float32, "bool": bool, "int64": np.int64}
    inputs = {p.name: np.ones(p.shape({"B": 1, "T": 32}), dtypes[p.dtype]) for p in handle.spec.inputs}
    expected = handle.run({**inputs, **handle.initial_state()})
    with np.load(tmp_path / "out.npz") as found:
        assert set(found.files) == set(expected)
        assert all(np.array_equal(found[key], expected[key]) for key in expected)


def test_every_component_is_in_the_table() -> None:
    ours = {name for name, cls in REGISTRY.items() if cls.__module__.startswith("prosody_transfer.")}
    assert {name for name in ours if f"`{name}`" not in GUIDE.read_text(encoding="utf8")} == set()
