"""How many of a manifest's recordings are transferred, and why the rest is refused.

Usage: python benchmarks/recordings.py MANIFEST [--voices alice,michael,kathleen] [--no-text] [--out DIR] [--part K/N]
MANIFEST is JSON Lines with "audio" (relative to it), "speaker" and "text".
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from prosody_transfer.audio.io import read_audio, write_audio
from prosody_transfer.audio.resample import resampled_length
from prosody_transfer.core.errors import PtxError
from prosody_transfer.data.manifest import read_manifest
from prosody_transfer.synthesis.transfer import Transferer, TransferSettings


def listen_once(model: Transferer) -> None:
    """Recognise and align each recording once for all voices: the voice has no part in it."""
    align, last = model.aligner.align, {}

    def remembered(waveform: Any, pieces: Any, transcript: Any, settings: Any) -> Any:
        key = (waveform.tobytes(), transcript.text)
        if last.get("key") != key:
            last.clear()
            last.update(key=key, heard=align(waveform, pieces, transcript, settings))
        return last["heard"]

    model.aligner.align = remembered  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--voices", default="alice,michael,kathleen")
    parser.add_argument("--no-text", action="store_true")
    parser.add_argument("--recognise", default="auto")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    model, settings = Transferer(), TransferSettings(recognise=options.recognise)
    listen_once(model)
    done, refused, differences = 0, [], set()
    for row in read_manifest(options.manifest)[part::parts]:
        for voice in options.voices.split(","):
            try:
                audio = read_audio(row.audio, 24000)
                text = None if options.no_text else row.text or None
                result = model.from_audio(
                    audio.waveform, 24000, voice, text=text, settings=settings, measure_output=False
                )
            except PtxError as error:
                refused.append({"audio": Path(row.audio).name, "voice": voice, "reason": str(error)})
                print("refused:", Path(row.audio).name, voice, error, flush=True)
                continue
            done += 1
            differences.add(
                len(result.waveform) - resampled_length(audio.original_samples, audio.original_sample_rate, 24000)
            )
            if options.out:
                options.out.mkdir(parents=True, exist_ok=True)
                write_audio(options.out / f"{row.id}.{voice}.wav", result.waveform, 24000, overwrite=True)
    figures = {"done": done, "refused": len(refused), "length_differences_samples": sorted(differences)}
    print(figures)
    if options.json:
        options.json.write_text(json.dumps({**figures, "refusals": refused}, indent=1))


if __name__ == "__main__":
    main()
