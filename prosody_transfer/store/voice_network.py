"""A user's voice as a network: the acoustic model that ships, with the few tensors that the voice has of its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosody_transfer.core.errors import ModelError
from prosody_transfer.models import registry
from prosody_transfer.store.voice_folder import read_voice, read_weights
from prosody_transfer.store.voices import user_voices

if TYPE_CHECKING:
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

    adaptable = registry.of(network).load("adaptable")
    made = copy.deepcopy(network).eval()
    state = dict(made.named_parameters())
    changed = {name: value for name, value in tensors.items() if name not in (ROW, REFERENCES)}
    if wrong := sorted(set(changed) - set(adaptable(state))):
        raise ModelError(f"changes {wrong[0][:80]!r}, which no voice may", place=place, remedy=_REMEDY)
    table = made.speaker_table.weight
    expected = {**{name: state[name].shape for name in changed}, ROW: table.shape[1:]}
    for name, shape in expected.items():
        value = tensors.get(name)
        if value is None or value.shape != shape or not value.is_floating_point() or not value.isfinite().all():
            raise ModelError(f"has no usable {name!r}", place=place, remedy=_REMEDY)
    with torch.no_grad():
        for name, value in changed.items():
            state[name].copy_(value)
        rows = torch.cat([table, tensors[ROW][None].to(table)])
    made.speaker_table = torch.nn.Embedding.from_pretrained(rows)
    return made


def read_references(name: str, judge: str, voices: str | Path | None = None) -> Tensor | None:
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
    tensors, header = read_weights(read_voice(name, voices))
    return tensors[REFERENCES].float() if REFERENCES in tensors and header.get("judge") == judge else None
