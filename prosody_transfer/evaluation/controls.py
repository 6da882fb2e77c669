"""The systems that a transfer is judged beside: what it could be at best, and what it must be better than."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from prosody_transfer.alignment.base import Aligner, align_text, get_aligner
from prosody_transfer.audio.highpass import high_pass
from prosody_transfer.audio.io import read_audio
from prosody_transfer.audio.levelling import Levelled, level_source
from prosody_transfer.audio.loudness import normalise_level
from prosody_transfer.core.errors import AudioError, PtxError, UsageError
from prosody_transfer.core.keys import sentence_key
from prosody_transfer.core.types import SILENCE
from prosody_transfer.evaluation.classical import transplant
from prosody_transfer.evaluation.pairs import Excluded, Pair, one_line
from prosody_transfer.features.extract import Features
from prosody_transfer.features.statistics import measure_speaker, shrink
from prosody_transfer.store.voices import list_voices
from prosody_transfer.synthesis.delivery import silenced
from prosody_transfer.synthesis.pieces import Piece, cut, whole
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.source import Heard, find_words, name_file
from prosody_transfer.synthesis.speak import Borrowed, Speaker, Spoken, Voice, embed, sound, vocode
from prosody_transfer.synthesis.transfer import Transferer

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
class Analysis:
    """What is known of a source; the same for every system and target voice.

    Attributes:
        recorded: (N,) float32 at the model's rate, as it was read.
        waveform: (N,) the same, as a transfer sees it.
        levelled: The same, and the way back to the source's level.
        pieces, heard: As a transfer has them; `heard.alignment` is of the whole.
        features: Of the whole, T frames.
        level: ln Hz, the speaker's median F0 as a transfer estimates it.
        latent: (1, D, T) prosody embedding on frames.
        span: First frame of speech and the one after its last.
    """

    recorded: np.ndarray
    waveform: np.ndarray
    levelled: Levelled
    pieces: list[Piece]
    heard: Heard
    features: Features
    level: float
    latent: Any
    span: tuple[int, int]


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
        self._known: OrderedDict[tuple[str, str], Analysis] = OrderedDict()
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
            "ptx": lambda: None if pair.output else self._say(source, pair.speaker),
            "copy_synthesis": lambda: self._copy(pair, source),
            "no_prosody": lambda: self._say(source, pair.speaker, strength=0.0),
            "no_latent": lambda: self._say(source, pair.speaker, keep=("rhythm", "pitch", "energy")),
            "latent_only": lambda: self._say(source, pair.speaker, keep=("rhythm", "latent")),
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

    def analyse(self, pair: Pair) -> Analysis:
        """The analysis of a pair's source; kept for the next pair that has it.

        Raises:
            PtxError: The source can't be read or aligned; the error names the file.
        """
        key = (pair.source, pair.text)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        try:
            found = self._analyse(pair.source, pair.text)
        except PtxError as error:
            raise name_file(error, pair.source) from None
        self._known[key] = found
        while len(self._known) > 1 and sum(len(a.waveform) for a in self._known.values()) > KEPT_SECONDS * self.rate:
            old, _ = self._known.popitem(last=False)
            self._copies.pop(old, None)
        return found

    def _analyse(self, path: str, text: str) -> Analysis:
        model, settings = self.transferer, self.settings
        words = find_words(path, text or None, None)
        recorded = read_audio(path, self.rate).waveform
        levelled = level_source(recorded, self.rate)
        waveform = levelled.waveform
        pieces = cut(waveform, model.config)
        features = whole(pieces)
        heard = model.listener.listen(
            waveform, pieces, words, aligner=settings.aligner,
            check=settings.check_transcript, recognise=settings.recognise,
        )  # fmt: skip
        level = shrink(measure_speaker([(features.log_f0, features.voiced)])).log_f0_median
        parts = [embed(model.network, p.features, a) for p, a in zip(pieces, heard.parts, strict=True)]
        latent = parts[0] if len(parts) == 1 else _join(parts)
        return Analysis(recorded, waveform, levelled, pieces, heard, features, level, latent, _span(heard, features))

    def _say(self, source: Analysis, voice: str, borrowed: Borrowed | None = None, **changes: Any) -> np.ndarray:
        """A transfer of an analysed source with other settings, and with prosody laid over its own."""
        settings = TransferSettings(**(self.settings.to_dict() | changes))
        spoken = speak_pieces(self.transferer, source, self.transferer.voice(voice), settings, borrowed)
        if borrowed and borrowed.energy_db is not None:  # its loudness is another utterance's
            return self._finish(source, spoken)
        audio = sound(self.transferer.vocoder, spoken, source.waveform, settings, self.rate)
        audio = source.levelled.give_back(audio)[0]
        return silenced(audio, source.recorded, source.pieces, spoken, settings, self.transferer.config)

    def _finish(self, source: Analysis, spoken: list[Spoken]) -> np.ndarray:
        audio = np.concatenate([*vocode(self.transferer.vocoder, spoken)])[: len(source.waveform)]
        return source.levelled.give_back(audio)[0]

    def _copy(self, pair: Pair, source: Analysis) -> np.ndarray:
        key = (pair.source, pair.text)
        if key not in self._copies:
            features = source.features
            self._copies[key] = self._finish(source, [Spoken(features.mel, features.log_f0, features.voiced)])
        return self._copies[key]

    def _random(self, pair: Pair, source: Analysis, others: Sequence[Pair], **changes: Any) -> np.ndarray | None:
        other = self._other(pair, others)
        if other is None:
            return None
        return self._say(source, pair.speaker, lend(source, other), **changes)

    def _other(self, pair: Pair, others: Sequence[Pair]) -> Analysis | None:
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

    def _wrong(self, pair: Pair, source: Analysis) -> np.ndarray | None:
        known = {voice.name: voice.gender == "female" for voice in list_voices()}
        high = lambda n: known.get(n, self.transferer.voices[n]["log_f0_median"] > BETWEEN_REGISTERS)
        names = [n for n in self.transferer.network.config.speakers if n != pair.speaker]
        names = [n for n in names if high(n) != high(pair.speaker)] or names
        if not names:
            return None
        return self._say(source, random.Random(f"{self.seed} voice {pair.id}").choice(sorted(names)))

    def _classical(self, pair: Pair, source: Analysis) -> np.ndarray | None:
        if not pair.natural:
            return None
        try:
            audio = read_audio(pair.natural, self.rate)
            if audio.seconds > LONGEST_NATURAL_SECONDS:
                raise AudioError(f"is {audio.seconds:.0f} s long, more than can be aligned at once")
            natural, _ = normalise_level(high_pass(audio.waveform, self.rate), self.rate)
            self._aligner = self._aligner or get_aligner(self.settings.aligner)
            alignment = align_text(self._aligner, natural, self.rate, source.heard.text)
            moved = transplant(source.waveform, source.features, source.heard.alignment, natural, alignment)
        except PtxError as error:
            self.left_out.append(Excluded(f"{pair.id}, classical", one_line(str(name_file(error, pair.natural)))))
            return None
        return source.levelled.give_back(moved)[0]


def speak_pieces(
    transferer: Transferer, source: Analysis, voice: Voice, settings: TransferSettings, borrowed: Borrowed | None = None
) -> list[Spoken]:  # fmt: skip
    """An analysed source in a voice, piece by piece, with its own latent unless another is lent."""
    speaker = Speaker(transferer.network, voice, source.level, settings)
    lent = borrowed or Borrowed()
    lent = replace(lent, latent=source.latent if lent.latent is None else lent.latent)
    spoken = []
    for piece, part in zip(source.pieces, source.heard.parts, strict=True):
        size = piece.features.n_frames
        own = _slice(lent, piece.first_frame, piece.first_frame + size)
        spoken.append(speaker.speak(piece.features, part, size, own))
    return spoken


def lend(source: Analysis, other: Analysis) -> Borrowed:
    """Contour, energy and embedding of `other` on the frames of `source`, from speech span to speech span, linearly.

    What lies before and after the speech goes before and after it.
    """
    size, have = source.features.n_frames, other.features.n_frames
    start, end = source.span
    at = np.interp(np.arange(size), [-1, start, end, size], [-1, *other.span, have]).clip(0, have - 1)
    frames = np.arange(have)
    return Borrowed(
        np.interp(at, frames, other.features.log_f0) - other.level,
        np.interp(at, frames, other.features.energy_db),
        other.latent[..., np.round(at).astype(int)],
    )


def _slice(lent: Borrowed, start: int, end: int) -> Borrowed:
    part = lambda values: None if values is None else values[..., start:end]
    return Borrowed(part(lent.contour), part(lent.energy_db), part(lent.latent))


def _span(heard: Heard, features: Features) -> tuple[int, int]:
    rate = features.config.sample_rate / features.config.hop_length
    spoken = [p for p in heard.alignment.phones if p.phone != SILENCE]
    if not spoken:
        return 0, features.n_frames
    start = min(int(spoken[0].start * rate), features.n_frames - 1)
    return start, max(start + 1, min(round(spoken[-1].end * rate), features.n_frames))


def _join(parts: list[Any]) -> Any:
    import torch

    return torch.cat(parts, -1)
