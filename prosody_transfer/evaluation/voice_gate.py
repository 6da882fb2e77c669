"""What a new voice must pass: it sounds like its speaker, not like the source, and costs the others nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.audio.resample import resample
from prosody_transfer.core.errors import AudioError
from prosody_transfer.evaluation.benchmark import benchmark_pairs
from prosody_transfer.evaluation.controls import Analysis, Controls, speak_pieces
from prosody_transfer.evaluation.evaluate import spread
from prosody_transfer.evaluation.figures import EVALUATION_RATE, Values, load
from prosody_transfer.evaluation.identity import identity_figures, leave_one_out, mean_direction
from prosody_transfer.evaluation.pairs import Pair
from prosody_transfer.evaluation.references import known_voices, references
from prosody_transfer.evaluation.speaker import Judge, without_pauses
from prosody_transfer.evaluation.statistics import Interval, bootstrap
from prosody_transfer.features.extract import extract
from prosody_transfer.features.mel import log_mel
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.speak import Voice, sound
from prosody_transfer.synthesis.transfer import Transferer, compare

LEAST_POSITIVE = 0.95  # share of outputs that are nearer to the new voice than to their source
LEAST_RATIO = 0.85  # similarity to the new voice, over that of shipped voices to theirs
FLOOR = -11.5  # ln; below it is noise between words, as in training
OLD_FIGURES = ("similarity", "margin", "mel_distance", "f0_correlation", "energy_correlation")


@dataclass(frozen=True)
class Verdict:
    """What the test found.

    Attributes:
        passed: Whether the voice may be kept.
        failed: Why not, a line each.
        figures: Of the new voice and the old ones, as plain data.
        references: (n, E) the judge's vectors of the recordings that were kept from training.
        judge: Fingerprint of the judge.
    """

    passed: bool
    failed: tuple[str, ...]
    figures: dict[str, Any] = field(default_factory=dict)
    references: Any = None
    judge: str = ""


class VoiceGate:
    """Speaks unseen sources, the benchmark's, in the new voice, and in shipped ones through both networks.

    Args:
        model: The acoustic model that the voice was made for; None for the shipped one.
        sources: How many sources, evenly spread over the benchmark's speakers and sentences.
        on_event: Called with how many are done, and of how many.
    """

    def __init__(
        self, model: str | Path | None = None, *, sources: int = 14, device: str = "cpu",
        on_event: Callable[[int, int], None] | None = None,
    ) -> None:  # fmt: skip
        self.model, self.count, self.device, self.on_event = model, sources, device, on_event
        self.judge = Judge()

    def check(self) -> None:
        """Find out early whether the judge can work here; DependencyError where it can't."""
        without_pauses(np.zeros(0, np.float32))

    def __call__(self, name: str, voices: str | Path, held_out: Sequence[str | Path]) -> Verdict:
        """Test a voice.

        Args:
            voices: The folder that holds it.
            held_out: Recordings of its speaker that it was not trained on, at least two.

        Raises:
            AudioError: Fewer than two of them can be judged.
            DependencyError: The `metrics` extra is not installed.
        """
        known = self._natural(held_out)
        transferer = Transferer(self.model, device=self.device, voices=voices)
        new = transferer.voice(name)
        controls = Controls(transferer)
        pairs = benchmark_pairs()
        by_source: dict[str, list[Pair]] = {}
        for pair in pairs:
            if pair.speaker in transferer.network.config.speakers and pair.speaker in known_voices():
                by_source.setdefault(pair.source, []).append(pair)
        chosen = [list(by_source)[i] for i in spread(len(by_source), self.count)]
        centres = self._sources(pairs)
        own: list[Values] = []
        old: dict[str, list[tuple[str, Values]]] = {"shipped": [], "adapted": []}
        for done, source in enumerate(chosen, 1):
            analysis = controls.analyse(by_source[source][0])
            own.append(self._judged(transferer, analysis, new, mean_direction(known), centres[source])[0])
            for pair in by_source[source]:
                voice = transferer.voice(pair.speaker)
                for which, spoken in (("shipped", voice), ("adapted", replace(voice, network=new.network))):
                    values = self._old(transferer, analysis, spoken, pair, centres[source])
                    old[which].append((source, values))
            if self.on_event:
                self.on_event(done, len(chosen))
        return judge_figures(own, old, known, self.judge.fingerprint)

    def _natural(self, held_out: Sequence[str | Path]) -> np.ndarray:
        found = []
        for path in held_out:
            try:
                found.append(self.judge.embed(load(path)))
            except AudioError:
                continue
        if len(found) < 2:
            problem = f"{len(found)} of {len(held_out)} recordings kept from training can be judged"
            raise AudioError(problem, remedy="give more recordings of at least 2 s of speech")
        return np.stack(found)

    def _sources(self, pairs: Sequence[Pair]) -> dict[str, np.ndarray]:
        """By source: the mean direction of the other sources of the same speaker."""
        vectors = {path: self.judge.embed(load(path)) for path in {pair.source for pair in pairs}}
        return {p.source: mean_direction(np.stack([vectors[o] for o in p.source_enrol])) for p in pairs}

    def _judged(
        self, transferer: Transferer, analysis: Analysis, voice: Voice, target: np.ndarray, source: np.ndarray
    ) -> tuple[Values, np.ndarray, np.ndarray]:
        """Identity figures of one output; its mel (M, T) and its waveform (N,)."""
        mel, waveform = say(transferer, analysis, voice)
        vector = self.judge.embed(resample(waveform, transferer.config.sample_rate, EVALUATION_RATE))
        figures = identity_figures(vector, target, source)
        return {"similarity": figures["target_similarity"], "margin": figures["margin"]}, mel, waveform

    def _old(
        self, transferer: Transferer, analysis: Analysis, voice: Voice, pair: Pair, source: np.ndarray
    ) -> Values:  # fmt: skip
        """`OLD_FIGURES` of one output in a shipped voice."""
        import torch

        centre = mean_direction(references(pair.speaker))
        values, mel, waveform = self._judged(transferer, analysis, voice, centre, source)
        config = transferer.config
        exact, _ = normalise_level(read_audio(pair.exact, config.sample_rate).waveform, config.sample_rate)
        wanted = log_mel(torch.from_numpy(exact)[None].float(), config)[0].numpy()
        size = min(mel.shape[1], wanted.shape[1])
        distance = np.abs(np.maximum(mel[:, :size], FLOOR) - np.maximum(wanted[:, :size], FLOOR)).mean()
        found = compare(analysis.features, extract(waveform, config))
        return {**values, "mel_distance": float(distance), "f0_correlation": found["f0_correlation"],
                "energy_correlation": found["energy_correlation"]}  # fmt: skip


