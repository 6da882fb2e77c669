from __future__ import annotations

import os
import shutil
import stat
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.alignment.base import align_text, aligner_names, available_aligners, get_aligner
from prosody_transfer.alignment.mfa import MfaAligner, dictionary
from prosody_transfer.alignment.viter import ViterAligner
from prosody_transfer.core.errors import AudioError, DependencyError, TranscriptError, UsageError

CLIP = Path(__file__).parent / "alice_0016.opus"  # synthetic voice
TEXT = "But Farmer Green didn't agree with him."
WORDS = ["but", "farmer", "green", "didn't", "agree", "with", "him"]
# word onsets in seconds from the synthesiser, which states them about 50 ms late and on a grid of 25 ms
ONSETS = (0.25, 0.45, 0.775, 1.125, 1.35, 1.7, 1.875)


@pytest.fixture(scope="module")
def clip():
    waveform, rate = soundfile.read(CLIP, dtype="float32")
    return waveform, rate


@pytest.fixture(scope="module")
def aligner():
    return get_aligner("pocketsphinx")


def check_law(alignment, duration):
    assert alignment.phones[0].start == 0 and alignment.phones[-1].end == duration == alignment.duration
    assert all(p.end > p.start for p in alignment.phones)
    assert all(p.end == q.start for p, q in zip(alignment.phones, alignment.phones[1:], strict=False))
    assert not any(p.phone == q.phone == "SIL" for p, q in zip(alignment.phones, alignment.phones[1:], strict=False))


def test_synthetic_clip(clip, aligner):
    waveform, rate = clip
    found = align_text(aligner, waveform, rate, TEXT)
    check_law(found, len(waveform) / rate)
    assert [w.word for w in found.words] == TEXT.rstrip(".").split()
    spoken = " ".join(p.phone for p in found.phones if p.phone != "SIL")
    assert spoken.startswith("B AH1 T F AA1 R M ER0 G R IY1 N D IH1 D ") and spoken.endswith("HH IH1 M")
    assert np.abs([w.start + 0.05 - o for w, o in zip(found.words, ONSETS, strict=True)]).max() < 0.1
    frames = len(waveform) // 256 + 1
    assert sum(found.durations(frames, rate, 256)) == frames


