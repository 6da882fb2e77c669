"""Cold and warm transfer, and where the time goes. Usage: python benchmarks/transfer.py [AUDIO] [--text T]"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parent.parent / "examples" / "audio" / "source.flac"


def command_seconds(arguments: list[str], repeats: int) -> float:
    """Least wall time of `ptx ARGUMENTS` over some runs, each a new process."""
    best = float("inf")
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run(
            [str(Path(sys.executable).with_name("ptx")), *arguments], check=True, stdout=subprocess.DEVNULL
        )
        best = min(best, time.perf_counter() - began)
    return best


def timed(spent: dict[str, float], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            result = function(*args, **kwargs)
            return list(result) if name == "vocoder" else result
        finally:
            spent[name] += time.perf_counter() - began

    return wrapper


def stages(audio: Path, text: str | None, repeats: int) -> dict[str, float]:
    """Real-time factor of each stage of a warm transfer, averaged over some runs."""
    from prosody_transfer.analysis import analyse, source
    from prosody_transfer.synthesis import decode, render, transferer

    model = transferer.Transferer()
    result = model.from_file(audio, "alice", text=text)
    spent: dict[str, float] = defaultdict(float)
    analyse.read_audio = timed(spent, "read", analyse.read_audio)
    analyse.cut = timed(spent, "features", analyse.cut)
    transferer.extract = timed(spent, "measuring the output", transferer.extract)
    transferer.embed = timed(spent, "reference encoder", transferer.embed)
    render.vocode = timed(spent, "vocoder", render.vocode)
    source.recognise_phones = timed(spent, "phone recogniser", source.recognise_phones)
    source.SourceAligner._align = timed(spent, "alignment", source.SourceAligner._align)  # type: ignore[method-assign]
    decode.PieceDecoder.decode = timed(spent, "decoder", decode.PieceDecoder.decode)  # type: ignore[method-assign]
    began = time.perf_counter()
    for _ in range(repeats):
        model.from_file(audio, "alice", text=text)
    total = time.perf_counter() - began
    length = repeats * result.source_seconds
    return {**{k: v / length for k, v in spent.items()}, "all stages": total / length}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("audio", nargs="?", type=Path, default=EXAMPLE)
    parser.add_argument("--text")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, default=Path("benchmark-transfer.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cold = ["transfer", str(options.audio), "--speaker", "alice", "-o", os.path.join(folder, "out.wav"), "--force"]
        figures = {
            "ptx --help, s": command_seconds(["--help"], 5),
            "cold ptx transfer, s": command_seconds(cold + (["--text", options.text] if options.text else []), 3),
        }
    figures |= {f"{k}, x real time": v for k, v in stages(options.audio, options.text, options.repeats).items()}
    for name, value in figures.items():
        print(f"{name:40s} {value:8.4f}")
    options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
