"""Judge pairs: in two processes, resumable, a source at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import OutputError, PtxError
from prosody_transfer.core.extras import QUALITY, VOICES, WORDS, missing
from prosody_transfer.core.keys import sentence_key
from prosody_transfer.core.processes import one_thread_each, process_pool
from prosody_transfer.core.sharing import one_torch_thread
from prosody_transfer.evaluation.cache import Results, code_version, content_key, file_hash
from prosody_transfer.evaluation.judges import Judges, Settings
from prosody_transfer.evaluation.measuring import Measurer, Task
from prosody_transfer.evaluation.pairs import Excluded, Pair, one_line

JUDGED_WITH = (*QUALITY, *VOICES, *WORDS)
DONORS = 3  # other utterances that a random prosody may come from; more than one, because some can't be aligned
_measurers: list[Measurer] = []  # one a process
OnDone = Callable[[int, str], None]


@dataclass
class Measured:
    """What came of the pairs.

    Attributes:
        pairs: Those that were judged, in their order.
        rows: A row a pair and system: "id", "speaker", "group", "source", "system", "audio", "voice" (packed), figures.
        enrol: Recording -> its packed embedding.
        excluded: Pairs that could not be judged, and why.
        notes: What could not be measured of the others, and why.
        resumed: Of how many pairs the results were there already.
    """

    pairs: list[Pair] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    enrol: dict[str, str] = field(default_factory=dict)
    excluded: list[Excluded] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    resumed: int = 0


def evaluate(
    pairs: Sequence[Pair], settings: Settings, work: str | Path, *, workers: int = 2, on_done: OnDone | None = None,
    tools: Callable[[Settings], Judges] = Judges,
) -> Measured:  # fmt: skip
    """Measure every pair and its controls; what is finished in `work` is not measured again.

    Args:
        work: Folder for partial results and for outputs that are made.
        workers: Processes; 1 works in this one. Each takes a whole source at a time.
        on_done: Called with the number of pairs done and the last one's id.
        tools: What measures; another one in tests.

    Raises:
        OutputError: `work` can't be written to, or the disk is full; what is finished stays.
        ModelError: A checkpoint can't be read.
        PtxError: A worker process died.
    """
    folder = Path(work)
    results = Results(folder)
    tasks = plan(pairs, settings)
    found: dict[str, dict[str, Any]] = {}
    without = missing(JUDGED_WITH)
    done = resumed = 0
    for task in tasks:
        if (kept := results.read(task.key)) is not None and _complete(kept, without):
            found[task.key] = kept
            resumed += len(task.pairs)
    done = resumed
    if on_done and done:
        on_done(done, "found in the work folder")
    left = [task for task in tasks if task.key not in found]
    for task, result in _run(left, settings, folder / "audio", workers, tools):
        found[task.key] = result
        if not result["failed"]:  # a failure may be mended by the time of the next run
            results.write(task.key, result | {"without": without})
        done += len(task.pairs)
        if on_done:
            on_done(done, task.pairs[-1].id)
    return _gather(pairs, tasks, found, resumed)


def _gather(
    pairs: Sequence[Pair], tasks: Sequence[Task], found: dict[str, dict[str, Any]], resumed: int
) -> Measured:  # fmt: skip
    measured = Measured(resumed=resumed)
    for task in tasks:
        result = found[task.key]
        measured.rows += result["rows"]
        measured.enrol |= result["enrol"]
        measured.notes |= result["notes"]
        measured.excluded += [Excluded(**failure) for failure in result["failed"]]
    failed = {e.id for e in measured.excluded}
    measured.pairs = [pair for pair in pairs if pair.id not in failed]
    order = {pair.id: i for i, pair in enumerate(pairs)}
    measured.rows.sort(key=lambda row: order[row["id"]])
    return measured


def plan(pairs: Sequence[Pair], settings: Settings) -> list[Task]:
    """A task for every source, each with a key that names all that its result depends on.

    Controls go to `settings.controls` pairs, evenly spread; donors of random prosody are chosen by the pair's and the
    donors' content, so that they stay the same when pairs are added.
    """
    pairs = [_with_words(pair) for pair in pairs]
    controlled = {pairs[i].id for i in spread(len(pairs), settings.controls)}
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((pair.source, pair.text), []).append(pair)
    sources = {pair.source for pair in pairs}
    fixed = [code_version(), settings_key(settings)]
    tasks, enrolled = [], set(sources)
    for group in groups.values():
        chosen = frozenset(pair.id for pair in group) & controlled
        others = {pair.id: donors(pair, pairs, settings.seed) for pair in group if pair.id in chosen}
        enrol = tuple(dict.fromkeys(p for pair in group for p in (*pair.source_enrol, *pair.target_enrol)))
        enrol = tuple(path for path in enrol if path not in enrolled)
        enrolled.update(enrol)
        parts: list[Any] = [*fixed, [_content(pair) for pair in group], sorted(chosen), [file_hash(p) for p in enrol]]
        parts += [[[file_hash(o.source), o.text] for o in others[i]] for i in sorted(others)]
        tasks.append(Task(content_key(parts), tuple(group), chosen, others, enrol))
    return tasks


def spread(total: int, wanted: int) -> list[int]:
    """At most `wanted` of `total` places, evenly spread, the first and the last among them.

    >>> spread(10, 4), spread(3, 24), spread(5, 1), spread(5, 0)
    ([0, 3, 6, 9], [0, 1, 2], [0], [])
    """
    if wanted >= total:
        return list(range(total))
    step = (total - 1) / max(1, wanted - 1)
    return sorted({round(i * step) for i in range(wanted)})


def donors(pair: Pair, pairs: Sequence[Pair], seed: int) -> tuple[Pair, ...]:
    """Other utterances, with other words, that a random prosody is taken from."""
    said = sentence_key(pair.text)
    by_source = {
        p.source: p for p in pairs if p.source != pair.source and (not p.text or sentence_key(p.text) != said)
    }
    chance = lambda p: hashlib.sha256(f"{seed} {pair.id} {file_hash(p.source)}".encode()).digest()
    return tuple(sorted(by_source.values(), key=chance)[:DONORS])


def settings_key(settings: Settings) -> str:
    """What of the settings a pair's figures depend on; checkpoints count by their content."""
    from prosody_transfer.store.weights import shipped, shipped_acoustic

    weights = [file_hash(str(settings.model or shipped_acoustic())), file_hash(str(shipped("recogniser")))]
    vocoder = settings.vocoder or str(shipped("vocoder"))
    weights.append(file_hash(vocoder) if Path(vocoder).is_file() else vocoder)
    return content_key([settings.asr, settings.quality, settings.seed, *weights])


