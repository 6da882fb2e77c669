"""What CopyCat needs around its decoder, as components: the voice's own prosody, energy, guidance, detail.

Each is what `models.copycat.speaking` does to a whole piece, done as the frames come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from prosody_transfer.core.ports import Port
from prosody_transfer.features.mel import energy_of_mel
from prosody_transfer.features.sharpen import FRAMES, sharpen
from prosody_transfer.integration.components import Flow, Ledger, Stream, StreamableBlock, join, register, steps
from prosody_transfer.integration.runtimes import Tensors
from prosody_transfer.integration.streams import NetworkStream, take
from prosody_transfer.models.copycat.config import (
    ENERGY_SCALE_DB,
    ENERGY_SHARE,
    F0_SCALE,
    GUIDANCE,
    HIGHEST_HZ,
    LOUDEST_DB,
    LOWEST_HZ,
    SURELY_UNVOICED,
)

_MADE = ("log_f0", "voiced", "energy")
_FRAME, _ONE = ("B", "T"), ("B",)


@register("OwnProsody")
class OwnProsody(NetworkStream):
    """Melody, voicing and energy as the decoder is told them: from what the source has, and the voice would do alone.

    From the caller, along T: `contour` (ln F0 above the median of whoever it is from), `tracked` (voiced in the
    source), `loudness` (dB above the speech level), `silent` (pauses). And one number each: `strength`, `pitch_kept`,
    `f0_range_scale`, `f0_shift_semitones`, `level` (ln Hz, the voice's median); `keep`, as the decoder takes it.

    Adds `log_f0`, `voiced`, `energy`, as the decoder takes them, and `pitch` (ln Hz) for the vocoder.
    """

    def frame_ports(self) -> list[Port]:
        return [port for port in super().frame_ports() if port.name not in _MADE]

    def made(self) -> list[Port]:
        return [Port(name=name, axes=_FRAME) for name in (*_MADE, "pitch")]

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        flow = super().plan(ledger, before)
        assert before is not None
        for name in ("contour", "loudness"):
            take(Port(name=name, axes=_FRAME), ledger, before, self.place)
        for name in ("tracked", "silent"):
            take(Port(name=name, axes=_FRAME, dtype="bool"), ledger, before, self.place)
        for name in ("strength", "pitch_kept", "f0_range_scale", "f0_shift_semitones"):
            ledger.ask(Port(name=name, axes=_ONE), self.place)
        return flow

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        assert source is not None
        strength = np.float32(sequence["strength"][0])
        scaled = Stream(_scaled_latent(source, strength, self.chunk))
        bare = {**sequence, "keep": sequence["keep"] * np.array([0, 0, 1], np.float32)}
        for chunk, own in self.aligned(bare, scaled):
            yield {**chunk, **(self._told(chunk, own, sequence) if steps(chunk) else self.nothing())}

    def _filled(self, chunk: Tensors, count: int, size: int) -> Tensors:
        fed = super()._filled(chunk, count, size)
        zero = np.zeros((1, size), np.float32)
        return {**fed, **dict.fromkeys(_MADE, zero)}

    def _told(self, chunk: Tensors, own: Tensors, sequence: Tensors) -> Tensors:
        strength, kept = (float(sequence[name][0]) for name in ("strength", "pitch_kept"))
        contour, loudness, silent = chunk["contour"], chunk["loudness"], chunk["silent"]
        logit = own["voicing_logit"]
        voiced = chunk["tracked"] & ~(silent | (logit < SURELY_UNVOICED))
        if strength < 1 or not kept:
            weight = strength if kept else 0.0
            if not kept:
                voiced = (logit > 0) & ~silent
            contour = weight * contour + (1 - weight) * own["own_log_f0"] * F0_SCALE
            loudness = strength * loudness + (1 - strength) * energy_of_mel(own["mel"], self.setting.features)
        shift = float(sequence["f0_shift_semitones"][0]) * np.log(2) / 12
        contour = contour * float(sequence["f0_range_scale"][0]) + shift
        pitch = np.clip(contour + float(sequence["level"][0]), np.log(LOWEST_HZ), np.log(HIGHEST_HZ))
        made = {"log_f0": contour / F0_SCALE, "voiced": voiced, "energy": loudness / ENERGY_SCALE_DB, "pitch": pitch}
        return {name: value.astype(np.float32) for name, value in made.items()}


def _scaled_latent(source: Stream, strength: np.float32, size: int) -> Iterator[Tensors]:
    while steps(chunk := source.read(size)):
        yield {**chunk, "latent": chunk["latent"] * strength}
    yield chunk


@register("EasedEnergy")
class EasedEnergy(NetworkStream):
    """Energy between what is asked for and what the voice would have by itself under the same melody.

    How strong each phone is against the others belongs to the speaker as much as to the line, and the decoder answers
    to it with timbre. Nothing changes where `keep` says that energy is not given.
    """

    def made(self) -> list[Port]:
        return [Port(name="energy", axes=_FRAME)]

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        assert source is not None
        if not sequence["keep"][0, 1]:
            while steps(chunk := source.read(self.chunk)):
                yield chunk
            yield chunk
            return
        bare = {**sequence, "keep": sequence["keep"] * np.array([1, 0, 1], np.float32)}
        for chunk, own in self.aligned(bare, source):
            if steps(chunk):
                loudness = np.minimum(energy_of_mel(own["mel"], self.setting.features), LOUDEST_DB) / ENERGY_SCALE_DB
                eased = ENERGY_SHARE * chunk["energy"] + (1 - ENERGY_SHARE) * loudness
                chunk = {**chunk, "energy": eased.astype(np.float32)}
            yield chunk


@register("GuidedDecoder")
class GuidedDecoder(NetworkStream):
    """The decoder for the voice and for nobody (`nobody`, the mean of all voices), and a little further from that."""

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        flow = super().plan(ledger, before)
        speaker = next(port for port in self.handle.spec.inputs if port.name == "speaker")
        ledger.ask(Port(name="nobody", axes=speaker.axes), self.place)
        return flow

    def passes(self) -> int:
        return 2

    def aligned(self, sequence: Tensors, source: Stream) -> Iterator[tuple[Tensors, Tensors]]:
        self_or_nobody = {"speaker": np.stack([sequence["speaker"], sequence["nobody"]])}
        yield from super().aligned({**sequence, **self_or_nobody}, source)

    def step_with(self, fed: Tensors, constant: Tensors, states: list[Tensors]) -> tuple[Tensors, list[Tensors]]:
        speakers = constant["speaker"]
        (found, first), (nobody, second) = (
            self.step(fed, {**constant, "speaker": speaker}, state)
            for speaker, state in zip(speakers, states, strict=True)
        )
        mel = found["mel"] + np.float32(GUIDANCE) * (found["mel"] - nobody["mel"])
        return {**found, "mel": mel}, [first, second]


@register("Sharpener")
class Sharpener(StreamableBlock):
    """Detail that the decoder smooths away, given back: `features.sharpen` as frames come. `sharpening` (B, 2)."""

    def plan(self, ledger: Ledger, before: Flow | None) -> Flow:
        flow = super().plan(ledger, before)
        take(Port(name="mel", axes=("B", self.setting.features.n_mels, "T")), ledger, flow, self.place)
        ledger.ask(Port(name="sharpening", axes=("B", 2)), self.place)
        self.behind = flow.latency
        return replace(flow, latency=flow.latency + Fraction(FRAMES // 2) / flow.rate)

    def chunks(self, sequence: Tensors, source: Stream | None) -> Iterator[Tensors]:
        assert source is not None
        amounts, side = (float(sequence["sharpening"][0, 0]), float(sequence["sharpening"][0, 1])), FRAMES // 2
        size, done = self.setting.chunk_frames, 0
        first = self.setting.first_chunk(self.behind)  # what it and those after it wait for, and a chunk
        held = source.read(first)
        empty = {name: value[..., :0] for name, value in held.items()}
        ended = steps(held) < first
        while True:
            end = steps(held) if ended else steps(held) - side
            if end > done:
                sharper = sharpen(held["mel"][0], amounts)[None, :, done:end]
                yield {**{name: value[..., done:end] for name, value in held.items()}, "mel": sharper}
            if ended:
                break
            drop = max(0, end - side)
            more = source.read(size)  # no more than the next chunk needs: what it waits for is the latency
            ended = steps(more) < size
            held = join([{name: value[..., drop:] for name, value in held.items()}, more])
            done = end - drop
        yield empty
