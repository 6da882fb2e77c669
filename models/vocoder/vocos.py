"""The public Vocos 24 kHz mel vocoder, for users who bring its checkpoint. ptx ships no weights of it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import ModelError
from prosody_transfer.models.vocoder.mel_vocoder import MelVocoder, htk_filterbank

PARTS = ("feature_extractor.", "backbone.", "head.")
MAX_MAGNITUDE = 100.0
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


def vocos_from_state(tensors: Mapping[str, Tensor], mel: MelConfig, place: str) -> VocosVocoder:
    """Build the network that fits a Vocos state dict, and fill it. Keys of the training (discriminators) are ignored.

    Raises:
        ModelError: It is no mel Vocos, or was made for other features than `mel`; the message gives what differs.
    """
    state = {k: v.float() for k, v in tensors.items() if k.startswith(PARTS)}
    try:
        width, n_mels, _ = state["backbone.embed.weight"].shape
        hidden = state["backbone.convnext.0.pwconv1.weight"].shape[0]
        n_fft = state["head.out.weight"].shape[0] - 2
    except (KeyError, ValueError):
        remedy = "give a checkpoint of the mel 24 kHz Vocos"
        raise ModelError("is neither a ptx nor a Vocos mel vocoder", place=place, remedy=remedy) from None
    if (n_mels, n_fft) != (mel.n_mels, mel.n_fft):
        problem = f"is made for {n_mels} mels and n_fft {n_fft}, not {mel.n_mels} and {mel.n_fft}"
        raise ModelError(problem, place=place, remedy="give a checkpoint of the mel 24 kHz Vocos")
    layers = max(1, sum(k.startswith("backbone.convnext.") and k.endswith(".gamma") for k in state))
    network = VocosVocoder(mel, width, hidden, layers)
    own = network.state_dict()
    given = state.get("feature_extractor.mel_spec.mel_scale.fb")
    expected = own["feature_extractor.mel_spec.mel_scale.fb"]
    if given is not None and (given.shape != expected.shape or not torch.allclose(given, expected, atol=2e-3)):
        raise ModelError(
            "is made for mels of other bands", place=place, remedy="give a checkpoint of the mel 24 kHz Vocos"
        )
    # Some published files leave the feature extractor and the windows out: they are constants.
    constant = {k: v for k, v in own.items() if k not in state and (k.startswith(PARTS[0]) or k == "head.istft.window")}
    try:
        network.load_state_dict(state | constant)
    except RuntimeError as error:
        problem = f"does not fit the Vocos network: {str(error).splitlines()[-1].strip()}"
        raise ModelError(problem, place=place, remedy="give a checkpoint of the mel 24 kHz Vocos") from None
    return network.eval()
