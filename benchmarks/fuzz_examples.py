"""Every parser of files from outside, with good examples of what it reads, made on the spot."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from fuzz_checkpoints import of_caches, of_networks

RATE = 16_000


@dataclass(frozen=True)
class Parser:
    """A parser: its examples are written to `file`, and it is called with that path."""

    name: str
    file: str
    parse: Callable[[Path], Any]
    examples: list[bytes] = field(repr=False)


def make_parsers(work: Path) -> list[Parser]:
    """All of them; `work` gets the files that lists name."""
    for name in ("a.wav", "b.wav", "wavs/a.wav", "84/1/84-1-0000.flac", "wav48/p1/p1_001.wav"):
        (work / "corpus" / name).parent.mkdir(parents=True, exist_ok=True)
        (work / "corpus" / name).write_bytes(_sound("WAV" if name.endswith("wav") else "FLAC"))
    records = [*_of_weights(work), *_of_checkpoints(), *_of_consent(), *_of_plans(), *_of_prosody()]
    return [*_of_sound(), *_of_words(), *records, *_of_lists(), *_of_listening()]


def _sound(kind: str, subtype: str | None = None) -> bytes:
    time = np.arange(RATE // 2) / RATE
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.1 * np.sin(2 * np.pi * 150 * time), RATE, format=kind, subtype=subtype)
    return buffer.getvalue()


def _of_sound() -> list[Parser]:
    from prosody_transfer.audio.io import probe, read_audio

    kinds = [("WAV", None), ("WAV", "FLOAT"), ("FLAC", None), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None),
             ("AIFF", None), ("AU", None), ("CAF", None), ("W64", None)]  # fmt: skip
    sounds = [_sound(*kind) for kind in kinds]
    return [Parser("sound", "x.wav", read_audio, sounds), Parser("sound-header", "x.flac", probe, sounds)]


def _of_prosody() -> list[Parser]:
    from prosody_transfer.core.config import MelConfig
    from prosody_transfer.synthesis.plan_file import load_plan

    contours = {"log_f0": [0.1, -0.2], "voiced": [1, 0], "energy_db": [0.5, -60.0]}
    phones = [{"phone": name, "frames": 2, "word": word, **contours} for name, word in (("SIL", None), ("AE1", 0))]
    source = {"samples": 900, "recorded_rate": 24000, "recorded_samples": 900, "f0_level": 5.0, "gain_db": 1.0}
    plan = {
        "format": 1, "mel": MelConfig().to_dict(), "source": {**source, "silences": [[0, 10, 0.0]]}, "words": ["a"],
        "power": [0.1, 0.2], "embedding_level": "steps", "embedding_frames": 8,
        "pieces": [{"phones": phones, "embedding": [[0.5]]}],
    }  # fmt: skip
    return [Parser("prosody-plan", "x.json", load_plan, [json.dumps(plan).encode()])]


TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.5
            text = "hello ""you\"""
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "SIL"
        intervals [2]:
            xmin = 0.5
            xmax = 1.5
            text = "AH0"
"""
SHORT = """File type = "ooTextFile short"
"TextGrid"

0
1.5
<exists>
1
"IntervalTier"
"phones"
0
1.5
1
0
1.5
"AH0"
"""
TEXTS = [
    "Shall we take the train, or would you prefer to drive?",
    "JOHN: [softly] It's $3.50 on Jan. 1, 1995 — 10/12 (sigh).",
    "1\n00:00:01,000 --> 00:00:02,500\n<i>Hello</i> {\\an8}there&nbsp;you\n\n2\n00:00:03,000 --> 00:00:04,000\nBye.\n",
    "WEBVTT\n\n00:01.000 --> 00:02.000 align:start\n<v Ann>Hello\n", "𝑨 ½ ㎏ Ⅷ ٣ e\u0301 naïve",
    "[Script Info]\n\n[Events]\nFormat: Layer, Start, End, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.00,{\\b1}Hello\\Nthere\n",
]  # fmt: skip


