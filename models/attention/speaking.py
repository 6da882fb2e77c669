"""A plan and a voice -> mel and F0, as attention reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.features.cache import Utterance
from prosody_transfer.features.sharpen import sharpen
from prosody_transfer.models.attention.network import Attention
from prosody_transfer.models.attention.pieces import doubts_of, told_of_piece
from prosody_transfer.models.attention.readings import told_of_phones
from prosody_transfer.models.copycat.config import F0_SCALE, HIGHEST_HZ, LOWEST_HZ
from prosody_transfer.models.copycat.embedding import phone_inputs
from prosody_transfer.synthesis.acoustic import DecodedFrames, lengths
from prosody_transfer.synthesis.plan import PlannedEmbedding, PlannedPhones, ProsodyPlan
from prosody_transfer.synthesis.prosody import TransferSettings, shape_pitch
from prosody_transfer.synthesis.target_voice import TargetVoice


def embed(network: Attention, analysis: Analysis, model: str = "") -> PlannedEmbedding | None:
    """It has none: what it is told is in the plan."""
    return None


def decode_frames(
    plan: ProsodyPlan, voice: TargetVoice, settings: TransferSettings, network: Any
) -> list[DecodedFrames]:  # fmt: skip
    """See `synthesis.acoustic.Speaking`."""
    pieces = zip(plan.split(), lengths(plan, settings), strict=True)
    return [_decode(network, plan, voice, settings, phones, cut, size) for (phones, cut), size in pieces]


def _decode(
    network: Attention, plan: ProsodyPlan, voice: TargetVoice, settings: TransferSettings, phones: PlannedPhones,
    frames: slice, n_frames: int,
) -> DecodedFrames:  # fmt: skip
    device = network.speaker_table.weight.device
    told = told_of_piece(plan, phones, frames, settings)
    given = phone_inputs(phones).to(device)
    with torch.inference_mode():
        row = torch.tensor([voice.row], device=device)
        prosody = torch.from_numpy(told)[None].to(device)
        memory = network.remember(given.phones, given.stress, given.mask, prosody, row)
        decoded, weights = network.free(memory, n_frames)
    contour = shape_pitch(decoded.log_f0[0].cpu().numpy() * F0_SCALE, settings) + voice.log_f0_median
    log_f0 = np.clip(contour, np.log(LOWEST_HZ), np.log(HIGHEST_HZ)).astype(np.float32)
    mel = sharpen(decoded.mel[0].cpu().numpy(), voice.sharpening)
    doubts = doubts_of(weights[0].float().cpu().numpy(), network.config.frames_per_step, phones)
    return DecodedFrames(mel, log_f0, decoded.voicing_logit[0].cpu().numpy() > 0, doubts=doubts)


def self_transfer(network: Attention, utterance: Utterance, row: int, level: float, text: str = "") -> np.ndarray:
    """The mel, (M, T), of a recording said again in its own voice, free-running; see `copycat.self_transfer`."""
    features, device = utterance.features, network.speaker_table.weight.device
    durations = utterance.durations.astype(np.int64)
    told = told_of_phones(durations, features.log_f0 - level, features.voiced, features.energy_db)
    with torch.inference_mode():
        phones = torch.eye(network.config.n_phones)[utterance.phones.astype(np.int64)][None].to(device)
        stress = torch.from_numpy(utterance.stress.astype(np.int64))[None].to(device)
        mask = torch.ones(1, len(durations), dtype=torch.bool, device=device)
        prosody = torch.from_numpy(told)[None].to(device)
        memory = network.remember(phones, stress, mask, prosody, torch.tensor([row], device=device))
        return network.free(memory, features.n_frames)[0].mel[0].cpu().numpy()
