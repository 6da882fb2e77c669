"""What `ptx speak` does with texts that nothing was trained on, in several voices.

Usage: python benchmarks/speak.py TEXTS.tsv [--speakers alice michael heart] [--prosody camp] [--references FOLDER]
           [--keep FOLDER] [--json OUT]
TEXTS.tsv has a class and a text a line (tests/synthesis/speaking/texts.tsv). FOLDER/SPEAKER/* are recordings of the
voices; their mean embedding is what similarity is measured against. Rises are measured on F0 that was tracked in the
sound: the mean of the last 80 ms of voice more than a semitone above the 240 ms before; of alternatives and lists at
the ends of their parts too, where the plan has them.
       python benchmarks/speak.py --readings MANIFEST CACHE   melody and durations against held-out readings (ptx train)
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.audio.io import read_audio, write_audio
from prosody_transfer.audio.resample import resample
from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.evaluation.figures import EVALUATION_RATE
from prosody_transfer.features.extract import extract
from prosody_transfer.features.prominence import measure_words
from prosody_transfer.synthesis.speaking.settings import SpeakSettings
from prosody_transfer.synthesis.speaking.speaker import Speaker

SEMITONE = np.log(2) / 12


def slope(log_f0: np.ndarray, voiced: np.ndarray, stop: int, step: float) -> float:
    """Semitones from the 240 ms of voice before the last 80 ms that end by `stop`, to these."""
    at = np.flatnonzero(voiced[:stop])
    last, before = round(0.08 / step), round(0.24 / step)
    if len(at) < last + 2:
        return 0.0
    return float((log_f0[at[-last:]].mean() - log_f0[at[-last - before : -last]].mean()) / SEMITONE)


def heard_prominence(planned: Any, features: Any) -> np.ndarray:
    """Prominence of the words in the sound."""
    plan, step = planned.plan, planned.plan.config.hop_length / planned.plan.config.sample_rate
    ends = np.cumsum(plan.phones.durations) * step
    starts = np.concatenate([[0.0], ends[:-1]])
    phones = [PhoneInterval(n, float(a), float(b)) for n, a, b in zip(plan.phones.names, starts, ends, strict=True)]
    words = [WordInterval("w", float(a) * step, float(b) * step) for a, b in planned.spans]
    return measure_words(features, Alignment(tuple(phones), tuple(words), float(ends[-1]))).prominence


def melody_figures(kind: str, planned: Any, features: Any) -> dict[str, float]:
    """Whether it rises at its end, and at the ends of its parts; whether what is emphasised stands out."""
    step = planned.plan.config.hop_length / planned.plan.config.sample_rate
    words, found = planned.request.sentence.words, {}
    measured = lambda stop: slope(features.log_f0, features.voiced, stop, step)
    found["rises"] = float(measured(features.n_frames) > 1)
    if kind == "or":
        joint = next(i for i, w in enumerate(words) if w.text == "or") - 1
        found["rises_then_falls"] = float(measured(planned.spans[joint, 1]) > 1 and measured(features.n_frames) < 0)
    if kind == "list":
        joints = [i for i, w in enumerate(words[:-1]) if w.sign == "comma"]
        found["continuations"] = float(np.mean([measured(planned.spans[i, 1]) > 1 for i in joints]))
    if kind == "emphasis":
        marked = next(i for i, w in enumerate(planned.request.wishes) if w.emphasis)
        found["stands_out"] = float(heard_prominence(planned, features).argmax() == marked)
    return found


class Sound:
    """Judges of what is heard: words, DNSMOS, voice."""

    def __init__(self, references: Path | None) -> None:
        from prosody_transfer.evaluation.intelligibility import WordJudge
        from prosody_transfer.evaluation.speaker import Judge

        self.words, self.judge, self.references = WordJudge(), Judge(), references
        self.voices: dict[str, np.ndarray] = {}

    def voice(self, name: str) -> np.ndarray | None:
        if self.references is None:
            return None
        if name not in self.voices:
            files = sorted((self.references / name).iterdir())[-12:]
            rows = [self.judge.embed(read_audio(f, EVALUATION_RATE).waveform) for f in files]
            mean = np.mean(rows, axis=0)
            self.voices[name] = mean / np.linalg.norm(mean)
        return self.voices[name]

    def figures(self, waveform: np.ndarray, text: str, name: str, rate: int) -> dict[str, float]:
        from prosody_transfer.evaluation.quality import quality_figures

        at_rate = resample(waveform, rate, EVALUATION_RATE)
        heard = self.words.errors(at_rate, text)
        found = {"word_errors": heard["word_errors"], "words": heard["words"]}
        found["dnsmos"] = float(quality_figures(at_rate)["dnsmos_overall"] or 0.0)
        if (voice := self.voice(name)) is not None:
            found["similarity"] = float(self.judge.embed(at_rate) @ voice)
        return {key: float(value) for key, value in found.items()}


def speak_all(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row a text and voice."""
    speaker, sound = Speaker(), Sound(arguments.references)
    rate, rows = speaker.transferer.config.sample_rate, []
    settings = SpeakSettings(prosody=arguments.prosody)
    with open(arguments.texts, encoding="utf8") as file:
        texts = [(row["class"], row["text"]) for row in csv.DictReader(file, delimiter="\t")]
    for name in arguments.speakers:
        for number, (kind, text) in enumerate(texts):
            (part,) = speaker.speak(text, name, settings)
            features = extract(part.waveform, speaker.transferer.config)
            row = {"class": kind, "speaker": name, "text": text, **melody_figures(kind, part.planned, features)}
            rows.append(row | sound.figures(part.waveform, text.replace("*", ""), name, rate))
            if arguments.keep:
                arguments.keep.mkdir(parents=True, exist_ok=True)
                write_audio(arguments.keep / f"{kind}_{number}.{name}.wav", part.waveform, rate, overwrite=True)
            print(json.dumps(rows[-1]), flush=True)
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Means by class, and over all."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["class"]].append(row)
        groups["all"].append(row)
    found = {}
    for name, group in groups.items():
        keys = {key for row in group for key, value in row.items() if isinstance(value, float)}
        means = {key: round(float(np.mean([row[key] for row in group if key in row])), 4) for key in sorted(keys)}
        means["wer"] = round(sum(r["word_errors"] for r in group) / sum(r["words"] for r in group), 4)
        found[name] = {"texts": len(group), **{k: v for k, v in means.items() if k not in ("word_errors", "words")}}
    return found


def readings(manifest: Path, cache: Path, checkpoint: Path | None) -> dict[str, float]:
    """Against readings of texts that were held out: on their durations, and free-running, phone by phone."""
    from speak_readings import compare

    return compare(manifest, cache, checkpoint)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="?")
    parser.add_argument("--speakers", nargs="+", default=["alice", "michael", "heart"])
    parser.add_argument("--prosody", default="camp")
    parser.add_argument("--references", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--readings", type=Path, nargs=2, metavar=("MANIFEST", "CACHE"))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.readings:
        found: Any = readings(*arguments.readings, arguments.model)
    else:
        rows = speak_all(arguments)
        found = {"summary": summary(rows), "rows": rows}
    print(json.dumps(found.get("summary", found), indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
