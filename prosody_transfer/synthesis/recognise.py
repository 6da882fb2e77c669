"""Phones without a transcript: see `alignment.recognise`, which preparing a corpus uses too."""

from prosody_transfer.alignment.recognise import (
    BIGRAM_WEIGHT,
    CHUNK_FRAMES,
    MINIMUM_FRAMES,
    SWITCH_PENALTY,
    confidence,
    phone_names,
    phone_posteriors,
    recognise_phones,
    viterbi,
)

__all__ = [
    "BIGRAM_WEIGHT",
    "CHUNK_FRAMES",
    "MINIMUM_FRAMES",
    "SWITCH_PENALTY",
    "confidence",
    "phone_names",
    "phone_posteriors",
    "recognise_phones",
    "viterbi",
]
