"""CopyCat's latent alone: no F0, energy or voicing is told, all prosody is what the reference encoder carries."""

from pathlib import Path

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "copycat-latent", "acoustic", f"{_HERE}.config:CopyCatLatentConfig", f"{_HERE}.network:CopyCatLatent",
    task=f"{_HERE}.task:CopyCatLatentTask", speaking=f"{_HERE}.speaking",
    self_transfer="prosody_transfer.models.copycat.self_transfer:self_transfer",
    parts=f"{_HERE}.parts:parts", addon=f"{_HERE}.parts:addon", components=f"{_HERE}.components",
    folder=Path(__file__).parent,
)  # fmt: skip
