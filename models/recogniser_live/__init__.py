"""A phone recogniser that hears speech while it is spoken: strictly causal, mel in, phone posteriors out."""

from pathlib import Path

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "recogniser-live", "recogniser", f"{_HERE}.network:LiveRecogniserConfig", f"{_HERE}.network:LiveRecogniser",
    task=f"{_HERE}.task:LiveRecogniserTask", parts=f"{_HERE}.parts:parts", folder=Path(__file__).parent,
)  # fmt: skip
