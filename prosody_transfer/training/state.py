"""What a training goes on from, checked before it is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.store.header import Shapes, compare_shapes

LEAST_BESIDE = 10_000_000  # numbers: what is learnt beside a small network may be larger than it
_OPTIMISER = ("step", "exp_avg", "exp_avg_sq")


def check_state(task: Any, header: Mapping[str, Any], shapes: Shapes, *, place: str) -> None:
    """Refuse a training state that is not of this task's network.

    Args:
        task: Has `config` and `network`.
        header, shapes: Of the file.

    Raises:
        ModelError: Its settings, names or shapes are others, or it does not say how far the training was.
    """
    try:
        same = load_config(type(task.config), header.get("config") or {}, place) == task.config
    except UsageError:  # of another version
        same = False
    if not same:
        raise ModelError("was trained with other network settings", place=place, remedy="choose another run folder")
    step, seconds, level = header.get("step"), header.get("seconds"), header.get("loss_level", 0.0)
    whole = isinstance(step, int) and not isinstance(step, bool) and 0 <= step < 1 << 53
    if not whole or not all(isinstance(n, float | int) and math.isfinite(n) for n in (seconds, level)):
        raise ModelError("does not say how far the training was", place=place, remedy="choose another run folder")
    network = {name: tuple(value.shape) for name, value in task.network.state_dict().items()}
    wanted = {f"{part}.{name}": shape for part in ("network", "average") for name, shape in network.items()}
    for name, parameter in task.network.named_parameters():
        for key in _OPTIMISER:
            if (full := f"optimiser.{key}.{name}") in shapes:  # AdamW has none of these before the first step
                wanted[full] = () if key == "step" else tuple(parameter.shape)
    most = max(LEAST_BESIDE, sum(map(math.prod, network.values())))
    beside = {name: shape for name, shape in shapes.items() if name.startswith("beside.")}
    if any(math.prod(shape) > most for shape in beside.values()) or len(beside) > 10_000:
        problem = "holds more beside the network than the network"
        raise ModelError(problem, place=place, remedy="choose another run folder")
    compare_shapes(shapes, {**wanted, **beside}, place)