def _of_words() -> list[Parser]:
    from prosody_transfer.alignment.textgrid import read_textgrid
    from prosody_transfer.data.prominence import read_prominence
    from prosody_transfer.text.encoding import decode
    from prosody_transfer.text.linguistics.predictor import SHIPPED, load_predictor
    from prosody_transfer.text.linguistics.word_lists import read_word_lists
    from prosody_transfer.text.markup import read_markup
    from prosody_transfer.text.normalise import normalise
    from prosody_transfer.text.transcript import read_transcript
    from prosody_transfer.text.user_lexicon import read_lexicon

    grids = [TEXTGRID.encode(), SHORT.encode(), TEXTGRID.encode("utf-16")]
    texts = [text.encode() for text in TEXTS] + [TEXTS[1].encode("utf-16"), TEXTS[0].encode("utf-16-le")]
    plain = b"I said *Tuesday*, not [[TH ER1 Z D EY2]]."
    ssml = b'<speak version="1.1" xml:lang="en">Now <emphasis level="strong">go</emphasis><break time="300ms"/> '
    ssml += b'<prosody rate="80%" pitch="+2st" volume="-6dB">home <sub alias="doctor">Dr</sub></prosody> '
    ssml += b'<phoneme alphabet="x-arpabet" ph="W ER1 D">word</phoneme></speak>'
    lexicon = b"# names\nSiobhan  SH AH0 V AO1 N\nsiobhan(2)\tSH AH0 V AA1 N\n"
    word_lists = b'["He", "left", "."]\n["don\'t", "\\u201d"]\n'
    labelled = b"<file>\t84_1_0.txt\nHe\t1\t0\t0.9\t0.1\nleft\t2\t2\t2.1\t2.0\n.\tNA\tNA\tNA\tNA\n"
    return [
        Parser("markup", "x.txt", lambda path: read_markup(decode(path.read_bytes())), [plain, ssml, plain + ssml]),
        Parser("lexicon", "x.txt", read_lexicon, [lexicon]),
        Parser("word-lists", "words.jsonl", read_word_lists, [word_lists]),
        Parser("prominence", "dev.txt", lambda path: read_prominence([path]), [labelled, gzip.compress(labelled)]),
        Parser("predictor", "x.safetensors", _fresh(load_predictor), [SHIPPED.read_bytes()]),
        Parser("textgrid", "x.TextGrid", read_textgrid, grids),
        Parser("transcript", "x.txt", read_transcript, texts),
        Parser("normalise", "x.txt", lambda path: normalise(decode(path.read_bytes())[:5000]), texts),
    ]


def _fresh(read: Any) -> Callable[[Path], Any]:
    """A reader that remembers what it has read, made to read again."""

    def of_file(path: Path) -> Any:
        read.cache_clear()
        return read(path)

    return of_file


def _of_weights(work: Path) -> list[Parser]:
    import torch

    from prosody_transfer.store.checkpoint import load_checkpoint, save_checkpoint
    from prosody_transfer.store.voice_file import KIND, import_voice
    from prosody_transfer.store.voice_folder import parse_record, parse_stored_consent

    voice = {"name": "jane", "synthetic": False, "accent": "", "gender": "female", "f0_median_hz": 180.0,
             "f0_low_hz": 140.0, "f0_high_hz": 240.0, "minutes": 5.0, "licence": "l", "provenance": "p"}  # fmt: skip
    record = {
        "voice": voice, "log_f0_median": 5.2, "phone_log_frames": [2.0] * 40, "base": "0" * 16, "weights": "0" * 16,
        "consent": "0" * 16, "made": "2024-02-01", "ptx": "0.1.0", "measured": {"margin": 0.3},
    }  # fmt: skip
    consent = {"who": "Jane", "purposes": ["tests"], "date": "2024-01-31", "until": "unlimited", "contact": ""}
    saved = []
    for kind in ("copycat", KIND):
        path = work / "small.safetensors"
        tensors = {"a": torch.zeros(4), "b": torch.ones(2, 3)}
        save_checkpoint(path, kind, tensors, {"x": 1}, voice=record, consent=consent)
        saved.append(path.read_bytes())
    loaded = lambda path: json.loads(path.read_bytes()) if path.stat().st_size else None

    def parse(read: Callable[[Any, str], Any]) -> Callable[[Path], Any]:
        def of_file(path: Path) -> Any:
            try:
                data = loaded(path)
            except (ValueError, RecursionError):  # the reader of the folder refuses these itself
                return None
            return read(data, str(path))

        return of_file

    return [
        Parser("checkpoint", "x.safetensors", lambda path: load_checkpoint(path, "copycat"), saved[:1]),
        Parser("voice-file", "x.ptxvoice", lambda path: import_voice(path, work / "voices"), saved[1:]),
        Parser("voice-record", "voice.json", parse(parse_record), [json.dumps(record).encode()]),
        Parser("stored-consent", "consent.json", parse(parse_stored_consent), [json.dumps(consent).encode()]),
    ]


