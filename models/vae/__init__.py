"""VAE: an utterance said with the vector of a training sentence that is like it, by syntax, by context or by both."""

from prosody_transfer.models.registry import Model

_HERE = __name__
MODEL = Model(
    "vae", "text", f"{_HERE}.network:VaeConfig", f"{_HERE}.network:Vae", task=f"{_HERE}.task:VaeTask",
    speaking=f"{_HERE}.speaking", parts=f"{_HERE}.parts:parts", embeds=True,
    options=dict.fromkeys(("centroid", "syntactic", "contextual", "both", "sampled"), True),
)  # fmt: skip
