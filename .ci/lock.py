"""Write requirements.lock again: every package that the tests need, of one release, with the hashes of all its files.

Usage: python .ci/lock.py    (`make lock`, which installs uv first)

For Python 3.11 and 3.12 on every system. torch is left out, with what only its builds for GPUs need: which build is
right depends on the machine, and the one for the CPU is not where the others are.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "requirements.lock"
OF_TORCH = re.compile(r"(torch|triton|nvidia-.*|cuda-.*)")
HEAD = """\
# Written by `make lock` from pyproject.toml. To install: pip install --require-hashes --no-deps -r requirements.lock
# then torch, which is not in it (its builds differ), and the package itself: pip install --no-deps .
"""


def resolve() -> str:
    """What uv finds: an entry a package, its hashes in the lines below."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    line = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    line += ["--upgrade", "--generate-hashes", "--no-header", "--no-annotate", "--extra", "dev", "--extra", "viter"]
    line += ["pyproject.toml", "-"]
    given = "\n".join(build)
    return subprocess.run(line, cwd=ROOT, input=given, stdout=subprocess.PIPE, text=True, check=True).stdout


def entries(text: str) -> dict[str, str]:
    """Entries by name and marker; a package may have one for each version of Python."""
    found: dict[str, str] = {}
    for line in text.splitlines(keepends=True):
        if line[:1].isalnum():
            head = line.rstrip("\\\n ")
            found[head] = line
        elif line.strip():
            found[head] += line
    return found


def main() -> None:
    kept = [entry for head, entry in entries(resolve()).items() if not OF_TORCH.fullmatch(head.partition("==")[0])]
    TARGET.write_text(HEAD + "".join(kept))
    print(f"{TARGET.name}: {len(kept)} entries")


if __name__ == "__main__":
    main()