def _of_checkpoints() -> list[Parser]:
    return [Parser(*parts) for parts in (*of_networks(), *of_caches())]


def _of_consent() -> list[Parser]:
    from prosody_transfer.store.consent import read_consent

    lines = "who: Ann Lee\npurposes: audiobooks; tests\ndate: 2024-05-01\nuntil: unlimited\ncontact: a@b.c\n"
    toml = 'who = "Ann"\npurposes = ["a", "b"]\ndate = 2024-05-01\nuntil = "2034-05-01"\n'
    data = {"who": "Ann", "purposes": ["tests"], "date": "2024-05-01", "until": "unlimited"}
    return [Parser("consent", "consent.txt", read_consent, [lines.encode(), toml.encode(), json.dumps(data).encode()])]


def _of_lists() -> list[Parser]:
    from prosody_transfer.data.layouts import LAYOUTS, Source, detect, read_entries
    from prosody_transfer.data.layouts.vctk import speaker_info
    from prosody_transfer.data.manifest import read_manifest
    from prosody_transfer.evaluation.pairs import read_pairs

    def layout(name: str) -> Callable[[Path], Any]:
        def read(path: Path) -> Any:
            root = next(p for p in path.parents if p.name == "corpus")
            try:
                speaker_info(root)
                found = list(LAYOUTS[name].read(Source.of(root)))
                return found, list(read_entries(detect(path))) if path.parent == root and name != "vctk" else None
            finally:
                path.unlink()

        return read

    rows = [{"audio": "a.wav", "speaker": "ann", "text": "Hello.", "id": "a", "start": 0.1, "end": 0.2},
            {"audio": "b.wav", "speaker": "ben", "text": "Zoë", "id": "b", "duration": 1}]  # fmt: skip
    jsonl = "".join(json.dumps(row) + "\n" for row in rows).encode()
    csv = b'audio,speaker,text,id\na.wav,ann,"Hello, ""you""",a\nb.wav,ben,Bye.,b\n'
    pair = {"source": "a.wav", "speaker": "alice", "output": "b.wav", "text": "hello", "target_enrol": ["b.wav"]}
    lists = {
        "kaldi": ("wav.scp", [b"u1 a.wav\nu2\tb.wav\nu3 cat x |\n"]),
        "ljspeech": ("metadata.csv", [b"a|Dr. X|Doctor X\n"]),
        "jsonl": ("m.jsonl", [jsonl]), "csv": ("m.csv", [csv, csv.replace(b",", b";")]),
        "tsv": ("m.tsv", [csv.replace(b",", b"\t")]),
        "librispeech": ("84/1/84-1.trans.txt", [b"84-1-0000 HELLO THERE\n"]),
        "vctk": ("speaker-info.txt", [b"ID AGE GENDER ACCENTS\n1 23 F English\n"]),
    }  # fmt: skip
    parsers = [Parser(name, f"corpus/{file}", layout(name), data) for name, (file, data) in lists.items()]
    beside = {"segments": b"s1 u1 0 0.1\ns2 u1 0.1 -1\n", "utt2spk": b"u1\tann\nu2 ben\n", "text": b"u1 hi\n",
              "spk2gender": b"ann f\nben\tm\n"}  # fmt: skip
    parsers += [Parser(f"kaldi-{name}", f"corpus/{name}", _beside_scp, [data]) for name, data in beside.items()]
    return [
        *parsers, Parser("manifest", "corpus/train.jsonl", read_manifest, [jsonl]),
        Parser("pairs", "corpus/pairs.jsonl", read_pairs, [json.dumps(pair).encode() + b"\n"]),
    ]  # fmt: skip


