"""Train voices on your own recordings.

    python examples/train_on_your_recordings.py RECORDINGS RUN [MINUTES]

RECORDINGS holds one folder a voice, each with sound files and, beside every NAME.wav, its words in NAME.txt:

    RECORDINGS/anna/line1.wav  RECORDINGS/anna/line1.txt  RECORDINGS/ben/line1.wav  ...

Twenty minutes of a voice are enough to begin with; several voices learn better together than one alone. RUN gets the
manifest, the config, measurements and checkpoints; run the same line again to go on. Only train on people
who agreed to it.
"""

import json
import sys
from pathlib import Path

from prosody_transfer import PtxError
from prosody_transfer.text.transcript import find_transcript, read_transcript
from prosody_transfer.training.commands import train_copycat

SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}
CONFIG = """
[data]
manifests = [{manifest}]
cache = {cache}

[network]
speakers = {speakers}

[loop]
total_steps = 8000
"""


def prepare(recordings: Path, run: Path) -> Path:
    """Write RUN/manifest.jsonl and RUN/config.toml; returns the config."""
    rows = []
    for audio in sorted(p for p in recordings.glob("*/*") if p.suffix.lower() in SUFFIXES):
        words = find_transcript(audio)
        if words is None or words.suffix == ".TextGrid":
            print(f"left out, as it has no transcript: {audio}", file=sys.stderr)
            continue
        rows.append({"audio": str(audio.resolve()), "speaker": audio.parent.name, "text": read_transcript(words)})
    if not rows:
        sys.exit(f"no recordings with transcripts in {recordings}/*/")
    run.mkdir(parents=True, exist_ok=True)
    manifest, config = run / "manifest.jsonl", run / "config.toml"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    quoted = {"manifest": json.dumps(str(manifest)), "cache": json.dumps(str(run / "cache"))}
    speakers = json.dumps(sorted({row["speaker"] for row in rows}))
    config.write_text(CONFIG.format(**quoted, speakers=speakers), encoding="utf8")
    return config


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    recordings, run = Path(sys.argv[1]), Path(sys.argv[2])
    minutes = float(sys.argv[3]) if len(sys.argv) == 4 else None
    config = prepare(recordings, run)
    report = lambda stage, step, total, figures: print(f"\r{stage} {step}/{total} {figures}", end="", file=sys.stderr)
    resume = (run / "state.safetensors").exists()
    try:
        weights = train_copycat(config, resume=resume, run_dir=run, max_minutes=minutes, on_event=report)
    except PtxError as error:
        sys.exit(str(error))
    print(f"\nptx transfer src.wav --speaker NAME --model {weights}")


if __name__ == "__main__":
    main()
