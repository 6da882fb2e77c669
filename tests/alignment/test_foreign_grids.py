"""TextGrids as other programs write them: forms, tiers, alphabets."""

from __future__ import annotations

import pytest

from prosody_transfer.alignment.anchors import Anchors
from prosody_transfer.alignment.ipa import _TABLE, from_ipa, from_sampa
from prosody_transfer.alignment.labels import alphabet_of, to_arpabet
from prosody_transfer.alignment.textgrid import read_textgrid, read_timed
from prosody_transfer.core.errors import TranscriptError
from prosody_transfer.core.types import WordInterval
from prosody_transfer.text.phones import PHONE_IDS, is_vowel, split_stress

WORDS = [(0.0, 0.2, ""), (0.2, 0.6, "kitten"), (0.6, 1.0, "")]
EDGES = (0.2, 0.3, 0.4, 0.5, 0.55, 0.6)
KITTEN = ("SIL", "K", "IH1", "T", "AH0", "N", "SIL")


def tier_of(labels, silence="sil"):
    return [(0.0, 0.2, silence), *zip(EDGES, EDGES[1:], labels, strict=False), (0.6, 1.0, silence)]


def older_short(tiers, end=1.0):
    lines = ['File type = "ooTextFile short"', '"TextGrid"', "", "0", f"{end}", "<exists>", f"{len(tiers)}"]
    for name, intervals in tiers:
        lines += ['"IntervalTier"', f'"{name}"', "0", f"{end}", f"{len(intervals)}"]
        lines += [line for a, b, label in intervals for line in (f"{a}", f"{b}", f'"{label}"')]
    return "\n".join(lines) + "\n"


def chronological(tiers, end=1.0):
    lines = ['"Praat chronological TextGrid text file"', f"0 {end}   ! Time domain.", f"{len(tiers) + 1}   ! tiers."]
    lines += [f'"IntervalTier" "{name}" 0 {end}' for name, _ in tiers] + [f'"TextTier" "bell" 0 {end}', "", "! bell:"]
    lines += [f"{len(tiers) + 1} 0.5", '"ding"']
    rows = sorted((a, i, b, label) for i, (_, intervals) in enumerate(tiers, 1) for a, b, label in intervals)
    lines += [f'{i} {a} {b}\n"{label}"' for a, i, b, label in rows]
    return "\n".join(lines) + "\n"