def _beside_scp(path: Path) -> Any:
    """One of Kaldi's other lists, beside a good wav.scp."""
    from prosody_transfer.data.layouts import detect, read_entries
    from prosody_transfer.data.layouts.kaldi import speaker_info

    scp = path.with_name("wav.scp")
    scp.write_bytes(b"u1 a.wav\nu2 b.wav\n")
    try:
        return speaker_info(path.parent), list(read_entries(detect(scp)))
    finally:
        scp.unlink()
        path.unlink()


def _of_listening() -> list[Parser]:
    from prosody_transfer.evaluation.listening.design import Key, Page, Stimulus, read_design
    from prosody_transfer.evaluation.listening.ratings import Problems, read_session
    from prosody_transfer.evaluation.listening.sessions import parse_session
    from prosody_transfer.evaluation.listening.webmushra import yaml_to_design
    from prosody_transfer.evaluation.listening.webmushra_results import read_results

    stimuli = {"r0": Stimulus(system="reference", role="reference"), "p0": Stimulus(system="ptx", role="system")}
    key = Key(test="t1", kind="prosody", title="T", aspects=("overall",), reference=True, seed=0,
              pages=(Page(page="page-0", item="i", stimuli=stimuli),))  # fmt: skip
    rating = {"page": "page-0", "aspect": "overall", "stimulus": "p0", "score": 40, "seconds": 1.5}
    session = {"format": "ptx-ratings-1", "test": "t1", "session": "12345678-1234-1234-1234-123456789012",
               "listener": "ann", "started": "2024-05-01T10:00:00", "finished": None, "ratings": [rating],
               "comments": {"page-0": "fine"}}  # fmt: skip
    head = "session_test_id,email,age,session_uuid,trial_id,rating_stimulus,rating_score,rating_time,rating_comment\n"
    table = head + 't1,a@b.c,30,u1,page-0,p0,40,1500,"fine, ""really"""\nt1,,30,u2,page-0,reference,98,1500,\n'
    yaml = "testname: T\ntestId: t1\npages:\n    - {type: mushra, id: a, name: A, content: C, reference: r.wav, "
    yaml += "stimuli: {C1: c.wav}}\n"
    toml = 'title = "T"\nid = "t1"\nkind = "prosody"\nitems = ["a"]\nsource = "."\n'
    toml += '[systems]\nours = "wavs"\ntheirs = "{item}.wav"\n'
    anonymous = table.replace("email,", "").replace("session_uuid,", "").replace("a@b.c,", "").replace("u1,", "")
    tables = [table, table.replace(",", ";"), anonymous.replace("u2,", "").replace("t1,,", "t1,")]
    raw = json.dumps(session).encode()

    def results(path: Path) -> None:
        for known in (key, None):
            problems = Problems()
            read_results(path.read_bytes(), known, path.name, problems)
            assert all(line.isprintable() for line in problems.lines())

    return [
        Parser("ratings-json", "r.json", lambda p: read_session(p.read_bytes(), key, p.name, Problems()), [raw]),
        Parser("ratings-posted", "r.json", lambda p: parse_session(p.read_bytes(), key), [raw]),
        Parser("ratings-csv", "r.csv", results, [t.encode() for t in tables]),
        Parser("webmushra-yaml", "r.yaml", lambda p: yaml_to_design(_text(p)), [yaml.encode()]),
        Parser("test-toml", "corpus/test.toml", read_design, [toml.encode()]),
    ]


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf8", "replace")


CONFIG = b"""run_dir = "runs/x"
[data]
manifests = ["data/synthetic.jsonl"]
[network]
speakers = ["alice"]
[task]
batch_size = 12
[loop]
total_steps = 6000
learning_rate = 1e-3
"""


def _of_plans() -> list[Parser]:
    from prosody_transfer.training.recipe import read_recipe
    from prosody_transfer.training.settings import load_settings

    def settings(path: Path) -> Any:
        from prosody_transfer.models.copycat.config import CopyCatConfig
        from prosody_transfer.models.copycat.task import CopyCatTaskConfig

        return load_settings("copycat", CopyCatConfig, CopyCatTaskConfig, config=path)

    recipe = (Path(__file__).parent.parent / "recipes" / "shipped.toml").read_bytes()
    return [Parser("config", "x.toml", settings, [CONFIG]), Parser("recipe", "x.toml", read_recipe, [recipe])]
