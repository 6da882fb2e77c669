"""Phones, prosody and a voice -> mel and F0, one piece at a time; then one waveform for all pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prosody_transfer.audio.follow import follow_loudness
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.types import Alignment
from prosody_transfer.features.extract import Features
from prosody_transfer.features.mel import energy_from_mel
from prosody_transfer.features.sharpen import USUAL, sharpen
from prosody_transfer.models.blocks import Frames
from prosody_transfer.models.copycat.inputs import ENERGY_SCALE_DB, F0_SCALE, PhoneInputs, ProsodyInputs
from prosody_transfer.models.copycat.network import Decoded
from prosody_transfer.synthesis.prosody import Rhythm, TransferSettings, clean_voicing, plan_rhythm, shape_pitch
from prosody_transfer.text.phones import PHONES, phone_id, stress_id

LOWEST_HZ, HIGHEST_HZ = 50.0, 800.0
VOCODER_CHUNK_FRAMES = 512
SURELY_UNVOICED = -0.5  # logit of voicing, by the phones alone, below which the tracker is not believed
ENERGY_SHARE = 0.3  # of the source's energy in what the decoder is told; chosen on 12 development pairs
LOUDEST_DB = 20.0  # over the speech level: no voice's own energy is more
GUIDANCE = 0.05  # how much further from the mean of all voices than the decoder puts the target
MARGIN_FRAMES = 12  # of its neighbours, that a piece is vocoded with where the vocoder can't stream


@dataclass(frozen=True)
class Voice:
    """What the decoder needs of a target voice: its row, ln Hz median F0, mean ln frames of each phone (V,).

    `network` is the one that can speak it, where that is not the model itself: a user's voice has its own tensors.
    `sharpening`: how much detail the decoder loses of it, see `features.sharpen`.
    """

    name: str
    row: int
    log_f0_median: float
    phone_log_frames: np.ndarray
    network: Any = None
    sharpening: tuple[float, float] = USUAL


@dataclass(frozen=True)
class Spoken:
    """Output frames of a piece: mel (M, T), log F0 (T,) ln Hz, voiced (T,) bool.

    `source_frame`: (T,) int, the piece's frame that each was taken from, where that is known.
    """

    mel: np.ndarray
    log_f0: np.ndarray
    voiced: np.ndarray
    source_frame: np.ndarray | None = None


@dataclass(frozen=True)
class Borrowed:
    """Prosody laid over a piece's own, on its T source frames; where it is None the piece keeps its own.

    Attributes:
        contour: (T,) ln F0 above the median of whoever it is from. Voicing stays the piece's own.
        energy_db: (T,), relative to the speech level.
        latent: (1, D, T) prosody embedding, from `embed`.
    """

    contour: np.ndarray | None = None
    energy_db: np.ndarray | None = None
    latent: Tensor | None = None


def phone_inputs(alignment: Alignment, durations: np.ndarray) -> PhoneInputs:
    """A batch of one for the phone encoder; heard phones go in as posteriors, without stress."""
    if alignment.posteriors is not None:
        phones = torch.from_numpy(alignment.posteriors.astype(np.float32))
        stress = torch.zeros(len(phones), dtype=torch.long)
    else:
        phones = torch.eye(len(PHONES))[[phone_id(p.phone) for p in alignment.phones]]
        stress = torch.tensor([stress_id(p.phone) for p in alignment.phones])
    return PhoneInputs(
        phones[None],
        stress[None],
        torch.from_numpy(durations)[None].long(),
        torch.ones(1, len(phones), dtype=torch.bool),
        torch.from_numpy(word_numbers(alignment))[None] if alignment.words else None,
    )


def word_numbers(alignment: Alignment) -> np.ndarray:
    """Which word each phone belongs to, (P,) from 0 and rising; a pause between words is a word."""
    middle = np.array([(p.start + p.end) / 2 for p in alignment.phones])
    starts, ends = (np.array(times) for times in zip(*((w.start, w.end) for w in alignment.words), strict=True))
    begun = np.searchsorted(starts, middle, side="right")
    inside = (begun > 0) & (middle < ends[begun - 1])
    return 2 * begun - inside


def embedding_steps(network: Any, features: Features, alignment: Alignment) -> tuple[Tensor, Tensor | None]:
    """The prosody embedding of a piece step by step, (1, D, T'): the posterior's mean; and `CopyCat.units`."""
    config = features.config
    durations = np.array(alignment.durations(features.n_frames, config.sample_rate, config.hop_length))
    device = network.speaker_table.weight.device
    with torch.inference_mode():
        phones = phone_inputs(alignment, durations).to(device)
        up, _ = network.expand(phones, features.n_frames)
        units = network.units(phones, features.n_frames)
        mel = torch.from_numpy(features.mel)[None].to(device)
        mask = torch.ones(1, features.n_frames, dtype=torch.bool, device=device)
        return network.encode_reference(mel, mask, up, torch.zeros(1, device=device), units).mean, units


def embed(network: Any, features: Features, alignment: Alignment) -> Tensor:
    """The prosody embedding of a piece on its frames, (1, D, T)."""
    steps, units = embedding_steps(network, features, alignment)
    return network.spread(steps, features.n_frames, units)  # type: ignore[no-any-return]


class Speaker:
    """One voice speaking pieces of one source.

    Args:
        network: The acoustic model; a voice's own takes its place.
        source_level: ln Hz, the source speaker's median F0.
    """

    def __init__(self, network: Any, voice: Voice, source_level: float, settings: TransferSettings) -> None:
        self.network = network if voice.network is None else voice.network
        self.voice, self.level, self.settings = voice, source_level, settings
        self.device = self.network.speaker_table.weight.device

    def speak(
        self, features: Features, alignment: Alignment, n_frames: int, borrowed: Borrowed | None = None
    ) -> Spoken:
        """Say one piece.

        Args:
            n_frames: Its length in the output, the source's T unless durations are scaled.
            borrowed: Prosody of another utterance, or what is already known of this one.
        """
        settings, borrowed = self.settings, borrowed or Borrowed()
        config = features.config
        durations = np.array(alignment.durations(features.n_frames, config.sample_rate, config.hop_length))
        ids = np.array([phone_id(p.phone) for p in alignment.phones])
        weight = settings.strength if "rhythm" in settings.keep else 0.0
        rhythm = plan_rhythm(durations, ids, self.voice.phone_log_frames, weight, n_frames)
        with torch.inference_mode():
            latent = embed(self.network, features, alignment) if borrowed.latent is None else borrowed.latent
            latent = latent[..., torch.from_numpy(rhythm.source_frame).to(self.device)] * settings.strength
            up, position = self.network.expand(phone_inputs(alignment, rhythm.durations).to(self.device), n_frames)
            mask = torch.ones(1, n_frames, dtype=torch.bool, device=self.device)
            row = torch.tensor([self.voice.row], device=self.device)
            level = torch.tensor([self.voice.log_f0_median], device=self.device)
            decode = lambda prosody, who=row: self.network.decode(
                up, position, mask, prosody.to(self.device), latent, who, level
            )
            silent = np.repeat(ids == 0, rhythm.durations)
            prosody, contour, voiced = self._prosody(features, rhythm, silent, borrowed, decode)
            if "energy" in settings.keep:
                prosody = ease_energy(prosody, decode, config)
            mel, nobody = decode(prosody).mel[0], decode(prosody, torch.full_like(row, -1)).mel[0]
            mel = sharpen((mel + GUIDANCE * (mel - nobody)).cpu().numpy(), self.voice.sharpening)
        log_f0 = np.clip(contour + self.voice.log_f0_median, np.log(LOWEST_HZ), np.log(HIGHEST_HZ))
        return Spoken(mel, log_f0.astype(np.float32), voiced, rhythm.source_frame)

    def _prosody(
        self, features: Features, rhythm: Rhythm, silent: np.ndarray, borrowed: Borrowed, decode: Any
    ) -> tuple[ProsodyInputs, np.ndarray, np.ndarray]:
        """What the decoder is given; the output's ln F0 above the voice's median, and voicing, (T,) each."""
        settings = self.settings
        at = rhythm.source_frame
        pitch, energy = "pitch" in settings.keep, "energy" in settings.keep
        contour = features.log_f0[at] - self.level
        loudness = features.energy_db[at]
        own = self._own(decode, len(at), "latent" in settings.keep)
        own_logit = own.voicing_logit[0].cpu().numpy()
        voiced = clean_voicing(features.voiced[at], loudness, silent | (own_logit < SURELY_UNVOICED))
        contour = contour if borrowed.contour is None else borrowed.contour[at]
        loudness = loudness if borrowed.energy_db is None else borrowed.energy_db[at]
        if settings.strength < 1 or not pitch:
            own_contour = own.log_f0[0].cpu().numpy() * F0_SCALE
            weight = settings.strength if pitch else 0.0
            if not pitch:
                voiced = (own_logit > 0) & ~silent
            contour = weight * contour + (1 - weight) * own_contour
            own_energy = energy_from_mel(own.mel[0].cpu(), features.config).numpy()
            loudness = settings.strength * loudness + (1 - settings.strength) * own_energy
        contour = shape_pitch(contour, settings)
        keep = torch.tensor([[1.0, float(energy), float("latent" in settings.keep)]])
        inputs = ProsodyInputs(
            torch.from_numpy(contour / F0_SCALE).float()[None], torch.from_numpy(voiced).float()[None],
            torch.from_numpy(loudness / ENERGY_SCALE_DB).float()[None], keep,
        )  # fmt: skip
        return inputs, contour, voiced

    def _own(self, decode: Any, size: int, latent: bool) -> Decoded:
        """How the model would say it without any explicit prosody."""
        zero = torch.zeros(1, size)
        return decode(ProsodyInputs(zero, zero, zero, torch.tensor([[0.0, 0.0, float(latent)]])))


def ease_energy(prosody: ProsodyInputs, decode: Any, config: MelConfig) -> ProsodyInputs:
    """Energy between what is asked for and what the voice would have by itself under the same melody.

    How strong each phone is against the others belongs to the speaker as much as to the line, and the decoder answers
    to it with timbre. The rest of the source's loudness is given back to the sound, see `follow_loudness`.

    Args:
        decode: (`ProsodyInputs`) -> `Decoded`.
    """
    keep = prosody.keep.clone()
    keep[:, 1] = 0.0
    own = decode(ProsodyInputs(prosody.log_f0, prosody.voiced, prosody.energy, keep)).mel.cpu()
    own_energy = energy_from_mel(own, config).clamp(max=LOUDEST_DB).to(prosody.energy) / ENERGY_SCALE_DB
    eased = ENERGY_SHARE * prosody.energy + (1 - ENERGY_SHARE) * own_energy
    return ProsodyInputs(prosody.log_f0, prosody.voiced, eased, prosody.keep)


def sound(
    vocoder: Any, spoken: list[Spoken], source: np.ndarray, settings: TransferSettings, sample_rate: int
) -> np.ndarray:
    """The waveform of a whole source, as loud as the source from moment to moment where that is to be kept.

    Args:
        spoken: Its pieces.
        source: (N,) float32 at the speech level of the features.

    Returns:
        (N * duration_scale,) float32.
    """
    wanted = round(len(source) * settings.duration_scale)
    waveform = np.concatenate([*vocode(vocoder, spoken)])[:wanted]
    in_time = settings.strength == 1 and settings.duration_scale == 1 and "rhythm" in settings.keep
    return follow_loudness(waveform, source, sample_rate) if in_time and "energy" in settings.keep else waveform


def vocode(vocoder: Any, spoken: list[Spoken]) -> Iterator[np.ndarray]:
    """The waveform of consecutive pieces, in chunks; no seam at their borders, because one stream is spoken through.

    A vocoder that can't stream gets each piece by itself, with a margin; borders are crossfaded.
    """
    frames = lambda s: np.concatenate([s.mel, s.voiced[None].astype(np.float32), s.log_f0[None]]).astype(np.float32)
    if not hasattr(vocoder, "step"):
        yield from _vocode_apart(vocoder, [frames(s) for s in spoken])
        return
    total = sum(s.mel.shape[1] for s in spoken)
    skip, left = vocoder.latency, total
    with torch.inference_mode():
        state = vocoder.initial_state(1)
        tail = np.zeros((vocoder.in_channels, vocoder.latency), np.float32)
        for i, values in enumerate([*(frames(s) for s in spoken), tail]):
            for start in range(0, values.shape[1], VOCODER_CHUNK_FRAMES):
                chunk = torch.from_numpy(values[:, start : start + VOCODER_CHUNK_FRAMES])[None]
                real = torch.full((1, chunk.shape[2]), i < len(spoken))
                audio, state = vocoder.step(Frames(chunk, real), state)
                count = chunk.shape[2]
                hop = audio.values.shape[2] // count
                dropped = min(skip, count)
                skip -= dropped
                wanted = min(left, count - dropped)
                left -= wanted
                if wanted:
                    yield audio.values[0, 0, dropped * hop : (dropped + wanted) * hop].numpy()


def _vocode_apart(vocoder: Any, pieces: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames (C, T_piece) of consecutive pieces -> their samples, crossfaded over one hop around each border."""
    tail = np.zeros(0, np.float32)
    for i, piece in enumerate(pieces):
        before = pieces[i - 1][:, -MARGIN_FRAMES:] if i else piece[:, :0]
        after = pieces[i + 1][:, :MARGIN_FRAMES] if i + 1 < len(pieces) else piece[:, :0]
        values = torch.from_numpy(np.concatenate([before, piece, after], 1))[None]
        with torch.inference_mode():
            audio = vocoder(Frames(values, torch.ones(1, values.shape[2], dtype=torch.bool))).values[0, 0].numpy()
        hop = len(audio) // values.shape[2]
        half = hop // 2
        start, end = before.shape[1] * hop, (before.shape[1] + piece.shape[1]) * hop
        part = audio[start - (half if i else 0) : end + (half if after.shape[1] else 0)].copy()
        fade = (np.arange(len(tail), dtype=np.float32) + 0.5) / max(1, len(tail))
        part[: len(tail)] = tail + (part[: len(tail)] - tail) * fade
        tail = part[len(part) - 2 * half :] if after.shape[1] else part[:0]
        yield part[: len(part) - len(tail)]
