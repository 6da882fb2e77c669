"""A plan said as it comes: the first sound is out after one chunk, whatever the plan's length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from prosody_transfer.audio.levelling import STEP_SECONDS
from prosody_transfer.core.errors import ModelError
from prosody_transfer.integration import Networks, Stream, build_layer
from prosody_transfer.integration.runtimes import Tensors
from prosody_transfer.integration.streams import StreamableStack
from prosody_transfer.streaming.sounding import Finisher
from prosody_transfer.synthesis.acoustic import lengths
from prosody_transfer.synthesis.addons import AddonAcoustic, AddonPieces, AddonVocoder
from prosody_transfer.synthesis.plan import ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.transferer import Transferer

CHUNK_FRAMES, FIRST_FRAMES = 32, 2  # that networks are given at a time; of the first sound


class PlanSession:
    """One voice that says plans, each as a stream of chunks; any number of streams may be under way.

    What comes out is what `synthesis.render` gives, but for the loudness to follow, see `finishing.LoudnessFollower`.

    Args:
        transferer: Made with `runtime="onnx"`, or another runtime of addons.

    Raises:
        UsageError: There is no such voice.
        ModelError: The transferer has torch's own networks, which can't stream.
    """

    def __init__(self, transferer: Transferer, speaker: str) -> None:
        self.voice, self.acoustic, self.config = transferer.voice(speaker), transferer.network, transferer.config
        vocoder = transferer.vocoder
        if not isinstance(self.acoustic, AddonAcoustic) or not isinstance(vocoder, AddonVocoder):
            problem = "is a network of torch's own, which does not stream"
            raise ModelError(problem, place="model", remedy="load it as an addon (ptx addon export makes one)")
        own = self.acoustic if self.voice.network is None else self.voice.network
        addons = [*own.networks.addons, *vocoder.layer.setting.networks.addons]
        behind = -(-self._finisher(None).behind_quiet // self.config.hop_length)
        self.layer = build_layer(
            [], networks=Networks(addons, **own.options), chunk_frames=CHUNK_FRAMES, first_frames=FIRST_FRAMES + behind
        )  # fmt: skip
        assert isinstance(self.layer.block, StreamableStack)
        self._first = (FIRST_FRAMES + behind) * self.config.hop_length

    def say(self, plan: ProsodyPlan, settings: TransferSettings | None = None) -> Iterator[np.ndarray]:
        """The samples of a plan, (N,) float32 in all, chunk by chunk, each as soon as it is final.

        Args:
            settings: The rate is the model's.

        Raises:
            PtxError: A setting is out of range, or the plan is of other features than the model's.
        """
        settings = (settings or TransferSettings()).check()
        if plan.config != self.config:
            raise ModelError("the plan was made for other features than the model's", remedy="make it again")
        finisher, total = self._finisher((plan, settings)), round(plan.source.samples * settings.duration_scale)
        stream, done, count = self._vocoded(plan, settings), 0, self._first
        while done < total:
            sound = stream.read(count)["waveform"][0, 0][: total - done]
            done, count = done + len(sound), CHUNK_FRAMES * self.config.hop_length
            last = done >= total or not len(sound)
            out = finisher.push(sound, last)
            if len(out):
                yield out
            if last:
                return

    def _vocoded(self, plan: ProsodyPlan, settings: TransferSettings) -> Stream:
        *acoustic, vocoder = self.layer.block.stack  # type: ignore[attr-defined]
        pieces = AddonPieces(self.acoustic, self.voice, plan, settings)

        def frames() -> Iterator[Tensors]:
            for k, ((phones, cut), size) in enumerate(zip(plan.split(), lengths(plan, settings), strict=True)):
                inputs, _ = pieces.inputs(k, phones, cut, size)
                stream = None
                for block in acoustic[:-1]:
                    stream = block.stream(inputs, stream)
                yield from acoustic[-1].chunks(inputs, stream)  # in its own sizes: none is asked for that waits

        return vocoder.stream({}, Stream(frames()))  # type: ignore[no-any-return]

    def _finisher(self, said: tuple[ProsodyPlan, TransferSettings] | None) -> Finisher:
        if said is None:
            return Finisher(self.config.sample_rate, lambda start, stop: np.ones(stop - start), follows=True)
        plan, settings = said
        level, scale = plan.source.level, 1 / settings.duration_scale

        def lower(start: int, stop: int) -> np.ndarray:
            at = (np.arange(start, stop) + 0.5) * scale / level.sample_rate / STEP_SECONDS - 0.5
            ride = 0.0 if level.ride_db is None else np.interp(at, np.arange(len(level.ride_db)), level.ride_db)
            return np.full(stop - start, 10 ** (-level.gain_db / 20)) * 10 ** (-np.asarray(ride) / 20)

        follows = settings.in_time and "energy" in settings.keep and len(plan.power) > 0
        finisher = Finisher(plan.config.sample_rate, lower, follows)
        finisher.follower.model.append(plan.power)
        if settings.in_time:
            finisher.silence.stretches = [(s.start, s.stop) for s in plan.source.silences]
        return finisher
