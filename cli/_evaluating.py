"""What `ptx evaluate` judges, and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prosody_transfer.cli._shared import print_table
from prosody_transfer.cli._terminal import say
from prosody_transfer.core.errors import UsageError

# What is printed of a report, and under which heading; all of it is in the page and in the JSON.
COLUMNS = {
    "ffe": "FFE", "f0_correlation": "F0-CORR", "f0_rmse_cents": "CENTS", "energy_correlation": "ENERGY-CORR",
    "boundary_mae_ms": "EDGES-MS", "target_similarity": "SIMILARITY", "margin": "MARGIN", "wer": "WER", "per": "PER",
    "dnsmos_overall": "DNSMOS",
}  # fmt: skip
EXACT_COLUMNS = {
    "exact_ffe": "FFE", "exact_f0_correlation": "F0-CORR", "exact_f0_rmse_cents": "CENTS",
    "exact_energy_rmse_db": "ENERGY-DB", "exact_phone_mae_ms": "PHONES-MS", "exact_boundary_mae_ms": "EDGES-MS",
    "mcd13_db": "MCD13", "log_mel_db": "LOG-MEL-DB", "gv_ratio": "GV-RATIO", "modulation_db": "MODULATION-DB",
}  # fmt: skip
MARKS = {True: "yes", False: "NO ", None: "-  "}


def check(
    report: Path | None, overwrite: bool, workers: int, limit: int | None, controls: int, show: int, settings: Any,
) -> None:  # fmt: skip
    """Refuse, before any work is done, what could not be done or written.

    Raises:
        UsageError: A number is out of range.
        OutputError: The report exists or can't be written.
        ModelError: A checkpoint is missing or damaged.
    """
    from prosody_transfer.store.vocoders import load_vocoder
    from prosody_transfer.store.weights import acoustic_kind, load_weights
    from prosody_transfer.synthesis.report import check_report

    counts = (("--workers", workers, 1), ("--limit", limit, 1), ("--controls", controls, 0), ("--show", show, 0))
    for name, value, least in counts:
        if value is not None and value < least:
            raise UsageError(f"{value} is too few", place=name, remedy=f"give {least} or more")
    if report is not None:
        check_report(report, (".html", ".htm"), overwrite)
        check_report(report.with_suffix(".json"), (".json",), overwrite)
    if settings.model:
        load_weights(acoustic_kind(settings.model), settings.model)
    if settings.vocoder:
        load_vocoder(settings.vocoder)


def check_judges(asr: bool | None, quality: bool | None) -> str:
    """What can't be judged here, in one line; "" where all that is wanted can be.

    Raises:
        DependencyError: Words or DNSMOS were asked for by name, and their packages are not installed.
    """
    from prosody_transfer.core import extras

    judges = (("word errors", asr, extras.WORDS, "--asr"), ("DNSMOS", quality, extras.QUALITY, "--quality"),
              ("identity", None, extras.VOICES, ""), ("pictures", None, extras.DRAWING, ""))  # fmt: skip
    for _, wanted, modules, flag in judges:
        if wanted:
            extras.require("evaluate", modules, flag)
    left_out = [name for name, wanted, modules, _ in judges if wanted is not False and extras.missing(modules)]
    if not left_out:
        return ""
    lacking = extras.missing([m for _, wanted, modules, _ in judges if wanted is not False for m in modules])
    return f"without {', '.join(lacking)} there are no {', no '.join(left_out)}; {extras.remedy('evaluate')}"


def gather(
    pairs: Path | None, sources: Path | None, speaker: str | None, benchmark: bool, exact: bool, limit: int | None,
    model: Path | None,
) -> tuple[list[Any], list[Any], dict[str, Any]]:  # fmt: skip
    """The pairs, those that were left out, and what the report says of where they come from.

    Raises:
        UsageError: None or several of pairs, --sources and --benchmark were given; or there is nothing to judge.
    """
    from prosody_transfer.evaluation.benchmark import benchmark_pairs
    from prosody_transfer.evaluation.evaluate import spread
    from prosody_transfer.evaluation.pairs import pairs_from_folder, read_pairs
    from prosody_transfer.store.voices import get_voice

    if sum((pairs is not None, sources is not None, benchmark)) != 1:
        raise UsageError("give one of PAIRS, --sources and --benchmark", remedy="see 'ptx evaluate --help'")
    if (sources is not None) != (speaker is not None):
        raise UsageError("--sources and --speaker belong together", remedy="give both, or neither")
    left_out: list[Any] = []
    if sources is not None and speaker is not None:
        if model is None:
            get_voice(speaker)
        chosen, left_out = pairs_from_folder(sources, speaker)
        origin = f"recordings in {sources.name}"
    elif pairs is not None:
        chosen, left_out = read_pairs(pairs)
        origin = pairs.name
    else:
        chosen, origin = benchmark_pairs(), "the exact-answer benchmark"
    if exact:
        chosen = [_with_exact(pair) for pair in chosen if pair.exact]
        if not chosen:
            raise UsageError("no pair has an exact answer", place="--exact", remedy='give "exact" in the file of pairs')
    if limit is not None:
        chosen = [chosen[i] for i in spread(len(chosen), limit)]
    judged = "the exact answers themselves" if exact else "given" if chosen[0].output else "made by the model"
    return chosen, left_out, {"pairs from": origin, "outputs": judged}


def _with_exact(pair: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(pair, output=pair.exact)


def print_report(report: dict[str, Any], path: Path | None) -> None:
    """Systems by headline figures, the verdicts, and where more is."""
    say(f"{report['pairs']} pairs of {report['sources']} sources; means, and 95 % intervals of the output's")
    say()
    _print_figures(report, COLUMNS, "SYSTEM")
    if any(key in report["definitions"] for key in EXACT_COLUMNS):
        say()
        _print_figures(report, EXACT_COLUMNS, "AGAINST EXACT")
    say()
    for verdict in report["verdicts"]:
        say(f"{MARKS[verdict['passed']]}  {verdict['text']}")
    if path is not None:
        say()
        say(path, path.with_suffix(".json"))


def _print_figures(report: dict[str, Any], columns: dict[str, str], heading: str) -> None:
    from prosody_transfer.evaluation.html import format_number

    used = [key for key in columns if key in report["definitions"]]
    unit = {key: report["definitions"][key]["unit"] for key in used}
    rows = [[heading, *(columns[key] for key in used)]]
    for name, system in report["systems"].items():
        found = system["figures"]
        if not any(key in found for key in used):
            continue
        values = [format_number(found[key]["value"], unit[key]) if key in found else "-" for key in used]
        rows.append([system["title"], *values])
        if name == report["judged"]:
            for end in ("low", "high"):
                rows.append([f"  {end}", *(format_number(found.get(key, {}).get(end), unit[key]) for key in used)])
    print_table(rows, right=range(1, len(used) + 1))


