"""Attention with teacher forcing: the baseline of the articles, for transfer and for text."""

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "attention", "acoustic", f"{_HERE}.config:AttentionConfig", f"{_HERE}.network:Attention",
    task=f"{_HERE}.task:AttentionTask", speaking=f"{_HERE}.speaking",
    self_transfer=f"{_HERE}.speaking:self_transfer", parts=f"{_HERE}.parts:parts", addon=f"{_HERE}.parts:addon",
    components=f"{_HERE}.components", addon_speaking=f"{_HERE}.addon_speaking:AttentionAddon",
)  # fmt: skip
