"""The least acoustic model there can be: a folder, registered through PTX_MODELS."""

from pathlib import Path

from prosody_transfer.models.registry import Model

MODEL = Model(
    "toy", "acoustic", "toy_model.network:ToyConfig", "toy_model.network:Toy", task="toy_model.task:ToyTask",
    speaking="toy_model.speaking", parts="toy_model.parts:parts", addon="toy_model.parts:addon",
    components="toy_model.components", folder=Path(__file__).parent,
)  # fmt: skip
