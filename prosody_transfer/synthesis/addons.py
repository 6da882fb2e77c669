"""Addons as what `render` says plans with: the same as the torch networks, on any runtime, without importing torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration import Addon, Layer, Networks, Stream, build_layer
from prosody_transfer.integration.runtimes import Tensors
from prosody_transfer.models import registry
from prosody_transfer.store.header import read_shapes
from prosody_transfer.store.voice_network import ROW, check_adapted
from prosody_transfer.synthesis.acoustic import DecodedFrames, lengths
from prosody_transfer.synthesis.plan import PlannedEmbedding, PlannedPhones, ProsodyPlan, pieces_of, word_numbers
from prosody_transfer.synthesis.prosody import TransferSettings, plan_rhythm
from prosody_transfer.synthesis.target_voice import TargetVoice
from prosody_transfer.text.phones import PHONES

CHUNK_FRAMES = 512  # a network is given at a time where nobody waits for the first sound


class AcousticConfig(NamedTuple):
    """What is asked of an acoustic model's settings."""

    mel: MelConfig
    speakers: tuple[str, ...]
    n_phones: int
    latent_unit: str
    latent_channels: int
    divisor: int  # frames of a step of the embedding


def acoustic_config(addon: Addon) -> AcousticConfig:
    """Settings of an acoustic model's addon; ModelError where it is none."""
    config = addon.config
    known = registry.kinds("acoustic")
    if config.kind not in known or config.features is None or not config.voices:
        problem = f"is a {config.kind}, not an acoustic model"
        raise ModelError(problem, place=addon.place, remedy=f"give an addon of the kind {' or '.join(known)}")
    speakers = tuple(sorted(config.voices, key=lambda name: config.voices[name].row))
    made = [port for spec in config.networks.values() if spec.role == "encoder" for port in spec.outputs]
    latent = next((port.axes for port in made if port.name == "latent"), ("B", 0, "R"))
    divisor = int(str(latent[-1]).partition("/")[2] or 1)
    return AcousticConfig(config.features, speakers, len(config.phones), config.latent_unit, int(latent[1]), divisor)