def save(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "a.TextGrid"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("form", [older_short, chronological])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16", "cp1252"])
def test_older_forms_are_read(tmp_path, form, encoding):
    text = form([("words", WORDS), ("phones", tier_of(["K", "IH1", "T", "AH0", "N"]))]).replace("\n", "\r\n")
    found = read_textgrid(save(tmp_path, text, encoding))
    assert tuple(p.phone for p in found.phones) == KITTEN and found.words == (WordInterval("kitten", 0.2, 0.6),)


@pytest.mark.parametrize(("labels", "silence"), [
    (["k", "ih1", "t", "ah0", "n"], "sp"), (["k", "ih", "t", "ax", "n"], "h#"),
    (["K_B", "IH_I", "T_I", "AH_I", "N_E"], "SIL"),
    (["kʰ", "ɪ", "t", "ə", "n"], ""), (["c", "ˈɪ", "ɾ", "ə", "n"], "spn"), (["k", "I", "t", "@", "n"], "<p:>"),
    (["k", "ɪ", "tʰ", "ə", "n"], "#"), (["K", "IH", "Q", "AX", "N"], "pau"),
])  # fmt: skip
def test_alphabets_are_told_by_the_whole_tier(tmp_path, labels, silence):
    found = read_textgrid(save(tmp_path, older_short([("words", WORDS), ("phones", tier_of(labels, silence))])))
    assert tuple(p.phone for p in found.phones) == KITTEN


@pytest.mark.parametrize(("phones", "words"), [
    ("phones", "words"), ("phone", "word"), ("anna - phones", "anna - words"), ("Anna - Phone", "Anna - Word"),
    ("MAU", "ORT-MAU"), ("segments", "tokens"), ("PhonAlign", "TokensAlign"), ("phon_anna", "words_anna"),
    ("phonemes", "utterance"), ("1", "2"), ("Phoneme", "anna"),
])  # fmt: skip
def test_tiers_are_known_by_their_names_or_labels(tmp_path, phones, words):
    tiers = [(words, WORDS), ("KAN-MAU", [(0.2, 0.6, "kIt@n")]), ("syllables", [(0.2, 0.4, "kit"), (0.4, 0.6, "ten")]),
             (phones, tier_of(["k", "ih1", "t", "ah0", "n"])), ("notes", [(0.0, 1.0, "")])]  # fmt: skip
    found = read_textgrid(save(tmp_path, older_short(tiers)))
    assert tuple(p.phone for p in found.phones) == KITTEN and [w.word for w in found.words] == ["kitten"]


def test_of_several_speakers_the_one_that_speaks_is_taken(tmp_path):
    phones = tier_of(["K", "IH1", "T", "AH0", "N"])
    silent = [(0.0, 1.0, "")]
    tiers = [("anna - words", WORDS), ("anna - phones", phones), ("ben - words", silent), ("ben - phones", silent)]
    assert len(read_textgrid(save(tmp_path, older_short(tiers))).words) == 1
    tiers = [("anna - words", WORDS), ("ben - words", WORDS), ("ben - phones", phones)]
    assert len(read_textgrid(save(tmp_path, older_short(tiers))).words) == 1
    with pytest.raises(TranscriptError, match="several speakers .*'anna - words', 'ben - words'"):
        read_timed(save(tmp_path, older_short(tiers[:2])))


def test_closures_are_the_beginning_of_their_stops(tmp_path):
    timit = [
        (0.0, 0.1, "h#"),
        (0.1, 0.2, "kcl"),
        (0.2, 0.3, "k"),
        (0.3, 0.5, "ae1"),
        (0.5, 0.6, "tcl"),
        (0.6, 1.0, "ch"),
    ]
    found = read_textgrid(save(tmp_path, older_short([("phones", timit)])))
    assert [(p.phone, p.start) for p in found.phones] == [("SIL", 0.0), ("K", 0.1), ("AE1", 0.3), ("CH", 0.5)]


def test_words_or_utterances_alone_are_anchors(tmp_path):
    words = [(0.0, 0.2, "<eps>"), (0.2, 0.5, "Shall"), (0.5, 0.6, "[laughs]"), (0.6, 0.9, "we, JOHN"), (0.9, 1.0, "sp")]
    found = read_timed(save(tmp_path, older_short([("words", words)])))
    assert isinstance(found, Anchors) and found.text == "Shall we, JOHN" and "[laughs]" in found.note
    assert [s[1:] for s in found.spans] == [(0.2, 0.5), (0.6, 0.9)]
    elan = read_timed(save(tmp_path, older_short([("Speaker1", [(0.2, 0.9, "ANNA: Shall we go?")])])))
    assert elan.spans == (WordInterval("Shall we go?", 0.2, 0.9),)
    with pytest.raises(TranscriptError, match=r"neither phones nor words \(tiers: 'words'\)"):
        read_timed(save(tmp_path, older_short([("words", [(0.0, 1.0, "")])])))


# The phones of the Montreal Forced Aligner's english_us_mfa and english_uk_mfa.
MFA = """
aj aw a aː b bʲ c cʰ cʷ d dʒ dʲ d̪ ej f fʲ h i iː j k kʰ kʷ l m mʲ m̩ n n̩ ow p pʰ pʲ pʷ s t tʃ tʰ tʲ tʷ t̪ v vʲ w z æ ç
ð ŋ ɐ ɑ ɑː ɒ ɒː ɔ ɔː ɔj ə əw ɚ ɛ ɛː ɜ ɜː ɝ ɟ ɟʷ ɡ ɡʷ ɪ ɫ ɫ̩ ɱ ɲ ɹ ɾ ɾʲ ɾ̃ ʃ ʉ ʉː ʊ ʎ ʒ ʔ θ e eː o oː u uː ʈ ɖ ʋ
"""
SAMPA = """
p b t d k g tS dZ f v T D s z S Z h m n N l r w j I e { Q V U @ i: eI aI OI u: @U aU 3: A: O: I@ e@ U@ i u 3` @` oU
r\\ l= n= 4 E A O ?
"""


@pytest.mark.parametrize("label", MFA.split())
def test_every_phone_of_mfa_is_known(label):
    assert all(split_stress(p)[0] in PHONE_IDS for p in to_arpabet(label, "IPA")) and alphabet_of([label, "θ"]) == "IPA"


@pytest.mark.parametrize("label", SAMPA.split())
def test_every_phone_of_sampa_is_known(label):
    assert all(split_stress(p)[0] in PHONE_IDS for p in from_sampa(label))


def test_the_table_gives_phones_of_ours_and_marks_do_not_matter():
    for unit, phones in _TABLE.items():
        assert from_ipa(unit) == tuple(phones.split()) and all(split_stress(p)[0] in PHONE_IDS for p in phones.split())
        if is_vowel(phones.split()[0]) and " " not in phones:
            assert from_ipa("ˈ" + unit) == (split_stress(phones)[0] + "1",)
    assert from_ipa("t͡ʃʰ") == ("CH",) and from_ipa("ɑːɹ") == ("AA", "R") and from_ipa("ˌaʊ") == ("AW2",)
    assert from_ipa("ɾ̃") == ("N",) and from_ipa("pʰʷ") == ("P",) and from_ipa("kɪtn") is None


def test_a_letter_of_several_alphabets_is_read_as_its_neighbours_are():
    assert to_arpabet("r", alphabet_of(["r", "ah0", "n"])) == to_arpabet("r", alphabet_of(["r", "ʌ", "n"])) == ("R",)
    assert to_arpabet("y", alphabet_of(["y", "uw1"])) == ("Y",) and alphabet_of(["j", "u:"]) == "SAMPA"
