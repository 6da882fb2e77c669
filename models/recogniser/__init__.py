"""A phone recogniser: mel in, phone posteriors out."""

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "recogniser", "recogniser", f"{_HERE}.network:RecogniserConfig", f"{_HERE}.network:Recogniser",
    task=f"{_HERE}.task:RecogniserTask", parts=f"{_HERE}.parts:parts", default=True,
)  # fmt: skip
