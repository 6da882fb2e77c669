"""The options of the verbs, and what the shell completes them to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

AlignerName = Literal["pocketsphinx", "ptx", "mfa", "viter"]
RecogniseName = Literal["auto", "words", "phones"]
TrackerName = Literal["learned", "dio"]
RuntimeName = Literal["auto", "onnx", "torch"]
ShapesName = Literal["dynamic", "fixed"]
FormatName = Literal["wav", "flac", "opus"]
SubtypeName = Literal["PCM_24", "PCM_16", "FLOAT"]
EngineName = Literal["processes", "dask"]


def complete_speaker(incomplete: str, ctx: typer.Context = None) -> list[tuple[str, str]]:  # type: ignore[assignment]
    """Names of voices for the shell, with a word about each; nothing when the list can't be read."""
    from prosody_transfer.core.errors import PtxError
    from prosody_transfer.store.voices import all_voices

    try:
        voices = all_voices(ctx.params.get("voices") if ctx else None)
    except PtxError:
        return []
    return [(v.name, f"{v.accent}, {v.gender}") for v in voices if v.name.startswith(incomplete.lower())]


def complete_own_voice(incomplete: str, ctx: typer.Context = None) -> list[str]:  # type: ignore[assignment]
    """Names of the user's own voices for the shell."""
    from prosody_transfer.store.voices import user_voices

    return [n for n in user_voices(ctx.params.get("voices") if ctx else None) if n.startswith(incomplete.lower())]


