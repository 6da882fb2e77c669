"""Words said as in a recording of them: who is told what, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from prosody_transfer.analysis.readings import Reading
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import MismatchError, ModelError
from prosody_transfer.models.camp import speaking
from prosody_transfer.models.camp.network import Camp, CampConfig
from prosody_transfer.synthesis.speaking import reference
from prosody_transfer.synthesis.speaking.choice import ProsodyChoice
from prosody_transfer.synthesis.speaking.planning import TAIL_SECONDS, ProsodySource, plan_sentence
from prosody_transfer.synthesis.speaking.wishes import requests
from prosody_transfer.text.prosody_tokens import tokens_of
from prosody_transfer.text.spoken import spoken_sentences

CONFIG = MelConfig()
TEXT = "One cat ran. Did two dogs?"
RATE = 24000 / 256


def source(residual: int = 3) -> ProsodySource:
    torch.manual_seed(0)
    network = Camp(CampConfig(speakers=("alice",), channels=8, layers=1, residual=residual)).eval()
    with torch.no_grad():
        for part in network.parameters():
            part.add_(0.1 * torch.randn_like(part))
    return ProsodySource(ProsodyChoice("camp"), speaking, network)


def reading(seed: int = 0) -> Reading:
    rng = np.random.default_rng(seed)
    sentences = spoken_sentences(TEXT)
    words, kinds = [w for s in sentences for w in s.words], [s.kind for s in sentences for _ in s.words]
    tokens = tokens_of(words, kinds, list(rng.uniform(0, 2, len(words))))
    size = len(tokens.word)
    frames = np.where(tokens.is_gap, 0, rng.integers(4, 12, size))
    frames[np.flatnonzero(tokens.is_gap)[3]] = 50  # between the sentences
    points = [rng.normal(0, 0.1, (4, size)).astype(np.float32) for _ in range(3)]
    return Reading(tokens, frames, points[0], np.abs(points[1]), points[2], 5.0, tuple(w.phones for w in words))


def test_each_sentence_is_told_of_its_own_words_and_of_the_pause_after_it():
    found, read, model = requests(spoken_sentences(TEXT), []), reading(), source()
    first, second = reference._told(found, read, model, CONFIG)
    whole = speaking.hear(model.network, read)
    assert whole.shape == (6, 4) and first.heard.shape == second.heard.shape == (3, 4)
    np.testing.assert_array_equal(np.concatenate([first.heard, second.heard]), whole)
    assert first.silence == pytest.approx(50 / RATE - TAIL_SECONDS) and second.silence == 0


def test_what_is_heard_of_a_word_changes_how_it_is_said_and_draws_no_tune():
    found, model = requests(spoken_sentences(TEXT), []), source()
    says = lambda request: plan_sentence(request, model, "alice", 5.2, config=CONFIG, rng=np.random.default_rng(0))
    plain = says(found[1])
    one, other = (says(reference._told(found, reading(seed), model, CONFIG)[1]) for seed in (1, 2))
    assert plain.tune == "rise" and one.tune == "as in the recording"
    assert not np.allclose(one.plan.log_f0[:20], other.plan.log_f0[:20])


def test_what_is_told_is_the_same_in_all_tokens_of_a_word():
    model, read = source(), reading()
    tokens = read.tokens
    heard = speaking.hear(model.network, read)
    told = speaking.condition(model.network, tokens, None, "", np.random.default_rng(0), heard)
    assert len(told.numbers) == model.network.config.told
    assert (told.numbers[-4, tokens.word >= 0] == 1).all() and (told.numbers[-4:, 0] == 0).all()
    np.testing.assert_allclose(told.numbers[-3:, 1], heard[0, 1:], rtol=1e-6)


def test_a_network_without_residuals_says_so():
    with pytest.raises(ModelError, match="no residual"):
        speaking.hear(source(0).network, reading())


@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        ("One cat sat. Did two dogs?", "says 'sat', where the text has 'ran' \\(word 3\\)"),
        ("One cat ran.", "is over before 'did' \\(word 4\\)"),
        ("One cat ran. Did two dogs bark?", "says 'bark', where the text is over \\(word 7\\)"),
    ],
)
def test_a_recording_of_other_words_is_refused_with_the_first(theirs, says):
    with pytest.raises(MismatchError, match=says):
        reference._require_same(theirs, TEXT, "take.wav")
    reference._require_same("one cat ran, did 2 dogs", TEXT, "take.wav")
