"""The predictors of durations and melody, and the readings that they learn from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from prosody_transfer.analysis import readings
from prosody_transfer.core.config import MelConfig
from prosody_transfer.features.cache import Utterance
from prosody_transfer.features.extract import Features
from prosody_transfer.models.camp.network import POINTS, Camp, CampConfig, CampInputs, Measured
from prosody_transfer.models.camp.task import CampTask, Example
from prosody_transfer.text.prosody_tokens import CLASSES, NUMBERS, tokens_of
from prosody_transfer.text.spoken import spoken_sentences
from prosody_transfer.training.readings import pace_of, reading_of

PHONES = [0, 7, 28, 11, 0, 10, 5, 15, 0]  # SIL B OW TH SIL DH AH G SIL, "both" and what is no word


def small() -> Camp:
    torch.manual_seed(0)
    network = Camp(CampConfig(speakers=("alice",), channels=8, layers=2, voice_channels=4))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


def inputs(text: str, pad: int = 0, voice: int = 0) -> CampInputs:
    tokens = tokens_of(spoken_sentences(text)[0].words, "statement")
    size = tokens.classes.shape[1]
    return CampInputs(
        torch.from_numpy(np.pad(tokens.classes, ((0, 0), (0, pad))))[None],
        torch.from_numpy(np.pad(tokens.numbers, ((0, 0), (0, pad))))[None],
        torch.arange(size + pad)[None] < size, torch.tensor([voice]), torch.tensor([5.2]), torch.tensor([0.0]),
    )  # fmt: skip


def test_padding_changes_nothing():
    network = small()
    short, long = inputs("A red cat."), inputs("A red cat.", pad=7)
    size = short.mask.shape[1]
    frames = torch.full((1, size + 7), 6)
    for a, b in zip(network(short, frames[:, :size]), network(long, frames), strict=True):
        for one, other in zip(a, b, strict=True):
            torch.testing.assert_close(one, other[..., :size])


def test_the_voice_and_its_level_matter_and_an_unknown_voice_speaks():
    network = small()
    known, unknown = inputs("A red cat."), inputs("A red cat.", voice=-1)
    assert not torch.allclose(network.timing(known).log_frames, network.timing(unknown).log_frames)
    low = unknown._replace(level=torch.tensor([4.6]))
    assert not torch.allclose(network.timing(low).log_frames, network.timing(unknown).log_frames)


def test_settings_are_those_of_the_tokens():
    assert POINTS == readings.POINTS
    assert CampConfig().classes == tuple(size for _, size in CLASSES) and CampConfig().numbers == len(NUMBERS)


def measured(inputs: CampInputs, words: list[int]) -> Measured:
    generator = torch.Generator().manual_seed(1)
    size = inputs.mask.shape[1]
    rows = [torch.rand(1, 4, size, generator=generator) for _ in range(3)]
    frames = torch.randint(0, 20, (1, size), generator=generator)
    return Measured(frames, *rows, torch.tensor([words + [0] * (size - len(words))]))


def test_a_residual_is_one_of_a_word_and_padding_does_not_change_it():
    torch.manual_seed(0)
    network = Camp(CampConfig(channels=8, layers=1, residual=3)).eval()
    short, long = inputs("A red cat."), inputs("A red cat.", pad=5)
    words = [-1, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    given, size = measured(long, words), short.mask.shape[1]
    cut = Measured(*(t[..., :size] for t in given))
    told = network.told(short, cut, torch.ones(1, size)).numbers[0]
    residual = told[-3:]
    assert told.shape[0] == network.config.told and (told[-4] == 1).all()
    for word in range(-1, 3):
        own = residual[:, torch.tensor(words) == word]
        torch.testing.assert_close(own, own[:, :1].expand_as(own))
    assert not torch.allclose(residual[:, 1], residual[:, 3])
    padded = network.told(long, given, torch.ones(1, size + 5)).numbers[0]
    torch.testing.assert_close(padded[:, :size], told)


def test_of_words_that_are_not_shown_nothing_is_told():
    network = Camp(CampConfig(channels=8, layers=1, residual=3)).eval()
    text = inputs("A red cat.")
    words = [-1, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    one, other = measured(text, words), measured(text, words)
    other = other._replace(log_f0=other.log_f0 + 1)
    shown = (torch.tensor([words]) == 1).float()
    told = network.told(text, one, shown).numbers[0]
    assert (told[-4:, torch.tensor(words) != 1] == 0).all() and (told[-4, 3:7] == 1).all()
    hidden = [network.told(text, given, 0 * shown) for given in (one, other)]
    torch.testing.assert_close(hidden[0].numbers, hidden[1].numbers)
    assert not torch.allclose(network.told(text, other, shown).numbers[0], told)


def utterance(text: str, frames: int = 9) -> Utterance:
    """Every phone as long as the others, F0 that climbs a semitone a frame."""
    phones, stress = [0], [0]
    from prosody_transfer.text.phones import phone_id, stress_id

    for word in spoken_sentences(text)[0].words:
        phones += [phone_id(p) for p in word.phones]
        stress += [stress_id(p) for p in word.phones]
    phones, stress = [*phones, 0], [*stress, 0]
    size = frames * len(phones)
    log_f0 = (5.0 + np.arange(size) * 0.01).astype(np.float32)
    features = Features(
        np.zeros((100, size), np.float32), log_f0, np.ones(size, bool), np.full(size, -3, np.float32), size * 256,
        MelConfig(),
    )  # fmt: skip
    as_bytes = lambda v: np.array(v, np.uint8)
    return Utterance(
        features, np.zeros(0, np.int16), as_bytes(phones), as_bytes(stress), np.full(len(phones), frames, np.int16)
    )


def test_a_reading_is_what_was_measured():
    said = utterance("Both cats ran.")
    reading = reading_of(said, "Both cats ran.", 5.0, reads=False)
    assert reading is not None
    assert reading.frames.sum() == said.features.n_frames
    gaps = np.flatnonzero(reading.tokens.classes[0] == 0)
    assert reading.frames[gaps].tolist() == [9, 0, 0, 9]
    first = 9 + (9 / 4 - 1) / 2  # the middle of the first quarter of the first phone, in frames
    assert reading.log_f0[0, 1] == pytest.approx(0.01 * first, abs=0.003)
    assert pace_of(said, np.zeros(40)) == pytest.approx(np.log(9) / 0.3, abs=1e-3)
    assert reading.tokens.numbers[NUMBERS.index("heard"), 1:].all()


def test_a_text_of_other_words_gives_no_reading():
    assert reading_of(utterance("Both cats ran."), "Both cats ran away again.", 5.0, reads=False) is None


def test_silence_before_and_after_a_recording_teaches_nothing():
    said = utterance("Both cats ran.")
    reading = reading_of(said, "Both cats ran.", 5.0, reads=False)
    task = CampTask.__new__(CampTask)
    from prosody_transfer.models.camp.task import CampTaskConfig

    task.network, task.task, task.device, task.config = small(), CampTaskConfig(), "cpu", CampConfig()
    shown = np.zeros(len(reading.frames), np.float32)
    batch = task.collate([Example(reading, reading.tokens.numbers, shown, 0.0, 0)])
    base = task.loss(batch, 0, 1)[1]
    assert base["pause"] > 0
    longer = batch.measured.frames.clone()
    longer[0, -1] = 0
    changed = task.loss(batch._replace(measured=batch.measured._replace(frames=longer)), 0, 1)[1]
    assert changed["pause"] == pytest.approx(base["pause"], abs=1e-6)