def _option(flags: str, help: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(*flags.split(), help=help, metavar=metavar, **more)


def _named(model: Path | None) -> Path | None:
    """The checkpoint of a model that is given by its name; other paths as they are."""
    if model is None:
        return None
    from prosody_transfer.store.weights import named_acoustic

    return named_acoustic(model)


# What goes in
Source = Annotated[Path, typer.Argument(metavar="SOURCE", help="The recording: a sound file or a film.")]
Sources = Annotated[list[Path], typer.Argument(metavar="SOURCE", help="Recordings, or folders of recordings.")]
Speaker = Annotated[
    str, _option("--speaker -s", "Who speaks; see ptx speakers.", "NAME", autocompletion=complete_speaker)
]
Text = Annotated[str | None, _option("--text", "The words that are said.", "TEXT")]
Transcript = Annotated[
    Path | None,
    _option("--transcript", "Words: text, subtitles, TextGrid.  [default: src.txt, .lab, .TextGrid, .srt ...]", "FILE"),
]
Track = Annotated[int | None, _option("--track", "Audio track of a film.  [default: 1]", "NUMBER", min=1)]
Channel = Annotated[
    str | None,
    _option("--channel", "The one that is heard.  [default: all that hold sound, mixed]", "NUMBER|L|R|C|..."),
]
TextArgument = Annotated[str | None, typer.Argument(metavar="[TEXT]", help="The text.")]
InputFile = Annotated[Path | None, _option("--input-file", "The text, from a file.", "FILE")]
TuneName = Literal["rise", "fall"]
Prosody = Annotated[
    str,
    _option(
        "--prosody", "Where it comes from, by model; plain: by punctuation alone, without the extra.", "KIND[:OPTION]"
    ),
]
Tune = Annotated[TuneName | None, _option("--tune", "How sentences end.  [default: by their kind]", "rise|fall")]
LengthScale = Annotated[float, _option("--length-scale", "Above 1 is slower.", "RATIO")]
SentenceSilence = Annotated[str, _option("--sentence-silence", "Between sentences, drawn.", "SECONDS[-SECONDS]")]
WordsFrom = Annotated[
    Path | None, _option("--words-from", "A recording of the same words: each is said as there.", "FILE")
]
Seed = Annotated[
    int | None,
    _option("--seed", "Of what is drawn; given, prosody is, where it can be.  [default: 1]", "NUMBER", min=0),
]
Variants = Annotated[
    int | None, _option("--variants", "So many, each drawn anew: out.1.wav, out.2.wav, ...", "N", min=1)
]
Like = Annotated[Path | None, _option("--like", "A recording of other words, to say it as that was said.", "FILE")]
LexiconFile = Annotated[Path | None, _option("--lexicon", "Names and their phones, as in the CMU dictionary.", "FILE")]
SpeechOutput = Annotated[
    Path | None, _option("--output -o", "The result: .wav, .flac or .opus.  [default: speech.NAME.wav]", "FILE")
]
OutputRaw = Annotated[bool, _option("--output-raw", "Samples to stdout: mono, 24 kHz, signed 16 bit.")]
OutputWav = Annotated[str | None, _option("--output-wav", "stdout begins with a WAV header, for players.", "-")]
WordLists = Annotated[Path | None, _option("--words", "Sentences as JSON lists of words, one a line.", "FILE.jsonl")]

InputRate = Annotated[int, _option("--input-rate", "Samples a second on stdin.", "HZ")]
LiveRate = Annotated[int, _option("--input-rate", "Of SOURCE -: samples a second on stdin.", "HZ")]
Live = Annotated[bool, _option("--live", "Print phones as they are spoken; nothing later is waited for.")]
TextLines = Annotated[
    Path | None, _option("--text-lines", "The words, a line a phrase, instead of recognising them.", "FILE")
]

# How
Latency = Annotated[float, _option("--latency", "A phrase is cut at a pause, after so long at the latest.", "SECONDS")]
Keep = Annotated[str, _option("--keep", "What is taken from the source.", "LIST")]
Strength = Annotated[float, _option("--strength", "0: as the voice would say it, to 1: as the source says it.", "0..1")]
F0RangeScale = Annotated[float, _option("--f0-range-scale", "Stretch the melody about its median.", "RATIO")]
F0ShiftSemitones = Annotated[float, _option("--f0-shift-semitones", "Move the melody up or down.", "NUMBER")]
DurationScale = Annotated[
    float, _option("--duration-scale", "Above 1 is longer; 1 is the source's length exactly.", "RATIO")
]
Aligner = Annotated[
    AlignerName, _option("--aligner", "What finds the phones in time.", "pocketsphinx|ptx|mfa|viter")
]
Recognise = Annotated[
    RecogniseName, _option("--recognise", "Where no words are given.  [auto: words]", "auto|words|phones")
]
Tracker = Annotated[TrackerName, _option("--tracker", "What hears the melody.", "learned|dio")]
Check = Annotated[bool, _option("--check/--no-check", "Refuse a transcript that does not match the recording.")]
Vocoder = Annotated[str | None, _option("--vocoder", "Another vocoder, of ptx or Vocos.", "griffin-lim|FILE")]
Model = Annotated[
    Path | None,
    _option(
        "--model", "Another acoustic model: its name, a checkpoint or an addon.", "NAME|FILE|FOLDER", callback=_named
    ),
]
Runtime = Annotated[
    RuntimeName, _option("--runtime", "What runs addons.  [auto: onnx; checkpoints and GPUs: torch]", "auto|onnx|torch")
]
ShapesOfTensors = Annotated[
    ShapesName, _option("--shapes", "Of addons' tensors; fixed: as compiled accelerators want.", "dynamic|fixed")
]
Device = Annotated[str, _option("--device", "Where the networks run: cpu, cuda, cuda:1, ...", "DEVICE")]

# What comes out
Output = Annotated[
    Path | None, _option("--output -o", "The result: .wav, .flac or .opus.  [default: src.NAME.wav]", "FILE")
]
TextGrid = Annotated[Path | None, _option("--output -o", "Write a TextGrid.", "FILE.TextGrid")]
Numbers = Annotated[Path | None, _option("--output -o", "Write the numbers: .csv (one row a frame) or .json.", "FILE")]
OutDir = Annotated[Path | None, _option("--out-dir", "Where results go; sub-folders are kept.", "FOLDER")]
Format = Annotated[FormatName, _option("--format", "Of results that -o does not name.", "wav|flac|opus")]
Subtype = Annotated[SubtypeName, _option("--subtype", "Of the samples; FLOAT is for wav.", "PCM_24|PCM_16|FLOAT")]
SampleRate = Annotated[int | None, _option("--sample-rate", "Of the result, such as 48000.  [default: 24000]", "HZ")]
Plot = Annotated[Path | None, _option("--plot", "Draw a picture too: .png, .pdf or .svg (evaluate extra).", "IMAGE")]
SavePlan = Annotated[
    Path | None, _option("--save-plan", "Store how it is said, to be edited and rendered.", "PLAN.json")
]
Plan = Annotated[Path, typer.Argument(metavar="PLAN.json", help="From ptx transfer --save-plan, edited or not.")]
Json = Annotated[bool, _option("--json", "Print JSON, for scripts.")]
Force = Annotated[bool, _option("--force -f", "Overwrite files that exist.")]

# Many recordings
Workers = Annotated[
    int | None, _option("--workers", "Processes for several recordings.  [default: 1]", "NUMBER", min=1)
]
ShardOf = Annotated[str | None, _option("--shard", "Only one of N parts of the recordings: 1/3, 2/3 or 3/3.", "I/N")]
Engine = Annotated[EngineName, _option("--engine", "What does the work.", "processes|dask")]
Scheduler = Annotated[str | None, _option("--scheduler", "Of --engine dask (cluster extra).", "ADDRESS")]

# Training
Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML file; as the stages of recipes/shipped.toml.")]
Resume = Annotated[bool, _option("--resume", "Go on where the run folder's last checkpoint stands.")]
RunDir = Annotated[Path | None, _option("--run-dir", "Where checkpoints and log go. [default: the config's]", "FOLDER")]
MaxMinutes = Annotated[float | None, _option("--max-minutes", "Stop after this time; --resume goes on.", "MINUTES")]
Labelled = Annotated[
    list[Path], typer.Argument(metavar="DATA", help="Words with prominence and boundary, as in the Helsinki corpus.")
]
Predictor = Annotated[Path, _option("--output -o", "The predictor.", "FILE.safetensors")]
HoldOut = Annotated[list[str] | None, _option("--hold-out", "A reader to leave out; as often as you like.", "READER")]

# Voices
Voices = Annotated[
    Path | None, _option("--voices", "Where your own voices are.  [default: PTX_VOICES, or your data folder]", "FOLDER")
]
VoiceName = Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called: small letters, digits, _, -.")]
UserVoice = Annotated[
    str, typer.Argument(metavar="NAME", help="A voice of your own.", autocompletion=complete_own_voice)
]
AnyVoice = Annotated[str, typer.Argument(metavar="NAME", help="A voice.", autocompletion=complete_speaker)]
VoiceFile = Annotated[Path | None, _option("--output -o", "The file.  [default: NAME.ptxvoice]", "FILE.ptxvoice")]
VoiceIn = Annotated[Path, typer.Argument(metavar="FILE.ptxvoice", help="What ptx voice export has written.")]
CallIt = Annotated[str | None, _option("--name", "What to call it here.  [default: its own name]", "NAME")]
ConsentFile = Annotated[Path, _option("--consent", "Who agreed, to what, from when and until when.", "FILE")]
OptionalConfig = Annotated[
    Path | None, typer.Argument(metavar="[CONFIG]", help="A TOML file with all settings; or else give --data.")
]
Data = Annotated[Path | None, _option("--data", "A folder made by ptx prepare, instead of CONFIG.", "FOLDER")]
Preset = Annotated[
    str | None, _option("--preset", "With --data: the network's size. [default: base]", "small|base|large|FILE")
]
Settings = Annotated[
    list[str] | None, _option("--set", "Change a setting: task.batch_size=8; see docs/training.md.", "NAME=VALUE")
]
