"""Frozen settings: unknown keys are refused, and they travel inside the checkpoints."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from prosody_transfer.core.errors import UsageError

if TYPE_CHECKING:
    from typing import dataclass_transform

    @dataclass_transform(frozen_default=True, kw_only_default=True)
    class _Struct:
        """What a type checker needs to know of msgspec.Struct: it does not see that `frozen` is inherited."""

        def __init_subclass__(cls, **settings: bool) -> None: ...
else:
    _Struct = msgspec.Struct


class Config(_Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every settings class."""

    def to_dict(self) -> dict[str, Any]:
        return msgspec.to_builtins(self)

    def fingerprint(self) -> str:
        """Twelve hex digits that change with any setting."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:12]


C = TypeVar("C", bound=Config)
# Ranges of a network's settings: far beyond what anybody trains here, and none takes the memory of a machine by itself.
Layers = Annotated[int, msgspec.Meta(ge=1, le=128)]
Channels = Annotated[int, msgspec.Meta(ge=1, le=8192)]
Classes = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Factor = Annotated[int, msgspec.Meta(ge=1, le=1024)]


def load_config(cls: type[C], data: dict[str, Any], place: str = "") -> C:
    """Make a config from plain data.

    Raises:
        UsageError: A key is unknown or a value has the wrong type; the message names the key.
    """
    try:
        return msgspec.convert(data, cls)
    except UnicodeEncodeError:  # half of a pair, which JSON can spell
        problem = "holds letters that are not Unicode text"
        raise UsageError(problem, place=place or cls.__name__, remedy="write them again") from None
    except msgspec.ValidationError as error:
        raise UsageError(
            str(error), place=place or cls.__name__, remedy="compare it with recipes/shipped.toml"
        ) from None


class MelConfig(Config):
    """Feature settings; the defaults are those of the public Vocos 24 kHz model.

    `floor` is the least magnitude before the natural logarithm. Mel bands follow the HTK formula, unnormalised.
    """

    sample_rate: Annotated[int, msgspec.Meta(ge=8000, le=192_000)] = 24000
    n_fft: Annotated[int, msgspec.Meta(ge=16, le=16_384)] = 1024
    win_length: Annotated[int, msgspec.Meta(ge=16, le=16_384)] = 1024
    hop_length: Annotated[int, msgspec.Meta(ge=1, le=8192)] = 256
    n_mels: Annotated[int, msgspec.Meta(ge=1, le=256)] = 100
    floor: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1e-7
