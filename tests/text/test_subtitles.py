"""Subtitles as transcripts: each line once, in order, and nothing that is not text."""

from __future__ import annotations

import pytest

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.subtitles import is_subtitles, lines_of
from prosody_transfer.text.transcript import find_transcript, read_words

SRT = """1
00:00:01,000 --> 00:00:02,000
- JOHN: Hello.
- No!

2
00:00:02,000 --> 00:00:03,000
<i>No!</i>

3
00:00:03,500 --> 00:00:04,000
{\\an8}ANNA: 42 (sighs)
"""
VTT = """WEBVTT - made up

NOTE
not said

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.000 line:0
<v John>Hello.</v>
<v Anna>No!</v>

00:02.000 --> 00:03.000
<v.loud Anna>No! &amp; 42</v>
"""
ROLLING = """WEBVTT
Kind: captions

00:00:00.160 --> 00:00:02.389 align:start position:0%
 
shall<00:00:00.480><c> we</c><00:00:00.560><c> take</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
shall we take
 

00:00:02.399 --> 00:00:04.000 align:start position:0%
shall we take
the<00:00:02.500><c> train</c>

00:00:04.000 --> 00:00:04.010 align:start position:0%
the train
 
"""  # noqa: W291, W293
ASS = """[Script Info]
ScriptType: v4.00+

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,karaoke,{\\k20}not said
Dialogue: 0,0:00:01.00,0:00:03.00,Default,John,0,0,0,,{\\k20}Hel{\\kf30}lo {\\k30}there,\\Nyou
Dialogue: 1,0:00:01.00,0:00:03.00,Default,John,0,0,0,,{\\k20}Hel{\\kf30}lo {\\k30}there,\\Nyou
Dialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,{\\p1}m 0 0 l 10 10{\\p0}
Dialogue: 0,0:00:00.00,0:00:00.90,Default,,0,0,0,,{\\fad(1,1)}First,\\hone
"""


@pytest.mark.parametrize(("text", "said"), [
    (SRT, "Hello. No! No! 42"), (SRT.replace("\n", "\r\n"), "Hello. No! No! 42"), (VTT, "Hello. No! No! & 42"),
    (ROLLING, "shall we take the train"), (ASS, "First, one Hello there, you"),
    (ASS[ASS.index("Dialogue"):], "First, one Hello there, you"),
])  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_subtitles_are_read_by_what_is_in_them(tmp_path, text, said, encoding):
    path = tmp_path / "words.txt"
    path.write_bytes(text.encode(encoding))
    assert is_subtitles(text) and read_words(path).text == said


def test_lines_that_are_said_twice_stay():
    cues = "".join(
        f"{i}\n00:00:0{i},000 --> 00:00:0{i},900\n{t}\n\n" for i, t in enumerate(["No!", "No!", "Yes.", "No!"])
    )
    assert lines_of(cues) == ["No!", "No!", "Yes.", "No!"]


@pytest.mark.parametrize("text", ["It lasted 0:01 to 0:02.", "Dialogue: where is it?", "-->", "", "1\n2\n3"])
def test_other_texts_are_no_subtitles(text):
    assert not is_subtitles(text)


def test_subtitles_without_a_word_are_refused(tmp_path):
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\n[music]\n")
    with pytest.raises(TranscriptError, match=r"a\.srt: holds no words.*\[music\]"):
        read_words(path)


def test_subtitles_are_sidecars_after_all_others(tmp_path):
    for name in ("take.ass", "take.VTT", "take.srt", "take.TextGrid", "take.txt"):
        (tmp_path / name).write_text("x")
        assert find_transcript(tmp_path / "take.mov") == tmp_path / name
