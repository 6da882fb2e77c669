"""Marks of emphasis and phones, and SSML: what is said, where each mark lies, and what is refused with its place."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.text.marks import Break, Emphasis, Phones, Prosody
from prosody_transfer.text.markup import read_markup

WORDS = st.lists(st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True), min_size=1, max_size=8)


@pytest.mark.parametrize(("written", "said", "emphasised"), [
    ("I said *Tuesday*, not Thursday.", "I said Tuesday, not Thursday.", ["Tuesday"]),
    ("**Never** say *not at all*!", "Never say not at all!", ["Never", "not at all"]),
    ("5 * 3 * 2 is 30, f(a*b)*c.", "5 * 3 * 2 is 30, f(a*b)*c.", []),
    ("a footnote* and another*", "a footnote* and another*", []),
    ('"*Now*," she said.', '"Now," she said.', ["Now"]),
    ("one * two*", "one * two*", []),
])  # fmt: skip
def test_stars_that_touch_a_word_are_emphasis(written, said, emphasised):
    found = read_markup(written)
    assert found.text == said
    assert [found.text[m.start : m.end] for m in found.marks] == emphasised
    assert all(m == Emphasis(m.start, m.end, "strong") for m in found.marks)


@given(WORDS, st.data())
def test_words_come_back_and_the_marked_ones_are_marked(words, data):
    starred = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    found = read_markup(" ".join(f"*{w}*" if s else w for w, s in zip(words, starred, strict=True)))
    assert found.text == " ".join(words)
    assert [found.text[m.start : m.end] for m in found.marks] == [w for w, s in zip(words, starred, strict=True) if s]


def test_phones_stand_where_their_word_stands():
    found = read_markup("Ask [[Z AH0 V AO1 N]] for *the [[w er1 d]]*.")
    assert found.text == "Ask Thing for the word."
    assert found.marks == (
        Phones(4, 9, ("Z", "AH0", "V", "AO1", "N")), Emphasis(14, 22), Phones(18, 22, ("W", "ER1", "D")),
    )  # fmt: skip


@pytest.mark.parametrize(("written", "message"), [
    ("Say\nthe [[W ERR1 D]].", r"^text:2:5: 'ERR1' is no phone"),
    ("Say [[W ER D]].", r"^text:1:5: the vowel ER has no stress; write ER0, ER1 or ER2$"),
    ("Say [[]].", r"^text:1:5: holds no phones"), ("[[SIL]]", "'SIL' is no phone"), ("[[K1]]", "'K1' is no phone"),
    ("Say [[W ER1 D.", r"^text:1:5: \[\[ has no partner"), ("Say W ER1 D]].", r"^text:1:12: \]\] has no partner"),
    ("*Say [[W ER1*", r"^text:1:6: \[\[ has no partner"),
])  # fmt: skip
def test_phones_that_are_none_are_refused_with_their_place(written, message):
    with pytest.raises(TranscriptError, match=message):
        read_markup(written)


def test_ssml_says_what_it_says():
    found = read_markup("""<?xml version="1.0" encoding="latin-1"?>
    <speak version="1.1" xml:lang="en-GB">
      Call <sub alias="doctor">Dr</sub> <phoneme alphabet="x-arpabet" ph="SH AH0 V AO1 N">Siobhan</phoneme>
      <break time="1500ms"/> <prosody rate="80%" pitch="+2st" volume="-6dB">very
      <emphasis level="strong">soon</emphasis> </prosody>&amp; *gently*.
    </speak>""")
    assert found.text == "Call doctor Siobhan very soon & *gently*."
    assert found.marks == (
        Phones(12, 19, ("SH", "AH0", "V", "AO1", "N")), Break(20, 1.5), Prosody(20, 30, 0.8, 2.0, -6.0),
        Emphasis(25, 29, "strong"),
    )  # fmt: skip


def test_a_percentage_of_pitch_is_in_semitones():
    (mark,) = read_markup('<speak><prosody pitch="-50%">low</prosody></speak>').marks
    assert mark.semitones == pytest.approx(-12)


@pytest.mark.parametrize(("inside", "message"), [
    ("<voice name='x'>a</voice>", r"^a.xml:2:1: <voice> is not known here; known inside <speak>: break, emphasis"),
    ("<speak>a</speak>", "<speak> is not known here"), ("a<break time='2 h'/>", r"^a.xml:2:2: '2 h' is no time"),
    ("a<break time='11s'/>", "is no time of 0 to 10 s"), ("a<break strength='huge'/>", "no break is 'huge'"),
    ("<break>a</break>", "<break> holds text"), ("<emphasis level='big'>a</emphasis>", "no emphasis is 'big'"),
    ("<prosody contour='x'>a</prosody>", "has no attribute 'contour' here; known: rate"),
    ("<prosody rate='quick'>a</prosody>", "rate 'quick' is not known; as in 80%"),
    ("<prosody rate='9000%'>a</prosody>", "rate '9000%' is too far"), ("<prosody pitch='-99%'>a</prosody>", "too far"),
    ("<phoneme ph='W ER1 D'>a</phoneme>", 'needs alphabet="x-arpabet"'),
    ("<phoneme alphabet='x-arpabet' ph='Q'>a</phoneme>", "'Q' is no phone"),
    ("<phoneme alphabet='x-arpabet' ph='W'> </phoneme>", "holds no word"), ("<sub>a</sub>", "<sub> needs alias"),
    ("<sub alias='b'><break/></sub>", "<break> stands in <sub>"), ("a<b", r"^a.xml:\d+:\d+: is no SSML"),
    (" ", "a.xml: holds no words"),
])  # fmt: skip
def test_ssml_that_is_not_known_is_refused_with_its_place(inside, message):
    with pytest.raises(TranscriptError, match=message):
        read_markup(f"<speak>\n{inside}</speak>", "a.xml")


def test_no_entity_grows():
    bomb = '<!DOCTYPE s [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;">]>'
    with pytest.raises(TranscriptError, match="DOCTYPE|is no SSML"):
        read_markup(f'<?xml version="1.0"?><speak>{bomb}&b;</speak>')
    with pytest.raises(TranscriptError, match="has a DOCTYPE"):
        from prosody_transfer.text.ssml import read_ssml

        read_ssml(f"{bomb}<speak>&b;</speak>")


PIECES = st.recursive(
    st.text("abc é&<>*[]\n", max_size=6).map(escape),
    lambda inner: st.tuples(
        st.sampled_from(["emphasis", 'prosody rate="fast"', 'emphasis level="none"']), st.lists(inner, max_size=3)
    ).map(lambda p: f"<{p[0]}>{'<break/>'.join(p[1])}</{p[0].split()[0]}>"),
    max_leaves=8,
)


@given(st.lists(PIECES, max_size=4))
def test_marks_lie_in_the_text_and_spaces_are_single(pieces):
    try:
        found = read_markup(f"<speak>{' '.join(pieces)}</speak>")
    except TranscriptError as error:
        assert "holds no words" in str(error)
        return
    assert "  " not in found.text and found.text == found.text.strip()
    for mark in found.marks:
        start, end = (mark.at, mark.at) if isinstance(mark, Break) else (mark.start, mark.end)
        assert 0 <= start <= end <= len(found.text)


@given(st.text("<speak>/*[ ]W ER1D\n\"'=&;!-abrt\x00\ud800é", max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text):
    for written in (text, f"<speak>{text}"):
        try:
            assert isinstance(read_markup(written).text, str)
        except TranscriptError as error:
            assert "\n" not in str(error)
