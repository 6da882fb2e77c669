"""The systems that a transfer is judged beside: what it could be at best, and what it must be better than."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from prosody_transfer.alignment.base import Aligner, align_text, get_aligner
from prosody_transfer.analysis.analyse import Analysis, analyse_file
from prosody_transfer.analysis.transcript import name_file
from prosody_transfer.audio.highpass import high_pass
from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.core.errors import AudioError, PtxError, UsageError
from prosody_transfer.core.keys import sentence_key
from prosody_transfer.core.types import SILENCE, Alignment
from prosody_transfer.evaluation.classical import transplant
from prosody_transfer.evaluation.pairs import Excluded, Pair, one_line
from prosody_transfer.features.extract import Features
from prosody_transfer.store.voices import list_voices
from prosody_transfer.synthesis.acoustic import DecodedFrames, speaking_of
from prosody_transfer.synthesis.plan import PlannedEmbedding, ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.transferer import Transferer
from prosody_transfer.synthesis.vocode import vocode

LONGEST_NATURAL_SECONDS = 60.0  # the aligner's memory grows with the square
KEPT_SECONDS = 600.0  # of analysed sources held at once, about 0.2 MB each
BETWEEN_REGISTERS = np.log(155.0)  # ln Hz: voices that no list names are told apart by their median

# In the order in which they are made. "ptx" only where the pair has no output, "classical" only where it has a natural
# recording of the target, "random_*" only where there is another utterance, "wrong_speaker" only where there is
# another voice.
SYSTEMS: dict[str, str] = {
    "ptx": "the transfer that is judged",
    "copy_synthesis": "the source's own mel and F0 through the vocoder, no transfer: what the vocoder costs",
    "no_prosody": "nothing of the source but its words, pauses and voicing: the model's own rhythm and melody",
    "no_latent": "rhythm, pitch and energy of the source, without the prosody embedding",
    "latent_only": "rhythm and prosody embedding of the source; pitch and energy as the model reads them from it",
    "random_latent": "the same, with the prosody embedding of a random other utterance",
    "random_prosody": "contour, energy and prosody embedding of a random other utterance, stretched from its speech "
    "onto this source's; words, rhythm and voicing are this source's",
    "wrong_speaker": "the transfer into a voice of the other gender, judged as if it were the voice asked for",
    "classical": "the target's natural recording of the words, moved onto the source's rhythm, melody and loudness "
    "with WORLD",
}
RARE = (
    "latent_only",
    "random_latent",
    "classical",
)  # made for one pair of each source only: they take a third of the time
VOICELESS = ("copy_synthesis", "classical")  # need no voice of the model


@dataclass(frozen=True)
class Known:
    """What is known of a source; the same for every system and target voice.

    Attributes:
        analysis: As a transfer has it.
        plan: How it is said, with its prosody embedding on frames.
        span: First frame of speech and the one after its last.
    """

    analysis: Analysis
    plan: ProsodyPlan
    span: tuple[int, int]

    @property
    def latent(self) -> np.ndarray:
        """(D, T) prosody embedding on frames; D is 0 where the model has none."""
        made = self.plan.embedding
        return np.zeros((0, self.plan.n_frames), np.float32) if made is None else np.concatenate(made.steps, -1)


class Controls:
    """Makes every control of a pair, analysing each source once.

    Args:
        transferer: The networks that are judged.
        settings: Those of the transfers that are judged.
        seed: Of what is random; the same seed and pair give the same samples, in whatever order pairs come.
        every: Make what `RARE` names for every pair. By default, of the pairs in `others` that share a source, one gets
            it, chosen by chance: answers to one source are no independent evidence.

    Attributes:
        left_out: Controls that a pair should have had and has not, under "PAIR, SYSTEM", and why.

    Raises:
        UsageError: The settings change the duration.
    """

    def __init__(
        self, transferer: Transferer, settings: TransferSettings | None = None, seed: int = 0, *, every: bool = False
    ) -> None:
        self.transferer, self.settings, self.seed = transferer, (settings or TransferSettings()).check(), seed
        if self.settings.duration_scale != 1:
            remedy = "judge transfers that keep the source's timeline"
            raise UsageError("cannot be judged frame by frame", place="--duration-scale", remedy=remedy)
        self.rate = transferer.config.sample_rate
        self.every = every
        self.left_out: list[Excluded] = []
        self._aligner: Aligner | None = None
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()
        self._copies: OrderedDict[tuple[str, str], np.ndarray] = OrderedDict()

    def make(
        self, pair: Pair, others: Sequence[Pair], systems: Sequence[str] | None = None
    ) -> Iterator[tuple[str, np.ndarray, int]]:
        """Name, waveform (N,) float32 as long and as loud as the source, and rate in Hz, of one system after the other.

        Args:
            others: All the pairs, or some. Random utterances are those whose recording and words are not this pair's.
            systems: Some of `SYSTEMS`; None for all.

        Raises:
            PtxError: The source can't be read or aligned; or there is no such voice and no output either. (An output in
                a voice that the model has not gets only the controls that need no voice.)
        """
        source = self.analyse(pair)
        if pair.speaker not in self.transferer.voices:
            if not pair.output:
                self.transferer.voice(pair.speaker)
            systems = [s for s in VOICELESS if systems is None or s in systems]
        makers: dict[str, Callable[[], np.ndarray | None]] = {
            "ptx": lambda: None if pair.output else self._say(source.plan, pair.speaker),
            "copy_synthesis": lambda: self._copy(pair, source),
            "no_prosody": lambda: self._say(source.plan, pair.speaker, strength=0.0),
            "no_latent": lambda: self._say(source.plan, pair.speaker, keep=("rhythm", "pitch", "energy")),
            "latent_only": lambda: self._say(source.plan, pair.speaker, keep=("rhythm", "latent")),
            "random_latent": lambda: self._random(pair, source, others, keep=("rhythm", "latent")),
            "random_prosody": lambda: self._random(pair, source, others),
            "wrong_speaker": lambda: self._wrong(pair, source),
            "classical": lambda: self._classical(pair, source),
        }
        rare = self.every or self._has_rare(pair, others)
        for name in SYSTEMS:
            if (systems is None or name in systems) and (rare or name not in RARE):
                waveform = makers[name]()
                if waveform is not None:
                    yield name, waveform, self.rate

    def _has_rare(self, pair: Pair, others: Sequence[Pair]) -> bool:
        """Whether this pair is the one of its source that gets the rare controls."""
        rivals = sorted({p.id for p in others if p.source == pair.source} | {pair.id})
        return random.Random(f"{self.seed} rare {rivals[0]}").choice(rivals) == pair.id

    def analyse(self, pair: Pair) -> Known:
        """The analysis of a pair's source; kept for the next pair that has it.

        Raises:
            PtxError: The source can't be read or aligned; the error names the file.
        """
        key = (pair.source, pair.text)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        found = self._analyse(pair.source, pair.text)
        self._known[key] = found
        while len(self._known) > 1 and sum(k.analysis.seconds for k in self._known.values()) > KEPT_SECONDS:
            old, _ = self._known.popitem(last=False)
            self._copies.pop(old, None)
        return found

    def _analyse(self, path: str, text: str) -> Known:
        model = self.transferer
        analysis = analyse_file(path, model.aligner, self.settings, text=text or None, config=model.config)
        plan, speaking = model.plan(analysis), speaking_of(model.network)
        if plan.embedding is not None:
            on_frames = (
                speaking.on_frames(model.network, plan.embedding, k, phones, cut.stop - cut.start)[0]
                for k, (phones, cut) in enumerate(plan.split())
            )
            steps = tuple(np.asarray(s.cpu() if hasattr(s, "cpu") else s) for s in on_frames)
            plan = replace(plan, embedding=replace(plan.embedding, steps=steps, level="frames"))
        return Known(analysis, plan, _span(analysis.alignment, analysis.features))

    def _say(self, plan: ProsodyPlan, voice: str, **changes: Any) -> np.ndarray:
        """A transfer of an analysed source with other settings, or with another plan."""
        settings = TransferSettings(**(self.settings.to_dict() | changes))
        return self.transferer.render(plan, voice, settings).waveform

    def _copy(self, pair: Pair, source: Known) -> np.ndarray:
        key = (pair.source, pair.text)
        if key not in self._copies:
            features = source.analysis.features
            frames = [DecodedFrames(features.mel, features.log_f0, features.voiced)]
            audio = np.concatenate([*vocode(self.transferer.vocoder, frames)])[: len(source.analysis.waveform)]
            self._copies[key] = source.plan.source.level.give_back(audio)[0]
        return self._copies[key]

    def _random(self, pair: Pair, source: Known, others: Sequence[Pair], **changes: Any) -> np.ndarray | None:
        other = self._other(pair, others)
        if other is None:
            return None
        return self._say(lend(source, other), pair.speaker, **changes)

    def _other(self, pair: Pair, others: Sequence[Pair]) -> Known | None:
        """Another utterance, by chance; the next one where it can't be used."""
        words = sentence_key(pair.text)
        same = lambda p: p.source == pair.source or (p.text and sentence_key(p.text) == words)
        found = {p.source: p for p in others if not same(p)}
        choice = sorted(found)
        random.Random(f"{self.seed} other {pair.id}").shuffle(choice)
        for path in choice:
            try:
                return self.analyse(found[path])
            except PtxError:
                continue
        return None

    def _wrong(self, pair: Pair, source: Known) -> np.ndarray | None:
        known = {voice.name: voice.gender == "female" for voice in list_voices()}
        high = lambda n: known.get(n, self.transferer.voices[n]["log_f0_median"] > BETWEEN_REGISTERS)
        names = [n for n in self.transferer.network.config.speakers if n != pair.speaker]
        names = [n for n in names if high(n) != high(pair.speaker)] or names
        if not names:
            return None
        return self._say(source.plan, random.Random(f"{self.seed} voice {pair.id}").choice(sorted(names)))

    def _classical(self, pair: Pair, source: Known) -> np.ndarray | None:
        if not pair.natural:
            return None
        found = source.analysis
        try:
            audio = read_audio(pair.natural, self.rate)
            if audio.seconds > LONGEST_NATURAL_SECONDS:
                raise AudioError(f"is {audio.seconds:.0f} s long, more than can be aligned at once")
            natural, _ = normalise_level(high_pass(audio.waveform, self.rate), self.rate)
            self._aligner = self._aligner or get_aligner(self.settings.aligner)
            alignment = align_text(self._aligner, natural, self.rate, found.aligned.text)
            moved = transplant(np.asarray(found.waveform), found.features, found.alignment, natural, alignment)
        except PtxError as error:
            self.left_out.append(Excluded(f"{pair.id}, classical", one_line(str(name_file(error, pair.natural)))))
            return None
        return source.plan.source.level.give_back(moved)[0]


