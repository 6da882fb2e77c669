"""Several sources: which files the user means, where each result goes, and what is said about them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosody_transfer.cli._described import agreed, describe
from prosody_transfer.cli._shared import complain, note, print_json, progress
from prosody_transfer.cli._terminal import say
from prosody_transfer.core.errors import AudioError, PartialFailure, PtxError, UsageError

if TYPE_CHECKING:
    from prosody_transfer.jobs.tasks import Done, Sources


def is_folder(source: Path) -> bool:
    """False too for what no system takes for a name; `Path.is_dir` raises there."""
    return os.path.isdir(source)


def refuse_for_several(options: dict[str, Any]) -> None:
    """Refuse options that make sense for one source only."""
    for name, value in options.items():
        if value is not None:
            words = name in ("--text", "--transcript")
            remedy = "put each one's words beside it as NAME.txt" if words else "give one recording, or leave it out"
            raise UsageError("is for a single recording", place=name, remedy=remedy)


def find_batches(sources: list[Path], out_dir: Path | None, voices: list[str]) -> list[Sources]:
    """Files and folders, as the user named them, as batches.

    A folder stands for every sound file in it and below, apart from hidden ones, what lies in `out_dir`, and results of
    earlier runs (src.alice.wav beside a src.*).

    Raises:
        AudioError: A folder holds no sound file.
    """
    from prosody_transfer.audio.find import SUFFIXES, find_sources
    from prosody_transfer.jobs.tasks import Sources

    batches: dict[tuple[Path, Path | None], list[Path]] = {}
    for source in sources:
        if not is_folder(source):
            batches.setdefault((out_dir or source.parent, None), []).append(source)
            continue
        found = find_sources(source, voices, out_dir.resolve() if out_dir else None)
        if not found:
            remedy = f"looked for {', '.join(SUFFIXES[:6])}, ..."
            raise AudioError("holds no sound files", place=str(source), remedy=remedy)
        batches.setdefault((out_dir or source, source), []).extend(found)
    return [Sources(list(dict.fromkeys(paths)), folder, root) for (folder, root), paths in batches.items()]


def check_batches(
    batches: list[Sources], speaker: str, suffix: str, subtype: str, sample_rate: int | None = None
) -> None:
    """Refuse, before any work is done, what could not be written at the end.

    Raises:
        UsageError: Two sources would be written to one file.
        OutputError: A folder can't be made or written to, or a name is too long.
    """
    from prosody_transfer.audio.io import check_writable
    from prosody_transfer.core.atomic import check_target, make_folder

    taken: dict[Path, Path] = {}
    for batch in batches:
        for path in batch.paths:
            inside = path.relative_to(batch.root).parent if batch.root else Path()
            target = batch.out_dir / inside / f"{path.stem}.{speaker}{suffix}"
            if (other := taken.setdefault(target, path)) != path:
                problem = f"{other} and {path} would both be written to {target}"
                raise UsageError(problem, remedy="rename one, or transfer them one at a time")
            check_target(target)
    for batch in batches:
        make_folder(batch.out_dir)
        check_writable(batch.out_dir / f"ptx{suffix}", True, subtype, sample_rate)


class Tally:
    """What was done with each recording: counted, and kept only where it is to be said at the end.

    Args:
        reports: Keep the reports too.
    """

    def __init__(self, reports: bool = False) -> None:
        self.reports: list[dict[str, Any]] | None = [] if reports else None
        self.kinds: Counter[str] = Counter()  # "done", "failed", or of what was left (`synthesis.records.State`)
        self.again: dict[tuple[str, ...], int] = {}  # made again, by what had changed
        self.left: list[tuple[Path, Any]] = []
        self.failed: list[tuple[Path, PtxError]] = []

    @property
    def total(self) -> int:
        return self.kinds.total()

    def add(self, done: Done) -> None:
        """One more."""
        if done.failure is not None:
            self.kinds["failed"] += 1
            self.failed.append((done.path, done.failure))
        elif done.state is not None:
            self.kinds[done.state.kind] += 1
            if done.state.kind != "current" or self.reports is not None:
                self.left.append((done.path, done.state))
        elif done.report is not None:
            self.kinds["done"] += 1
            if self.reports is not None:
                self.reports.append(done.report)
            if changed := tuple(done.report.get("made_again", ())):
                self.again[changed] = self.again.get(changed, 0) + 1

    def of(self, *kinds: str) -> list[tuple[Path, Any]]:
        """Those that were left because they are of these kinds."""
        return [(path, state) for path, state in self.left if state.kind in kinds]

    def line(self) -> str:
        """All of it, counted; what is rare is said only where it occurred."""
        kinds = self.kinds
        parts = [f"{kinds['done'] - sum(self.again.values())} done"]
        parts += [f"{count} made again ({_listed(changed)} changed)" for changed, count in self.again.items()]
        parts += [f"{kinds['current'] + kinds['unknown']} there already"]
        parts += [f"{kinds['edited']} left alone (edited since)"] if kinds["edited"] else []
        return ", ".join([*parts, f"{kinds['failed']} failed"])

    def say_what_was_left(self) -> None:
        """A line for each that somebody has edited, and one for all that nothing is known of."""
        for path, state in self.of("edited"):
            more = f"; {_listed(state.changed)} changed too" if state.changed else ""
            note(f"{path}: its output was edited since it was made{more}; left alone, --force makes it again")
        if unknown := self.of("unknown"):
            older = sum(bool(state.changed) for _, state in unknown)
            more = f", and {older} of them are older than their recordings" if older else ""
            note(f"of {len(unknown)} outputs nothing tells what made them{more}; left, --force makes them again")


def _listed(changed: tuple[str, ...]) -> str:
    from prosody_transfer.synthesis.keys import PARTS

    return " and ".join(PARTS[part] for part in changed)


def run_batches(batches: list[Sources], speaker: str, json: bool, **options: Any) -> None:
    """Transfer every batch, say what was done with each file, and list the failures at the end.

    Args:
        options: Of `jobs.transfer.transfer_sources`.

    Raises:
        PartialFailure: Some files failed; or an output is out of date that was left because somebody has edited it.
    """
    from prosody_transfer.jobs.transfer import transfer_sources

    tally = Tally(reports=json)
    total = sum(len(b.paths) for b in batches)
    with progress("transfer", total) as bar:

        def on_done(done: Done) -> None:
            tally.add(done)
            if done.report is not None:
                if tally.kinds["done"] == 1 and (purposes := agreed(done.report)):
                    note(purposes)
                if not json:
                    bar.say(describe(done.report, one_of_several=True))
            bar.move(tally.total, done.path.name)

        transfer_sources(batches, speaker, on_done=on_done, **options)
    order = {str(path): place for place, path in enumerate(path for b in batches for path in b.paths)}
    print_json(_as_json(tally, order)) if json else say(tally.line())
    tally.say_what_was_left()
    for path, error in sorted(tally.failed, key=lambda told: order[str(told[0])]):
        complain(str(error) if str(path) in str(error) else f"{path}: {error}")
    if tally.failed:
        problem = f"{len(tally.failed)} of {total} recordings failed"
        raise PartialFailure(problem, remedy="mend them and run the same command again")
    if stale := sum(bool(state.changed) for _, state in tally.of("edited")):
        problem = f"{stale} of {total} outputs are out of date, and were left because somebody has edited them"
        raise PartialFailure(problem, remedy="move them away, or --force")


def _as_json(tally: Tally, order: dict[str, int]) -> dict[str, Any]:
    """In the order of the recordings, whoever was done with which first."""
    failed = [{"input": path, "error": str(error), "exit_code": error.exit_code} for path, error in tally.failed]
    edited = [{"input": path, "changed": list(state.changed)} for path, state in tally.of("edited")]
    place = lambda row: order.get(str(row.get("input")), 0)
    return {
        "done": sorted(tally.reports or (), key=place),
        "skipped": sorted((path for path, _ in tally.of("current", "unknown")), key=lambda path: order[str(path)]),
        "edited": sorted(edited, key=place), "failed": sorted(failed, key=place),
    }  # fmt: skip
