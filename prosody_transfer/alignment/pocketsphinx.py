"""The default aligner: pocketsphinx, whose US-English model lies inside its wheel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from prosody_transfer.alignment.base import Aligner, Heard, fill_gaps, one_channel, require_sound, require_words
from prosody_transfer.core.errors import DependencyError, MismatchError
from prosody_transfer.core.sharing import Shared
from prosody_transfer.core.types import SILENCE, Alignment, PhoneInterval, WordInterval
from prosody_transfer.text.lexicon import Pronunciation, pronounce
from prosody_transfer.text.phones import split_stress

_RATE = 16000  # Hz, what the model was trained on
_FRAME = 0.01  # s
_PAD = 0.2  # s of silence on each side: without it noisy recordings fail (28 of 160 against none)
# A frame's 25.6 ms window starts at its time, so what changes between two frames lies this much later than their edge.
_CENTRE = 0.0078
_WIDE_BEAMS = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-80}
_REMEDY = "check that the transcript has exactly the words that are spoken"


class PocketsphinxAligner(Aligner):
    """Two passes: which pronunciations and pauses, then the phones' times on a grid of 10 ms.

    About 0.02 of real time. Memory grows with the square of the length (120 s: 0.5 GB, 245 s: 1.7 GB): cut it first.
    Threads take turns; nothing is lost by it, for pocketsphinx holds Python's own lock all the while.
    """

    name = "pocketsphinx"

    def __init__(self) -> None:
        self.check()
        self._decoders = Shared(_Decoders)

    @classmethod
    def check(cls) -> None:
        try:
            import pocketsphinx

            pocketsphinx.Decoder  # noqa: B018  (a broken wheel has no such name)
        except (ImportError, OSError, AttributeError) as error:
            raise DependencyError(
                f"pocketsphinx does not load ({error})",
                place="aligner pocketsphinx",
                remedy="pip install 'pocketsphinx>=5.1,<5.2'",
            ) from error

    def align(
        self, waveform: np.ndarray, sample_rate: int, words: Sequence[str], heard: Heard | None = None
    ) -> Alignment:
        """See `Aligner.align`. Raises the beams once before giving up."""
        require_words(words)
        duration = len(waveform) / sample_rate
        pcm = _prepare(waveform, sample_rate)
        words = [word.lower() for word in words]
        with self._decoders.use() as decoders:
            found = decoders.align(pcm, words)
        if found is not None:
            return _to_alignment(found[0], words, found[1], duration)
        shown = " ".join(words[:6]) + (" ..." if len(words) > 6 else "")
        raise MismatchError(
            f"could not be aligned with its {len(words)} words ({shown})",
            place="transcript",
            remedy=_REMEDY,
        )


class _Decoders:
    """The usual decoder, and one that searches more widely; with the words that each has been taught."""

    def __init__(self) -> None:
        self._usual: Any = None
        self._wide: Any = None
        self._known: dict[int, dict[str, list[Pronunciation]]] = {}

    def align(
        self, pcm: bytes, words: Sequence[str]
    ) -> tuple[list[_Segment], dict[str, list[Pronunciation]]] | None:
        """Segments and the pronunciations that they are of; None if the words do not fit."""
        for wide in (False, True):
            decoder = self._get_decoder(wide=wide)
            segments = self._decode(decoder, pcm, words)
            if segments is not None:
                known = self._known[id(decoder)]
                return segments, {word: known[word] for word in words}
        return None

    def _get_decoder(self, *, wide: bool) -> Any:
        if wide and self._wide is None:
            self._wide = _make_decoder(_WIDE_BEAMS)
        if not wide and self._usual is None:
            self._usual = _make_decoder({})
        return self._wide if wide else self._usual

    def _decode(self, decoder: Any, pcm: bytes, words: Sequence[str]) -> list[_Segment] | None:
        """Segments (word, start, phones) in frames, or None if the words do not fit."""
        self._add_words(decoder, words)
        try:
            decoder.set_align_text(" ".join(words))
            if not _run(decoder, pcm) or decoder.hyp() is None:
                return None
            decoder.set_alignment()
            if not _run(decoder, pcm):
                return None
            found = decoder.get_alignment()
        except RuntimeError:
            return None
        segments = [(w.name, [(p.name, p.start, p.duration) for p in w]) for w in found or ()]
        spoken = [name for name, _ in segments if _base(name) in self._known[id(decoder)]]
        return segments if [_base(name) for name in spoken] == list(words) else None

    def _add_words(self, decoder: Any, words: Sequence[str]) -> None:
        known = self._known.setdefault(id(decoder), {})
        for word in words:
            if word in known:
                continue
            variants = {tuple(split_stress(p)[0] for p in v): v for v in reversed(pronounce(word))}
            known[word] = [*reversed(variants.values())]  # one for each stressless form, the first of its kind
            for i, variant in enumerate(known[word]):
                name = word if i == 0 else f"{word}({i + 1})"
                decoder.add_word(name, " ".join(split_stress(p)[0] for p in variant), False)


_Segment = tuple[str, list[tuple[str, int, int]]]


def _make_decoder(settings: dict[str, float]) -> Any:
    from pocketsphinx import Decoder, get_model_path

    # No dictionary: ours has the stress, and reading theirs takes most of the loading time. No bestpath: its lattice
    # drops pauses and now and then a word that the second pass then cannot reach.
    fixed = {"dict": None, "lm": None, "loglevel": "FATAL", "cmn": "batch", "bestpath": False}
    return Decoder(hmm=get_model_path("en-us/en-us"), **fixed, **settings)


def _run(decoder: Any, pcm: bytes) -> bool:
    decoder.start_utt()
    try:
        decoder.process_raw(pcm, full_utt=True)
    finally:
        try:
            decoder.end_utt()
            ended = True
        except RuntimeError:
            ended = False
    return ended


def _prepare(waveform: np.ndarray, sample_rate: int) -> bytes:
    """(N,) float32 at any rate and level -> 16-bit PCM at 16 kHz, padded with silence."""
    import soxr

    samples = one_channel(waveform)
    peak = require_sound(samples)
    if sample_rate != _RATE:
        samples = soxr.resample(samples, sample_rate, _RATE)
        peak = float(np.max(np.abs(samples), initial=1e-6))
    level = float(np.sqrt(np.mean(samples**2))) or 1e-6
    samples = samples * min(0.1 / level, 0.95 / peak)
    pad = np.zeros(round(_PAD * _RATE), dtype=np.float32)
    return (np.concatenate([pad, samples, pad]) * 32767).astype("<i2").tobytes()


def _base(name: str) -> str:
    return name.split("(")[0] if not name.startswith("(") else name


def _to_alignment(
    segments: list[_Segment], words: Sequence[str], known: dict[str, list[Pronunciation]], duration: float
) -> Alignment:
    phones: list[PhoneInterval] = []
    intervals: list[WordInterval] = []
    for name, parts in segments:
        word = _base(name)
        times = [(_seconds(start), _seconds(start + length)) for _, start, length in parts]
        if word not in known:  # <sil>, [NOISE], (NULL)
            phones += [PhoneInterval(SILENCE, *t) for t in times]
            continue
        variant = known[word][int(name[len(word) + 1 : -1]) - 1 if name != word else 0]
        phones += [PhoneInterval(p, *t) for p, t in zip(variant, times, strict=True)]
        start, end = (min(max(t, 0.0), duration) for t in (times[0][0], times[-1][1]))
        intervals.append(WordInterval(word, start, end))
    return Alignment(fill_gaps(phones, duration), tuple(intervals), duration, "pocketsphinx")


def _seconds(frame: int) -> float:
    return round(frame * _FRAME + _CENTRE - _PAD, 4)
