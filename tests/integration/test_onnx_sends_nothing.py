"""Past bug: ONNX Runtime 1.32 reports to its makers as soon as it is imported, and leaves a file of its session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NAMES = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY")  # it keeps quiet where one is set
SHOWN = "import os, prosody_transfer, onnxruntime; print(os.environ['ORT_DISABLE_TELEMETRY'])"


def told(folder: Path, **said: str) -> str:
    """What ONNX Runtime is told, in a process whose temporary files go to `folder`."""
    own = {name: value for name, value in os.environ.items() if name not in NAMES}
    line = [sys.executable, "-c", SHOWN]
    ran = subprocess.run(line, env=own | {"TMPDIR": str(folder)} | said, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_onnx_runtime_is_told_to_send_nothing(tmp_path: Path) -> None:
    assert told(tmp_path) == "1"
    assert not list(tmp_path.iterdir())


def test_what_the_user_has_said_stands(tmp_path: Path) -> None:
    assert told(tmp_path, ORT_DISABLE_TELEMETRY="0") == "0"
