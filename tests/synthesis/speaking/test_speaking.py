"""A text to plans and to sound, with small random networks."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from prosody_transfer.audio.io import read_audio, read_comment
from prosody_transfer.core.errors import OutputError, TranscriptError, UsageError
from prosody_transfer.models import registry
from prosody_transfer.models.camp.network import Camp, CampConfig
from prosody_transfer.store.checkpoint import save_checkpoint
from prosody_transfer.synthesis.plan_file import load_plan
from prosody_transfer.synthesis.speaking.planning import TAIL_SECONDS, join_plans
from prosody_transfer.synthesis.speaking.settings import SpeakSettings
from prosody_transfer.synthesis.speaking.speaker import Speaker

PLAIN = SpeakSettings(prosody="plain", sentence_silence=(0.4, 0.4))
HOP = 256 / 24000


@pytest.fixture(scope="module")
def speaker(tiny, tmp_path_factory):
    torch.manual_seed(0)
    network = Camp(CampConfig(speakers=("alice",), channels=8, layers=1, voice_channels=4))
    torch.nn.init.constant_(network.timing_network.stack.blocks[-1].linear.bias[:1], 2.0)  # 7 frames a phone
    with torch.no_grad():  # a melody within an octave
        network.melody_network.stack.blocks[-1].linear.weight.mul_(0.05)
    path = tmp_path_factory.mktemp("camp") / "camp.safetensors"
    save_checkpoint(path, "camp", network.state_dict(), network.config.to_dict())
    return Speaker(tiny, path)


def plans(speaker, text, settings=PLAIN):
    return list(speaker.plans(speaker.requests(text, settings), "alice", settings))


def test_sentences_are_planned_one_by_one_with_silence_between(speaker):
    first, second = plans(speaker, "One cat. Two dogs ran.")
    assert [len(p.spans) for p in (first, second)] == [2, 3]
    assert first.plan.phones.names[-1] == "SIL"
    assert first.plan.phones.durations[-1] * HOP == pytest.approx(0.4 + TAIL_SECONDS, abs=HOP)
    assert second.plan.phones.durations[-1] * HOP == pytest.approx(TAIL_SECONDS, abs=HOP)


def test_a_paragraph_is_parted_by_more(speaker):
    close, far = plans(speaker, "One. Two.")[0], plans(speaker, "One.\n\nTwo.")[0]
    assert far.plan.seconds - close.plan.seconds == pytest.approx(PLAIN.paragraph_silence, abs=2 * HOP)


def test_what_is_drawn_is_drawn_the_same_again(speaker):
    settings = SpeakSettings(prosody="plain", sentence_silence=(0.1, 1.0))
    lengths = lambda seed: [
        p.plan.seconds for p in plans(speaker, "One. Two. Three.", SpeakSettings(
            prosody="plain", sentence_silence=settings.sentence_silence, seed=seed))
    ]  # fmt: skip
    assert lengths(1) == lengths(1) != lengths(2)


def test_length_scale_and_breaks(speaker):
    usual, slow = (
        plans(speaker, "Cats and dogs ran home.", SpeakSettings(prosody="plain", length_scale=s))[0] for s in (1.0, 2.0)
    )
    assert np.ptp(slow.spans[:, 0]) == pytest.approx(2 * np.ptp(usual.spans[:, 0]), rel=0.08)
    broken = plans(speaker, '<speak>Cats<break time="700ms"/> ran.</speak>')[0]
    at = broken.plan.phones.names.index("SIL", 1)
    assert broken.plan.phones.durations[at] * HOP == pytest.approx(0.7, abs=HOP)


def test_emphasis_is_longer_higher_and_louder(speaker):
    plain, marked = (plans(speaker, f"We met on {w} at noon.")[0] for w in ("Tuesday", "*Tuesday*"))
    word = [w.text for w in marked.request.sentence.words].index("tuesday")
    length = lambda p: p.spans[word, 1] - p.spans[word, 0]
    assert length(marked) > length(plain)
    top = lambda p, w: p.plan.log_f0[slice(*p.spans[w])].max()
    others = max(top(marked, w) for w in range(len(marked.spans)) if w != word)
    assert top(marked, word) > others + 0.05
    loud = lambda p: p.plan.energy_db[slice(*p.spans[word])].mean()
    assert loud(marked) > loud(plain) + 3


def test_a_voice_of_no_known_row_speaks(speaker):
    (planned,) = speaker.plans(speaker.requests("One cat.", PLAIN), "emma", PLAIN)
    assert planned.plan.source.f0_level == pytest.approx(4.7)


def test_the_plans_of_a_text_joined_say_the_same(speaker, tmp_path: Path):
    out, stored = tmp_path / "a.wav", tmp_path / "a.json"
    text = "One cat ran. Why did two dogs run?"
    report = speaker.speak_to_file(text, "alice", out, PLAIN, plan=stored)
    sound = read_audio(out, 24000).waveform
    assert report["seconds"] == pytest.approx(len(sound) / 24000, abs=1e-4)
    assert "alice" in read_comment(out)
    plan = load_plan(stored)
    assert len(speaker.render(plan, "alice").waveform) == len(sound)
    assert plan.phones.spellings == ("one", "cat", "ran", "why", "did", "two", "dogs", "run")
    assert [row["kind"] for row in report["sentences"]] == ["statement", "wh_question"]
    words = [w for row in report["sentences"] for w in row["words"]]
    assert all(a["end"] <= b["start"] + 1e-6 for a, b in zip(words, words[1:], strict=False))
    assert sound[-int(0.02 * 24000) :].size and np.abs(sound).max() > 1e-4


def test_joining_counts_words_and_silences_on(speaker):
    found = [p.plan for p in plans(speaker, "One cat. Two dogs. Three.")]
    whole = join_plans(found)
    assert whole.n_frames == sum(p.n_frames for p in found)
    assert whole.phones.words.max() == 4 and len(whole.source.silences) == 2
    first = found[0].source.samples
    assert whole.source.silences[1].start > first


def test_sound_comes_before_the_text_is_over(speaker):
    """Each sentence is said when it is asked for: nothing of a chapter is held but the sentence at hand."""
    parts = speaker.speak("One cat. Two dogs. " * 20, "alice", PLAIN)
    assert next(parts).waveform.size and next(parts).waveform.size


def test_raw_samples(speaker):
    stream = io.BytesIO()
    report = speaker.speak_to(stream, "<i2", "One cat.", "alice", PLAIN)
    assert len(stream.getvalue()) / 2 == pytest.approx(report["seconds"] * 24000, abs=2)
    assert np.frombuffer(stream.getvalue(), "<i2").any()


def test_a_sentence_without_end_is_cut_into_pieces(speaker):
    text = " ".join(["cats and dogs and birds ran home"] * 40)
    (planned,) = plans(speaker, text)
    assert len(planned.plan.pieces) > 1
    for phones, _ in planned.plan.split():
        assert phones.durations.sum() * HOP <= 18.01


def test_refusals(speaker, tmp_path: Path):
    (tmp_path / "a.wav").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        speaker.speak_to_file("One.", "alice", tmp_path / "a.wav", PLAIN)
    assert (tmp_path / "a.wav").read_text() == "mine"
    with pytest.raises(TranscriptError, match="no partner"):
        speaker.speak_to_file("[[One.", "alice", tmp_path / "b.wav", PLAIN)
    with pytest.raises(UsageError):
        list(speaker.speak("One.", "nobody", PLAIN))
    with pytest.raises(UsageError, match="out of range"):
        list(speaker.speak("One.", "alice", SpeakSettings(prosody="plain", sentence_silence=(1.0, 0.5))))
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]


def test_prosody_comes_from_whatever_model_of_text_is_named():
    from prosody_transfer.synthesis.speaking.choice import choose_prosody, prosody_names

    assert choose_prosody() == choose_prosody(registry.default("text").kind) and choose_prosody().reads
    assert not choose_prosody("plain").reads and choose_prosody("plain").kind == choose_prosody().kind
    assert all(choose_prosody(name).name == name for name in prosody_names())
    for wrong in ("nothing", f"{choose_prosody().kind}:nothing", "vocoder", ":"):
        with pytest.raises(UsageError, match="plain"):
            choose_prosody(wrong)


def test_what_a_model_is_told_of_a_sentence_is_what_it_predicts_from(speaker, monkeypatch):
    from prosody_transfer.models.camp import speaking

    seen = []
    monkeypatch.setattr(speaking, "condition", lambda network, tokens, *more: seen.append(more) or tokens)
    said = plans(speaker, "One cat. Two dogs ran.")
    assert [sentence for sentence, _, _ in seen] == [p.request.sentence for p in said]
    assert seen[0][2] is seen[1][2]  # one generator, sentence after sentence
