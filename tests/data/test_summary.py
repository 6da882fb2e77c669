"""The page: every figure by hand, nothing from outside, and nothing in a corpus's names or texts that could do harm."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from prosody_transfer.corpus.examine import Examination
from prosody_transfer.corpus.summary import f0_percentile, summarise
from prosody_transfer.corpus.summary_page import page
from prosody_transfer.corpus.verdicts import F0_BINS, Verdict, pack
from prosody_transfer.data.layouts import Detected, Source
from prosody_transfer.data.reasons import REASONS

HOSTILE = "<script>alert(1)</script>\" onload='x' &amp; \u202e]]>"


def verdict(number: int, speaker: str = "ann", **known) -> Verdict:
    f0 = [0] * F0_BINS
    f0[24] = 10  # one octave above 40 Hz: 80 to 82.3 Hz
    given = {
        "seconds": 2.0, "sample_rate": 24000, "level_db": -26.0, "snr_db": 30.0, "words_from": "transcript",
        "f0": pack(f0), "sentence": f"sentence {number}", "phones": pack([3, *[1] * 38, 0]),
    }  # fmt: skip
    return Verdict(id=f"u{number}", audio=f"/x/{number}.wav", speaker=speaker, text="x", **{**given, **known})


def summary(verdicts: list[Verdict], sides: list[str], rejected: list[dict], root: Path = Path("/nowhere")) -> dict:
    detected = Detected("folder", f"it looks so {HOSTILE}", Source(root))
    return summarise(detected, verdicts, sides, rejected, Examination(out="x"), {"dev_share": 0.05, "seed": 1})


@pytest.fixture
def found() -> dict:
    verdicts = [verdict(i) for i in range(12)] + [verdict(12, "ben", seconds=100.0, words_from="heard", sentence="")]
    verdicts.append(verdict(13, reason="noisy", detail="5 dB"))
    rejected = [
        {"id": HOSTILE, "audio": f"/{HOSTILE}.wav", "reason": reason, "detail": HOSTILE, "remedy": "r"}
        for reason in REASONS for _ in range(7)
    ]  # fmt: skip
    return summary(verdicts, ["train"] * 10 + ["dev", "", "train"], rejected)


def test_the_figures(found):
    assert found["used"] == {"utterances": 13, "seconds": 124.0, "speakers": 2}
    assert found["splits"]["train"] == {"utterances": 11, "seconds": 120.0, "speakers": 2, "sentences": 10}
    assert found["splits"]["dev"]["utterances"] == 1 and found["splits"]["neither"]["utterances"] == 1
    assert found["splits"]["shared_sentences"] == 0 and found["splits"]["speakers_in_dev_alone"] == []
    assert found["words_from"] == {"transcript": 12, "heard": 1} and found["sample_rates"] == {"24000": 13}
    assert (
        found["seconds"]["counts"][4] == 12
        and sum(found["seconds"]["counts"]) == 13
        and found["seconds"]["median"] == 2
    )
    ann, ben = found["speakers"]
    assert (ann["name"], ann["utterances"], ann["dev"], ann["seconds"]) == ("ann", 12, 1, 24.0)
    assert 80 <= ann["f0_low_hz"] < ann["f0_median_hz"] < ann["f0_high_hz"] <= 82.4 and ben["level_db"] == -26.0
    assert found["phones"]["missing"] == ["ZH"] and found["phones"]["counts"]["SIL"] == 39
    assert found["phones"]["told"] == 12 * 38 and found["phones"]["heard"] == 38 and found["phones"]["rare"] == []
    assert [r["count"] for r in found["rejected"]] == [7] * len(REASONS)
    assert all(len(r["examples"]) == 5 for r in found["rejected"])
    json.dumps(found, allow_nan=False)


def test_f0_percentiles_against_the_values_themselves():
    rng = np.random.default_rng(0)
    hz = 120 * 2 ** rng.normal(0, 0.3, 5000)
    counts = np.bincount(np.floor(24 * np.log2(hz / 40)).astype(int), minlength=F0_BINS)
    for share in (0.05, 0.5, 0.95):
        assert f0_percentile(counts, share) == pytest.approx(np.quantile(hz, share), rel=0.02)
    assert f0_percentile(np.zeros(F0_BINS), 0.5) is None


def test_a_shared_sentence_would_be_seen():
    both = [verdict(1), verdict(2, sentence="sentence 1")]
    assert summary(both, ["train", "dev"], [])["splits"]["shared_sentences"] == 1
    assert "1 sentences are on both sides" in page(summary(both, ["train", "dev"], []))


class Tags(HTMLParser):
    """What a browser would make of it: elements, attributes, and whether they are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_harmless(found):
    text = page(found)
    tags = Tags()
    tags.feed(text)
    assert not tags.open and "script" not in tags.seen and not any(a.startswith("on") for a in tags.attributes)
    assert not tags.seen & {"img", "iframe", "link", "object", "form", "a"}
    assert "<script" not in text and "http" not in re.sub("http-equiv", "", text) and "url(" not in text
    assert "&lt;script&gt;alert(1)" in text, "it is shown, as text"
    assert all(reason in text for reason in REASONS)


def test_a_page_of_nothing_and_of_very_many():
    empty = page(summary([], [], []))
    assert "Nothing was rejected" in empty and "nan" not in empty.lower().split()
    many = [verdict(i, f"speaker {i:04}") for i in range(500)]
    text = page(summary(many, ["train"] * 500, []))
    assert text.count("speaker 0") < 400 and "460 more are in summary.json" in text and len(text) < 300_000


def test_what_vctk_says_of_its_speakers_is_shown(tmp_path):
    (tmp_path / "speaker-info.txt").write_text("ID AGE GENDER ACCENTS\nann 23 F Scottish\n")
    assert "Scottish" in page(summary([verdict(1)], ["train"], [], tmp_path))