def say(transferer: Transferer, analysis: Analysis, voice: Voice) -> tuple[np.ndarray, np.ndarray]:
    """An analysed source in a voice, as a transfer gives it: mel (M, T), and waveform (N,) at the speech level."""
    settings = TransferSettings()
    spoken = speak_pieces(transferer, analysis, voice, settings)
    audio = sound(transferer.vocoder, spoken, analysis.waveform, settings, transferer.config.sample_rate)
    return np.concatenate([s.mel for s in spoken], 1), audio.astype(np.float32)


def judge_figures(
    own: Sequence[Values], old: dict[str, list[tuple[str, Values]]], known: np.ndarray, judge: str = ""
) -> Verdict:
    """From the figures of every output to the verdict.

    Args:
        own: "similarity" and "margin" of each output in the new voice.
        old: "shipped" and "adapted": the source and the `OLD_FIGURES` of each output in a shipped voice, through the
            shipped and the adapted network, in the same order.
        known: (n, E) the judge's vectors of the new speaker's held-out recordings.
    """
    margin, similarity = (bootstrap([_number(v[key]) for v in own]) for key in ("margin", "similarity"))
    positive = float(np.mean([_number(v["margin"]) > 0 for v in own]))
    shipped = float(np.mean([_number(v["similarity"]) for _, v in old["shipped"]]))
    ratio = similarity.value / shipped
    failed = []
    if margin.low <= 0:
        failed.append(f"margin {margin.value:.3f} [{margin.low:.3f}, {margin.high:.3f}] is not above 0")
    if positive < LEAST_POSITIVE:
        failed.append(f"{positive:.0%} of outputs are nearer to the voice than to the source, not {LEAST_POSITIVE:.0%}")
    if ratio < LEAST_RATIO:
        problem = f"similarity {similarity.value:.3f} is {ratio:.2f} of the shipped voices' {shipped:.3f}"
        failed.append(f"{problem}, not {LEAST_RATIO}")
    changes = {}
    for key in OLD_FIGURES:
        before, after = _interval(old["shipped"], key), _interval(old["adapted"], key)
        if before is None or after is None:
            continue
        unchanged = before.low <= after.value <= before.high
        changes[key] = {"shipped": before.value, "low": before.low, "high": before.high, "adapted": after.value}
        if not unchanged:
            words = f"old voices' {key.replace('_', ' ')} went from {before.value:.3f} to {after.value:.3f}"
            failed.append(f"{words}, out of [{before.low:.3f}, {before.high:.3f}]")
    figures = {
        "similarity": similarity.value, "margin": margin.value, "margin_low": margin.low, "margin_positive": positive,
        "similarity_ratio": ratio, "natural": float(leave_one_out(known).mean()), "outputs": len(own),
        "held_out": len(known), "old_voices": changes,
    }  # fmt: skip
    return Verdict(not failed, tuple(failed), _rounded(figures), known, judge)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _interval(rows: Sequence[tuple[str, Values]], key: str) -> Interval | None:
    """Mean and 95 % interval over whole sources; None where no output has the figure."""
    kept = [(source, _number(values[key])) for source, values in rows if values.get(key) is not None]
    return bootstrap([value for _, value in kept], [source for source, _ in kept]) if kept else None


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
