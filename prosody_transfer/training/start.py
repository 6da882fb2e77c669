"""Where a network's training begins: the weights of one checkpoint, or the mean of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from prosody_transfer.store.checkpoint import load_into
from prosody_transfer.store.weights import load_weights

_TRAINING = ("step", "seconds", "loop", "task", "data", "made_with", "started_from")


def start_from(
    network: nn.Module, kind: str, paths: str | Sequence[str],
    fit: Callable[[dict[str, Tensor]], Mapping[str, Tensor]] = dict,
) -> list[dict[str, Any]]:  # fmt: skip
    """Give a network the weights of a checkpoint, or the mean of several that were trained from one start.

    Args:
        kind: Of the model, see `models.registry.kinds`.
        fit: Makes a checkpoint's weights fit the network.

    Returns:
        How each of them was trained: steps, seconds, settings, data and what it started from itself.

    Raises:
        ModelError: A checkpoint is missing, damaged, of another kind or of other settings.

    Source:
        Wortsman et al. 2022, model soups.
    """
    states, trained = [], []
    for path in [paths] if isinstance(paths, str) else paths:
        tensors, header = load_weights(kind, path)
        load_into(network, fit(tensors), path)
        trained.append({name: header[name] for name in _TRAINING if name in header})
        states.append({name: value.clone() for name, value in network.state_dict().items()})
    network.load_state_dict({name: torch.stack([s[name] for s in states]).mean(0) for name in states[0]})
    return trained
