"""The judge of speakers: mel in, one vector a voice out. For evaluation only; no training may see it."""

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "verifier", "judge", f"{_HERE}.network:VerifierConfig", f"{_HERE}.network:Verifier",
    parts=f"{_HERE}.parts:parts", default=True,
)  # fmt: skip