def _with_words(pair: Pair) -> Pair:
    """With the words of its sidecar transcript, where none are given and there is one."""
    if pair.text:
        return pair
    from prosody_transfer.analysis.transcript import find_words

    try:
        return load_config(Pair, {**pair.to_dict(), "text": find_words(pair.source, None, None).text}, pair.id)
    except PtxError:
        return pair


def _content(pair: Pair) -> dict[str, Any]:
    files = ("source", "output", "exact", "natural")
    enrol = [file_hash(path) for path in pair.target_enrol]
    return {**pair.to_dict(), **{name: file_hash(getattr(pair, name)) for name in files}, "target_enrol": enrol,
            "source_enrol": [], "paths": [pair.source, pair.output, pair.exact, pair.natural]}  # fmt: skip


def _complete(result: dict[str, Any], without: list[str]) -> bool:
    """The recordings that its rows name are still there, and what could not be measured still can't be.

    A figure that was left out because a package was missing, or broken, is no result: it is measured once that is
    mended. Only while the very same packages are missing does a result without it stand.
    """
    if result.get("missing") and not (without and result.get("without") == without):
        return False
    return all(Path(row["audio"]).is_file() for row in result.get("rows", ()))


def _run(
    tasks: list[Task], settings: Settings, folder: Path, workers: int, tools: Callable[[Settings], Judges]
) -> Iterator[tuple[Task, dict[str, Any]]]:
    """Results as they come."""
    if not tasks:
        return
    if min(workers, len(tasks)) <= 1:
        measurer = Measurer(tools(settings), folder)
        for task in tasks:
            yield task, _measure(measurer, task)
        return
    with one_thread_each(), process_pool(min(workers, len(tasks)), _begin, (settings, folder, tools)) as pool:
        jobs: dict[Future[dict[str, Any]], Task] = {pool.submit(_work, task): task for task in tasks}
        try:
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        except BrokenProcessPool:
            remedy = "run the same command again: it goes on; --workers 1 needs less memory"
            raise PtxError("a worker process was killed, perhaps for want of memory", remedy=remedy) from None


def _begin(settings: Settings, folder: Path, tools: Callable[[Settings], Judges]) -> None:
    """In a new process."""
    one_torch_thread()
    _measurers[:] = [Measurer(tools(settings), folder)]


def _work(task: Task) -> dict[str, Any]:
    return _measure(_measurers[0], task)


def _measure(measurer: Measurer, task: Task) -> dict[str, Any]:
    """The result of a task; a mistake of ours in one source must not cost the others."""
    try:
        return measurer.measure(task)
    except OutputError:
        raise  # a full disk is no fault of the recording: the run ends, and goes on later
    except Exception as error:
        if os.environ.get("PTX_DEBUG") == "1":
            raise
        reason = one_line(f"{type(error).__name__}: {error}; a mistake of ours: please report it")
        failed = [{"id": pair.id, "reason": reason} for pair in task.pairs]
        return {"rows": [], "failed": failed, "notes": {}, "enrol": {}, "missing": []}