def test_level_rate_and_reuse_do_not_matter(clip, aligner):
    waveform, rate = clip
    first = aligner.align(waveform, rate, WORDS)
    assert aligner.align(waveform, rate, WORDS) == first, "an earlier utterance changes a later one"
    quiet = aligner.align(waveform * 0.01, rate, WORDS)
    slow = aligner.align(waveform[::2], rate // 2, WORDS)
    for other in (quiet, slow):
        assert [p.phone for p in other.phones] == [p.phone for p in first.phones]
        assert max(abs(p.end - q.end) for p, q in zip(other.phones, first.phones, strict=True)) < 0.05


def test_pause_between_words_is_silence(clip, aligner):
    waveform, rate = clip
    found = aligner.align(waveform, rate, WORDS)
    cut = int(found.words[3].start * rate)  # before "didn't"
    paused = np.concatenate([waveform[:cut], np.zeros(rate // 2, np.float32), waveform[cut:]])
    silences = [p for p in aligner.align(paused, rate, WORDS).phones if p.phone == "SIL"]
    assert any(p.end - p.start > 0.3 and p.start > 0.5 and p.end < len(paused) / rate - 0.3 for p in silences)


def test_a_word_outside_the_dictionary_is_aligned(clip, aligner):
    waveform, rate = clip
    found = aligner.align(waveform, rate, ["but", "farmer", "greene's", "didnt", "agree", "with", "him"])
    check_law(found, len(waveform) / rate)
    assert len(found.words) == 7


def test_what_cannot_be_aligned(clip, aligner):
    waveform, rate = clip
    with pytest.raises(TranscriptError, match="40 words.*; check"):
        aligner.align(waveform, rate, ["interesting", "circumstances"] * 20)
    with pytest.raises(TranscriptError, match="no words"):
        aligner.align(waveform, rate, [])
    with pytest.raises(TranscriptError, match="cannot be pronounced"):
        aligner.align(waveform, rate, ["日本"])
    check_law(aligner.align(waveform, rate, WORDS), len(waveform) / rate)  # and it works afterwards


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(24000), np.full(24000, np.nan), np.zeros((2, 24000)) + 0.1])
def test_audio_that_is_none(aligner, samples):
    with pytest.raises(AudioError):
        aligner.align(samples.astype(np.float32), 24000, WORDS)


def test_too_short_audio(clip, aligner):
    waveform, rate = clip
    with pytest.raises(TranscriptError):
        aligner.align(waveform[8000:8200], rate, WORDS)


def test_registry():
    assert aligner_names()[0] == "pocketsphinx"
    with pytest.raises(UsageError, match="pocketsphinx, ptx, mfa, viter"):
        get_aligner("kaldi")
    states = {s.name: s for s in available_aligners()}
    assert states["pocketsphinx"].works
    assert all(s.works or (s.reason and s.remedy) for s in states.values())


FAKE_MFA = """#!{python}
import os, sys
mode = os.environ.get("FAKE_MFA", "works")
if mode == "broken":
    if sys.argv[1:] == ["version"]:
        print("3.4.3"); sys.exit(0)
    sys.stderr.write("ModuleNotFoundError: No module named '_kalpy'\\n"); sys.exit(1)
if "--help" in sys.argv:
    print("Usage: mfa align_one [OPTIONS] ..."); sys.exit(0)
if mode == "slow":
    import time; time.sleep(30)
if mode == "fails":
    sys.stderr.write("NoAlignmentsError: There were 1 utterances that could not be aligned\\n"); sys.exit(1)
command, wav, lab, words, model, out = sys.argv[1:]
assert command == "align_one" and model == "english_us_arpa" and os.path.getsize(wav) > 44, sys.argv
known = dict(line.rstrip("\\n").split("\\t") for line in reversed(open(words).readlines()))
import wave
total = round(wave.open(wav).getnframes() / wave.open(wav).getframerate(), 2)
spoken = open(lab).read().split()
step = (total - 0.2) / len(spoken)
w, p = [], [(0, 0.1, "sil")]
for i, word in enumerate(spoken):
    a = 0.1 + i * step
    w.append((a, a + step, word))
    phones = known[word].split()
    p += [(a + k * step / len(phones), a + (k + 1) * step / len(phones), x) for k, x in enumerate(phones)]
def tier(name, rows):
    head = f'"IntervalTier" "{{name}}" 0 {{total}} {{len(rows)}}'
    return [head] + [f'{{a:.4f}} {{b:.4f}} "{{t}}"' for a, b, t in rows]
lines = ['"ooTextFile"', '"TextGrid"', f"0 {{total}} <exists> 2"] + tier("words", w) + tier("phones", p)
open(out, "w").write("\\n".join(lines))
"""


@pytest.fixture
def fake_mfa(tmp_path, monkeypatch):
    path = tmp_path / "mfa"
    path.write_text(FAKE_MFA.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("PTX_MFA_MODEL", raising=False)
    return monkeypatch


def test_mfa_is_run_and_read(fake_mfa, clip):
    waveform, rate = clip
    MfaAligner.check()
    found = align_text(get_aligner("mfa"), waveform, rate, TEXT)
    check_law(found, len(waveform) / rate)
    assert found.aligner == "mfa" and [w.word for w in found.words] == TEXT.rstrip(".").split()
    assert [p.phone for p in found.phones[:4]] == ["SIL", "B", "AH1", "T"]


def test_mfa_that_is_broken_or_slow_or_cannot(fake_mfa, clip):
    waveform, rate = clip
    fake_mfa.setenv("FAKE_MFA", "broken")
    with pytest.raises(DependencyError, match="_kalpy.*conda"):
        MfaAligner.check()
    with pytest.raises(DependencyError, match="_kalpy.*conda"):
        MfaAligner().align(waveform, rate, WORDS)
    fake_mfa.setenv("FAKE_MFA", "fails")
    with pytest.raises(TranscriptError, match="NoAlignmentsError"):
        MfaAligner().align(waveform, rate, WORDS)
    fake_mfa.setenv("FAKE_MFA", "slow")
    with pytest.raises(DependencyError, match="no answer in 1 s"):
        MfaAligner(timeout=1).align(waveform, rate, WORDS)


def test_no_mfa(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyError, match="not installed.*conda"):
        get_aligner("mfa")
    assert not {s.name: s.works for s in available_aligners()}["mfa"]


def test_real_mfa(clip):
    if shutil.which("mfa") is None:
        pytest.skip("no Montreal Forced Aligner here: only a stand-in for it was tested")
    try:
        MfaAligner.check()
    except DependencyError as error:
        pytest.skip(str(error))
    found = get_aligner("mfa").align(*clip, WORDS)
    check_law(found, len(clip[0]) / clip[1])
    assert [w.word for w in found.words] == WORDS


def test_dictionary_lines():
    assert dictionary(["him", "read"], stress=False) == "him\tHH IH M\nhim\tIH M\nread\tR EH D\nread\tR IY D\n"


class FakeViterError(Exception):
    pass


def fake_viter(phones):
    class Model:
        def __init__(self, path, *, dict=None, cpu=False):
            if "bad" in path:
                raise FakeViterError("not a model")
            self.phones = phones
            self.words = [line.split("\t") for line in Path(dict).read_text().splitlines()] if dict else []

        def align(self, audio, text, *, sample_rate):
            if text == "fail":
                raise FakeViterError("utterance failed to align")
            row = types.SimpleNamespace
            names = self.words[0][1].split()
            spans = [row(label=p, start=0.1 + 0.1 * i, end=0.2 + 0.1 * i) for i, p in enumerate(names)]
            end = spans[-1].end
            ends = [row(label="sil", start=a, end=b) for a, b in ((0.0, 0.1), (end, len(audio) / sample_rate))]
            return row(words=[row(label=text, start=0.1, end=end)], phones=[ends[0], *spans, ends[1]])

    return types.SimpleNamespace(Model=Model, ViterError=FakeViterError)


@pytest.mark.parametrize("phones", [["sil", "AA1_B", "IY1_B", "SH_E"], ["sil", "AA_B", "IY_B", "SH_E"]])
def test_viter_with_and_without_stress(monkeypatch, tmp_path, clip, phones):
    model = tmp_path / "m.viter"
    model.write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "viter", fake_viter(phones))
    monkeypatch.setenv("PTX_VITER_MODEL", str(model))
    found = get_aligner("viter").align(*clip, ["farmer"])
    check_law(found, len(clip[0]) / clip[1])
    assert [p.phone for p in found.phones] == ["SIL", "F", "AA1", "R", "M", "ER0", "SIL"]
    with pytest.raises(TranscriptError, match="could not be aligned by viter"):
        get_aligner("viter").align(*clip, ["fail"])


def test_viter_missing_or_without_a_model(monkeypatch, tmp_path):
    monkeypatch.delenv("PTX_VITER_MODEL", raising=False)
    monkeypatch.setitem(sys.modules, "viter", None)
    with pytest.raises(DependencyError, match=r"not installed.*pip install"):
        ViterAligner()
    monkeypatch.setitem(sys.modules, "viter", fake_viter(["sil", "ɑ", "iː"]))
    with pytest.raises(DependencyError, match="no model.*PTX_VITER_MODEL"):
        ViterAligner()
    with pytest.raises(DependencyError, match="no model at"):
        ViterAligner(tmp_path / "none.viter")
    for name, problem in (("m.viter", "no ARPABET"), ("bad.viter", "does not load")):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(DependencyError, match=problem):
            ViterAligner(tmp_path / name)


def test_real_viter(clip):
    pytest.importorskip("viter", reason="viter is not installed: only a stand-in for it was tested")
    if not os.environ.get("PTX_VITER_MODEL"):
        pytest.skip("no viter model here (PTX_VITER_MODEL): only a stand-in was tested")
    found = get_aligner("viter").align(*clip, WORDS)
    check_law(found, len(clip[0]) / clip[1])
    assert [w.word for w in found.words] == WORDS
