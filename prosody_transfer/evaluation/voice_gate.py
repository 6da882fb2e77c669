"""What a new voice must pass: it sounds like its speaker, not like the source, and costs the others nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.audio.resample import resample
from prosody_transfer.core.errors import AudioError, ModelError
from prosody_transfer.evaluation.attainment import margins
from prosody_transfer.evaluation.benchmark import benchmark_pairs
from prosody_transfer.evaluation.controls import Controls, Known
from prosody_transfer.evaluation.evaluate import spread
from prosody_transfer.evaluation.figures import EVALUATION_RATE, Values, load
from prosody_transfer.evaluation.identity import identity_figures, mean_direction
from prosody_transfer.evaluation.one_speaker import ALIKE, MOST, Groups, two_groups
from prosody_transfer.evaluation.pairs import Pair, one_line
from prosody_transfer.evaluation.references import known_voices, references
from prosody_transfer.evaluation.speaker import Judge, without_pauses
from prosody_transfer.evaluation.voice_page import voice_page
from prosody_transfer.evaluation.voice_verdict import Output, Verdict, judge_figures
from prosody_transfer.features.extract import extract
from prosody_transfer.features.mel import log_mel
from prosody_transfer.synthesis.compare import compare
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.render import Rendered, render
from prosody_transfer.synthesis.target_voice import TargetVoice
from prosody_transfer.synthesis.transferer import Transferer

FLOOR = -11.5  # ln; below it is noise between words, as in training


class _Judged(NamedTuple):
    """`values` of an output, the judge's vector (E,), and the output itself, as `ptx transfer` gives it."""

    values: Values
    vector: np.ndarray
    rendered: Rendered


