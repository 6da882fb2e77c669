"""`ptx voice add`, `accept` and `fisher`: what learns, and what takes a voice that has not passed its test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._options import _option
from prosody_transfer.cli._shared import note, print_json
from prosody_transfer.cli._terminal import is_terminal, say, say_lines
from prosody_transfer.core.errors import UsageError

ADD_EPILOG = """\b
Examples:
  ptx voice add jane recordings/ --consent consent.txt
  ptx voice add jane recordings/ --consent consent.txt --max-minutes 8    # again after a kill: goes on
  ptx voice add jane recordings/ --consent consent.txt --steps 1200    # not accepted: learns more"""
ACCEPT_EPILOG = "\b\nExample:\n  ptx voice accept jane --by 'Ann Lee'"
FISHER_EPILOG = "\b\nExample:\n  ptx voice fisher data/ -o fisher.safetensors"

Recordings = Annotated[
    Path, typer.Argument(metavar="RECORDINGS", help="A folder that ptx prepare can read, or has prepared.")
]
Consent = Annotated[Path | None, _option("--consent", "Who agreed, to what, from when and until when.", "FILE")]
Gender = Annotated[Literal["female", "male"] | None, _option("--gender", "As heard.  [default: by pitch]", "WORD")]
Accent = Annotated[str, _option("--accent", 'As in "US English".', "TEXT")]
Licence = Annotated[str, _option("--licence", "Of the recordings.  [default: by consent]", "TEXT")]
Synthetic = Annotated[bool, _option("--synthetic", "The voice is nobody's.")]
Who = Annotated[str, _option("--speaker", "Whose recordings, where there are several people's.", "NAME")]
Replay = Annotated[Path | None, _option("--replay", "Prepared recordings of shipped voices, to repeat.", "DATA")]
Steps = Annotated[int, _option("--steps", "Of training, in all.  [default: by the minutes of speech]", "N", min=0)]
By = Annotated[str, _option("--by", "Who takes it.  [default: your login name]", "NAME")]
Workers = Annotated[int, _option("--workers", "Processes that prepare.", "N", min=1)]
Recognise = Annotated[
    Literal["auto", "words", "phones"], _option("--recognise", "Where there is no transcript.", "auto|words|phones")
]
Minutes = Annotated[float | None, _option("--max-minutes", "The longest that training may take.", "MINUTES")]
Manifests = Annotated[list[Path], typer.Argument(metavar="DATA", help="Prepared folders, or manifests with --cache.")]
Cache = Annotated[Path | None, _option("--cache", "Where the manifests' recordings are measured.", "FOLDER")]
Output = Annotated[Path | None, _option("--output -o", "The file.  [default: the shipped one]", "FILE")]
Batches = Annotated[int, _option("--batches", "How many to average over.", "N", min=1)]


def add(
    name: o.VoiceName, recordings: Recordings, consent: Consent = None, voices: o.Voices = None,
    gender: Gender = None, accent: Accent = "", licence: Licence = "", synthetic: Synthetic = False,
    speaker: Who = "", recognise: Recognise = "auto", replay: Replay = None, steps: Steps = 0,
    max_minutes: Minutes = None, workers: Workers = 2, model: o.Model = None, device: o.Device = "cpu",
    json: o.Json = False,
) -> None:  # fmt: skip
    """Add a voice of your own to the shipped model; the others stay as they are.

    It speaks once it has passed a test, or was taken with 'ptx voice accept'. Killed, the same command goes on where it
    was; so do more recordings or --steps, where the test was not passed.
    """
    from prosody_transfer.core.extras import TORCH, VOICES, require

    require("train", (*TORCH, *VOICES), "ptx voice add")
    from prosody_transfer.evaluation.voice_gate import VoiceGate
    from prosody_transfer.store.consent import TEMPLATE, read_consent
    from prosody_transfer.store.voices import check_name
    from prosody_transfer.voices.adapt import Adaptation, add_voice

    check_name(name)
    if consent is None:
        say_lines(TEMPLATE.rstrip(), error=True)
        problem = "a voice is its speaker's: without their consent none is added"
        raise UsageError(problem, place="--consent", remedy="fill in the lines above with them, and give the file")
    agreed = read_consent(consent)
    settings = Adaptation(
        steps=steps, gender=gender or "", accent=accent, licence=licence, synthetic=synthetic, speaker=speaker,
        recognise=recognise,
    )  # fmt: skip
    gate = VoiceGate(model, device=device, on_event=lambda done, total: tell("test", done, total, {}), on_note=note)
    gate.check()
    own = add_voice(
        name, recordings, agreed, gate, voices=voices, settings=settings, replay=replay, model=model,
        max_minutes=max_minutes, workers=workers, device=device, on_event=tell, on_note=note,
    )  # fmt: skip
    if own.consent != agreed:
        note(f"{name} is there already, with another consent; 'ptx voice renew' changes it")
    if json:
        print_json(own.facts())
        return
    from prosody_transfer.cli._voices import print_facts

    print_facts(own.facts())


def accept(name: o.UserVoice, by: By = "", voices: o.Voices = None, json: o.Json = False) -> None:
    """Take a voice of yours that has not passed its test; its record says who did.

    Listen to its page first. The speaker's consent must still hold.
    """
    import getpass

    from prosody_transfer.store.voice_folder import accept_voice, read_voice

    if not by:
        try:
            by = getpass.getuser()
        except (OSError, KeyError):  # nobody is logged in
            problem = "nobody is known to take the voice"
            raise UsageError(problem, place="--by", remedy="give your name") from None
    passed = not read_voice(name, voices).record.failed
    own = accept_voice(name, by, voices)
    if json:
        print_json(own.facts())
    elif passed:
        say(f"{name}  has passed its test: there is nothing to accept")
    else:
        say(f"{name}  accepted by {own.record.accepted_by} on {own.record.accepted_on}")


def tell(stage: str, done: int, total: int, figures: dict[str, float]) -> None:
    """How it goes, on stderr: one line that changes on a terminal, now and then a line elsewhere."""
    terminal = is_terminal(sys.stderr)
    if not terminal and done < total and done % 100:
        return
    line = f"{stage} {done}/{total}  " + "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    passing = terminal and done < total
    say(line.ljust(100) if terminal else line.rstrip(), end="\r" if passing else "\n", error=True)


def fisher(
    data: Manifests, cache: Cache = None, output: Output = None, batches: Batches = 400, model: o.Model = None,
    json: o.Json = False,
) -> None:  # fmt: skip
    """Measure how much each parameter matters to the model's own voices, from their recordings.

    Needed once for an acoustic model, before voices are added to it.
    """
    from prosody_transfer.data.manifest import read_manifest
    from prosody_transfer.voices.fisher import make_fisher

    folders = [path for path in data if path.is_dir()]
    if folders and (len(data) > 1 or cache is not None):
        raise UsageError("give one prepared folder, or manifests with --cache", place=str(folders[0]))
    if not folders and cache is None:
        raise UsageError("is needed with manifests", place="--cache", remedy="name the folder of their measurements")
    manifests = [folders[0] / "train.jsonl"] if folders else data
    rows = [row for path in manifests for row in read_manifest(path)]
    where: Any = cache if cache is not None else folders[0] / "cache"
    target = make_fisher(
        rows, where, output, model=model, batches=batches, on_step=lambda done, total: tell("fisher", done, total, {})
    )
    print_json({"output": target, "batches": batches}) if json else say(target)
