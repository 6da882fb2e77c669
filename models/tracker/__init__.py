"""A pitch tracker: spectrum in, a distribution over F0, voicing, doubt and a correction of the energy out."""

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "tracker", "tracker", f"{_HERE}.network:TrackerConfig", f"{_HERE}.network:Tracker",
    task=f"{_HERE}.task:TrackerTask", parts=f"{_HERE}.parts:parts", addon=f"{_HERE}.parts:addon", default=True,
)  # fmt: skip