class VoiceGate:
    """Speaks unseen sources, the benchmark's, in the new voice, and in shipped ones through both networks.

    Args:
        model: The acoustic model that the voice was made for; None for the shipped one.
        sources: How many sources, evenly spread over the benchmark's speakers and sentences.
        on_event: Called with how many are done, and of how many.
        on_note: Called with what is worth knowing before the training, in a line.
    """

    def __init__(
        self, model: str | Path | None = None, *, sources: int = 14, device: str = "cpu",
        on_event: Callable[[int, int], None] | None = None, on_note: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self.model, self.count, self.device, self.on_event, self.on_note = model, sources, device, on_event, on_note
        self.judge = Judge()
        self._embedded: dict[str, np.ndarray] = {}

    def check(self) -> None:
        """Find out early whether the judge can work here; DependencyError where it can't."""
        without_pauses(np.zeros(0, np.float32))

    def before(self, held_out: Sequence[str | Path], learnt: Sequence[str | Path]) -> str:
        """Listen to all recordings before the training; says, and tells `on_note`, what speaks against them, or "".

        They are several speakers' if they fall into two groups that the judge hears as two voices.

        Raises:
            AudioError: Fewer than two of those that are kept for the test can be judged.
        """
        self._natural(held_out)
        problem = self._several(held_out, learnt)
        if problem and self.on_note:
            self.on_note(f"{problem}; the voice will not be accepted with them")
        return problem

    def _several(self, held_out: Sequence[str | Path], learnt: Sequence[str | Path]) -> str:
        recordings = [*learnt, *held_out]
        chosen = [recordings[i] for i in spread(len(recordings), MOST)]
        heard = [(path, vector) for path in chosen if (vector := self._embed(path)) is not None]
        groups = two_groups(np.stack([vector for _, vector in heard])) if heard else Groups(1.0, ())
        if groups.one_speaker:
            return ""
        names = [one_line(Path(heard[i][0]).name)[:60] for i in groups.smaller]
        few = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        return (
            f"the recordings sound like two speakers', or one's over two microphones: {len(names)} of {len(heard)} "
            f"({few}) are like the others to {groups.alike:.2f}, not {ALIKE}"
        )

    def __call__(
        self, name: str, voices: str | Path, held_out: Sequence[str | Path], learnt: Sequence[str | Path] = ()
    ) -> Verdict:
        """Test a voice.

        Args:
            voices: The folder that holds it.
            held_out: Recordings of its speaker that it was not trained on, at least two.
            learnt: Those that it was.

        Raises:
            AudioError: Fewer than two of them can be judged.
            ModelError: The acoustic model speaks none of the benchmark's voices.
            DependencyError: The `train` extra is not installed.
        """
        known = self._natural(held_out)
        transferer = Transferer(self.model, device=self.device, voices=voices)
        new, controls = transferer.voice(name), Controls(transferer)
        pairs = benchmark_pairs()
        by_source: dict[str, list[Pair]] = {}
        for pair in pairs:
            if pair.speaker in transferer.network.config.speakers and pair.speaker in known_voices():
                by_source.setdefault(pair.source, []).append(pair)
        if not by_source:
            problem = "speaks none of the voices that the test compares with"
            raise ModelError(problem, place=str(self.model), remedy="train it with one of the benchmark's voices")
        chosen = [list(by_source)[i] for i in spread(len(by_source), self.count)]
        centres, target = self._sources(pairs), mean_direction(known)
        own: list[Output] = []
        shipped: dict[str, list[tuple[float, float]]] = {}
        old: dict[str, list[tuple[str, Values]]] = {"shipped": [], "adapted": []}
        for done, source in enumerate(chosen, 1):
            known_source = controls.analyse(by_source[source][0])
            found = self._judged(transferer, known_source, new, target, centres[source])
            pair = by_source[source][0]
            heard = found.rendered.waveform
            own.append(Output(source, pair.source_speaker, found.values, found.vector, centres[source], heard))
            for pair in by_source[source]:
                voice = transferer.voice(pair.speaker)
                for which, spoken in (("shipped", voice), ("adapted", replace(voice, network=new.network))):
                    values = self._old(transferer, known_source, spoken, pair, centres[source])
                    old[which].append((source, values))
            for speaker, margin in self._shipped(transferer, known_source, centres[source]).items():
                shipped.setdefault(speaker, []).append(margin)
            if self.on_event:
                self.on_event(done, len(chosen))
        several, both = self._several(held_out, learnt), {name: tuple(np.array(m).T) for name, m in shipped.items()}
        verdict = judge_figures(own, old, known, self.judge.fingerprint, several, both)
        return replace(verdict, page=voice_page(name, verdict, own, held_out[0], transferer.config.sample_rate))

    def _embed(self, path: str | Path) -> np.ndarray | None:
        """The judge's vector of a recording, kept; None where it can't be judged."""
        if str(path) not in self._embedded:
            try:
                self._embedded[str(path)] = self.judge.embed(load(path))
            except AudioError:
                return None
        return self._embedded[str(path)]

    def _natural(self, held_out: Sequence[str | Path]) -> np.ndarray:
        found = [vector for path in held_out if (vector := self._embed(path)) is not None]
        if len(found) < 2:
            problem = f"{len(found)} of {len(held_out)} recordings kept from training can be judged"
            raise AudioError(problem, remedy="give more recordings of at least 2 s of speech")
        return np.stack(found)

    def _sources(self, pairs: Sequence[Pair]) -> dict[str, np.ndarray]:
        """By source: the mean direction of the other sources of the same speaker."""
        vectors = {path: self.judge.embed(load(path)) for path in {pair.source for pair in pairs}}
        return {p.source: mean_direction(np.stack([vectors[o] for o in p.source_enrol])) for p in pairs}

    def _judged(
        self, transferer: Transferer, known: Known, voice: TargetVoice, target: np.ndarray, source: np.ndarray
    ) -> _Judged:
        """Identity figures of one output, and what they were measured on."""
        settings = TransferSettings()
        said = render(known.plan, voice, settings, network=transferer.network, vocoder=transferer.vocoder)
        vector = self.judge.embed(resample(said.waveform, said.sample_rate, EVALUATION_RATE))
        figures = identity_figures(vector, target, source)
        values: Values = {"similarity": figures["target_similarity"], "margin": figures["margin"]}
        return _Judged(values, vector, said)

    def _shipped(
        self, transferer: Transferer, known: Known, source: np.ndarray
    ) -> dict[str, tuple[float, float]]:  # fmt: skip
        """`attainment.margins` of one source in every shipped voice that there are recordings of."""
        found = {}
        for name in sorted({*transferer.network.config.speakers} & {*known_voices()}):
            heard = self._judged(transferer, known, transferer.voice(name), mean_direction(references(name)), source)
            made, natural = margins(heard.vector[None], references(name), source[None])
            found[name] = float(made[0]), float(natural[0])
        return found

    def _old(
        self, transferer: Transferer, known: Known, voice: TargetVoice, pair: Pair, source: np.ndarray
    ) -> Values:  # fmt: skip
        """`OLD_FIGURES` of one output in a shipped voice."""
        import torch

        centre = mean_direction(references(pair.speaker))
        values, _, said = self._judged(transferer, known, voice, centre, source)
        mel = np.concatenate([frames.mel for frames in said.frames], 1)
        config = transferer.config
        exact, _ = normalise_level(read_audio(pair.exact, config.sample_rate).waveform, config.sample_rate)
        wanted = log_mel(torch.from_numpy(exact)[None].float(), config)[0].numpy()
        size = min(mel.shape[1], wanted.shape[1])
        distance = np.abs(np.maximum(mel[:, :size], FLOOR) - np.maximum(wanted[:, :size], FLOOR)).mean()
        found = compare(known.analysis.features, extract(np.asarray(said.levelled), config))
        return {**values, "mel_distance": float(distance), "f0_correlation": found["f0_correlation"],
                "energy_correlation": found["energy_correlation"]}  # fmt: skip
