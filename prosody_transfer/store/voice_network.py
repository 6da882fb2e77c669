"""A user's voice as a network: the acoustic model that ships, with the few tensors that the voice has of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosody_transfer.core.errors import ModelError
from prosody_transfer.models import registry
from prosody_transfer.store.header import Shapes
from prosody_transfer.store.voice_folder import read_arrays, read_voice
from prosody_transfer.store.voices import user_voices

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

ROW = "speaker_row"  # (D,) the voice's speaker embedding
REFERENCES = "references"  # (n, E) what the judge heard in recordings that were kept from training
_REMEDY = "import it again, or add it again"


def adapted(network: Any, tensors: Mapping[str, Tensor], place: str) -> Any:
    """A copy of the acoustic model that can speak one voice more: the last row of its table.

    Args:
        network: With S voices; it is not changed.
        tensors: `ROW`, and some of those that `models.registry.Model.adaptable` names.

    Returns:
        It with S + 1 rows in its speaker table, in evaluation mode, on the device of `network`. Its
        `config.speakers` still names S.

    Raises:
        ModelError: A tensor is none of the network's, has another shape, or holds NaN or infinite values.
    """
    import torch

    made = copy.deepcopy(network).eval()
    state, table = dict(made.named_parameters()), made.speaker_table.weight
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    changed = check_adapted(registry.of(network).load("adaptable"), shapes, tensors, place)
    with torch.no_grad():
        for name, value in changed.items():
            state[name].copy_(value)
        rows = torch.cat([table, tensors[ROW][None].to(table)])
    made.speaker_table = torch.nn.Embedding.from_pretrained(rows)
    return made


def check_adapted(
    adaptable: Callable[[Iterable[str]], list[str]], shapes: Shapes, tensors: Mapping[str, Any], place: str
) -> dict[str, Any]:
    """What a voice changes of the model, beside its row; tensors of torch or arrays.

    Args:
        adaptable: `models.registry.Model.adaptable`.
        shapes: Of the model's parameters, by name.

    Raises:
        ModelError: A tensor is none of those, has another shape, or holds NaN or infinite values.
    """
    changed = {name: value for name, value in tensors.items() if name not in (ROW, REFERENCES)}
    if wrong := sorted(set(changed) - set(adaptable(shapes))):
        raise ModelError(f"changes {wrong[0][:80]!r}, which no voice may", place=place, remedy=_REMEDY)
    expected = {**{name: shapes[name] for name in changed}, ROW: shapes["speaker_table.weight"][1:]}
    for name, shape in expected.items():
        value = tensors.get(name)
        if value is None or tuple(value.shape) != tuple(shape) or not _sound(value):
            raise ModelError(f"has no usable {name!r}", place=place, remedy=_REMEDY)
    return changed


def _sound(value: Any) -> bool:
    """Whether all of a tensor or array are finite numbers of floating point."""
    if hasattr(value, "detach"):
        return bool(value.is_floating_point() and value.isfinite().all())
    import numpy as np

    return value.dtype.kind == "f" and bool(np.isfinite(value).all())


def read_references(name: str, judge: str, voices: str | Path | None = None) -> np.ndarray | None:
    """What the judge heard in the recordings that were kept from a user's voice's training: (n, E) float32.

    Args:
        judge: Its fingerprint; vectors of another judge are not comparable.

    Returns:
        None where there is no such voice, or none were kept, or by another judge.

    Raises:
        ModelError: The voice is damaged.
    """
    if name not in user_voices(voices):
        return None
    tensors, header = read_arrays(read_voice(name, voices))
    return tensors[REFERENCES].astype("float32") if REFERENCES in tensors and header.get("judge") == judge else None
