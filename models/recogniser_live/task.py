"""Training the live phone recogniser."""

from __future__ import annotations

from prosody_transfer.models.recogniser.task import RecogniserTask, RecogniserTaskConfig
from prosody_transfer.models.recogniser_live.network import LiveRecogniser


class LiveRecogniserTaskConfig(RecogniserTaskConfig):
    """As the recogniser's; recordings come at any level, since nobody can measure it before they are over."""

    level: float = 2.0


class LiveRecogniserTask(RecogniserTask):
    """See `RecogniserTask`. `start_from` may be a checkpoint of a recogniser that hears both sides."""

    kind, settings_class = "recogniser-live", LiveRecogniserTaskConfig
    network_class, ancestors = LiveRecogniser, ("recogniser",)
