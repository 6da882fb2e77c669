"""The rules of the house: who imports whom, how long files and functions may be, what is never named."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "prosody_transfer"
FLOW = ("core", "audio", "text", "alignment", "features", "data")
TOP = {*FLOW, "models", "store"}
MAY_IMPORT = {
    "core": set(),
    "audio": {"core"},
    "text": {"core"},
    "alignment": {"core", "audio", "text"},
    "features": {"core", "audio", "alignment"},
    "data": {"core", "features"},
    "models": {"core"},
    "store": {"core", "audio", "models"},
    "integration": TOP,
    "analysis": TOP | {"integration"},
    "corpus": TOP | {"analysis"},
    "selection": TOP | {"analysis"},
    "training": TOP | {"analysis", "corpus", "integration", "selection"},
    "voices": TOP | {"analysis", "corpus", "training"},
    "synthesis": TOP | {"analysis", "integration", "selection"},
    "streaming": TOP | {"analysis", "integration", "synthesis"},
    "jobs": TOP | {"analysis", "integration", "synthesis"},
    "evaluation": TOP | {"analysis", "integration", "synthesis", "jobs"},
    "cli": TOP
    | {"corpus", "voices", "analysis", "integration", "training", "synthesis", "streaming", "jobs", "evaluation"},
}
NOT_OURS = {".git", ".venv", ".lint", "build", "dist", "runs", "data", "demo", "ptx-evaluate"}  # at the top
LEFTOVERS = ("__pycache__", ".egg-info", "_cache", ".hypothesis")  # anywhere
UNNAMED = [b"/wo" + b"rk/", b"pypi-" + b"more", b"/op" + b"t/"]


def files(suffix: str = "") -> list[Path]:
    """Files of the project, without what git ignores."""
    found = []
    for path in sorted(ROOT.rglob(f"*{suffix}")):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and parts[0] not in NOT_OURS and not any(p.endswith(LEFTOVERS) for p in parts):
            found.append(path)
    return found


# Parts of a model's folder that belong to a room above the networks: they are imported by name, when asked for.
ABOVE = {
    **dict.fromkeys(("task", "detail", "batches", "self_transfer"), "training"),
    "voice_task": "voices",
    **dict.fromkeys(("speaking", "embedding", "addon_speaking", "pieces"), "synthesis"),
    "components": "integration",
}


def room(path: Path) -> str:
    """The room of a file: "cli", "models", or the folder under the package; "" for what lies elsewhere."""
    parts = path.relative_to(ROOT).parts
    if parts[0] in ("cli", "models"):
        return ABOVE.get(path.stem, "models") if parts[0] == "models" and len(parts) > 2 else parts[0]
    return parts[1] if parts[0] == PACKAGE and len(parts) > 2 else ""


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full module name of every import in a file, those in functions and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative import"
            if node.module == PACKAGE:
                yield from ((node.lineno, f"{PACKAGE}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module or ""


SOURCES = [path for path in files(".py") if room(path)]
PYTHON = files(".py")


def test_every_room_has_its_rule() -> None:
    assert len(SOURCES) > 50
    assert {room(path) for path in SOURCES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(name: str) -> None:
    breaches = []
    for path in (p for p in SOURCES if room(p) == name):
        for line, module in imports(path):
            target = module.split(".")
            if target[0] == PACKAGE and target[1] not in MAY_IMPORT[name] | {name}:
                breaches.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not breaches, "\n".join(breaches)


def test_nothing_inside_imports_the_package_root() -> None:
    rooms = set(MAY_IMPORT)
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in SOURCES
        for line, module in imports(path)
        if module == PACKAGE or (module.startswith(f"{PACKAGE}.") and module.split(".")[1] not in rooms)
    ]
    assert not found, "\n".join(found)


def test_nothing_imports_bare_cli_or_models() -> None:
    """A file that is loaded under two names has two registries."""
    found = [(path, line) for path in PYTHON for line, name in imports(path) if name.split(".")[0] in ("cli", "models")]
    assert not found, found


def test_nothing_imports_gpl_code() -> None:
    gpl = [(path, line) for path in PYTHON for line, module in imports(path) if module.split(".")[0] == "parselmouth"]
    assert not gpl, gpl


def test_the_commands_import_nothing_heavy_at_the_top() -> None:
    light = {"typer", "__future__", PACKAGE}
    import sys

    for path in (p for p in SOURCES if room(p) == "cli"):
        for node in ast.parse(path.read_text(encoding="utf8")).body:
            if isinstance(node, ast.ImportFrom | ast.Import):
                module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                assert str(module).split(".")[0] in light | set(sys.stdlib_module_names), f"{path}: {module}"
                if str(module).startswith(PACKAGE):
                    assert str(module).startswith((f"{PACKAGE}.cli", f"{PACKAGE}.core.errors")), f"{path}: {module}"


def test_the_commands_use_public_names_only() -> None:
    for path in (p for p in SOURCES if room(p) == "cli"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            library = isinstance(node, ast.ImportFrom) and str(node.module).startswith(f"{PACKAGE}.")
            if isinstance(node, ast.ImportFrom) and library and not str(node.module).startswith(f"{PACKAGE}.cli"):
                private = [alias.name for alias in node.names if alias.name.startswith("_")]
                assert not private, f"{path}:{node.lineno}: {private}"


def test_no_file_is_over_400_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in PYTHON if (n := len(p.read_text(encoding="utf8").splitlines())) > 400}
    assert not long, long


def test_no_command_file_is_over_100_lines() -> None:
    verbs = [p for p in SOURCES if room(p) == "cli" and not p.name.startswith("_")]
    long = {p.name: n for p in verbs if (n := len(p.read_text(encoding="utf8").splitlines())) >= 100}
    assert len(verbs) >= 6 and not long, long


def test_no_function_is_over_60_lines() -> None:
    long = []
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > 60:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {length}")
    assert not long, "\n".join(long)


def test_nothing_names_the_machine_it_was_written_on() -> None:
    found = [f"{path.relative_to(ROOT)}: {word!r}" for path in files() for word in UNNAMED if word in path.read_bytes()]
    assert not found, "\n".join(found)


def test_every_package_is_in_the_distribution() -> None:
    import tomllib

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    names = {".".join(path.parent.relative_to(ROOT).parts) for path in SOURCES} | {PACKAGE}
    assert {name if name.startswith(PACKAGE) else f"{PACKAGE}.{name}" for name in names} == set(listed)


# Speech that was synthesised gets its credit in `write_speech`; the others write what people recorded.
WRITES_SOUND = {
    "prosody_transfer/store/speech_file.py": "write_audio", "prosody_transfer/corpus/examine.py": "write_audio",
    "prosody_transfer/synthesis/speaking/speaker.py": "write_speech",
    "prosody_transfer/synthesis/transferer.py": "write_speech",
    "prosody_transfer/evaluation/measuring.py": "write_speech",
    "prosody_transfer/evaluation/listening/build.py": "write_speech",
    "prosody_transfer/training/validation.py": "write_speech",
    "prosody_transfer/evaluation/drawings.py": "soundfile.write",  # players inside a page that tells what each is
}  # fmt: skip


def test_where_sound_is_written() -> None:
    found = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in ("write_audio", "write_speech") or called.endswith(("soundfile.write", "sf.write")):
                found[path.relative_to(ROOT).as_posix()] = called
    assert found == WRITES_SOUND


def is_model(path: Path) -> bool:
    """Whether a file is of some model's folder."""
    parts = path.relative_to(ROOT).parts
    return parts[0] == "models" and len(parts) > 2 and parts[1] != "blocks"


def test_no_room_knows_an_acoustic_model_by_name() -> None:
    """A new one is one folder: nothing outside a model's folder names it, but help."""
    from prosody_transfer.models import registry

    found = []
    for kind in registry.kinds("acoustic"):
        for path in (p for p in SOURCES if not is_model(p)):  # one model may be built on another
            text = path.read_text(encoding="utf8").lower()
            place = path.relative_to(ROOT).as_posix()
            if re.search(rf"[\"'./]{kind}\b", text) and not place.startswith(("cli/train.py", "cli/addon.py")):
                found.append(f"{path.relative_to(ROOT)} names {kind}")
    assert not found, "\n".join(found)


def test_no_two_files_import_each_other() -> None:
    name = lambda path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    full = lambda n: n if n.startswith(PACKAGE) else f"{PACKAGE}.{n}"
    known = {full(name(p)): {module for _, module in imports(p)} for p in SOURCES}
    apart = lambda a, b: not a.startswith(f"{b}.") and not b.startswith(f"{a}.")  # a package and its own parts
    pairs = {(a, b) for a, used in known.items() for b in used if a < b and a in known.get(b, ()) and apart(a, b)}
    assert not pairs, pairs
