"""Train an acoustic model on your own recordings: prepare them, train, and speak with what was learnt.

    python examples/train_on_your_recordings.py RECORDINGS RUN [MINUTES]

RECORDINGS is a folder in any layout that `ptx prepare` reads, such as RECORDINGS/SPEAKER/a.wav with the words in a.txt
beside it. RUN gets the prepared data, measurements and checkpoints; run the same line again to go on. Only train on
people who agreed to it.
"""

import sys
from pathlib import Path

from prosody_transfer import PtxError
from prosody_transfer.corpus.prepare import prepare_corpus
from prosody_transfer.training.commands import train


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    recordings, run = Path(sys.argv[1]), Path(sys.argv[2])
    minutes = float(sys.argv[3]) if len(sys.argv) == 4 else None
    report = lambda stage, step, total, figures: print(f"\r{stage} {step}/{total} {figures}", end="", file=sys.stderr)
    try:
        prepare_corpus(recordings, run / "data")
        resume = (run / "state.safetensors").exists()
        weights = train(
            "copycat", data=run / "data", preset="small", resume=resume, run_dir=run, max_minutes=minutes,
            on_event=report,
        )  # fmt: skip
    except PtxError as error:
        sys.exit(str(error))
    print(f"\nptx transfer src.wav --speaker NAME --model {weights}")


if __name__ == "__main__":
    main()
