"""The aligner on the recogniser's own frames: borders, threads, long recordings, refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody_transfer.alignment.band import best_path_within
from prosody_transfer.alignment.base import Heard, align_text, get_aligner
from prosody_transfer.alignment.ptx import OFFSET, PtxAligner
from prosody_transfer.alignment.score import Lattice, best_path
from prosody_transfer.analysis.listening import listen
from prosody_transfer.core.errors import AudioError, MismatchError, TranscriptError
from prosody_transfer.text.phones import PHONE_IDS

CLIP = Path(__file__).parent / "alice_0016.opus"  # synthetic voice
TEXT = "But Farmer Green didn't agree with him."
WORDS = ["but", "farmer", "green", "didn't", "agree", "with", "him"]
STEP = 256 / 24000


@pytest.fixture(scope="module")
def clip():
    return soundfile.read(CLIP, dtype="float32")


@pytest.fixture(scope="module")
def heard(clip):
    return listen(*clip)


def test_it_agrees_with_pocketsphinx(clip):
    ours, theirs = (align_text(get_aligner(name), *clip, TEXT) for name in ("ptx", "pocketsphinx"))
    assert [p.phone for p in ours.phones if p.phone != "SIL"] == [p.phone for p in theirs.phones if p.phone != "SIL"]
    apart = [abs(a.start - b.start) for a, b in zip(ours.words, theirs.words, strict=True)]
    assert np.median(apart) < 0.02 and max(apart) < 0.05
    assert [w.word for w in ours.words] == TEXT.rstrip(".").split() and ours.aligner == "ptx"
    assert ours.phones[0].start == 0 and ours.phones[-1].end == ours.duration == len(clip[0]) / clip[1]
    assert all(p.end == q.start for p, q in zip(ours.phones, ours.phones[1:], strict=False))


def test_what_was_heard_is_not_heard_again(clip, heard):
    silent = PtxAligner(listen=lambda *_: pytest.fail("it listened"))
    assert silent.align(*clip, WORDS, heard) == get_aligner("ptx").align(*clip, WORDS)


def test_threads_do_not_matter(clip, heard):
    aligner = PtxAligner()
    texts = [WORDS[i % 3 :] + WORDS[: i % 3] for i in range(24)]
    alone = [aligner.align(*clip, words, heard) for words in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda words: aligner.align(*clip, words, heard), texts))
    assert together == alone and len(set(map(repr, alone))) == 3


def test_borders_lie_where_two_phones_are_equally_likely():
    """Known posteriors, a border a quarter of a frame after the middle between two."""
    rows = np.full((12, 40), 1e-3)
    for t, phone in enumerate(["SIL"] * 3 + ["S"] * 3 + ["IY"] * 3 + ["SIL"] * 3):
        rows[t, PHONE_IDS[phone]] = 1.0
    rows[5, PHONE_IDS["S"]], rows[5, PHONE_IDS["IY"]] = np.exp(3.0 - 5), np.exp(0.0 - 5)
    rows[6, PHONE_IDS["IY"]], rows[6, PHONE_IDS["S"]] = np.exp(1.0 - 5), np.exp(0.0 - 5)
    found = PtxAligner().align(np.ones(12 * 256, np.float32), 24000, ["see"], Heard(rows, STEP))
    named = {p.phone: p for p in found.phones if p.phone != "SIL"}
    assert named["S"].end == named["IY1"].start == pytest.approx((5 + 0.75) * STEP + OFFSET, abs=1e-4)
    assert named["S"].start == pytest.approx(2.5 * STEP + OFFSET, abs=1e-4)


@pytest.mark.parametrize("states,lag", [(10_000, 10_000), (120, 60)])
def test_a_band_finds_the_same_path(states, lag):
    rng = np.random.default_rng(4)
    phones = [[("K", "AE1", "T"), ("K", "AH0")], [("D", "AO1", "G")], [("S", "IY1")]] * 20
    lattice = Lattice(phones, 2)
    logs = np.log(rng.dirichlet(np.full(40, 0.2), 900) * 0.3 + 1e-4).astype(np.float32)
    spoken = [p for word in phones for p in word[rng.integers(len(word))]]
    for k, t in enumerate(np.linspace(0, 899, len(spoken) + 1)[:-1].astype(int)):
        logs[t : t + 6, PHONE_IDS[spoken[k].rstrip("012")]] = 0.0
    exact = best_path(lattice, logs)
    assert np.array_equal(best_path_within(lattice, logs, states, lag), exact)
    assert len(np.unique(lattice.word[exact])) >= 60, "all words; a pause or not"


def test_a_band_that_loses_the_words_says_so():
    logs = np.full((200, 40), -1.0, np.float32)
    with pytest.raises(TranscriptError, match="ends elsewhere"):
        best_path_within(Lattice([[("K", "AE1", "T")]] * 90, 2), logs, 40, 50)


def test_what_cannot_be_aligned_is_refused(clip, heard):
    aligner = PtxAligner()
    with pytest.raises(MismatchError, match=r"its 350 words: .* too many"):
        aligner.align(*clip, WORDS * 50, heard)
    with pytest.raises(TranscriptError, match="no words"):
        aligner.align(*clip, [], heard)
    with pytest.raises(AudioError, match="silent"):
        aligner.align(np.zeros(24000, np.float32), 24000, WORDS)
    with pytest.raises(AudioError, match="one channel"):
        aligner.align(np.ones((2, 24000), np.float32), 24000, WORDS)
    with pytest.raises(AudioError, match="too few"):
        aligner.align(np.ones(900, np.float32), 24000, WORDS)
