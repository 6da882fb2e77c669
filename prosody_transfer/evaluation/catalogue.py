"""Every figure and every system of an evaluation: names, order, definitions; what a report and the guide print."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from prosody_transfer.evaluation import durations, identity, intelligibility, prosody, quality, spectral
from prosody_transfer.evaluation.controls import SYSTEMS as MADE
from prosody_transfer.evaluation.figures import Figure

JUDGED = "ptx"
SYSTEMS: dict[str, tuple[str, str]] = {  # name -> title, description; in the order of tables
    "ptx": ("output", "the outputs that are judged"),
    "exact": ("exact answer", "the target voice with the source's own prosody, given with the pairs: a ceiling"),
    "natural": ("natural target", "the target speaker saying the words in their own way; only its voice is judged"),
    "source": ("natural source", "the source recording itself: what an output would be without any transfer"),
    "copy_synthesis": ("copy-synthesis", MADE["copy_synthesis"]),
    "classical": ("classical route", MADE["classical"]),
    "no_prosody": ("no prosody", MADE["no_prosody"]),
    "random_prosody": ("random prosody", MADE["random_prosody"]),
    "no_latent": ("no latent", MADE["no_latent"]),
    "latent_only": ("latent only", MADE["latent_only"]),
    "random_latent": ("random latent", MADE["random_latent"]),
    "wrong_speaker": ("wrong speaker id", MADE["wrong_speaker"]),
}
_AGAINST_EXACT = (
    "f0_correlation", "f0_rmse_cents", "f0_mad_cents", "gpe", "vde", "ffe", "energy_correlation", "energy_rmse_db",
    "phone_mae_ms", "boundary_mae_ms", "pause_f1",
)  # fmt: skip
HEADLINE = (
    "ffe", "f0_correlation", "f0_rmse_cents", "energy_correlation", "boundary_mae_ms", "margin", "target_similarity",
    "per", "wer", "dnsmos_overall",
)  # fmt: skip
BESIDE = ("exact", "source", "copy_synthesis", "no_prosody", "random_prosody")  # whose headline figures bound it
CRITERION = "ffe"  # by which the best, median and worst pair are chosen


def _exact(figure: Figure) -> Figure:
    return replace(
        figure, key=f"exact_{figure.key}", title=f"{figure.title}, to exact answer",
        definition=f"{figure.title} (see there), with the exact answer in the source's place: a true zero exists.",
    )  # fmt: skip


def groups() -> dict[str, tuple[Figure, ...]]:
    """Heading -> the figures under it, in order."""
    sourced = (*prosody.FIGURES, *durations.FIGURES)
    by_key = {figure.key: figure for figure in sourced}
    melody = ("ffe", *(f.key for f in prosody.FIGURES if not f.key.startswith(("ffe", "energy"))))
    loudness = tuple(f for f in prosody.FIGURES if f.key.startswith("energy"))
    return {
        "Melody, against the source": tuple(by_key[key] for key in melody),
        "Loudness and timing, against the source": (*loudness, *durations.FIGURES),
        "Identity": (*identity.SET_FIGURES[:1], identity.LEVELLED, *identity.SET_FIGURES[1:]),
        "Words": intelligibility.FIGURES,
        "Quality": quality.FIGURES,
        "Against the exact answer": (*(_exact(by_key[key]) for key in _AGAINST_EXACT), *spectral.FIGURES),
    }


def figures() -> dict[str, Figure]:
    """Every figure by its key, in order."""
    return {figure.key: figure for group in groups().values() for figure in group}


def table(group: Iterable[Figure]) -> list[str]:
    """Lines of a Markdown table of figures."""
    better = {"high": "high", "low": "low", "zero": "0", "one": "1", "": ""}
    lines = ["| figure | key | unit | good | definition |", "|---|---|---|---|---|"]
    for f in group:
        shown = f.definition.replace("|", "\\|")
        lines.append(f"| {f.title} | `{f.key}` | {f.unit} | {better[f.better]} | {shown} |")
    return lines


def markdown() -> str:
    """All figures as Markdown tables, for the guide."""
    lines = []
    for heading, group in groups().items():
        lines += [f"### {heading}", "", *table(group), ""]
    lines += ["### Systems", "", "| system | key | what it is |", "|---|---|---|"]
    lines += [f"| {title} | `{key}` | {what} |" for key, (title, what) in SYSTEMS.items()]
    return "\n".join(lines) + "\n"
