"""Streams: delay, memory, chunks, what is lost against a transfer of the whole; and a plan's first sound.

Usage: python benchmarks/stream.py AUDIO [--seconds S] [--speaker NAME] [--recognise words|phones] [--latency S]
           [--no-whole] [--no-transfer] [--json OUT]
       python benchmarks/stream.py --plan [AUDIO]       first sound and later chunks of a plan, on one thread
F0 is heard by the learned tracker; r is over the frames that are voiced in both. Level: of speech, over the whole from
3 s on, and of each 10 s.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

EXAMPLE = Path(__file__).parent.parent / "examples" / "audio" / "source.flac"
CHUNK = 320  # 20 ms
SETTLED = 3.0  # s


def resident() -> float:
    """MB that this process holds."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def streamed(transferer: Any, sound: np.ndarray, size: int, options: argparse.Namespace) -> tuple[np.ndarray, dict]:
    """All of a stream, and how it came."""
    from prosody_transfer.streaming.session import Session
    from prosody_transfer.streaming.settings import StreamSettings

    settings = StreamSettings(recognise=options.recognise, latency=options.latency)
    session = Session(transferer, options.speaker, 16000, settings=settings)
    parts, given, off, held, slowest = [], 0, 0, [], 0.0
    began = time.process_time()
    for start in range(0, len(sound), size):
        clock = time.process_time()
        parts.append(session.push(sound[start : start + size]))
        slowest = max(slowest, time.process_time() - clock)
        given += len(parts[-1])
        due = (Fraction(min(len(sound), start + size), 16000) - Fraction(session.delay)) * 24000
        off = max(off, abs(given - max(0, int(due))))
        if start // (60 * 16000) >= len(held):
            held.append(round(resident(), 1))
    parts.append(session.finish())
    spent = time.process_time() - began
    return np.concatenate(parts), {
        "delay_s": session.delay, "off_by_samples": off, "phrases": session.phrases, "mb_each_minute": held,
        "cpu_per_second": spent / (len(sound) / 16000), "slowest_phrase_cpu_s": slowest,
    }  # fmt: skip


def heard(waveform: np.ndarray, config: Any) -> tuple[np.ndarray, np.ndarray]:
    """ln F0 and voicing of a long recording, piece by piece."""
    from prosody_transfer.analysis.pieces import cut, join_features
    from prosody_transfer.analysis.tracking import get_tracker

    found = join_features(cut(waveform, config, get_tracker()))
    return found.log_f0, found.voiced


def compared(mine: np.ndarray, theirs: np.ndarray, config: Any) -> dict[str, Any]:
    """A stream beside a transfer of the whole."""
    from prosody_transfer.audio.loudness import speech_level_db

    (f0, voiced), (their_f0, their_voiced) = heard(mine, config), heard(theirs, config)
    size = min(len(f0), len(their_f0))
    f0, their_f0 = f0[:size], their_f0[:size]
    both = voiced[:size] & their_voiced[:size]
    apart = (f0 - their_f0) * 12 / np.log(2)
    frames = np.arange(size) * config.hop_length / config.sample_rate
    later = both & (frames >= SETTLED)
    register = {f"{a}-{b} s": float(np.median(apart[part])) for a, b in ((0, 3), (3, 10), (10, 30), (30, 60), (60, 600))
                if (part := both & (frames >= a) & (frames < b)).any()}  # fmt: skip
    rate, start = config.sample_rate, round(SETTLED * config.sample_rate)
    levels = [speech_level_db(x[start:], rate) for x in (mine, theirs)]
    each = [
        speech_level_db(mine[at : at + 10 * rate], rate) - speech_level_db(theirs[at : at + 10 * rate], rate)
        for at in range(start, len(mine) - 5 * rate, 10 * rate)
    ]
    return {
        "f0_r": float(np.corrcoef(f0[both], their_f0[both])[0, 1]),
        "f0_r_settled": float(np.corrcoef(f0[later], their_f0[later])[0, 1]),
        "f0_over_a_semitone_apart": float((np.abs(apart[later]) > 1).mean()),
        "voicing_agrees": float((voiced[:size] == their_voiced[:size]).mean()), "register_apart_semitones": register,
        "level_apart_db": levels[0] - levels[1], "level_apart_each_10_s_db": [min(each), max(each)],
    }  # fmt: skip


def snr_db(found: np.ndarray, expected: np.ndarray) -> float:
    error = float(np.square(found - expected, dtype=np.float64).sum())
    return float("inf") if not error else 10 * float(np.log10(np.square(expected, dtype=np.float64).sum() / error))


def plan_figures(transferer: Any, audio: Path, speaker: str, repeats: int = 25) -> dict[str, Any]:
    """Milliseconds of CPU to the first sound of a plan, and how much faster than it plays the rest is made."""
    from prosody_transfer.analysis.analyse import analyse_file
    from prosody_transfer.streaming.plans import PlanSession
    from prosody_transfer.synthesis.prosody import TransferSettings

    settings = TransferSettings(recognise="phones")
    plan = transferer.plan(analyse_file(audio, transferer.aligner, settings, config=transferer.config))
    session, firsts, rests = PlanSession(transferer, speaker), [], []
    list(session.say(plan))
    for _ in range(repeats):
        chunks, began = session.say(plan), time.process_time()
        first = next(chunks)
        firsts.append(1000 * (time.process_time() - began))
        began = time.process_time()
        count = sum(map(len, chunks))
        rests.append(count / transferer.config.sample_rate / (time.process_time() - began))
    return {
        "first_ms": [min(firsts), float(np.median(firsts))], "first_sound_ms": len(first) / 24,
        "later_times_real_time": [float(np.median(rests)), max(rests)],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", type=Path, nargs="?", default=EXAMPLE)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--speaker", default="alice")
    parser.add_argument("--recognise", default="words")
    parser.add_argument("--latency", type=float, default=3.0)
    parser.add_argument("--no-transfer", action="store_true")
    parser.add_argument("--no-whole", action="store_true")
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    from prosody_transfer.audio.io import read_audio
    from prosody_transfer.streaming.session import warm_up
    from prosody_transfer.streaming.settings import StreamSettings
    from prosody_transfer.synthesis.transferer import Transferer

    transferer = Transferer(runtime="onnx")
    warm_up(transferer, options.speaker, StreamSettings(recognise=options.recognise))
    if options.plan:
        found = plan_figures(transferer, options.audio, options.speaker)
    else:
        sound = read_audio(options.audio, 16000).waveform[: round((options.seconds or 1e9) * 16000)]
        mine, found = streamed(transferer, sound, CHUNK, options)
        found = {"seconds": len(sound) / 16000, **found}
        print(json.dumps(found), flush=True)
        if not options.no_whole:
            whole, _ = streamed(transferer, sound, len(sound), options)
            found["chunks_against_one_snr_db"] = snr_db(mine, whole)
        if not options.no_transfer:
            from prosody_transfer.synthesis.prosody import TransferSettings

            settings = TransferSettings(recognise=options.recognise)
            theirs = transferer.from_audio(sound, 16000, options.speaker, settings=settings, measure_output=False)
            found |= compared(mine, theirs.waveform, transferer.config)
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
