"""A `Transferer` of small random networks for processes that tests start; some recordings kill these."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from prosody_transfer.analysis.source import SourceAligner
from prosody_transfer.store.weights import load_network
from prosody_transfer.synthesis.transferer import Transferer


class Mortal(Transferer):
    """Dies with the output half-written, or later: "poison" always, "once" the first time; "slow" takes its time."""

    def from_file_to_file(self, path: Any, *given: Any, on_written: Any = None, **more: Any) -> Any:
        name = Path(path).name
        first = Path(f"{path}.tried")

        def written(content: Path) -> None:
            if on_written:
                on_written(content)
            if "poison" in name or ("once" in name and not first.exists()):
                first.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        if "slow" in name:
            import time

            Path(f"{path}.begun-{os.getpid()}").touch()
            time.sleep(float(os.environ.get("SLOW_SECONDS", "1")))
        return super().from_file_to_file(path, *given, on_written=written, **more)


def load(model: Any, *more: Any) -> Transferer:
    """All networks are beside the model."""
    made = Mortal(model, *more)
    made.aligner = SourceAligner(load_network("recogniser", Path(model).parent / "recogniser.safetensors")[0])
    return made


def die(*networks: Any) -> Transferer:
    """A machine on which no worker lives to begin anything."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError
