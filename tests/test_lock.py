"""requirements.lock: what CI and releases install agrees with pyproject.toml, is pinned, and names no place."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LEFT_OUT = "torch"
HASHES = r"((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
ENTRY = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; (.+?))? \\\n" + HASHES, re.M)


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for, by itself, in its extras and to be built."""
    project = PROJECT["project"]
    lines = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    lines += [line for extra in project["optional-dependencies"].values() for line in extra]
    found = [Requirement(line) for line in lines]
    return [r for r in found if canonicalize_name(r.name) not in (project["name"], LEFT_OUT)]


def locked(python: str) -> dict[str, str]:
    environment = {**default_environment(), "python_version": python, "python_full_version": f"{python}.1"}
    found = {}
    for name, version, marker, _ in ENTRY.findall(TEXT):
        if not marker or Requirement(f"{name}; {marker}").marker.evaluate(environment):  # type: ignore[union-attr]
            assert name not in found, f"{name} twice"
            found[name] = version
    return found


@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_it_agrees_with_pyproject(python: str) -> None:
    have = locked(python)
    missing = [r for r in wanted() if canonicalize_name(r.name) not in have]
    assert not missing, "run `make lock`"
    wrong = [(str(r), have[n]) for r in wanted() if not r.specifier.contains(have[n := canonicalize_name(r.name)])]
    assert not wrong, "run `make lock`"


def test_every_line_is_a_pinned_package_or_a_hash() -> None:
    rest = ENTRY.sub("", TEXT)
    assert all(line.startswith("#") for line in rest.splitlines()), rest[:200]
    assert len(ENTRY.findall(TEXT)) > 80


def test_it_names_no_place() -> None:
    assert not re.search(r"://|@ |--index|--find-links|--extra", TEXT)


def test_torch_is_left_out_with_what_its_builds_for_gpus_need() -> None:
    names = {name for name, *_ in ENTRY.findall(TEXT)}
    assert not [name for name in names if name.startswith(("torch", "nvidia", "cuda", "triton"))]
    assert {"sympy", "jinja2", "setuptools"} <= names, "but not what all builds need"
