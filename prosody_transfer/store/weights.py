"""The networks that ship, and users' own checkpoints of the same kinds."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.core.reading import SETTINGS_BYTES, parse_json, read_bytes
from prosody_transfer.models import registry
from prosody_transfer.store.checkpoint import fill, load_checkpoint, save_checkpoint
from prosody_transfer.store.header import Shapes, compare_shapes, read_kind

if TYPE_CHECKING:
    from torch import Tensor


def shipped(kind: str) -> Path:
    """Where the shipped weights of a kind lie."""
    import prosody_transfer.models as models

    folder = Path(str(models.__file__)).parent / kind
    if not folder.is_dir():
        folder = registry.get(kind).folder or folder
    return folder / f"{kind}.safetensors"


def shipped_acoustic() -> Path:
    """Where the acoustic model lies that is used where none is named."""
    return shipped(registry.default("acoustic").kind)


def named_acoustic(model: str | Path | None) -> Path | None:
    """The checkpoint of a registered acoustic model by its name; a path stays what it is.

    Raises:
        ModelError: Of the model of that name no weights ship, or it is neither a name nor there.
    """
    if model is None:
        return None
    known = registry.kinds("acoustic")
    if str(model) not in known:
        if not Path(model).exists() and Path(model).name == str(model):
            remedy = f"check the path, or name one of {', '.join(known)}"
            raise ModelError("no such checkpoint, and no model of that name", place=str(model)[:100], remedy=remedy)
        return Path(model)
    if not (path := shipped(str(model))).is_file():
        remedy = f"train it: ptx train {model}; or give a checkpoint, a folder of an addon, or ./{model}"
        raise ModelError("ships no weights", place=f"model {model}", remedy=remedy)
    return path


def checkpoint_of(model: str | Path | None) -> Path:
    """Where the parameters of an acoustic model lie: a checkpoint itself, an addon's, a shipped one's by name.

    Raises:
        ModelError: As `named_acoustic`, or a folder is no addon.
    """
    found = named_acoustic(model) or shipped_acoustic()
    if not found.is_dir():
        return found
    try:
        kind = parse_json(read_bytes(found / "addon.json", SETTINGS_BYTES, ModelError))["kind"]
        return found / f"{kind}.safetensors"
    except (ValueError, KeyError, TypeError):
        raise ModelError("is no addon: its addon.json is damaged", place=str(found), remedy="fetch it again") from None


def _network(kind: str, config: dict[str, Any], place: str) -> Any:
    model = registry.get(kind)
    return model.load("network")(load_config(model.load("config"), config, place))


def load_acoustic(path: str | Path | None = None, device: str = "cpu") -> tuple[Any, dict[str, Any]]:
    """An acoustic model of whatever kind, ready to run, and its checkpoint's header.

    Args:
        path: A checkpoint, or the name of a registered model whose weights ship; None for the default one.

    Raises:
        ModelError: As `load_network`, or it is no acoustic model.
    """
    path = named_acoustic(path)
    return load_network(acoustic_kind(path), path, device)


def acoustic_kind(path: str | Path | None = None) -> str:
    """Which acoustic model a checkpoint is of; None for the shipped one's. ModelError where it is of none."""
    if path is None:
        return registry.default("acoustic").kind
    found, known = read_kind(path), registry.kinds("acoustic")
    if found not in known:
        problem = f"is a checkpoint of kind {found[:60]!r}, not of an acoustic model"
        raise ModelError(problem, place=str(path), remedy=f"give one of {', '.join(known)}")
    return found


def load_network(kind: str, path: str | Path | None = None, device: str = "cpu") -> tuple[Any, dict[str, Any]]:
    """A network ready to run, and its checkpoint's header.

    The settings, and the names and shapes of the tensors, are compared with the network's before anything is read.

    Args:
        path: A checkpoint of that kind; None for the shipped one.

    Raises:
        ModelError: The checkpoint is missing, damaged or of another kind.
    """
    path = Path(path) if path is not None else shipped(kind)
    network, _, header = read_network(kind, path, functools.partial(_network, kind))
    return network.to(device), header


