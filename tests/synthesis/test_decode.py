"""One voice speaking: what it keeps of the source, and one waveform for all pieces."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.features.extract import extract
from prosody_transfer.models.blocks import Frames
from prosody_transfer.models.copycat.config import CopyCatConfig
from prosody_transfer.models.copycat.embedding import embedding_steps, phone_inputs
from prosody_transfer.models.copycat.inputs import ProsodyInputs
from prosody_transfer.models.copycat.network import CopyCat
from prosody_transfer.models.copycat.speaking import DecodedFrames, PieceDecoder
from prosody_transfer.synthesis.plan import phones_of, word_numbers
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.vocode import MARGIN_FRAMES, vocode

LEVEL = 5.0


@pytest.fixture(scope="module")
def source(make_murmur):
    return extract(make_murmur(1.6), MelConfig())


@pytest.fixture(scope="module")
def alignment(source, make_spelling):
    return make_spelling(source.n_samples / 24000)


@pytest.fixture
def speak(tiny, alignment, make_plan):
    """Speak features in a voice with some settings."""

    def speak(features, n_frames=None, voice="alice", **settings) -> DecodedFrames:
        plan = make_plan(features, alignment, LEVEL, tiny.network)
        decoder = PieceDecoder(tiny.network, tiny.voice(voice), plan, TransferSettings(**settings).check())
        return decoder.decode(0, *plan.split()[0], n_frames or features.n_frames)

    return speak


@pytest.fixture
def say(speak, source):
    """Speak the source."""
    return lambda n_frames=None, voice="alice", **settings: speak(source, n_frames, voice, **settings)


def test_all_of_the_source_is_kept(say, source, alignment):
    said = say()
    assert said.mel.shape == source.mel.shape and said.log_f0.shape == said.voiced.shape == (source.n_frames,)
    assert np.isfinite(said.mel).all() and said.voiced.any()
    assert said.log_f0 - 5.3 == pytest.approx(source.log_f0 - LEVEL, abs=1e-5)  # 5.3: the voice's median
    pauses = np.repeat([p.phone == SILENCE for p in alignment.phones], alignment.durations(source.n_frames, 24000, 256))
    assert not said.voiced[pauses].any() and not (said.voiced & ~source.voiced).any()


@pytest.mark.parametrize("keep", [("rhythm", "pitch", "energy", "latent"), ("rhythm", "latent"), ()])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_a_shift_is_exact(say, keep, strength):
    plain, moved = say(keep=keep, strength=strength), say(keep=keep, strength=strength, f0_shift_semitones=3.0)
    free = (plain.log_f0 > np.log(50.0) + 1e-4) & (moved.log_f0 < np.log(800.0) - 1e-4)
    assert free.any()
    assert (moved.log_f0 - plain.log_f0)[free] == pytest.approx(3 * np.log(2) / 12, abs=1e-5)
    assert np.array_equal(moved.voiced, plain.voiced)


def test_a_range_scales_the_deviation_from_the_median(say):
    plain, wide, flat = say(), say(f0_range_scale=1.5), say(f0_range_scale=0.0)
    assert wide.log_f0 - 5.3 == pytest.approx(1.5 * (plain.log_f0 - 5.3), abs=1e-4)
    assert flat.log_f0 == pytest.approx(5.3)


def test_f0_stays_within_what_a_voice_can_do(say):
    for shift in (-24.0, 24.0):
        said = say(f0_shift_semitones=shift, f0_range_scale=4.0)
        assert np.log(50.0) - 1e-5 <= said.log_f0.min() and said.log_f0.max() <= np.log(800.0) + 1e-5


@pytest.mark.parametrize(("by_the_phones", "believed"), [(-9.0, False), (9.0, True)])
def test_voicing_where_the_phones_surely_have_none_is_not_believed(say, tiny, by_the_phones, believed):
    bias = tiny.network.head.bias.data
    before = bias[-1].item()
    try:
        bias[-1] = by_the_phones  # of the voicing logit, the head's last output
        assert say().voiced.any() == believed
    finally:
        bias[-1] = before


def test_guidance_leads_away_from_the_mean_voice(say, monkeypatch):
    said = {}
    for weight in (0.0, 0.1, 0.2):
        monkeypatch.setattr("prosody_transfer.models.copycat.speaking.GUIDANCE", weight)
        said[weight] = say().mel
    assert not np.allclose(said[0.1], said[0.0], atol=1e-4)
    assert said[0.2] - said[0.0] == pytest.approx(2 * (said[0.1] - said[0.0]), abs=1e-4)


def test_nobody_is_the_mean_of_the_speaker_table(tiny):
    network, frames = tiny.network, 12
    torch.manual_seed(0)
    zero, ones = torch.zeros(1, frames), torch.ones(1, frames)
    inputs = (
        torch.randn(1, network.config.phone_channels, frames), torch.randn(1, 3, frames), ones.bool(),
        ProsodyInputs(zero, ones, zero, torch.ones(1, 3)), torch.randn(1, network.config.latent_channels, frames),
    )  # fmt: skip
    table = network.speaker_table.weight
    before = table.data.clone()
    with torch.inference_mode():
        nobody = network.decode(*inputs, torch.tensor([-1]), torch.tensor([5.0])).mel
    try:
        table.data[0] = before.mean(0)
        with torch.inference_mode():
            mean = network.decode(*inputs, torch.tensor([0]), torch.tensor([5.0])).mel
    finally:
        table.data.copy_(before)
    torch.testing.assert_close(nobody, mean)


def test_without_pitch_the_melody_is_the_models_own(say, source, alignment):
    said = say(keep=("rhythm", "energy", "latent"))
    assert not np.allclose(said.log_f0, say().log_f0, atol=0.05)
    pauses = np.repeat([p.phone == SILENCE for p in alignment.phones], alignment.durations(source.n_frames, 24000, 256))
    assert not said.voiced[pauses].any()


def test_the_sources_melody_is_not_heard_where_pitch_is_not_kept(say, speak, source):
    """Another contour on the same source gives the same result, to the bit."""
    other = replace(source, log_f0=source.log_f0[::-1].copy(), voiced=~source.voiced)
    for keep in ((), ("rhythm", "energy", "latent")):
        first = say(keep=keep)
        second = speak(other, keep=keep)
        assert np.array_equal(first.mel, second.mel) and np.array_equal(first.log_f0, second.log_f0)


def test_nothing_kept_and_strength_0_hear_nothing_of_the_recording(speak, source):
    rng = np.random.default_rng(1)
    other = replace(
        source, mel=rng.normal(-4, 2, source.mel.shape).astype(np.float32), energy_db=-source.energy_db - 20
    )
    said = lambda features, keep: speak(features, keep=keep, strength=0.0)
    for keep in ((), ("rhythm", "energy", "latent")):
        assert np.array_equal(said(source, keep).mel, said(other, keep).mel)
        assert np.array_equal(said(source, keep).log_f0, said(other, keep).log_f0)


def test_strength_lies_between(say):
    own, half, full = say(strength=0.0, keep=("pitch",)), say(strength=0.5, keep=("pitch",)), say(keep=("pitch",))
    assert half.log_f0 == pytest.approx((own.log_f0 + full.log_f0) / 2, abs=1e-4)


def test_rhythm_that_is_not_kept_is_the_voices_own(say, source):
    kept, own = say(), say(keep=("pitch", "energy", "latent"))
    assert own.mel.shape == kept.mel.shape and not np.array_equal(own.log_f0, kept.log_f0)


@pytest.mark.parametrize("frames", [40, 301, 600])
def test_other_lengths(say, frames):
    said = say(frames)
    assert said.mel.shape == (100, frames) and np.isfinite(said.mel).all()


def test_voices_differ(say):
    assert np.abs(say().mel - say(voice="emma").mel).mean() > 1e-3
    assert say(voice="emma").log_f0 - say().log_f0 == pytest.approx(4.7 - 5.3, abs=1e-4)


def test_doubtful_phones_go_in_as_they_are(alignment):
    rows = np.random.default_rng(0).dirichlet(np.ones(40), len(alignment.phones)).astype(np.float32)
    inputs = lambda found: phone_inputs(phones_of([found], [found.durations(151, 24000, 256)]))
    known, doubtful = inputs(alignment), inputs(replace(alignment, posteriors=rows))
    assert torch.equal(known.phones.sum(-1), torch.ones(1, len(rows))) and known.stress.max() == 3
    assert np.array_equal(doubtful.phones[0].numpy(), rows) and not doubtful.stress.any()
    assert torch.equal(known.durations, doubtful.durations) and known.durations.sum() == 151


def test_a_piece_alone_and_in_a_padded_batch(tiny, source, alignment):
    """The phone encoder gives a piece what it gives it beside a longer one."""
    durations = np.array(alignment.durations(source.n_frames, 24000, 256))
    all_of_them = phones_of([alignment], [durations])
    one, two = phone_inputs(all_of_them.part(0, 5)), phone_inputs(all_of_them)
    pad = lambda a, b: torch.cat([torch.nn.functional.pad(a, [0, 0] * (a.dim() - 2) + [0, b.shape[1] - a.shape[1]]), b])
    both = type(one)(*(pad(getattr(one, f), getattr(two, f)) for f in ("phones", "stress", "durations", "mask")))
    size = int(durations[:5].sum())
    with torch.no_grad():
        alone, together = tiny.network.expand(one, size), tiny.network.expand(both, source.n_frames)
    for a, b in zip(alone, together, strict=True):
        assert (a[0] - b[0, :, :size]).abs().max() < 1e-5


def made_up(*sizes: int) -> list[DecodedFrames]:
    rng = np.random.default_rng(0)
    log_f0 = lambda n: (5.0 + 0.2 * np.sin(np.arange(n) / 15)).astype(np.float32)
    mel = lambda n: rng.normal(-5, 1, (100, n)).astype(np.float32)
    return [DecodedFrames(mel(n), log_f0(n), rng.random(n) > 0.3) for n in sizes]


def all_frames(spoken: list[DecodedFrames]) -> Frames:
    rows = [np.concatenate([s.mel, s.voiced[None], s.log_f0[None]]).astype(np.float32) for s in spoken]
    values = torch.from_numpy(np.concatenate(rows, 1))[None]
    return Frames(values, torch.ones(1, values.shape[2], dtype=torch.bool))


@pytest.mark.parametrize("sizes", [(1,), (30,), (512,), (513,), (300, 5, 700), (1, 1, 1)])
def test_pieces_are_vocoded_as_one(tiny, sizes):
    """Streaming through the pieces leaves no seam: it equals vocoding all frames at once."""
    spoken = made_up(*sizes)
    streamed = np.concatenate([*vocode(tiny.vocoder, spoken)])
    with torch.no_grad():
        expected = tiny.vocoder(all_frames(spoken)).values[0, 0].numpy()
    assert streamed.shape == expected.shape == (sum(sizes) * 256,)
    assert np.abs(streamed - expected).max() < 1e-4 * max(1.0, np.abs(expected).max())


class Ramp(torch.nn.Module):
    """A vocoder that can't stream: every sample is its frame's log F0, but for the last hop, which it leaves empty."""

    def forward(self, frames: Frames) -> Frames:
        audio = frames.values[:, -1].repeat_interleave(256, 1)
        audio[:, -256:] = 0
        return Frames(audio[:, None], frames.mask.repeat_interleave(256, 1))


@pytest.mark.parametrize("sizes", [(40,), (40, 60, 80), (MARGIN_FRAMES, 30)])
def test_vocoders_that_cannot_stream_leave_no_gap(sizes):
    spoken = made_up(*sizes)
    chunks = [*vocode(Ramp(), spoken)]
    assert len(chunks) == len(sizes)
    expected = Ramp()(all_frames(spoken)).values[0, 0].numpy()
    assert np.concatenate(chunks) == pytest.approx(expected, abs=1e-6)


def test_a_seam_is_a_crossfade():
    """Where both sides disagree, the result goes from one to the other over a hop, without a step."""

    class Two(Ramp):
        count = itertools.count()

        def forward(self, frames: Frames) -> Frames:
            values = torch.full_like(frames.values, float(next(self.count)))
            return super().forward(Frames(values, frames.mask))

    audio = np.concatenate([*vocode(Two(), made_up(20, 20))])
    assert len(audio) == 40 * 256
    seam = audio[20 * 256 - 128 : 20 * 256 + 128]
    assert (audio[: 20 * 256 - 128] == 0).all() and (audio[20 * 256 + 128 : -256] == 1).all()
    assert (np.diff(seam) > 0).all() and np.diff(audio[:-256]).max() < 0.005


def test_words_of_an_alignment_by_hand():
    phones = [("SIL", 0.0), ("AE1", 0.1), ("T", 0.2), ("IH1", 0.3), ("T", 0.4), ("SIL", 0.5), ("SIL", 0.6), ("B", 0.7)]
    ends = [start for _, start in phones[1:]] + [0.8]
    intervals = tuple(PhoneInterval(p, s, e) for (p, s), e in zip(phones, ends, strict=True))
    words = tuple(WordInterval(*w) for w in (("at", 0.1, 0.3), ("it", 0.3, 0.5), ("b", 0.7, 0.8)))
    found = phones_of([Alignment(intervals, words, 0.8)], [[1] * 8])
    assert found.words.tolist() == [-1, 0, 0, 1, 1, -1, -1, 2] and found.spellings == ("at", "it", "b")
    assert word_numbers(found.words).tolist() == [0, 1, 1, 3, 3, 4, 4, 5]
    assert word_numbers(found.words[3:]).tolist() == [1, 1, 2, 2, 3], "a piece counts from its own first word"
    assert phone_inputs(phones_of([Alignment(intervals, (), 0.8)], [[1] * 8])).words is None


@pytest.mark.parametrize("unit", ["phone", "word"])
def test_an_embedding_of_units_is_the_same_throughout_each(source, alignment, unit):
    torch.manual_seed(0)
    config = CopyCatConfig(
        speakers=("alice",), phone_channels=8, phone_layers=1, channels=12, layers=2, speaker_channels=6,
        reference_channels=8, reference_layers=2, source_channels=4, latent_channels=2, latent_unit=unit,
    )  # fmt: skip
    durations = np.array(alignment.durations(source.n_frames, 24000, 256))
    network, phones = CopyCat(config).eval(), phones_of([alignment], [durations])
    steps, units = embedding_steps(network, source, phones)
    latent = network.spread(steps, source.n_frames, units)
    numbers = np.arange(len(durations)) if unit == "phone" else word_numbers(phones.words)
    owner = np.repeat(numbers, durations)
    assert latent.shape == (1, 2, source.n_frames)
    assert ((latent[0].diff() != 0).any(0).numpy() == (np.diff(owner) != 0)).all()
