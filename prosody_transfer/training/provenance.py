"""With what a checkpoint was made: versions, and the commit where ptx runs from its own git checkout."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from prosody_transfer.core.config import Config


@cache
def provenance() -> dict[str, Any]:
    """Versions of ptx and torch; in a checkout also its "commit", and whether files were "changed" since."""
    import torch

    try:
        ours = version("prosody-transfer")
    except PackageNotFoundError:
        ours = "unknown"
    return {"ptx": ours, "torch": torch.__version__, **checkout(Path(__file__).resolve().parents[2])}


def checkout(folder: Path) -> dict[str, Any]:
    """Commit and state of a git checkout whose top is `folder`; {} where it is none, or git is not there."""
    if not (folder / ".git").exists():  # not some checkout further up, such as that of a project that uses ptx
        return {}
    git = ["git", "--no-optional-locks", "-C", str(folder)]
    ask = lambda *words: subprocess.run([*git, *words], capture_output=True, text=True, timeout=10, check=True).stdout
    try:
        return {
            "commit": ask("rev-parse", "HEAD").strip(),
            "changed": bool(ask("status", "--porcelain", "--untracked-files=no").strip()),
        }
    except (OSError, subprocess.SubprocessError):
        return {}


def plain_settings(config: Config) -> dict[str, Any]:
    """Settings as plain data, files by their names alone: where they lay means nothing elsewhere."""
    plain = lambda v: Path(v).name if isinstance(v, str) and v else v
    settings = config.to_dict().items()
    return {k: [plain(part) for part in v] if isinstance(v, list | tuple) else plain(v) for k, v in settings}
