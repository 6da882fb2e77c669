"""Vocoders: features in, waveform out."""

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "vocoder", "vocoder", f"{_HERE}.network:VocoderConfig", f"{_HERE}.network:Vocoder",
    task=f"{_HERE}.task:VocoderTask", parts=f"{_HERE}.parts:parts", addon=f"{_HERE}.parts:addon",
    components=f"{_HERE}.components", default=True,
)  # fmt: skip
