"""The code behind a result: a digest of the modules that one imports, directly or not, without importing any."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib import util
from pathlib import Path
from typing import NamedTuple

ROOT = "prosody_transfer"
DATA = ("text/data",)  # what decides what is spoken, beside the code


class _Module(NamedTuple):
    imports: tuple[str, ...]
    digest: str


def code_digest(roots: Iterable[str], leave_out: Collection[str] = (), data: Iterable[str] = DATA) -> str:
    """Thirty-two hex digits that change with the code of some modules, of all that they import, and the data beside it.

    Comments, docstrings and layout do not count.

    Args:
        roots: Full names of modules.
        leave_out: Modules, or rooms, that are not followed: what keeps books of results does not decide them.
        data: Folders of the package whose files are read too.
    """
    modules = sorted(closure(roots, leave_out).items())
    found = [(name, _read(path, path.stat().st_mtime_ns).digest) for name, path in modules]
    package = Path(__file__).parents[1]
    files = sorted(p for folder in data for p in (package / folder).glob("*") if p.is_file())
    told = json.dumps([found, [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def closure(roots: Iterable[str], leave_out: Collection[str] = ()) -> dict[str, Path]:
    """Modules of ours that some modules import, directly or not, themselves among them, and their files.

    What is imported in functions counts, and so does what a table names in a string ("prosody_transfer.a.b:thing").
    """
    found: dict[str, Path] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        path = None if name in found or _left_out(name, leave_out) else _file(name)
        if path is not None:
            found[name] = path
            waiting += _read(path, path.stat().st_mtime_ns).imports
    return found


def _left_out(name: str, leave_out: Collection[str]) -> bool:
    return any(name == other or name.startswith(f"{other}.") for other in leave_out)


def _file(name: str) -> Path | None:
    """Where a module is written; found in its room's folder, so that it is not imported."""
    root, *below = name.split(".")
    if root != ROOT or not below or not all(part.isidentifier() for part in below):
        return None
    spec = util.find_spec(f"{ROOT}.{below[0]}")
    if spec is None or spec.origin is None:
        return None
    folders = spec.submodule_search_locations
    if folders is None:
        return Path(spec.origin) if len(below) == 1 else None
    for folder in map(Path, folders):
        place = folder.joinpath(*below[1:])
        for path in (place / "__init__.py", place.with_suffix(".py")) if below[1:] else (place / "__init__.py",):
            if path.is_file():
                return path
    return None


@cache
def _read(path: Path, changed: int) -> _Module:
    """Several digests have most modules in common: each is parsed once."""
    tree = ast.parse(path.read_bytes())
    imports = tuple(dict.fromkeys(_imports(tree)))
    return _Module(imports, hashlib.sha256(ast.dump(_without_docstrings(tree)).encode()).hexdigest())


def _imports(tree: ast.AST) -> Iterator[str]:
    """Modules of ours that are imported; names that may be modules as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(f"{ROOT}."))
        elif isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{ROOT}."):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name.islower())
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(f"{ROOT}."):
            yield node.value.partition(":")[0]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return tree
