from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_transfer.alignment.base import fill_gaps
from prosody_transfer.alignment.labels import restore_stress, to_arpabet
from prosody_transfer.alignment.textgrid import format_textgrid, parse_textgrid, read_textgrid, write_textgrid
from prosody_transfer.core.errors import OutputError, TranscriptError
from prosody_transfer.core.types import Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.phones import PHONES, is_vowel


def long_format(tiers, end=1.0, start=0.0):
    """A TextGrid as the Montreal Forced Aligner lays it out."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", f"xmin = {start} ", f"xmax = {end} "]
    lines += ["tiers? <exists> ", f"size = {len(tiers)} ", "item []: "]
    for i, (name, intervals) in enumerate(tiers, 1):
        lines += [f"    item [{i}]:", '        class = "IntervalTier" ', f'        name = "{name}" ']
        lines += [f"        xmin = {start} ", f"        xmax = {end} ", f"        intervals: size = {len(intervals)} "]
        for j, (a, b, label) in enumerate(intervals, 1):
            lines += [f"        intervals [{j}]:", f"            xmin = {a} ", f"            xmax = {b} "]
            lines.append(f'            text = "{label}" ')
    return "\n".join(lines) + "\n"


WORDS = [(0.0, 0.2, ""), (0.2, 0.6, "kitten"), (0.6, 1.0, "")]
PHONE_TIER = [(0.0, 0.1, "sil"), (0.1, 0.2, "sp"), (0.2, 0.3, "K"), (0.3, 0.4, "IH1"), (0.4, 0.5, "T"),
              (0.5, 0.55, "AH0"), (0.55, 0.6, "N"), (0.6, 1.0, "spn")]  # fmt: skip
KITTEN = ("SIL", "K", "IH1", "T", "AH0", "N", "SIL")
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1
<exists>
3
"IntervalTier"
"words"
0
1
3
0
0.2
""
0.2
0.6
"kitten"
0.6
1
""
"TextTier"
"clicks"
0
1
1
0.5
"a ""point"" 3"
"IntervalTier"
"PHONES"
0
1
7
0
0.2
""
0.2
0.3
"K"
0.3
0.4
"IH1"
0.4
0.5
"T"
0.5
0.55
"AH0"
0.55
0.6
"N"
0.6
1
""
"""


