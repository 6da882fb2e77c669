"""Predicted durations and melody against readings of held-out texts, measured in the cache of a training.

Usage: python benchmarks/speak_readings.py MANIFEST CACHE [--prosody KIND[:OPTION]] [--model FILE] [--shown]
--shown: every word's residual is told, from the reading itself (what --words-from does). In sound, and with everything
measured anew: ptx evaluate --texts MANIFEST.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from prosody_transfer.data.manifest import cache_path, read_manifest
from prosody_transfer.evaluation.texts.against import compare
from prosody_transfer.evaluation.texts.summary import summarise
from prosody_transfer.features.cache import load_utterance
from prosody_transfer.synthesis.speaking.settings import SpeakSettings
from prosody_transfer.synthesis.speaking.speaker import Speaker
from prosody_transfer.training.readings import reading_of
from prosody_transfer.training.voices import voice_facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--prosody", default="")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--shown", action="store_true")
    arguments = parser.parse_args()
    speaker, rows = Speaker(prosody_model=arguments.model), read_manifest(arguments.manifest)
    source, config = speaker.source(arguments.prosody), speaker.transferer.config
    voices = tuple(sorted({row.speaker for row in rows}))
    facts = voice_facts(rows, arguments.cache, voices, 40)
    found, rng = [], np.random.default_rng(1)
    for row in rows:
        requests = speaker.requests(row.text, SpeakSettings(prosody=arguments.prosody))
        utterance = load_utterance(cache_path(arguments.cache, row), config, False)
        reading = reading_of(utterance, row.text, facts[row.speaker]["log_f0_median"], reads=source.choice.reads)
        if reading is None or len(requests) != 1:
            continue
        figures = compare(reading, source, requests[0].sentence, row.speaker, rng, shown=arguments.shown)
        found.append({"class": "statement", "speaker": row.speaker, **figures})
    table = summarise(found)
    print(json.dumps({"readings": len(found), **{f["key"]: round(f["value"], 4) for f in table}}, indent=1))


if __name__ == "__main__":
    main()