class AddonAcoustic:
    """An acoustic model's addon, ready to say plans.

    What a stack asks for is looked up by name among `AddonPieces.inputs`. A model that asks for more is run by a
    subclass, which its `Model.addon_speaking` names: `more` adds tensors, `embed` makes other embeddings.

    Args:
        options: "runtime", "provider" and "shapes" of `integration.Networks`.
        row: Parameters of one voice more, `ROW`, and whatever else of it differs; see `adapted`.

    Attributes:
        config: Its settings, as far as they are asked for.
        rows: Of its speaker table, a user's voice's among them.
    """

    def __init__(self, addon: Addon, options: Mapping[str, Any], own: Mapping[str, np.ndarray] | None = None) -> None:
        self.addon, self.options, self.own = addon, dict(options), dict(own or {})
        self.config = acoustic_config(addon)
        overlay = {name: value for name, value in self.own.items() if name != ROW}
        networks = Networks([replace(addon, overlay=overlay)], **self.options)
        self.layer: Layer = build_layer([], networks=networks, chunk_frames=CHUNK_FRAMES)
        self.networks = networks
        self.table = addon.tensor("decoder", "speaker_table.weight")
        if ROW in self.own:
            self.table = np.concatenate([self.table, self.own[ROW][None].astype(np.float32)])
        self.rows = len(self.table)
        self.speaking = AddonSpeaking()

    def adapted(self, tensors: Mapping[str, np.ndarray], place: str) -> AddonAcoustic:
        """The same with a user's voice as the last row; ModelError where its parameters do not fit."""
        adaptable = registry.get(self.addon.config.kind).load("adaptable")
        shapes = read_shapes(self.addon.parameters_file("decoder")).shapes
        changed = check_adapted(adaptable, shapes, tensors, place)
        return type(self)(self.addon, self.options, {ROW: tensors[ROW], **changed})

    def embed(self, analysis: Analysis, model: str = "") -> PlannedEmbedding | None:
        """The embedding of an analysed source; see `synthesis.acoustic.Speaking.embed`."""
        if not self.config.latent_channels:
            return None
        steps = []
        for features, _, phones in pieces_of(analysis):
            source = {
                "source_mel": features.mel[None], "source_mask": np.ones((1, features.n_frames), bool),
                "source_durations": phones.durations[None], "known": np.zeros(1, np.float32),
            }  # fmt: skip
            found = self.encode({**phone_tensors(phones), **source})["latent"][0]
            units = self.units(phones, features.n_frames)
            steps.append(found if units is None else pool(found, units))
        frames_per_step = self.config.divisor if self.config.latent_unit == "frames" else 0
        return PlannedEmbedding(tuple(steps), "steps", model, frames_per_step)

    def encode(self, given: Tensors) -> Tensors:
        """What the encoders make, down to the prosody embedding, in the order in which they need each other."""
        left, found = self.networks.names("encoder"), dict(given)
        while "latent" not in found:
            ready = (name for name in left if all(p.name in found for p in self.networks.handle(name).spec.inputs))
            if (name := next(ready, None)) is None:
                remedy = "name in its model's folder what is to be given, see docs/guides/addons.md"
                raise ModelError("has an encoder that takes what nobody gives", place=self.addon.place, remedy=remedy)
            left.remove(name)
            found |= self.networks.handle(name).run(found)
        return found

    def doubts(self, found: Tensors, phones: PlannedPhones) -> tuple[str, ...]:
        """What the model itself finds wrong with a piece that it has said, a line each, for the user.

        Args:
            found: What its stack gave.
        """
        return ()

    def more(
        self, voice: TargetVoice, plan: ProsodyPlan, settings: TransferSettings, number: int, at: np.ndarray
    ) -> Tensors:
        """Tensors that this model's stack asks for beside those of `AddonPieces.inputs`.

        Args:
            number: Of the piece, from 0.
            at: (T,) the frame of the piece that each output frame is taken from.
        """
        return {}

    def units(self, phones: PlannedPhones, n_frames: int) -> np.ndarray | None:
        """Which step of the embedding each frame takes, (T,) from 0; None where steps are so many frames.

        Raises:
            ModelError: There is a step for each word, and the words are unknown.
        """
        if self.config.latent_unit == "frames":
            return None
        if self.config.latent_unit == "utterance":
            return np.zeros(n_frames, np.int64)
        index = np.repeat(np.arange(len(phones.durations)), phones.durations)[:n_frames]
        if self.config.latent_unit == "word":
            words = word_numbers(phones.words)
            if words is None:
                raise ModelError("this model needs to know the words of a recording", remedy="give a transcript")
            index = words[index]
        return index - index[0]

    def steps(
        self, embedding: PlannedEmbedding | None, number: int, phones: PlannedPhones, size: int, at: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Steps of the embedding of a piece (1, D, T'), and which of them frames `at` of its `size` take."""
        if embedding is None:
            return np.zeros((1, self.config.latent_channels, 1), np.float32), np.zeros(len(at), np.int64)
        steps = embedding.steps[number]
        units = self.units(phones, size)
        index = at if embedding.level == "frames" else at // self.config.divisor if units is None else units[at]
        return steps[None], np.minimum(index, steps.shape[1] - 1)


class AddonSpeaking:
    """The speaking part of an acoustic model that is an addon; see `synthesis.acoustic.Speaking`."""

    @staticmethod
    def embed(network: AddonAcoustic, analysis: Analysis, model: str = "") -> PlannedEmbedding | None:
        return network.embed(analysis, model)

    @staticmethod
    def on_frames(
        network: AddonAcoustic, embedding: PlannedEmbedding, number: int, phones: PlannedPhones, n_frames: int
    ) -> np.ndarray:
        steps, index = network.steps(embedding, number, phones, n_frames, np.arange(n_frames))
        return steps[..., index]

    @staticmethod
    def decode_frames(
        plan: ProsodyPlan, voice: TargetVoice, settings: TransferSettings, network: AddonAcoustic
    ) -> Iterator[DecodedFrames]:
        decoder = AddonPieces(network, voice, plan, settings)
        pieces = zip(plan.split(), lengths(plan, settings), strict=True)
        return (decoder.decode(k, phones, cut, size) for k, ((phones, cut), size) in enumerate(pieces))


def phone_tensors(phones: PlannedPhones) -> Tensors:
    """What the phone encoder takes; heard phones go in as posteriors, without stress."""
    if phones.posteriors is not None and phones.posteriors.any():
        values, stress = phones.posteriors, np.zeros(len(phones.names), np.int64)
    else:
        values, stress = np.eye(len(PHONES), dtype=np.float32)[phones.ids], phones.stress
    return {"phones": values[None], "stress": stress[None], "phone_mask": np.ones((1, len(values)), bool)}


def pool(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """The mean of the frames of every unit, (D, T) and (T,) -> (D, U)."""
    count = np.bincount(units)
    sums = np.stack([np.bincount(units, row) for row in values.astype(np.float64)])
    return (sums / np.maximum(count, 1)).astype(np.float32)


class AddonPieces:
    """One voice speaking pieces of one plan, with an addon."""

    def __init__(
        self, acoustic: AddonAcoustic, voice: TargetVoice, plan: ProsodyPlan, settings: TransferSettings
    ) -> None:
        self.acoustic = acoustic if voice.network is None else voice.network
        self.voice, self.plan, self.settings = voice, plan, settings

    def inputs(self, number: int, phones: PlannedPhones, frames: slice, n_frames: int) -> tuple[Tensors, np.ndarray]:
        """What the stack is given for one piece, and which frame of it each output frame is taken from, (T,)."""
        settings, voice, plan, keep = self.settings, self.voice, self.plan, self.settings.keep
        weight = settings.strength if "rhythm" in keep else 0.0
        rhythm = plan_rhythm(phones.durations, phones.ids, voice.phone_log_frames, weight, n_frames)
        at = rhythm.source_frame
        latent, index = self.acoustic.steps(plan.embedding, number, phones, frames.stop - frames.start, at)
        table = self.acoustic.table
        one = lambda value: np.array([value], np.float32)
        kept = [1, "energy" in keep, "latent" in keep and plan.embedding is not None]
        return {
            **phone_tensors(phones), "durations": rhythm.durations[None], "latent": latent, "latent_index": index[None],
            "contour": plan.log_f0[frames][at][None], "tracked": plan.voiced[frames][at][None],
            "loudness": plan.energy_db[frames][at][None], "silent": np.repeat(phones.ids == 0, rhythm.durations)[None],
            "keep": np.array([kept], np.float32), "pitch_kept": one("pitch" in keep),
            "strength": one(settings.strength), "f0_range_scale": one(settings.f0_range_scale),
            "f0_shift_semitones": one(settings.f0_shift_semitones), "level": one(voice.log_f0_median),
            "speaker": table[voice.row][None], "nobody": table.mean(0)[None],
            "sharpening": np.array([voice.sharpening], np.float32), "source_durations": phones.durations[None],
            **self.acoustic.more(voice, plan, settings, number, at),
        }, at  # fmt: skip

    def decode(self, number: int, phones: PlannedPhones, frames: slice, n_frames: int) -> DecodedFrames:
        """Say one piece; see `PieceDecoder.decode` of the model's speaking part."""
        inputs, at = self.inputs(number, phones, frames, n_frames)
        found = self.acoustic.layer.run(inputs)
        doubts = self.acoustic.doubts(found, phones)
        return DecodedFrames(found["mel"][0], found["pitch"][0], found["voiced"][0] > 0.5, at, doubts)


def open_acoustic(addon: Addon, options: Mapping[str, Any]) -> AddonAcoustic:
    """An acoustic model's addon, by the class that its model names; raises as `acoustic_config`."""
    acoustic_config(addon)
    model = registry.get(addon.config.kind)
    chosen = model.load("addon_speaking") if model.addon_speaking else AddonAcoustic
    return chosen(addon, options)  # type: ignore[no-any-return]


class AddonText:
    """A text model's addon, as the speaking part of its model takes a network.

    Attributes:
        config: `mel` and `speakers`, in the order of their rows.
    """

    class Config(NamedTuple):
        mel: MelConfig
        speakers: tuple[str, ...]

    def __init__(self, addon: Addon, options: Mapping[str, Any]) -> None:
        known, config = registry.kinds("text"), addon.config
        if config.kind not in known or config.features is None:
            problem = f"is a {config.kind}, not a model of prosody from text"
            raise ModelError(problem, place=addon.place, remedy=f"give an addon of the kind {' or '.join(known)}")
        self.networks, self.addon = Networks([addon], **options), addon
        speakers = tuple(sorted(config.voices, key=lambda name: config.voices[name].row))
        self.config = self.Config(config.features, speakers)

    def run(self, network: str, inputs: Tensors) -> Tensors:
        """Run one of its networks; raises as `integration.networks.Handle.run`."""
        return self.networks.handle(network).run(inputs)

    def tensor(self, network: str, name: str) -> np.ndarray:
        """As `integration.Addon.tensor`."""
        return self.addon.tensor(network, name)


class AddonVocoder:
    """A vocoder's addon; `options` as of `AddonAcoustic`."""

    def __init__(self, addon: Addon, options: Mapping[str, Any]) -> None:
        known = registry.kinds("vocoder")
        if addon.config.kind not in known or addon.config.features is None:
            problem = f"is a {addon.config.kind}, not a vocoder"
            raise ModelError(problem, place=addon.place, remedy=f"give an addon of the kind {' or '.join(known)}")
        self.mel = addon.config.features
        self.file = addon.parameters_file(next(iter(addon.config.networks)))
        self.layer = build_layer([addon], chunk_frames=CHUNK_FRAMES, frames_given=True, **options)

    def vocode(self, pieces: Iterable[DecodedFrames]) -> Iterator[np.ndarray]:
        """The waveform of consecutive pieces, in chunks, without a seam at their borders."""
        given = (
            {"mel": p.mel[None], "voiced": p.voiced[None].astype(np.float32), "pitch": p.log_f0[None]} for p in pieces
        )  # fmt: skip
        first, *others = self.layer.block.stack  # type: ignore[attr-defined]
        stream = Stream(given)
        for block in others:
            stream = block.stream({}, stream)
        while len(chunk := stream.read(CHUNK_FRAMES * self.mel.hop_length)["waveform"][0, 0]):
            yield chunk
