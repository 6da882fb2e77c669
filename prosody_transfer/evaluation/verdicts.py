"""Comparisons with the controls, and what follows from them, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prosody_transfer.evaluation.summary import Row, paired, plain

Compared = dict[str, Any]  # a comparison's definition with "value", "low", "high", "n"
WORSE_WORDS = 0.05  # more word errors than this are audible loss
LEAST_SOURCES = 5  # fewer say nothing of others: an interval over one is a point
LITTLE = 0.1  # of a correlation: less is not seen in a plot of two contours


@dataclass(frozen=True)
class Comparison:
    """The difference of one figure between two systems, pair by pair: `first` minus `second`.

    Attributes:
        name: In JSON.
        title: In tables.
        figure: Its key.
        first, second: Systems.
        definition: What the difference says, and which way is good.
    """

    name: str
    title: str
    figure: str
    first: str
    second: str
    definition: str


COMPARISONS = (
    Comparison(
        "transfer_gain", "transfer gain G", "ffe", "no_prosody", "ptx",
        "FFE without the source's prosody minus FFE with it: the share of frames that the transfer puts right.",
    ),
    Comparison(
        "correlation_gain", "correlation gain", "f0_correlation", "ptx", "no_prosody",
        "Log-F0 correlation with the source's prosody minus without it.",
    ),
    Comparison(
        "random_ffe", "FFE, source's against another's prosody", "ffe", "random_prosody", "ptx",
        "FFE with the prosody of a random other utterance minus FFE with the source's.",
    ),
    Comparison(
        "random_correlation", "correlation, source's against another's prosody", "f0_correlation", "ptx",
        "random_prosody", "Log-F0 correlation with the source's prosody minus with a random other utterance's.",
    ),
    Comparison(
        "latent_correlation", "correlation, source's against another's latent", "f0_correlation", "latent_only",
        "random_latent",
        "The same with the latent alone, no explicit F0 and energy: what the source's latent says of the melody.",
    ),
    Comparison(
        "latent_ffe", "FFE, source's against another's latent", "ffe", "random_latent", "latent_only",
        "FFE with a random other utterance's latent alone minus with the source's latent alone.",
    ),
    Comparison(
        "latent_energy", "energy, source's against another's latent", "energy_correlation", "latent_only",
        "random_latent",
        "Energy correlation with the source's latent alone minus with a random other utterance's latent alone.",
    ),
    Comparison(
        "speaker_id", "similarity, right against wrong speaker id", "target_similarity", "ptx", "wrong_speaker",
        "Similarity to the target with the right speaker id minus with a wrong one.",
    ),
    Comparison(
        "word_errors", "word errors added", "wer", "ptx", "source",
        "WER of the output minus WER of the source itself; above 0 is worse.",
    ),
    Comparison(
        "word_errors_vocoder", "word errors added by the vocoder alone", "wer", "copy_synthesis", "source",
        "WER of the source's copy-synthesis minus WER of the source; above 0 is worse.",
    ),
    Comparison(
        "quality_lost", "DNSMOS lost", "dnsmos_overall", "source", "ptx",
        "DNSMOS overall of the source minus the output's; above 0 is worse.",
    ),
)  # fmt: skip


def compare(systems: Mapping[str, Sequence[Row]]) -> list[Compared]:
    """Every comparison whose two systems share a pair, with the mean difference and its interval."""
    found = []
    for c in COMPARISONS:
        interval = paired(systems.get(c.first, ()), systems.get(c.second, ()), c.figure)
        if interval is None:
            continue
        facts = {"name": c.name, "title": c.title, "figure": c.figure, "first": c.first, "second": c.second}
        found.append({**facts, **plain(interval), "definition": c.definition})
    return found


def _span(c: Compared, digits: int = 3) -> str:
    return f"{c['value']:+.{digits}f} ({c['low']:+.{digits}f} to {c['high']:+.{digits}f})"


def _verdict(name: str, passed: bool | None, text: str) -> dict[str, Any]:
    return {"name": name, "passed": passed, "text": text}


def judge(
    compared: Sequence[Compared], positive: Mapping[str, Any] | None = None, sources: int = LEAST_SOURCES
) -> list[dict[str, Any]]:
    """What the comparisons mean.

    Args:
        compared: From `compare`.
        positive: P(margin > 0) of the outputs, as {"value", "low", "high", "n"}.
        sources: How many were judged; from fewer than `LEAST_SOURCES` nothing follows.

    Returns:
        [{"name", "passed", "text"}]; `passed` is None where nothing can be said.
    """
    by_name = {c["name"]: c for c in compared}
    found = [
        _prosody(by_name.get("random_ffe"), by_name.get("random_correlation"), by_name.get("transfer_gain")),
        _latent([by_name[n] for n in ("latent_correlation", "latent_energy") if n in by_name]),
        _speaker(by_name.get("speaker_id")),
        _identity(positive),
        _words(by_name.get("word_errors"), by_name.get("word_errors_vocoder")),
    ]
    if sources >= LEAST_SOURCES:
        return found
    few = f"not said, with {sources} source{'s' if sources != 1 else ''} where {LEAST_SOURCES} are needed: "
    return [v if v["passed"] is None else _verdict(v["name"], None, few + v["text"]) for v in found]


def _prosody(ffe: Compared | None, correlation: Compared | None, gain: Compared | None) -> dict[str, Any]:
    name = "source prosody is moved"
    if ffe is None or correlation is None:
        return _verdict(name, None, "not said: no outputs with another utterance's prosody to compare with")
    figures = f"FFE better by {_span(ffe)}, log-F0 correlation by {_span(correlation)}, n = {ffe['n']}"
    if gain is not None:
        figures += f"; transfer gain {_span(gain)}"
    if ffe["low"] > 0 and correlation["low"] > 0:
        return _verdict(name, True, f"source prosody is moved: against a random other utterance's prosody {figures}")
    if ffe["low"] > 0 or correlation["low"] > 0:
        return _verdict(name, None, f"only one figure tells source prosody from random prosody: {figures}")
    return _verdict(name, False, f"source prosody and random prosody score alike: nothing is moved ({figures})")


def _latent(found: Sequence[Compared]) -> dict[str, Any]:
    name = "the latent is alive"
    if not found:
        return _verdict(name, None, "not said: no outputs that were made with the latent alone")
    figures = ", ".join(f"{c['figure'].replace('_', ' ')} {_span(c)}" for c in found) + f", n = {found[0]['n']}"
    if any(c["low"] > 0 for c in found):
        much = "" if any(c["value"] >= LITTLE for c in found) else "little "
        text = f"the latent carries {much}prosody: with it alone, source's against random: {figures}"
        return _verdict(name, True, text)
    return _verdict(name, False, f"the latent is dead: source's and random latent score alike ({figures})")


def _speaker(found: Compared | None) -> dict[str, Any]:
    name = "the speaker id is obeyed"
    if found is None:
        return _verdict(name, None, "not said: no outputs with a wrong speaker id, or no judge of speakers")
    figures = f"similarity to the target differs by {_span(found)}, n = {found['n']}"
    if found["low"] > 0:
        return _verdict(name, True, f"the right speaker id is told from a wrong one: {figures}")
    return _verdict(name, False, f"the speaker id does nothing: {figures}")


def _identity(positive: Mapping[str, Any] | None) -> dict[str, Any]:
    name = "nearer to the target than to the source"
    if positive is None:
        return _verdict(name, None, "not said: no judge of speakers, or no recordings of them to compare with")
    share = f"{100 * positive['value']:.0f} % ({100 * positive['low']:.0f} to {100 * positive['high']:.0f} %)"
    text = f"{share} of outputs are nearer to the target speaker than to the source speaker, n = {positive['n']}"
    return _verdict(name, positive["value"] >= 0.95, text)


def _words(found: Compared | None, vocoder: Compared | None) -> dict[str, Any]:
    name = "words are kept"
    if found is None:
        return _verdict(name, None, "not said: no words were recognised")
    of_vocoder = f", of which the vocoder alone {_span(vocoder)}" if vocoder else ""
    text = f"word error rate {_span(found)} against the source{of_vocoder}, n = {found['n']}"
    passed = True if found["high"] <= WORSE_WORDS else False if found["low"] > WORSE_WORDS else None
    return _verdict(name, passed, text)