def lend(source: Known, other: Known) -> ProsodyPlan:
    """The plan of `source` with contour, energy and embedding of `other`, from speech span to speech span, linearly.

    What lies before and after the speech goes before and after it. Voicing stays; no loudness is followed.
    """
    size, have = source.plan.n_frames, other.plan.n_frames
    start, end = source.span
    at = np.interp(np.arange(size), [-1, start, end, size], [-1, *other.span, have]).clip(0, have - 1)
    frames, features = np.arange(have), other.analysis.features
    latent = other.latent[..., np.round(at).astype(int)]
    steps = tuple(latent[..., cut] for _, cut in source.plan.split())
    return replace(
        source.plan,
        log_f0=np.interp(at, frames, features.log_f0) - other.analysis.f0_level,
        energy_db=np.interp(at, frames, features.energy_db),
        embedding=PlannedEmbedding(steps, "frames") if len(latent) else None,
        power=np.zeros(0),
        source=replace(source.plan.source, silences=()),
    )


def _span(alignment: Alignment, features: Features) -> tuple[int, int]:
    rate = features.config.sample_rate / features.config.hop_length
    spoken = [p for p in alignment.phones if p.phone != SILENCE]
    if not spoken:
        return 0, features.n_frames
    start = min(int(spoken[0].start * rate), features.n_frames - 1)
    return start, max(start + 1, min(round(spoken[-1].end * rate), features.n_frames))
