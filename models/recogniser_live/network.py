"""The phone recogniser with no look-ahead, and a summary of all that was heard beside every layer."""

from __future__ import annotations

from prosody_transfer.core.config import Factor, Layers
from prosody_transfer.models.recogniser.network import Recogniser, RecogniserConfig


class LiveRecogniserConfig(RecogniserConfig):
    """Those of the recogniser; `look_ahead` is never None here."""

    layers: Layers = 8
    kernel_size: Factor = 13
    look_ahead: int | None = 0
    global_context: bool = True


class LiveRecogniser(Recogniser):
    """A local causal encoder and a global one, after ConvRNN-T.

    Source:
        Radfar et al. 2022, ConvRNN-T, section 3. Differs from it in: frame-wise phone posteriors with a bigram instead
        of a transducer over word pieces; the global encoder is one running mean a layer (`blocks.RunningContext`).
    """
