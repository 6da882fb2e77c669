"""Many recordings into one folder: what is there and current is left, what is stale is made again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from prosody_transfer.core.atomic import make_folder, remove_leftovers
from prosody_transfer.core.errors import OutputError, PtxError
from prosody_transfer.synthesis.keys import file_digest, output_key
from prosody_transfer.synthesis.records import Records, State, seen

if TYPE_CHECKING:
    from prosody_transfer.synthesis.transfer import Transferer, TransferResult

Done = Callable[[Path, "TransferResult | None", PtxError | None], None]


class Outcome(NamedTuple):
    """What became of a recording: a result, or the state of the output that was left, or why it failed."""

    path: Path
    result: TransferResult | None = None
    state: State | None = None
    failure: PtxError | None = None


class Made(NamedTuple):
    """The key of an output, and how what it is made from looked at that time."""

    key: dict[str, Any]
    seen: dict[str, dict[str, Any]]


def output_of(path: Path, speaker: str, out_dir: Path, root: Path | None, suffix: str) -> Path:
    """Where a recording's result goes; below `root`, sub-folders are kept."""
    from prosody_transfer.synthesis.transfer import default_output

    inside = path.relative_to(root).parent if root is not None else Path()
    return out_dir / inside / default_output(path, speaker, suffix).name


class Taken:
    """Which recording each output is of."""

    def __init__(self) -> None:
        self._by: dict[Path, Path] = {}

    def claim(self, target: Path, path: Path) -> None:
        """Raise `OutputError` where the output is another recording's."""
        if (other := self._by.setdefault(target, path)) != path:
            problem = f"would be written to {target}, like {other}"
            raise OutputError(problem, place=str(path), remedy="rename one of them")


class Batch:
    """Transfers into one folder.

    Args:
        options: Every option of `Transferer.from_file_to_file` that decides what comes out, by name: the key has all.
        overwrite: Make everything again, also what somebody has edited.
    """

    def __init__(
        self, transferer: Transferer, speaker: str, out_dir: Path, options: Mapping[str, Any], *, overwrite: bool,
        root: Path | None, suffix: str,
    ) -> None:  # fmt: skip
        self.transferer, self.speaker, self.options = transferer, speaker, options
        self.out_dir, self.overwrite, self.root, self.suffix = out_dir, overwrite, root, suffix
        self.records = Records(out_dir)
        self.taken = Taken()
        self._made_of: dict[str, Any] | None = None

    def run(
        self, paths: Iterable[str | Path], on_done: Done | None, on_left: Callable[[Path, State], None] | None
    ) -> list[tuple[Path, PtxError]]:
        """See `Transferer.from_files_to_files`."""
        failures: list[tuple[Path, PtxError]] = []
        remove_leftovers(self.records.folder)
        for path, result, state, failure in map(self.one, map(Path, paths)):
            if failure:
                failures.append((path, failure))
            if state is not None and on_left:
                on_left(path, state)
            if on_done:
                on_done(path, result, failure)
        return failures

    def one(self, path: Path) -> Outcome:
        """Transfer a recording, unless what is there is current or not ours; what is wrong with it is no exception."""
        try:
            result, state = self._one(path)
            return Outcome(path, result, state)
        except PtxError as error:
            return Outcome(path, failure=error)
        except Exception as error:  # a mistake of ours in one file must not cost the others
            if os.environ.get("PTX_DEBUG") == "1":
                raise
            problem = f"{type(error).__name__}: {error}"
            failure = PtxError(problem, place=str(path), remedy="a mistake of ours: please report it")
            return Outcome(path, failure=failure)

    def _one(self, path: Path) -> tuple[TransferResult | None, State | None]:
        """What was made of a recording; or why what is there was left."""
        target = output_of(path, self.speaker, self.out_dir, self.root, self.suffix)
        self.taken.claim(target, path)
        made = self._made_from(path, target)
        state = self.records.state(target, made.key)
        if state.kind in ("current", "edited", "unknown") and not self.overwrite:
            return None, _older(state, target, path)
        make_folder(target.parent)
        result = self.transferer.from_file_to_file(
            path, self.speaker, target, overwrite=True, **self.options,
            on_written=lambda content: self.records.write(target, content, made.key, made.seen),
        )  # fmt: skip
        self.records.settle(target)
        again = {"made_again": list(state.changed)} if state.kind == "stale" else {}
        return replace(result, report={**result.report, **again}), None

    def _made_from(self, path: Path, target: Path) -> Made:
        from prosody_transfer.text.transcript import find_transcript

        if self._made_of is None:
            self._made_of = self.transferer.made_of(self.speaker)
        words = find_transcript(path)
        looks: dict[str, dict[str, Any]] = {}
        for name, file in (("source", path), ("words", words)):
            if file is not None:  # how it looks first: what is changed while it is read looks otherwise next time
                state = seen(file)
                content = self.records.found(target, name, file) or file_digest(file)
                looks[name] = {"state": state, "sha256": content}
        source = str(looks["source"]["sha256"])
        said = [words.suffix.lower(), str(looks["words"]["sha256"])] if words is not None else []
        return Made(output_key(source, said, self._made_of, self.options, self.suffix), looks)


def _older(state: State, target: Path, path: Path) -> State:
    """Of an output without a record at least that much is known: whether its recording is younger."""
    if state.kind != "unknown":
        return state
    try:
        return State("unknown", ("source",) if target.stat().st_mtime < path.stat().st_mtime else ())
    except OSError:
        return state
