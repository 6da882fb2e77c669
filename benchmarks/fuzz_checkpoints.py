"""Parsers of checkpoints and of what earlier runs have left, in the form of `fuzz_examples.Parser`'s arguments."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Parts = tuple[str, str, Callable[[Path], Any], list[bytes]]


def of_networks() -> list[Parts]:
    """Headers of checkpoints in a whole file: what is damaged is what they say, not the frame around it."""
    import torch
    from safetensors.torch import save

    from prosody_transfer.models.copycat.config import CopyCatConfig
    from prosody_transfer.models.copycat.network import CopyCat
    from prosody_transfer.models.vocoder.vocos import VocosVocoder
    from prosody_transfer.store.checkpoint import _digest
    from prosody_transfer.store.vocoders import load_vocoder
    from prosody_transfer.store.weights import load_network
    from prosody_transfer.training.state import check_state

    config = CopyCatConfig(speakers=("a",), phone_channels=4, phone_layers=1, channels=4, layers=2,
                           reference_channels=4, reference_layers=1)  # fmt: skip
    network = CopyCat(config)
    facts = {"log_f0_median": 5.1, "phone_log_frames": [2.0] * 40, "sharpening": [0.1, 0.2]}
    header = {"config": config.to_dict(), "step": 3, "seconds": 1.5, "voices": {"a": facts}}
    plain = json.dumps(header)
    known = {"format": "ptx-checkpoint", "version": "1", "kind": "copycat", "header": plain}
    framed = save(network.state_dict(), {**known, "sha256": _digest(network.state_dict(), plain)})
    length = int.from_bytes(framed[:8], "little")

    def with_header(path: Path) -> Any:
        said = path.read_bytes().decode("utf8", "replace")
        whole = {**known, "header": said, "sha256": _digest(network.state_dict(), said)}
        path.write_bytes(save(network.state_dict(), whole))
        return load_network("copycat", path)

    def with_frame(path: Path) -> Any:
        said = path.read_bytes()
        path.write_bytes(len(said).to_bytes(8, "little") + said + framed[8 + length :])
        return load_network("copycat", path)

    def of_state(path: Path) -> Any:
        from types import SimpleNamespace

        from prosody_transfer.core.reading import parse_json

        try:
            said = parse_json(path.read_bytes())
        except ValueError:
            return None
        task = SimpleNamespace(config=config, network=network)
        return check_state(task, said, {"x": (1,)}, place=str(path)) if isinstance(said, dict) else None

    pickled = io.BytesIO()
    torch.save(VocosVocoder(width=4, hidden=4, layers=1).state_dict(), pickled)
    return [
        ("network-header", "x.safetensors", with_header, [plain.encode()]),
        ("network-frame", "x.safetensors", with_frame, [framed[8 : 8 + length]]),
        ("training-state", "x.json", of_state, [plain.encode()]),
        ("pickled-vocoder", "x.pt", load_vocoder, [pickled.getvalue()]),
    ]


def of_caches() -> list[Parts]:
    """What earlier runs have left, with a flipped bit or from another version."""
    from prosody_transfer.core.config import MelConfig
    from prosody_transfer.evaluation.listening.design import read_key
    from prosody_transfer.features.cache import load_utterance
    from prosody_transfer.synthesis.records import _read

    mel, frames = MelConfig(), 20
    buffer = io.BytesIO()
    np.savez(buffer, mel=np.zeros((mel.n_mels, frames), np.float16), log_f0=np.zeros(frames, np.float32),
             voiced=np.ones(frames, bool), energy_db=np.zeros(frames, np.float32), n_samples=np.array(frames * 256),
             pcm=np.zeros(frames * 256, np.int16), settings=np.array(mel.fingerprint()))  # fmt: skip
    record = {"format": "ptx-record", "version": 1, "output": "a", "key": {}, "sha256": "0", "head": "", "seen": {}}
    key = {"test": "t", "kind": "prosody", "title": "T", "aspects": ["overall"], "reference": True, "pages": [],
           "seed": 1, "format": "ptx-listening-1"}  # fmt: skip
    return [
        ("feature-cache", "x.npz", lambda path: load_utterance(path, mel), [buffer.getvalue()]),
        ("output-record", "x.json", _read, [json.dumps(record).encode()]),
        ("listening-key", "key.json", lambda path: read_key(path.parent), [json.dumps(key).encode()]),
    ]
