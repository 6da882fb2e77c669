"""CAMP: prosody predicted from text: how long each phone and pause is, and melody, voicing and energy in it."""

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "camp", "text", f"{_HERE}.network:CampConfig", f"{_HERE}.network:Camp", task=f"{_HERE}.task:CampTask",
    speaking=f"{_HERE}.speaking", options={"": True}, parts=f"{_HERE}.parts:parts", addon=f"{_HERE}.parts:addon",
    components=f"{_HERE}.components", default=True,
)  # fmt: skip
