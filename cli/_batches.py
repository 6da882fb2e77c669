"""Several sources: which files the user means, where each result goes, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from prosody_transfer.cli._shared import complain, print_json, progress
from prosody_transfer.core.errors import AudioError, PartialFailure, PtxError, UsageError


class Batch(NamedTuple):
    """Files whose results go under one folder; below `root`, where there is one, sub-folders are kept."""

    paths: list[Path]
    out_dir: Path
    root: Path | None


def refuse_for_several(options: dict[str, Any]) -> None:
    """Refuse options that make sense for one source only."""
    for name, value in options.items():
        if value is not None:
            words = name in ("--text", "--transcript")
            remedy = "put each one's words beside it as NAME.txt" if words else "give one recording, or leave it out"
            raise UsageError("is for a single recording", place=name, remedy=remedy)


def find_batches(sources: list[Path], out_dir: Path | None, voices: list[str]) -> list[Batch]:
    """Files and folders, as the user named them, as batches.

    A folder stands for every sound file in it and below, apart from hidden ones, what lies in `out_dir`, and results of
    earlier runs (src.alice.wav beside a src.*).

    Raises:
        AudioError: A folder holds no sound file.
    """
    from prosody_transfer.audio.find import SUFFIXES, find_sources

    batches: dict[tuple[Path, Path | None], list[Path]] = {}
    for source in sources:
        if not source.is_dir():
            batches.setdefault((out_dir or source.parent, None), []).append(source)
            continue
        found = find_sources(source, voices, out_dir.resolve() if out_dir else None)
        if not found:
            remedy = f"looked for {', '.join(SUFFIXES[:6])}, ..."
            raise AudioError("holds no sound files", place=str(source), remedy=remedy)
        batches.setdefault((out_dir or source, source), []).extend(found)
    return [Batch(list(dict.fromkeys(paths)), folder, root) for (folder, root), paths in batches.items()]


def check_batches(
    batches: list[Batch], speaker: str, suffix: str, subtype: str, sample_rate: int | None = None
) -> None:
    """Refuse, before any work is done, what could not be written at the end.

    Raises:
        UsageError: Two sources would be written to one file.
        OutputError: A folder can't be made or written to.
    """
    from prosody_transfer.audio.io import check_writable
    from prosody_transfer.core.atomic import make_folder

    taken: dict[Path, Path] = {}
    for batch in batches:
        for path in batch.paths:
            inside = path.relative_to(batch.root).parent if batch.root else Path()
            target = batch.out_dir / inside / f"{path.stem}.{speaker}{suffix}"
            if (other := taken.setdefault(target, path)) != path:
                problem = f"{other} and {path} would both be written to {target}"
                raise UsageError(problem, remedy="rename one, or transfer them one at a time")
    for batch in batches:
        make_folder(batch.out_dir)
        check_writable(batch.out_dir / f"ptx{suffix}", True, subtype, sample_rate)


def run_batches(
    transferer: Any, batches: list[Batch], speaker: str, settings: Any, overwrite: bool, suffix: str, subtype: str,
    describe: Callable[[dict[str, Any]], str], json: bool,
) -> None:  # fmt: skip
    """Transfer every batch, say what was done with each file, and list the failures at the end.

    Raises:
        PartialFailure: Some files failed.
    """
    done: list[dict[str, Any]] = []
    skipped: list[Path] = []
    failed: list[tuple[Path, PtxError]] = []
    total = sum(len(b.paths) for b in batches)
    with progress("transfer", total) as bar:

        def on_done(path: Path, result: Any, error: PtxError | None) -> None:
            if error is not None:
                failed.append((path, error))
            elif result is None:
                skipped.append(path)
            else:
                done.append(result.report)
                if not json:
                    bar.say(describe(result.report))
            bar.move(len(done) + len(skipped) + len(failed), path.name)

        for batch in batches:
            transferer.from_files_to_files(
                batch.paths, speaker, batch.out_dir, settings=settings, overwrite=overwrite, root=batch.root,
                suffix=suffix, subtype=subtype, on_done=on_done,
            )  # fmt: skip
    if json:
        failures = [{"input": path, "error": str(error), "exit_code": error.exit_code} for path, error in failed]
        print_json({"done": done, "skipped": skipped, "failed": failures})
    else:
        print(f"{len(done)} done, {len(skipped)} there already, {len(failed)} failed", flush=True)
    for path, error in failed:
        complain(str(error) if str(path) in str(error) else f"{path}: {error}")
    if failed:
        problem = f"{len(failed)} of {total} recordings failed"
        raise PartialFailure(problem, remedy="mend them and run the same command again")
