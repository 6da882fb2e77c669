"""Speaking with it."""

from __future__ import annotations

import numpy as np
import torch

from prosody_transfer.synthesis.acoustic import DecodedFrames, lengths
from prosody_transfer.synthesis.prosody import plan_rhythm, shape_pitch


def embed(network, analysis, model=""):
    return None


def decode_frames(plan, voice, settings, network):
    decoded = []
    for (phones, cut), size in zip(plan.split(), lengths(plan, settings), strict=True):
        rhythm = plan_rhythm(phones.durations, phones.ids, voice.phone_log_frames, 1.0, size)
        at, names = rhythm.source_frame, np.repeat(phones.ids, rhythm.durations)
        with torch.inference_mode():
            energy = torch.from_numpy(plan.energy_db[cut][at])[None]
            mel = network(torch.from_numpy(names)[None], energy, torch.tensor([voice.row]))[0].numpy()
        log_f0 = shape_pitch(plan.log_f0[cut][at], settings) + voice.log_f0_median
        decoded.append(DecodedFrames(mel, log_f0.astype(np.float32), plan.voiced[cut][at], at))
    return decoded