def save(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "a.TextGrid"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize(
    "text", [long_format([("words", WORDS), ("phones", PHONE_TIER)]), SHORT], ids=["long", "short"]
)
def test_both_formats_in_any_encoding(tmp_path, text, encoding):
    found = read_textgrid(save(tmp_path, text, encoding))
    assert tuple(p.phone for p in found.phones) == KITTEN
    assert found.phones[0] == PhoneInterval("SIL", 0.0, 0.2) and found.phones[-1].end == found.duration == 1.0
    assert found.words == (WordInterval("kitten", 0.2, 0.6),)


def test_windows_line_ends_and_speaker_prefix(tmp_path):
    text = long_format([("anna - words", WORDS), ("anna - Phones", PHONE_TIER)]).replace("\n", "\r\n")
    assert tuple(p.phone for p in read_textgrid(save(tmp_path, text)).phones) == KITTEN


def test_two_speakers_are_refused(tmp_path):
    text = long_format([("anna - phones", PHONE_TIER), ("ben - phones", PHONE_TIER)])
    with pytest.raises(TranscriptError, match="several speakers"):
        read_textgrid(save(tmp_path, text))


def test_no_phone_tier_names_those_there_are(tmp_path):
    with pytest.raises(TranscriptError, match="'words'"):
        read_textgrid(save(tmp_path, long_format([("words", WORDS)])))


def test_ipa_of_the_montreal_aligner_gets_stress_from_the_dictionary(tmp_path):
    ipa = [(0.2, 0.3, "kʰ"), (0.3, 0.4, "ɪ"), (0.4, 0.5, "ʔ"), (0.5, 0.6, "n̩")]
    found = read_textgrid(save(tmp_path, long_format([("words", WORDS), ("phones", ipa)])))
    assert tuple(p.phone for p in found.phones) == KITTEN
    assert found.phones[4].end == pytest.approx(0.55)


def test_arpabet_without_stress_gets_it_too(tmp_path):
    plain = [(a, b, label.rstrip("01")) for a, b, label in PHONE_TIER]
    found = read_textgrid(save(tmp_path, long_format([("words", WORDS), ("phones", plain)])))
    assert tuple(p.phone for p in found.phones) == KITTEN


def test_stress_without_words_and_of_unknown_words():
    phones = [PhoneInterval("W", 0, 1), PhoneInterval("AH", 1, 2), PhoneInterval("G", 2, 3), PhoneInterval("AH", 3, 4)]
    assert [p.phone for p in restore_stress(phones, [])] == ["W", "AH1", "G", "AH1"]
    assert [p.phone for p in restore_stress(phones, [WordInterval("日本", 0, 4)])] == ["W", "AH1", "G", "AH0"]


@pytest.mark.parametrize("label", ["jj", "QQ", "AH3", "K1", "hello", "日"])
def test_unknown_phones_are_named(tmp_path, label):
    text = long_format([("phones", [(0.0, 0.25, "K"), (0.25, 1.0, label)])])
    with pytest.raises(TranscriptError, match=f"'{label}'.*0.25 s"):
        read_textgrid(save(tmp_path, text))


@pytest.mark.parametrize("label", ["AH0_B", "ah0", "AX", "ə"])
def test_ways_to_write_schwa(label):
    assert to_arpabet(label) == ("AH0",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "RIFF\0\0",
        'File type = "ooTextFile"\nObject class = "Pitch 1"\n0 1',
        SHORT[: len(SHORT) // 2],
        SHORT.replace("<exists>\n3", "<exists>\n99999999999"),
        SHORT.replace("0.55\n", "0.45\n"),
        SHORT.replace('0.6\n1\n""', '0.6\n5\n""'),
        SHORT.replace("0\n1\n<exists>", "1\n1\n<exists>"),
        SHORT.replace("0.3\n", '"x"\n'),
        SHORT.replace("0.3\n", "1e999\n"),
    ],
)
def test_damaged_files_say_so(tmp_path, text):
    with pytest.raises(TranscriptError, match="a.TextGrid"):
        read_textgrid(save(tmp_path, text))


def test_missing_file_and_unwritable_place(tmp_path):
    with pytest.raises(TranscriptError, match="No such file"):
        read_textgrid(tmp_path / "none.TextGrid")
    empty = Alignment((PhoneInterval("SIL", 0.0, 1.0),), (), 1.0)
    with pytest.raises(OutputError, match="there is no folder"):
        write_textgrid(empty, tmp_path / "no" / "a.TextGrid")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        write_textgrid(empty, tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"], "a temporary file was left behind"


def test_times_that_do_not_start_at_zero(tmp_path):
    text = long_format([("phones", [(5.0, 5.5, "K"), (5.5, 6.0, "AA1")])], end=6.0, start=5.0)
    found = read_textgrid(save(tmp_path, text))
    assert found.duration == 1.0 and found.phones[1] == PhoneInterval("AA1", 0.5, 1.0)


@st.composite
def alignments(draw):
    names = draw(st.lists(st.sampled_from(PHONES), min_size=1, max_size=12))
    names = [n + draw(st.sampled_from("012")) if is_vowel(n) else n for n in names]
    names = [n for i, n in enumerate(names) if not i or n != "SIL" or names[i - 1] != "SIL"]
    steps = draw(st.lists(st.integers(1, 5000), min_size=len(names), max_size=len(names)))
    edges = [0.0]
    for step in steps:
        edges.append(edges[-1] + step / 997)
    phones = tuple(PhoneInterval(n, a, b) for n, a, b in zip(names, edges, edges[1:], strict=False))
    label = st.text(alphabet='abcé "\'$%,.5', min_size=1, max_size=6).map(str.strip)
    words = []
    for phone in phones:
        word = draw(st.none() | label)
        if word and word not in ("sil",):
            words.append(WordInterval(word, phone.start, phone.end))
    return Alignment(phones, tuple(words), edges[-1], "textgrid")


@given(alignments())
@settings(max_examples=60, deadline=None)
def test_round_trip(tmp_path_factory, alignment):
    path = tmp_path_factory.mktemp("grids") / "a.TextGrid"
    write_textgrid(alignment, path)
    assert read_textgrid(path) == alignment


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read_or_refused(text):
    for start in ("", '"ooTextFile" "TextGrid" 0 1 <exists> 1 '):
        try:
            parse_textgrid(start + text)
        except TranscriptError as error:
            assert error.remedy


def test_text_is_what_praat_reads():
    text = format_textgrid(Alignment((PhoneInterval("SIL", 0.0, 1.0),), (WordInterval('a"b', 0.25, 0.5),), 1.0))
    assert 'text = "a""b"' in text and 'text = "sil"' in text and text.startswith('File type = "ooTextFile"\nObject')
    start, end, tiers = parse_textgrid(text)
    assert (start, end) == (0, 1) and tiers[0].intervals == [(0, 0.25, ""), (0.25, 0.5, 'a"b'), (0.5, 1, "")]


times = st.floats(-1, 3, allow_nan=False)


@given(st.lists(st.tuples(st.sampled_from(["SIL", "K", "AA1"]), times, times), max_size=10), st.floats(0.1, 2))
def test_gaps_are_filled(phones, duration):
    found = fill_gaps([PhoneInterval(*p) for p in phones], duration)
    assert found[0].start == 0 and found[-1].end == duration
    assert all(p.end > p.start for p in found)
    for left, right in zip(found, found[1:], strict=False):
        assert left.end == right.start and not left.phone == right.phone == "SIL"
