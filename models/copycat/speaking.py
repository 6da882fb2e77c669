"""A plan and a voice -> mel and F0, one piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.mel import energy_from_mel
from prosody_transfer.features.sharpen import sharpen
from prosody_transfer.models.copycat.config import (
    ENERGY_SHARE,
    GUIDANCE,
    HIGHEST_HZ,
    LOUDEST_DB,
    LOWEST_HZ,
    SURELY_UNVOICED,
)
from prosody_transfer.models.copycat.embedding import embed, on_frames, phone_inputs
from prosody_transfer.models.copycat.inputs import ENERGY_SCALE_DB, F0_SCALE, ProsodyInputs
from prosody_transfer.models.copycat.network import Decoded
from prosody_transfer.synthesis.acoustic import DecodedFrames, lengths
from prosody_transfer.synthesis.plan import PlannedPhones, ProsodyPlan
from prosody_transfer.synthesis.prosody import Rhythm, TransferSettings, plan_rhythm, shape_pitch
from prosody_transfer.synthesis.target_voice import TargetVoice

__all__ = ["PieceDecoder", "decode_frames", "decode_pieces", "ease_energy", "embed", "on_frames"]


class PieceDecoder:
    """One voice speaking pieces of one plan.

    Args:
        network: The acoustic model; a voice's own takes its place.
    """

    eases_energy = True

    def __init__(self, network: Any, voice: TargetVoice, plan: ProsodyPlan, settings: TransferSettings) -> None:
        self.network = network if voice.network is None else voice.network
        self.voice, self.plan, self.settings = voice, plan, settings
        self.device = self.network.speaker_table.weight.device

    def decode(self, number: int, phones: PlannedPhones, frames: slice, n_frames: int) -> DecodedFrames:
        """Say one piece.

        Args:
            number: Of the piece, from 0.
            phones, frames: As `ProsodyPlan.split` gives them.
            n_frames: Its length in the output, the plan's unless durations are scaled.
        """
        settings, voice, size = self.settings, self.voice, frames.stop - frames.start
        weight = settings.strength if "rhythm" in settings.keep else 0.0
        rhythm = plan_rhythm(phones.durations, phones.ids, voice.phone_log_frames, weight, n_frames)
        with torch.inference_mode():
            latent = self._latent(number, phones, size)
            latent = latent[..., torch.from_numpy(rhythm.source_frame).to(self.device)] * settings.strength
            up, position = self.network.expand(phone_inputs(phones, rhythm.durations).to(self.device), n_frames)
            mask = torch.ones(1, n_frames, dtype=torch.bool, device=self.device)
            row = torch.tensor([voice.row], device=self.device)
            level = torch.tensor([voice.log_f0_median], device=self.device)
            decode = lambda prosody, who=row: self.network.decode(
                up, position, mask, prosody.to(self.device), latent, who, level
            )
            silent = np.repeat(phones.ids == 0, rhythm.durations)
            prosody, contour, voiced = self._prosody(frames, rhythm, silent, decode)
            if "energy" in settings.keep and self.eases_energy:
                prosody = ease_energy(prosody, decode, self.plan.config)
            mel, nobody = decode(prosody).mel[0], decode(prosody, torch.full_like(row, -1)).mel[0]
            mel = sharpen((mel + GUIDANCE * (mel - nobody)).cpu().numpy(), voice.sharpening)
        log_f0 = np.clip(contour + voice.log_f0_median, np.log(LOWEST_HZ), np.log(HIGHEST_HZ))
        return DecodedFrames(mel, log_f0.astype(np.float32), voiced, rhythm.source_frame)

    def _latent(self, number: int, phones: PlannedPhones, size: int) -> torch.Tensor:
        """(1, D, T); nothing where the plan has no embedding."""
        if self.plan.embedding is None:
            return torch.zeros(1, self.network.config.latent_channels, size, device=self.device)
        return on_frames(self.network, self.plan.embedding, number, phones, size)

    def _prosody(
        self, frames: slice, rhythm: Rhythm, silent: np.ndarray, decode: Any
    ) -> tuple[ProsodyInputs, np.ndarray, np.ndarray]:
        """What the decoder is given; the output's ln F0 above the voice's median, and voicing, (T,) each."""
        settings, plan, at = self.settings, self.plan, rhythm.source_frame
        pitch, energy = "pitch" in settings.keep, "energy" in settings.keep
        latent = "latent" in settings.keep and plan.embedding is not None
        contour, loudness = plan.log_f0[frames][at], plan.energy_db[frames][at]
        own = self._own(decode, len(at), latent)
        own_logit = own.voicing_logit[0].cpu().numpy()
        voiced = plan.voiced[frames][at] & ~(silent | (own_logit < SURELY_UNVOICED))
        if settings.strength < 1 or not pitch:
            own_contour = own.log_f0[0].cpu().numpy() * F0_SCALE
            weight = settings.strength if pitch else 0.0
            if not pitch:
                voiced = (own_logit > 0) & ~silent
            contour = weight * contour + (1 - weight) * own_contour
            own_energy = energy_from_mel(own.mel[0].cpu(), plan.config).numpy()
            loudness = settings.strength * loudness + (1 - settings.strength) * own_energy
        contour = shape_pitch(contour, settings)
        keep = torch.tensor([[1.0, float(energy), float(latent)]])
        inputs = ProsodyInputs(
            torch.from_numpy(contour / F0_SCALE).float()[None], torch.from_numpy(voiced).float()[None],
            torch.from_numpy(loudness / ENERGY_SCALE_DB).float()[None], keep,
        )  # fmt: skip
        return inputs, contour, voiced

    def _own(self, decode: Any, size: int, latent: bool) -> Decoded:
        """How the model would say it without any explicit prosody."""
        zero = torch.zeros(1, size)
        return decode(ProsodyInputs(zero, zero, zero, torch.tensor([[0.0, 0.0, float(latent)]])))


def ease_energy(prosody: ProsodyInputs, decode: Any, config: MelConfig) -> ProsodyInputs:
    """Energy between what is asked for and what the voice would have by itself under the same melody.

    How strong each phone is against the others belongs to the speaker as much as to the line, and the decoder answers
    to it with timbre. The rest of the source's loudness is given back to the sound, see `follow_loudness`.

    Args:
        decode: (`ProsodyInputs`) -> `Decoded`.
    """
    keep = prosody.keep.clone()
    keep[:, 1] = 0.0
    own = decode(ProsodyInputs(prosody.log_f0, prosody.voiced, prosody.energy, keep)).mel.cpu()
    own_energy = energy_from_mel(own, config).clamp(max=LOUDEST_DB).to(prosody.energy) / ENERGY_SCALE_DB
    eased = ENERGY_SHARE * prosody.energy + (1 - ENERGY_SHARE) * own_energy
    return ProsodyInputs(prosody.log_f0, prosody.voiced, eased, prosody.keep)


def decode_frames(
    plan: ProsodyPlan, voice: TargetVoice, settings: TransferSettings, network: Any
) -> Iterator[DecodedFrames]:  # fmt: skip
    """See `synthesis.acoustic.Speaking`."""
    return decode_pieces(PieceDecoder(network, voice, plan, settings))


def decode_pieces(decoder: PieceDecoder) -> Iterator[DecodedFrames]:
    """All pieces of a decoder's plan, one at a time."""
    pieces = zip(decoder.plan.split(), lengths(decoder.plan, decoder.settings), strict=True)
    return (decoder.decode(k, phones, cut, size) for k, ((phones, cut), size) in enumerate(pieces))
