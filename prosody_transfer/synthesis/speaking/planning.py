"""A sentence and a voice to a plan; plans of sentences to the plan of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prosody_transfer.analysis.recorded import Recorded
from prosody_transfer.audio.levelling import SourceLevel
from prosody_transfer.audio.silence import Silence
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.types import SILENCE
from prosody_transfer.synthesis.plan import NO_WORD, PlannedPhones, PlannedSource, ProsodyPlan
from prosody_transfer.synthesis.speaking.choice import ProsodyChoice
from prosody_transfer.synthesis.speaking.emphasis import emphasise, heard, scaled_lengths
from prosody_transfer.synthesis.speaking.outline import Outline, outline
from prosody_transfer.synthesis.speaking.predicted import TextProsody
from prosody_transfer.synthesis.speaking.tunes import draw
from prosody_transfer.synthesis.speaking.wishes import Request
from prosody_transfer.text.prosody_tokens import Tokens, tokens_of

LEAD_SECONDS, TAIL_SECONDS = 0.08, 0.12  # of silence, before and after every sentence
LONGEST_PIECE_SECONDS = 18.0
PAUSE_FROM = 0.5
MOST_LOG_F0, MOST_DB = 1.2, 30.0  # about the level: a factor of 3.3; no reading goes so far
SILENT_DB = -60.0


@dataclass(frozen=True)
class ProsodySource:
    """A model of role "text" that was chosen: its speaking part and its network.

    Attributes:
        manner: How a recording was said, as the model's `embed` has it, in place of what the text asks for.
    """

    choice: ProsodyChoice
    model: TextProsody
    network: Any
    manner: np.ndarray | None = None

    def told(self, tokens: Tokens, request: Request, rng: np.random.Generator) -> Any:
        """What the model is told of a sentence."""
        if self.manner is not None:
            return self.model.in_manner(self.network, tokens, self.manner)
        more = () if request.heard is None else (request.heard,)
        return self.model.condition(self.network, tokens, request.sentence, self.choice.option, rng, *more)


@dataclass(frozen=True)
class PlannedSentence:
    """A sentence, planned.

    Attributes:
        plan: With the silence after it.
        tune: What was drawn, in words.
        spans: (W, 2) frames of each word.
    """

    request: Request
    plan: ProsodyPlan
    tune: str
    spans: np.ndarray


def plan_sentence(
    request: Request, source: ProsodySource, voice: str, level: float, *, config: MelConfig,
    rng: np.random.Generator, length_scale: float = 1.0, tune: str = "", silence: float = 0.0,
) -> PlannedSentence:  # fmt: skip
    """How a sentence is said.

    Args:
        source: Where its prosody comes from.
        level: ln Hz, the voice's median F0.
        rng: Of what the source draws.
        tune: "rise", "fall", or "" as the sentence's kind has it.
        silence: Seconds after it, with which the plan ends.
    """
    sentence, rate = request.sentence, config.sample_rate / config.hop_length
    tokens = tokens_of(sentence.words, sentence.kind, heard(request.wishes))
    model, network = source.model, source.network
    told = source.told(tokens, request, rng)
    found = model.lengths(network, told, voice, level)
    pauses = tokens.is_gap & (found.pause >= PAUSE_FROM)
    frames = scaled_lengths(tokens, found.frames, pauses, request.wishes, length_scale, rate)
    frames[0] = max(1, round(((request.lead or 0.0) + LEAD_SECONDS) * rate))
    asked = request.wishes[-1].pause
    frames[-1] = max(1, round((TAIL_SECONDS + (silence if asked is None else asked)) * rate))
    made = outline(sentence.words, tokens, frames, model.contours(network, told, frames, voice, level))
    made.energy_db[np.repeat(tokens.is_gap, frames)] = SILENT_DB
    drawn = draw(made, sentence, tune) if request.heard is None or tune else "as in the recording"
    emphasise(made, request.wishes)
    spans = np.array([made.span(i) for i in range(len(sentence.words))])
    return PlannedSentence(request, _plan(made, config, level), drawn, spans)


def _plan(made: Outline, config: MelConfig, level: float) -> ProsodyPlan:
    frames = np.diff(made.starts)
    some = frames > 0
    names = tuple(name for name, there in zip(made.names, some, strict=True) if there)
    owner = np.where(np.array(made.names) == SILENCE, NO_WORD, made.owner)[some]
    spellings = tuple(word.text for word in made.words)
    phones = PlannedPhones(names, frames[some], owner, spellings)
    return ProsodyPlan(
        config, phones, _pieces(phones, config),
        np.clip(made.log_f0, -MOST_LOG_F0, MOST_LOG_F0).astype(np.float32), made.voiced,
        np.clip(made.energy_db, SILENT_DB, MOST_DB).astype(np.float32), np.zeros(0),
        _source(made.n_frames, config, level, " ".join(spellings), _silences(phones, config)),
    )  # fmt: skip


def _source(
    n_frames: int, config: MelConfig, level: float, text: str, silences: tuple[Silence, ...]
) -> PlannedSource:  # fmt: skip
    samples = n_frames * config.hop_length
    recorded, loudness = Recorded(config.sample_rate, samples), SourceLevel(0.0, config.sample_rate, samples)
    return PlannedSource(recorded, samples, level, loudness, silences, words_from="text", text=text)


def _silences(phones: PlannedPhones, config: MelConfig) -> tuple[Silence, ...]:
    """The last pause, less what the last phone needs to fade."""
    samples = int(phones.durations.sum()) * config.hop_length
    tail = round(TAIL_SECONDS * config.sample_rate)
    start = samples - int(phones.durations[-1]) * config.hop_length + tail
    return (Silence(start, samples, 0.0),) if samples - start > tail else ()


def _pieces(phones: PlannedPhones, config: MelConfig) -> np.ndarray:
    """Phones in each piece: cut at a pause, or between words, where it would get too long."""
    most = LONGEST_PIECE_SECONDS * config.sample_rate / config.hop_length
    ends = np.cumsum(phones.durations)
    cuts, begin = [0], 0
    while ends[-1] - begin > most:
        fits = [i for i in range(cuts[-1] + 1, len(ends)) if ends[i - 1] - begin <= most]
        pauses = [i for i in fits if phones.names[i - 1] == SILENCE and i > cuts[-1] + 1]
        words = [i for i in fits if phones.words[i] != phones.words[i - 1]]
        cuts.append((pauses or words or fits or [cuts[-1] + 1])[-1])
        begin = int(ends[cuts[-1] - 1])
    return np.diff([*cuts, len(ends)])


def join_plans(plans: Sequence[ProsodyPlan]) -> ProsodyPlan:
    """The plans of sentences, one after another, as one.

    Args:
        plans: Of the same features, as `plan_sentence` makes them.
    """
    if len(plans) == 1:
        return plans[0]
    config, words, owners, at, silences = plans[0].config, 0, [], 0, []
    for plan in plans:
        owners.append(np.where(plan.phones.words == NO_WORD, NO_WORD, plan.phones.words + words))
        words += len(plan.phones.spellings)
        silences += [Silence(s.start + at, s.stop + at, s.peak) for s in plan.source.silences]
        at += plan.source.samples
    joined = lambda name: np.concatenate([getattr(plan, name) for plan in plans])
    phones = PlannedPhones(
        tuple(name for plan in plans for name in plan.phones.names),
        np.concatenate([plan.phones.durations for plan in plans]), np.concatenate(owners),
        tuple(word for plan in plans for word in plan.phones.spellings),
    )  # fmt: skip
    size, text = len(joined("log_f0")), " ".join(plan.source.text for plan in plans)
    source = _source(size, config, plans[0].source.f0_level, text, tuple(silences))
    return ProsodyPlan(
        config, phones, joined("pieces"), joined("log_f0"), joined("voiced"), joined("energy_db"), np.zeros(0), source
    )
