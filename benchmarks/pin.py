"""What every verb gives on a fixed set, stored; and whether another commit gives the same, to the bit.

Usage: pin.py store FOLDER [--only NAME ...]     run the verbs of this checkout, keep outputs and reports
       pin.py compare OLD NEW                    what differs: file, key, and for sound the SNR in dB

The set is the benchmark that ships: clean unseen sources, and what is made of them here by arithmetic (a long one with
a soft line and digital silence, a noisy one). Times and folders are taken out of what is stored.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

VOLATILE = {
    "real_time_factor", "elapsed", "seconds_per_pair", "took", "ptx", "program", "made", "created", "began", "seen",
    "code", "measuring code", "made_from",
}  # fmt: skip
RATE = 24000


def sources(folder: Path) -> dict[str, str]:
    """Recordings of the set under their names -> their words, written into `folder`."""
    import soundfile

    from prosody_transfer.evaluation.benchmark import FOLDER, benchmark_items

    items = benchmark_items()[:6]
    folder.mkdir(parents=True, exist_ok=True)
    sounds = [soundfile.read(FOLDER / item.source, dtype="float32")[0] for item in items]
    words = {}
    for number, (item, sound) in enumerate(zip(items, sounds, strict=True)):
        words[f"clean{number}"] = item.text
        soundfile.write(folder / f"clean{number}.wav", sound, RATE, subtype="PCM_24")
    noise = np.random.default_rng(1).standard_normal(len(sounds[0])).astype(np.float32) * 0.005
    soundfile.write(folder / "noisy.wav", sounds[0] + noise, RATE, subtype="PCM_24")
    words["noisy"] = items[0].text
    gap = np.zeros(RATE, np.float32)
    parts = [part for i, s in enumerate(sounds) for part in (s * (0.03 if i == 3 else 1.0), gap)]
    soundfile.write(folder / "long.wav", np.concatenate(parts), RATE, subtype="PCM_24")
    words["long"] = " ".join(item.text for item in items)
    return words


def cases(root: Path, words: dict[str, str]) -> dict[str, Callable[[Path], None]]:
    """What is run: name -> a function that fills a folder."""
    run = lambda *arguments: lambda out: verb(out, *arguments)
    source = lambda name: str(root / f"{name}.wav")
    say = lambda name, *more, speaker="alice": run(
        "transfer", source(name), "-s", speaker, "-o", "{out}/said.wav", "--json", *more
    )
    given = lambda name: ("--text", words[name])
    found: dict[str, Callable[[Path], None]] = {f"transfer_{n}": say(n, *given(n)) for n in words}
    found |= {
        "transfer_bare": say("clean1"), "transfer_bare_long": say("long"),
        "transfer_phones": say("clean2", "--recognise", "phones"),
        "transfer_other_voice": say("clean3", *given("clean3"), speaker="george"),
        "transfer_strength": say("clean1", *given("clean1"), "--strength", "0.5"),
        "transfer_no_strength": say("clean1", *given("clean1"), "--strength", "0"),
        "transfer_keep": say("clean1", *given("clean1"), "--keep", "rhythm,energy"),
        "transfer_keep_latent": say("clean1", *given("clean1"), "--keep", "latent,pitch"),
        "transfer_slow": say("clean1", *given("clean1"), "--duration-scale", "1.3"),
        "transfer_film_rate": say("clean1", *given("clean1"), "--sample-rate", "48000"),
        "transfer_melody": say("clean1", *given("clean1"), "--f0-shift-semitones", "2", "--f0-range-scale", "1.2"),
        "transfer_griffin_lim": say("clean1", *given("clean1"), "--vocoder", "griffin-lim"),
        "align": run("align", source("clean0"), *given("clean0"), "--json", "-o", "{out}/a.TextGrid"),
        "align_bare": run("align", source("long"), "--json"),
        "features": run("features", source("long"), *given("long"), "--json"),
        "speakers": run("speakers", "--json"),
        "textgrid": lambda out: textgrid(out, source("clean0"), words["clean0"]),
        "folder": lambda out: folder(out, root), "prepare": lambda out: prepare(out, root, words),
        "evaluate": lambda out: evaluate(out, root, words),
        "judged": lambda out: judged(out, source("clean0"), words["clean0"]),
    }  # fmt: skip
    return found


def verb(out: Path, *arguments: str, name: str = "report.json") -> None:
    """Run `ptx` with "{out}" in its arguments meaning `out`; what it prints becomes a file there."""
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "prosody_transfer", *(a.replace("{out}", str(out)) for a in arguments)]
    environment = {**os.environ, "PTX_VOICES": str(out / "no voices"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=out)
    (out / name).write_text(f"{done.stdout}\nexit {done.returncode}\n", encoding="utf8")
    (out / f"{name}.err").write_text(done.stderr if done.returncode else "", encoding="utf8")


def textgrid(out: Path, source: str, text: str) -> None:
    verb(out, "align", source, "--text", text, "-o", "{out}/given.TextGrid", name="aligned.json")
    given = ("--transcript", "{out}/given.TextGrid")
    verb(out, "transfer", source, "-s", "emma", *given, "-o", "{out}/said.wav", "--json")


def folder(out: Path, root: Path) -> None:
    takes = out / "takes"
    takes.mkdir(parents=True)
    for name in ("clean4", "clean5"):
        shutil.copy(root / f"{name}.wav", takes)
    verb(out, "transfer", "{out}/takes", "-s", "fenrir", "--out-dir", "{out}/dubbed", "--json")
    shutil.rmtree(takes)


def prepare(out: Path, root: Path, words: dict[str, str]) -> None:
    corpus = out / "corpus" / "someone"
    corpus.mkdir(parents=True)
    for name in ("clean0", "clean1", "clean2", "noisy"):
        shutil.copy(root / f"{name}.wav", corpus)
        if name != "clean2":
            (corpus / f"{name}.txt").write_text(words[name], encoding="utf8")
    verb(out, "prepare", "{out}/corpus", "-o", "{out}/data", "--workers", "1", "--json")
    shutil.rmtree(out / "corpus")


def evaluate(out: Path, root: Path, words: dict[str, str]) -> None:
    rows = [{"source": str(root / f"{n}.wav"), "speaker": "alice", "text": words[n]} for n in ("clean0", "clean1")]
    out.mkdir(parents=True)
    (out / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    verb(out, "evaluate", "{out}/pairs.jsonl", "--no-asr", "--work", "{out}/work", "--workers", "1", "--json")
    shutil.rmtree(out / "work", ignore_errors=True)


def judged(out: Path, source: str, text: str) -> None:
    """What the leakage test and the gate of new voices hear."""
    from prosody_transfer.data.manifest import Row
    from prosody_transfer.evaluation.leakage_model import AcousticModel

    out.mkdir(parents=True)
    model = AcousticModel()
    found = model.analyse(Row(id="clean0", audio=source, speaker="someone", text=text))
    np.save(out / "leakage_latent.npy", found.latent)
    np.save(out / "leakage_frames.npy", found.frames)
    np.save(out / "leakage_sound.npy", model.transfer(found, "alice"))


def store(target: Path, only: list[str]) -> None:
    root = target / "sources"
    words = sources(root)
    for name, run in cases(root, words).items():
        if only and name not in only:
            continue
        shutil.rmtree(target / "made" / name, ignore_errors=True)
        run(target / "made" / name)
        print(name, file=sys.stderr, flush=True)


def plain(path: Path, root: Path) -> Any:
    """A file as what it says: JSON without times and folders, samples, or the checksum of its bytes."""
    data = path.read_bytes()
    if path.suffix in (".wav", ".flac"):
        import soundfile

        return soundfile.read(path, dtype="float64")[0]
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {k: arrays[k].tolist() for k in arrays.files}
    try:
        text = data.decode("utf8").replace(str(root), "ROOT").replace(str(root.resolve()), "ROOT")
        body, _, code = text.partition("\nexit ")
        return {"exit": code.strip(), "said": flat(json.loads(body))}
    except ValueError:
        pass
    try:
        text = data.decode("utf8").replace(str(root), "ROOT")
        return re.sub(r"real-time factor [\d.]+|\d+(\.\d+)? s\b", "T", text)
    except UnicodeDecodeError:
        return hashlib.sha256(data).hexdigest()


def flat(value: Any, at: str = "") -> dict[str, Any]:
    """Nested JSON as one dict of places, without what differs from run to run."""
    if isinstance(value, dict):
        parts = [flat(v, f"{at}.{k}") for k, v in value.items() if k not in VOLATILE]
    elif isinstance(value, list):
        parts = [flat(v, f"{at}[{i}]") for i, v in enumerate(value)]
    else:
        return {at: value}
    return {k: v for part in parts for k, v in part.items()}


def differences(old: Any, new: Any) -> list[str]:
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        if old.shape != new.shape:
            return [f"shapes {old.shape} and {new.shape}"]
        if np.array_equal(old, new):
            return []
        noise = float(np.square(old - new).sum()) or 1e-30
        return [f"SNR {10 * np.log10(float(np.square(old).sum()) / noise):.1f} dB"]
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted({*old, *new}, key=str):
            if key not in old or key not in new:
                found.append(f"{key}: only in the {'old' if key in old else 'new'}")
            else:
                found += [f"{key}: {text}" for text in differences(old[key], new[key])]
        return found
    return [] if old == new else [f"{str(old)[:60]!r} and {str(new)[:60]!r}"]


def compare(old: Path, new: Path) -> int:
    """Print what differs; how many files do."""
    names = lambda root: {str(p.relative_to(root / "made")) for p in (root / "made").rglob("*") if p.is_file()}
    count = 0
    for name in sorted(names(old) | names(new)):
        first, second = old / "made" / name, new / "made" / name
        if not (first.is_file() and second.is_file()):
            found = [f"only in {old if first.is_file() else new}"]
        else:
            found = differences(plain(first, old), plain(second, new))
        count += bool(found)
        for line in found[:12]:
            print(f"{name}: {line}")
    print(f"{count} of {len(names(old) | names(new))} files differ")
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("store", "compare"))
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    if options.what == "store":
        store(options.folders[0].absolute(), options.only)
    else:
        sys.exit(bool(compare(*options.folders)))


if __name__ == "__main__":
    main()
