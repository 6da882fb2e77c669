"""How far aligners are from true borders: of synthesisers that state where each phone begins.

    python benchmarks/aligners.py SET.jsonl [SET.jsonl ...] [--aligner NAME ...] [--condition NAME ...] [--limit N]

A line of a set: {"audio", "speaker", "text"} and either "lab" (a file of Festival's: end times and phones in columns)
or "phones" and "durations_25ms" (an oracle's, an IPA letter each, silences first and last; borders on a grid of 25 ms).
Phones of an alignment and the stated ones are matched by edit distance; of those that are the same, or alike in kind,
the beginnings are compared. Printed: mean and median distance and the share within 20 and 50 ms, a constant shift of
all taken off (an oracle's clock is not the sound's); that shift; and CPU seconds a second of sound. With --condition
the sound is heard through one of conditions.py, the borders stay.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from conditions import CONDITIONS, heard_through

from prosody_transfer.alignment.base import Heard, align_text, get_aligner
from prosody_transfer.alignment.ipa import from_ipa
from prosody_transfer.alignment.labels import to_arpabet
from prosody_transfer.alignment.match import align_sequences
from prosody_transfer.analysis.listening import listen
from prosody_transfer.audio.io import read_audio
from prosody_transfer.core.errors import PtxError
from prosody_transfer.text.phones import phone_class, split_stress

RATE = 24000
NO_PHONE = set(" .,!?;:—…\"“”()ˈˌː'’")  # letters of the oracle's alphabet that last, but are no phone of their own
KOKORO = {"A": ("EY",), "I": ("AY",), "O": ("OW",), "W": ("AW",), "Y": ("OY",), "Q": ("OW",), "ᵊ": ("AH",),
          "ʤ": ("JH",), "ʧ": ("CH",), "T": ("T",), "ᵻ": ("IH",)}  # fmt: skip


def stated(row: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Phones and when each begins, in seconds, silences left out."""
    if "lab" in row:
        start = 0.0
        for line in Path(row["lab"]).read_text(encoding="utf8").splitlines():
            parts = line.split()
            if len(parts) == 3:
                for k, name in enumerate(to_arpabet(parts[2])):
                    if name != "SIL" and k == 0:
                        yield split_stress(name)[0], start
                start = float(parts[0])
        return
    edges = np.cumsum([0, *row["durations_25ms"]]) * 0.025
    waiting = None  # a stress mark's time belongs to the vowel after it
    for letter, start in zip(row["phones"], edges[1:], strict=False):
        if letter in "ˈˌ":
            waiting = start if waiting is None else waiting
            continue
        names = KOKORO.get(letter) or (None if letter in NO_PHONE else from_ipa(letter))
        if names:
            yield split_stress(names[0])[0], float(start if waiting is None else waiting)
        waiting = None


def distances(row: dict[str, Any], found: Any) -> list[float]:
    """Seconds from each stated beginning to the found one."""
    truth = list(stated(row))
    said = [p for p in found.phones if p.phone != "SIL"]
    pairs = align_sequences([name for name, _ in truth], [split_stress(p.phone)[0] for p in said])
    result = []
    for i, j in pairs:
        if i is not None and j is not None and phone_class(truth[i][0]) == phone_class(said[j].phone):
            result.append(said[j].start - truth[i][1])
    return result


def measure(name: str, rows: list[dict[str, Any]], condition: str = "clean") -> dict[str, Any]:
    aligner, every, failed, spent, seconds, listened = get_aligner(name), [], 0, 0.0, 0.0, 0.0
    for row in rows:
        sound = read_audio(row["audio"], RATE)
        waveform = heard_through(condition, sound.waveform, RATE, row["audio"]).astype(np.float32)
        began = time.process_time()
        heard: Heard | None = listen(waveform, RATE) if name == "ptx" else None
        between = time.process_time()
        try:
            every.append(distances(row, _align(aligner, waveform, row["text"], heard)))
        except PtxError as error:
            failed += 1
            print(f"  {row['audio']}: {error}")
        spent, listened = spent + time.process_time() - between, listened + between - began
        seconds += sound.seconds
    errors = np.concatenate(every)
    shift = float(np.median(errors))
    far = np.abs(errors - shift)
    return {
        "aligner": name, "condition": condition, "utterances": len(rows), "failed": failed, "borders": len(far),
        "mean_ms": 1e3 * far.mean(), "median_ms": 1e3 * float(np.median(far)), "within_20": float((far <= 0.02).mean()),
        "within_50": float((far <= 0.05).mean()), "shift_ms": 1e3 * shift,
        "align_rtf": spent / seconds, "listen_rtf": listened / seconds,
    }  # fmt: skip


def _align(aligner: Any, waveform: np.ndarray, text: str, heard: Heard | None) -> Any:
    if heard is None:
        return align_text(aligner, waveform, RATE, text)
    from prosody_transfer.alignment.base import align_pairs
    from prosody_transfer.text.normalise import words_with_origin

    return align_pairs(aligner, waveform, RATE, words_with_origin(text), heard)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--aligner", action="append", default=[])
    parser.add_argument("--condition", action="append", default=[], choices=[*CONDITIONS])
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    print("set condition aligner  borders failed  mean median  <=20  <=50  shift  align listen (ms; shares; CPU s a s)")
    for path in args.sets:
        rows = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()][: args.limit]
        for row in rows:
            row["audio"] = str(path.parent / row["audio"])
        for condition, name in product(args.condition or ["clean"], args.aligner or ["pocketsphinx", "ptx"]):
            found = {"set": path.stem, **measure(name, rows, condition)}
            print("{set} {condition} {aligner}  {borders} {failed}  {mean_ms:.1f} {median_ms:.1f}  {within_20:.1%}  "
                  "{within_50:.1%}  {shift_ms:+.1f}  {align_rtf:.4f} {listen_rtf:.4f}".format(**found), flush=True)


if __name__ == "__main__":
    main()
