"""The networks that ship, and users' own checkpoints of the same kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prosody_transfer.core.config import load_config
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.store.checkpoint import load_checkpoint, load_into, save_checkpoint


def shipped(kind: str) -> Path:
    """Where the shipped weights of "copycat", "vocoder" or "recogniser" lie."""
    import prosody_transfer.models as models

    return Path(str(models.__file__)).parent / kind / f"{kind}.safetensors"


def _network(kind: str, config: dict[str, Any], place: str) -> Any:
    if kind == "copycat":
        from prosody_transfer.models.copycat.config import CopyCatConfig
        from prosody_transfer.models.copycat.network import CopyCat

        return CopyCat(load_config(CopyCatConfig, config, place))
    if kind == "recogniser":
        from prosody_transfer.models.recogniser.network import Recogniser, RecogniserConfig

        return Recogniser(load_config(RecogniserConfig, config, place))
    if kind == "vocoder":
        from prosody_transfer.models.vocoder.network import Vocoder, VocoderConfig

        return Vocoder(load_config(VocoderConfig, config, place))
    raise ModelError(f"no network is called {kind!r}", place=place)


def load_network(kind: str, path: str | Path | None = None, device: str = "cpu") -> tuple[Any, dict[str, Any]]:
    """A network ready to run, and its checkpoint's header.

    Args:
        path: A checkpoint of that kind; None for the shipped one.

    Raises:
        ModelError: The checkpoint is missing, damaged or of another kind.
    """
    path = Path(path) if path is not None else shipped(kind)
    tensors, header = load_checkpoint(path, kind)
    try:
        network = _network(kind, header["config"], str(path))
    except UsageError as error:  # settings that this ptx does not know: the file's fault, not the user's
        problem = f"has settings of another version ({error.problem})"
        raise ModelError(problem, place=str(path), remedy="use the ptx that wrote it") from None
    load_into(network, tensors, str(path))
    return network.eval().to(device), header


def ship(kind: str, source: str | Path, target: str | Path | None = None, **facts: Any) -> Path:
    """Turn a training run's averaged weights into a file to ship: half precision, with the facts of the run kept.

    Args:
        source: model.safetensors of a run folder.
        target: Where to; None for the place of the shipped weights.
        facts: More to say in its header.
    """
    tensors, header = load_checkpoint(source, kind)
    half = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    target = Path(target) if target is not None else shipped(kind)
    known = {k: v for k, v in header.items() if k != "config"}
    save_checkpoint(target, kind, half, header["config"], **{**known, **facts})
    return target