def read_network(
    kind: str, path: str | Path, build: Callable[[dict[str, Any], str], Any]
) -> tuple[Any, dict[str, Tensor], dict[str, Any]]:
    """A network in evaluation mode, its tensors as they are stored, and its checkpoint's header.

    Args:
        build: Makes the network from settings as plain data; it is told the file for its messages.

    Raises:
        ModelError: As `load_network`.
    """
    made: list[Any] = []
    tensors, header = load_checkpoint(path, kind, _checker(build, path, made))
    fill(made[0], tensors, str(path))
    return made[0].eval(), tensors, header


def load_weights(kind: str, path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the header of a network's checkpoint, checked as `load_network` does; raises as it does."""
    return load_checkpoint(path, kind, _checker(functools.partial(_network, kind), path, []))


def _checker(
    build: Callable[[dict[str, Any], str], Any], path: str | Path, made: list[Any]
) -> Callable[[dict[str, Any], Shapes], None]:
    """What `load_checkpoint` calls before it reads tensors; `made` gets the network, without weights."""
    from prosody_transfer.models.hollow import hollow, shapes_of

    place = str(path)

    def check(header: dict[str, Any], shapes: Shapes) -> None:
        try:
            made.append(hollow(lambda: build(header["config"], place), place))
        except UsageError as error:  # settings that this ptx does not know: the file's fault, not the user's
            problem = f"has settings of another version ({error.problem})"
            raise ModelError(problem, place=place, remedy="use the ptx that wrote it") from None
        compare_shapes(shapes, shapes_of(made[0]), place)
        if "voices" in header:
            check_voices(header["voices"], getattr(made[0].config, "n_phones", 0), place)

    return check


class _VoiceFacts(msgspec.Struct):
    """What a checkpoint may know of a voice; the rest is not looked at."""

    log_f0_median: float | None = None
    phone_log_frames: tuple[float, ...] | None = None
    sharpening: tuple[float, float] | None = None


def check_voices(voices: Any, n_phones: int, place: str) -> None:
    """Refuse what a checkpoint says of its voices where it can't be; what it does not say is no matter here.

    Raises:
        ModelError: It is of another form, a number is not finite, or the phones are not as many as the model's.
    """
    try:
        found = msgspec.convert(voices, dict[str, _VoiceFacts])
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        problem = f"says of its voices what can't be ({error})"
        raise ModelError(problem, place=place, remedy="use the ptx that wrote it") from None
    for name, facts in found.items():
        numbers = [facts.log_f0_median or 0.0, *(facts.phone_log_frames or ()), *(facts.sharpening or ())]
        phones = n_phones if facts.phone_log_frames is None else len(facts.phone_log_frames)
        if phones != n_phones or not all(map(math.isfinite, numbers)):
            problem = f"says of the voice {name[:60]!r} what can't be"
            raise ModelError(problem, place=place, remedy="use the ptx that wrote it")


def voice_level(header: Mapping[str, Any], name: str, place: str | Path) -> float:
    """The median log F0 (ln Hz) of a voice of a checkpoint's; ModelError where it does not say it."""
    facts = header.get("voices", {}).get(name)
    level = facts.get("log_f0_median") if isinstance(facts, dict) else None
    if level is None:
        problem = f"says nothing of the voice {name[:60]!r}"
        raise ModelError(problem, place=str(place), remedy="make it with ptx train")
    return float(level)


def ship(kind: str, source: str | Path, target: str | Path | None = None, **facts: Any) -> Path:
    """Turn a training run's averaged weights into a file to ship: half precision, with the facts of the run kept.

    Args:
        source: model.safetensors of a run folder.
        target: Where to; None for the place of the shipped weights.
        facts: More to say in its header.
    """
    tensors, header = load_weights(kind, source)
    half = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    target = Path(target) if target is not None else shipped(kind)
    known = {k: v for k, v in header.items() if k != "config"}
    save_checkpoint(target, kind, half, header["config"], **{**known, **facts})
    return target
