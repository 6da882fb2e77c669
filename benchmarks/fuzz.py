"""Random inputs for every parser: nothing but a `PtxError` may come out, and neither time nor memory may grow.

Usage: python benchmarks/fuzz.py [--inputs N] [--seed N] [--parser NAME] [--keep FOLDER] [--json OUT]

Good examples of each format are damaged: bytes, lines and fields are changed, cut out, repeated and mixed with words
that have a meaning somewhere. What breaks a parser is printed with its number (the same --seed makes it again) and,
with --keep, written to a file. The tests have fixed inputs; what is found here becomes an example of one.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from fuzz_examples import Parser, make_parsers

from prosody_transfer.core.errors import PtxError

SLOW_SECONDS = 2.0  # an input that takes longer, of the processor, is a finding
LARGE_MB = 500.0  # and one that takes more memory than this process has ever had
WORDS = [
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\r\n", b"\t", b"|", b";", b'"', b"'", b"=",
    b"#", b"[", b"]", b"{", b"}", b"[" * 3000, b"{" * 3000, b"x" * 70_000, b"\0" * 64, b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff", b"-1", b"0", b"1e400", b"nan", b"Infinity", b"9" * 400, b"null", b"true",
    b"\\ud800", b"\xf0\x9d\x91\xa8",
    b"\xe2\x80\xae", b"../../x", b"/etc/passwd", b"a.wav", b"intervals", b"xmin", b"-->",
]  # fmt: skip


def damage(example: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """An example with up to six changes; now and then nothing of it is left."""
    data = bytearray(example)
    for _ in range(chance.choice((0, 1, 1, 2, 3, 6))):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 1, 2, 8, 64, 1000)))
        match chance.randrange(8):
            case 0:
                data[at:end] = chance.randbytes(end - at)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = chance.choice(WORDS)
            case 3:
                data[at:end] = chance.choice(WORDS)
            case 4:
                data[at:at] = data[at:end] * chance.choice((1, 2, 50))
            case 5:
                del data[at:]
            case 6:
                _mix_lines(data, chance)
            case 7:
                other = chance.choice(others)
                data[at:end] = other[chance.randrange(len(other) + 1) :][:1000]
    return bytes(data)


def _mix_lines(data: bytearray, chance: random.Random) -> None:
    lines = bytes(data).split(b"\n")
    match chance.randrange(3):
        case 0:
            chance.shuffle(lines)
        case 1:
            lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
        case 2:
            del lines[chance.randrange(len(lines))]
    data[:] = b"\n".join(lines)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(parser: Parser, inputs: int, seed: int, work: Path, keep: Path | None) -> dict[str, Any]:
    """Counts of one parser: read, refused, broken; its slowest input and the memory that it added."""
    for example in parser.examples:  # what is loaded once is not an input's
        with contextlib.suppress(PtxError):
            parser.parse(_write(work, parser, example))
    before = peak_mb()
    counts = {"inputs": inputs, "read": 0, "refused": 0, "broken": 0}
    slowest, findings = (0.0, -1), []
    for number in range(inputs):
        chance = random.Random(f"{parser.name} {seed} {number}")
        data = damage(chance.choice(parser.examples), parser.examples, chance)
        path = _write(work, parser, data)
        start, had = time.process_time(), peak_mb()
        problem = ""
        try:
            parser.parse(path)
            counts["read"] += 1
        except PtxError as error:
            counts["refused"] += 1
            if "\n" in str(error) or not str(error).strip():
                problem = f"a message of several lines or none: {str(error)[:200]!r}"
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            problem = f"{type(error).__name__}: {str(error)[:120]!r} at {Path(where.filename).name}:{where.lineno}"
        seconds = time.process_time() - start
        slowest = max(slowest, (seconds, number))
        problem = problem or (f"took {seconds:.1f} s" if seconds > SLOW_SECONDS else "")
        problem = problem or (f"took {peak_mb() - had:.0f} MB" if peak_mb() - had > LARGE_MB else "")
        if problem:
            counts["broken"] += 1
            findings.append({"number": number, "problem": problem})
            if keep:
                name = f"{parser.name}-{hashlib.sha256(data).hexdigest()[:8]}{path.suffix}"
                (keep / name).write_bytes(data)
    found = {"parser": parser.name, **counts, "slowest_s": round(slowest[0], 3), "slowest": slowest[1]}
    return {**found, "added_mb": round(peak_mb() - before, 1), "findings": findings}


def _write(work: Path, parser: Parser, data: bytes) -> Path:
    path = work / parser.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--inputs", type=int, default=1000, help="of each parser")
    options.add_argument("--seed", type=int, default=None, help="by chance if none is given; it is printed")
    options.add_argument("--parser", help="only this one")
    options.add_argument("--keep", type=Path, help="a folder for what breaks a parser")
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="ptx-fuzz-"))
    try:
        parsers = [p for p in make_parsers(work) if given.parser in (None, p.name)]
        if not parsers:
            options.error(f"known parsers: {', '.join(p.name for p in make_parsers(work))}")
        print(f"seed {seed}")
        print(f"{'parser':16}{'inputs':>8}{'read':>8}{'refused':>9}{'broken':>8}{'slowest s':>11}{'+ MB':>8}")
        results = []
        for parser in parsers:
            found = run(parser, given.inputs, seed, work, given.keep)
            results.append(found)
            print(
                f"{parser.name:16}{found['inputs']:8}{found['read']:8}{found['refused']:9}{found['broken']:8}"
                f"{found['slowest_s']:11.3f}{found['added_mb']:8.1f}", flush=True,
            )  # fmt: skip
            for finding in found["findings"][:10]:
                print(f"    {finding['number']}: {finding['problem']}")
        print(f"peak memory {peak_mb():.0f} MB")
        if given.json:
            given.json.write_text(json.dumps({"seed": seed, "peak_mb": round(peak_mb()), "parsers": results}, indent=1))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(any(found["broken"] for found in results))


if __name__ == "__main__":
    main()
