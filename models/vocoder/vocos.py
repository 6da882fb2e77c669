"""The public Vocos 24 kHz mel vocoder, for users who bring its checkpoint. ptx ships no weights of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.hollow import hollow
from prosody_transfer.models.vocoder.mel_vocoder import MelVocoder, htk_filterbank

PARTS = ("feature_extractor.", "backbone.", "head.")
MAX_MAGNITUDE = 100.0
_REMEDY = "give a checkpoint of the mel 24 kHz Vocos"
EPSILON = 1e-6  # of every layer normalisation


class _Layer(nn.Module):
    def __init__(self, width: int, hidden: int, gain: float) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.pwconv1, self.pwconv2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.gamma = nn.Parameter(torch.full((width,), gain))

    def forward(self, values: Tensor) -> Tensor:
        hidden = self.norm(self.dwconv(values).transpose(1, 2))  # (B, T, C)
        return values + (self.gamma * self.pwconv2(F.gelu(self.pwconv1(hidden)))).transpose(1, 2)


class _Backbone(nn.Module):
    def __init__(self, n_mels: int, width: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.embed = nn.Conv1d(n_mels, width, 7, padding=3)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.convnext = nn.ModuleList(_Layer(width, hidden, 1 / layers) for _ in range(layers))
        self.final_layer_norm = nn.LayerNorm(width, eps=EPSILON)

    def forward(self, mel: Tensor) -> Tensor:
        values = self.norm(self.embed(mel).transpose(1, 2)).transpose(1, 2)  # (B, C, T)
        for layer in self.convnext:
            values = layer(values)
        return self.final_layer_norm(values.transpose(1, 2))  # (B, T, C)


class _Window(nn.Module):
    """Only holds a window under the name that checkpoints give it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(size))
        self.window: Tensor


class _Head(nn.Module):
    def __init__(self, width: int, n_fft: int, hop_length: int) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        self.out = nn.Linear(width, n_fft + 2)
        self.istft = _Window(n_fft)

    def forward(self, values: Tensor) -> Tensor:
        log_magnitude, phase = self.out(values).transpose(1, 2).chunk(2, dim=1)  # (B, n_fft / 2 + 1, T) each
        spectrum = torch.polar(log_magnitude.exp().clamp(max=MAX_MAGNITUDE), phase)
        return torch.istft(spectrum, self.n_fft, self.hop_length, window=self.istft.window)  # (B, (T - 1) * hop)


class VocosVocoder(MelVocoder):
    """Mels -> waveform; the state dict has the names of the public model, so its checkpoints load as they are.

    The first (T - 1) * hop_length samples are what the public model gives; the last frame's are zero, because its own
    framing ends at the last frame's centre.

    Source: Siuzdak 2023, Vocos: closing the gap between time-domain and Fourier-based neural vocoders. The defaults are
    those of charactr/vocos-mel-24khz.
    """

    def __init__(self, mel: MelConfig | None = None, width: int = 512, hidden: int = 1536, layers: int = 8) -> None:
        mel = mel or MelConfig()
        super().__init__(mel)
        scale, spectrogram = nn.Module(), _Window(mel.n_fft)
        scale.register_buffer("fb", htk_filterbank(mel).T.contiguous())  # (n_fft / 2 + 1, M)
        measured = nn.Module()
        measured.spectrogram, measured.mel_scale = spectrogram, scale
        self.feature_extractor = (
            nn.Module()
        )  # never run: frames arrive measured; kept for its names and to compare filters
        self.feature_extractor.mel_spec = measured
        self.backbone = _Backbone(mel.n_mels, width, hidden, layers)
        self.head = _Head(width, mel.n_fft, mel.hop_length)

    def decode(self, mel: Tensor) -> Tensor:
        return self.head(self.backbone(mel))


class VocosSettings(NamedTuple):
    """What the shapes of a Vocos checkpoint tell of it: channels between and inside the layers, and their number."""

    width: int
    hidden: int
    layers: int


def vocos_settings(shapes: Mapping[str, tuple[int, ...]], mel: MelConfig, place: str) -> VocosSettings:
    """The network that fits a Vocos state dict. Keys of the training (discriminators) are not looked at.

    Args:
        shapes: Of its tensors, by name.

    Raises:
        ModelError: It is no mel Vocos, or was made for other features than `mel`; the message gives what differs.
    """
    try:
        width, n_mels, _ = shapes["backbone.embed.weight"]
        hidden, _ = shapes["backbone.convnext.0.pwconv1.weight"]
        n_fft = shapes["head.out.weight"][0] - 2
    except (KeyError, ValueError, IndexError):
        raise ModelError("is neither a ptx nor a Vocos mel vocoder", place=place, remedy=_REMEDY) from None
    if (n_mels, n_fft) != (mel.n_mels, mel.n_fft):
        problem = f"is made for {n_mels} mels and n_fft {n_fft}, not {mel.n_mels} and {mel.n_fft}"
        raise ModelError(problem, place=place, remedy=_REMEDY)
    layers = max(1, sum(k.startswith("backbone.convnext.") and k.endswith(".gamma") for k in shapes))
    if not (1 <= width <= 8192 and 1 <= hidden <= 65_536 and layers <= 128):
        problem = f"would have {layers} layers of {width} and {hidden} channels"
        raise ModelError(problem, place=place, remedy=_REMEDY)
    return VocosSettings(width, hidden, layers)


def vocos_from_state(tensors: Mapping[str, Tensor], mel: MelConfig, place: str) -> VocosVocoder:
    """Build the network that fits a Vocos state dict, and fill it; in evaluation mode, in full precision.

    Raises:
        ModelError: As `vocos_settings`; the names or shapes are others, or the mels have other bands.
    """
    settings = vocos_settings({name: tuple(value.shape) for name, value in tensors.items()}, mel, place)
    network = hollow(lambda: VocosVocoder(mel, *settings), place)
    own = network.state_dict()
    given = {name: value for name, value in tensors.items() if name.startswith(PARTS)}
    # Some published files leave the feature extractor and the windows out: they are constants.
    constant = {k: v for k, v in own.items() if k not in given and (k.startswith(PARTS[0]) or k == "head.istft.window")}
    for name in sorted(own.keys() | given.keys()):
        known = given.get(name, constant.get(name))
        if name not in own or known is None or known.shape != own[name].shape:
            what = "is unknown" if name not in own else "is missing" if known is None else "has another shape"
            problem = f"does not fit the Vocos network: {name[:80]!r} {what}"
            raise ModelError(problem, place=place, remedy=_REMEDY)
    state = {name: value.to(own[name].dtype, copy=True) for name, value in {**given, **constant}.items()}
    expected = own["feature_extractor.mel_spec.mel_scale.fb"]
    if not torch.allclose(state["feature_extractor.mel_spec.mel_scale.fb"], expected, atol=2e-3):
        raise ModelError("is made for mels of other bands", place=place, remedy=_REMEDY)
    network.load_state_dict(state, assign=True)
    return network.eval()
