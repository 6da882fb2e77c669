"""Pieces of a plan as the attention model takes them, and what went wrong in them."""

from __future__ import annotations

import numpy as np

from prosody_transfer.models.attention.config import PROSODY
from prosody_transfer.models.attention.detector import describe_lost, lost_words
from prosody_transfer.models.attention.readings import told_of_phones
from prosody_transfer.synthesis.plan import PlannedPhones, ProsodyPlan, word_numbers
from prosody_transfer.synthesis.prosody import TransferSettings


def told_of_piece(plan: ProsodyPlan, phones: PlannedPhones, frames: slice, settings: TransferSettings) -> np.ndarray:
    """What a plan tells of the phones of one of its pieces, (P, 5), as strongly as the settings say."""
    contour, voiced, energy = (values[frames] for values in (plan.log_f0, plan.voiced, plan.energy_db))
    keep = tuple(settings.keep) if settings.strength else ()
    told = told_of_phones(phones.durations, contour, voiced, energy, keep)
    return told * np.array([*[settings.strength] * (PROSODY - 1), 1.0], np.float32)


def doubts_of(weights: np.ndarray, frames_per_step: int, phones: PlannedPhones) -> tuple[str, ...]:
    """What to tell the user of one piece: a line, or none."""
    words = word_numbers(phones.words)
    numbers = np.arange(len(phones.ids)) if words is None else words
    silent = phones.ids == 0
    lost = lost_words(weights, frames_per_step, numbers, silent)
    return tuple(filter(None, [describe_lost(lost, len(np.unique(numbers[~silent])))]))
