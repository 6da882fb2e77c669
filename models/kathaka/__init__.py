"""Kathaka: how an utterance is said, as a distribution that is predicted from its words and their parse."""

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "kathaka", "text", f"{_HERE}.network:KathakaConfig", f"{_HERE}.network:Kathaka", task=f"{_HERE}.task:KathakaTask",
    speaking=f"{_HERE}.speaking", parts=f"{_HERE}.parts:parts", options={"": True, "sampled": True},
)  # fmt: skip
