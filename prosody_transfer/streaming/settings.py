"""How a stream is cut and said."""

from __future__ import annotations

from typing import Any

from prosody_transfer.audio.layouts import MAX_RATE, MIN_RATE
from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import UsageError
from prosody_transfer.synthesis.prosody import TransferSettings

LEAST_LATENCY, MOST_LATENCY = 1.0, 18.0  # s: phonemes need their neighbours; pieces are 20 s at most


class StreamSettings(TransferSettings):
    """How a stream is cut and said; of a transfer's settings, all that leave its timing as it is.

    Attributes:
        latency: Seconds after which a phrase is cut at the latest; 1 to 18.
    """

    latency: float = 3.0

    def with_(self, **changes: Any) -> StreamSettings:
        """The same with some of it changed."""
        return load_config(StreamSettings, {**self.to_dict(), **changes}, "settings")

    def check(self) -> StreamSettings:
        """Itself, or UsageError naming the setting that is out of range."""
        super().check()
        if not LEAST_LATENCY <= self.latency <= MOST_LATENCY:
            remedy = f"give {LEAST_LATENCY:g} to {MOST_LATENCY:g} seconds"
            raise UsageError(f"{self.latency:g} is out of range", place="--latency", remedy=remedy)
        fixed: dict[str, Any] = {"duration_scale": 1.0, "sample_rate": None, "track": None, "channel": None}
        for name, neutral in fixed.items():
            if getattr(self, name) != neutral:
                remedy = "leave it out: a stream keeps its time, is mono, and comes out at the model's rate"
                raise UsageError("is not for streams", place="--" + name.replace("_", "-"), remedy=remedy)
        return self


def check_rate(sample_rate: int) -> int:
    """A stream's rate, or UsageError where it is none that can be read."""
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        remedy = f"give {MIN_RATE} to {MAX_RATE}, such as 16000 or 48000"
        raise UsageError(f"{sample_rate} Hz is out of range", place="--input-rate", remedy=remedy)
    return sample_rate
