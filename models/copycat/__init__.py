"""CopyCat: fine-grained, speaker-independent prosody transfer by self-transfer on non-parallel data."""

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "copycat", "acoustic", f"{_HERE}.config:CopyCatConfig", f"{_HERE}.network:CopyCat",
    task=f"{_HERE}.task:CopyCatTask", speaking=f"{_HERE}.speaking",
    self_transfer=f"{_HERE}.self_transfer:self_transfer",
    adaptable=f"{_HERE}.config:adaptable", voice_task=f"{_HERE}.voice_task:VoiceTask",
    parts=f"{_HERE}.parts:parts", addon=f"{_HERE}.parts:addon", components=f"{_HERE}.components", default=True,
)  # fmt: skip
