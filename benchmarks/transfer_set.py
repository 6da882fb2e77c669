"""Speak a transfer set (manifest.json with exact answers) with the shipped networks.

Usage: python benchmarks/transfer_set.py SET OUT [--pairs 24] [--no-text] [--recognise words] [--vocoder FILE]
Writes OUT/ID.SPEAKER.wav, and OUT/reports.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from prosody_transfer.core.errors import PtxError
from prosody_transfer.synthesis.transfer import Transferer, TransferSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--no-text", action="store_true")
    parser.add_argument("--recognise", default="auto")
    parser.add_argument("--model")
    parser.add_argument("--vocoder")
    parser.add_argument("--keep", default="rhythm,pitch,energy,latent")
    options = parser.parse_args()
    rows = json.loads((options.set / "manifest.json").read_text(encoding="utf8"))
    pairs = [(row, speaker) for row in rows for speaker in row["targets"]][: options.pairs]
    model = Transferer(options.model, options.vocoder)
    settings = TransferSettings(recognise=options.recognise, keep=tuple(options.keep.split(",")))
    reports = []
    for row, speaker in pairs:
        target = options.out / f"{row['id']}.{speaker}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = None if options.no_text else row["text"]
        try:
            result = model.from_file_to_file(
                options.set / row["source"], speaker, target, text=text, settings=settings, overwrite=True
            )
            reports.append(result.report)
        except PtxError as error:
            reports.append({"input": row["source"], "failed": str(error)})
            print("failed:", error)
    (options.out / "reports.json").write_text(json.dumps(reports, indent=1))
    print(len(pairs), "pairs,", sum("failed" in r for r in reports), "failed")


if __name__ == "__main__":
    main()
