"""One recording of a corpus: judged, measured, aligned, and put into the cache."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.analysis.tracking import DEFAULT_TRACKER, get_tracker, weights_fingerprint
from prosody_transfer.core.config import Config, MelConfig
from prosody_transfer.core.errors import (
    AudioError,
    LongAudioError,
    MissingAudioError,
    OutputError,
    SampleRateError,
    ShortAudioError,
    SilentAudioError,
    TranscriptError,
)  # fmt: skip
from prosody_transfer.core.sharing import one_torch_thread
from prosody_transfer.corpus.transcripts import PHONES_ONLY, Rejected, Words, align, find_words, hear, spoken_key
from prosody_transfer.corpus.verdicts import (
    F0_BINS,
    F0_BINS_PER_OCTAVE,
    F0_LOW_HZ,
    Verdict,
    fingerprint,
    pack,
    recall,
    remember,
    verdict_path,
)
from prosody_transfer.data.layouts.base import Entry
from prosody_transfer.data.manifest import Row, cache_path
from prosody_transfer.data.quality import Quality, clipped_share, envelope, snr_db, voiced_share
from prosody_transfer.features.extract import Features, extract

MIN_PIECE_SECONDS = 2.0


class Examination(Config):
    """Where things are put, and what is demanded.

    `recognise` is "words", "phones" or "none": what is done about recordings without a transcript.
    """

    out: str
    mel: MelConfig = MelConfig()
    quality: Quality = Quality()
    aligner: str = "pocketsphinx"
    recognise: str = PHONES_ONLY
    tracker: str = DEFAULT_TRACKER

    @property
    def cache(self) -> Path:
        return Path(self.out) / "cache"

    @property
    def verdicts(self) -> Path:
        return Path(self.out) / "verdicts"

    def key(self) -> str:
        """Changes with every setting but the place."""
        parts = [self.mel.fingerprint(), self.quality.fingerprint(), self.aligner, self.recognise, "3"]
        if self.tracker != "dio":  # folders of before there was another are not measured again
            parts.append(f"{self.tracker} {weights_fingerprint(self.tracker)}")
        return " ".join(parts)


_recordings: dict[str, Any] = {}  # the file that was decoded last: its parts follow one another


def done_before(entry: Entry, setup: Examination) -> list[Verdict] | None:
    """The verdicts of an entry that was examined already, with the same files and settings."""
    return recall(verdict_path(setup.verdicts, entry), fingerprint(entry, setup.key()), setup.cache)


def examine(entries: list[Entry], setup: Examination) -> list[list[Verdict]]:
    """Examine utterances of one file, and keep what was found out; bad ones have a reason.

    Raises:
        OutputError: The disk is full.
        DependencyError: The aligner does not work here.
    """
    one_torch_thread()
    found = []
    for entry in entries:
        made_from = fingerprint(entry, setup.key())
        try:
            verdicts = _judge(entry, setup)
        except Rejected as rejected:
            reason, detail = rejected.finding
            verdicts = [_blank(entry, reason=reason, detail=detail)]
        except MemoryError:
            verdicts = [_blank(entry, reason="crashed", detail="not enough memory")]
        remember(verdict_path(setup.verdicts, entry), made_from, verdicts)
        found.append(verdicts)
    _recordings.clear()
    return found


def crashed(entry: Entry, setup: Examination) -> list[Verdict]:
    """The verdict on an entry whose process died, kept so that it is not tried again."""
    verdicts = [_blank(entry, reason="crashed", detail="the process that read it died, twice")]
    remember(verdict_path(setup.verdicts, entry), fingerprint(entry, setup.key()), verdicts)
    return verdicts


def _blank(entry: Entry, **known: Any) -> Verdict:
    return Verdict(id=entry.id, audio=entry.audio, speaker=entry.speaker, text=entry.text or "", **known)


def _judge(entry: Entry, setup: Examination) -> list[Verdict]:
    from prosody_transfer.audio.highpass import high_pass
    from prosody_transfer.audio.loudness import normalise_level, speech_level_db
    from prosody_transfer.audio.resample import resample
    from prosody_transfer.audio.segment import cut_at_pauses, has_speech

    quality, rate = setup.quality, setup.mel.sample_rate
    original, file_rate = _recording(entry)
    if file_rate < quality.min_sample_rate:
        raise Rejected("sample_rate", f"{file_rate} Hz, the least is {quality.min_sample_rate}")
    seconds = len(original) / file_rate
    if seconds < quality.min_seconds:
        raise Rejected("short", f"{seconds:.2f} s, the least is {quality.min_seconds:g}")
    level = speech_level_db(high_pass(original, file_rate), file_rate)
    if level < quality.min_level_db:
        raise Rejected("silent", f"speech level {level:.0f} dB, the least is {quality.min_level_db:g}")
    words = find_words(entry)
    waveform, _ = normalise_level(high_pass(resample(original, file_rate, rate), rate), rate)
    if not has_speech(waveform, rate):
        raise Rejected("no_speech", "steady sound or silence only")
    clipped = clipped_share(original)
    if clipped > quality.max_clipped:
        raise Rejected("clipped", f"{100 * clipped:.2f} % of the samples, the most is {100 * quality.max_clipped:g}")
    known = {"sample_rate": file_rate, "level_db": round(level, 2)}
    if seconds <= quality.max_seconds:
        content = hashlib.sha256(np.round(original * 32767).astype("<i2").tobytes()).hexdigest()[:24]
        row = Row(id=entry.id, audio=_own_file(entry, original, file_rate, setup), speaker=entry.speaker)
        return [_utterance(row, waveform, words, setup, {**known, "content": content})]
    edges = cut_at_pauses(waveform, rate, max_seconds=quality.piece_seconds, min_seconds=MIN_PIECE_SECONDS)
    return _pieces(entry, original, file_rate, waveform, edges, words, setup, known)


def _recording(entry: Entry) -> tuple[np.ndarray, int]:
    """The part of the file that is meant, (N,) float32 at the file's rate; it is decoded once for all its parts."""
    from prosody_transfer.audio.io import read_audio

    path, audio = _recordings.get("last", ("", None))
    if path != entry.audio:
        try:
            audio = read_audio(entry.audio)
        except AudioError as error:
            raise Rejected(_audio_reason(error), error.problem) from None
        _recordings["last"] = (entry.audio, audio)
    waveform, rate = audio.waveform, audio.sample_rate
    if entry.start is None and entry.end is None:
        _recordings.clear()
        return waveform, rate
    seconds = len(waveform) / rate
    start, end = entry.start or 0.0, seconds if entry.end is None else entry.end
    if start >= seconds or end > seconds + 0.5:
        raise Rejected("row", f"{start:.2f} to {end:.2f} s are meant, but the recording lasts {seconds:.2f} s")
    part = waveform[round(start * rate) : round(end * rate)]
    if not part.size:
        raise Rejected("short", "0 s")
    return part, rate


def _audio_reason(error: AudioError) -> str:
    """Which reason an error of `audio.io` is."""
    reasons = {
        MissingAudioError: "missing", SilentAudioError: "silent", ShortAudioError: "short", LongAudioError: "long",
        SampleRateError: "sample_rate",
    }  # fmt: skip
    return reasons.get(type(error), "unreadable")


def _own_file(entry: Entry, original: np.ndarray, rate: int, setup: Examination, number: int | None = None) -> str:
    """The entry's file; a part of one is written to a file of its own in `pieces`, losslessly."""
    from prosody_transfer.audio.io import write_audio
    from prosody_transfer.core.atomic import make_folder

    if number is None and entry.start is None and entry.end is None:
        return entry.audio
    name = entry.id if number is None else f"{entry.id}-{number:04d}"
    row = Row(id=name, audio="", speaker=entry.speaker)
    path = cache_path(Path(setup.out) / "pieces", row).with_suffix(".flac")
    make_folder(path.parent)
    write_audio(path, original, rate, overwrite=True)
    return str(path.resolve())


def _pieces(
    entry: Entry, original: np.ndarray, file_rate: int, waveform: np.ndarray, edges: list[tuple[int, int]],
    words: Words, setup: Examination, known: dict[str, Any],
) -> list[Verdict]:  # fmt: skip
    """A long recording, cut at its pauses; its text is divided by what is heard in each piece."""
    from prosody_transfer.alignment.heard import split_text

    texts = [""] * len(edges)
    if words.text:
        heard = [hear(extract(waveform[a:b], setup.mel)) for a, b in edges]
        words, _ = words.settled(heard)
        try:
            texts = split_text(words.text, heard)
        except TranscriptError as error:
            raise Rejected("unpronounceable", error.problem) from None
    verdicts = []
    for number, ((start, end), text) in enumerate(zip(edges, texts, strict=True), 1):
        name, ratio = f"{entry.id}-{number:04d}", file_rate / setup.mel.sample_rate
        part = original[round(start * ratio) : round(end * ratio)]
        row = Row(id=name, audio=_own_file(entry, part, file_rate, setup, number), speaker=entry.speaker)
        content = hashlib.sha256(np.round(part * 32767).astype("<i2").tobytes()).hexdigest()[:24]
        given = Words(text, None, "transcript") if text else Words()
        try:
            if words.text and not text:
                raise Rejected("mismatch", "no words of the transcript were heard in this piece")
            found = _utterance(row, waveform[start:end], given, setup, {**known, "content": content})
        except Rejected as rejected:
            found = Verdict(
                id=name, audio=row.audio, speaker=row.speaker, text=text, reason=rejected.finding.reason,
                detail=rejected.finding.detail,
            )  # fmt: skip
        verdicts.append(found)
    return verdicts


def _utterance(row: Row, waveform: np.ndarray, words: Words, setup: Examination, known: dict[str, Any]) -> Verdict:
    """Measure, align and store one utterance of bearable length, at the normalised level."""
    from prosody_transfer.corpus.measure import phone_arrays, to_pcm
    from prosody_transfer.features.cache import save_features, write_npz

    config, quality = setup.mel, setup.quality
    try:
        features = extract(waveform, config, get_tracker(setup.tracker))
    except AudioError as error:
        raise Rejected("short", error.problem) from None
    snr, voiced = snr_db(features), voiced_share(features)
    if snr < quality.min_snr_db:
        raise Rejected("noisy", f"signal-to-noise ratio {snr:.1f} dB, the least is {quality.min_snr_db:g}")
    if voiced < quality.min_voiced:
        raise Rejected("unvoiced", f"{100 * voiced:.0f} % voiced, the least is {100 * quality.min_voiced:g}")
    words, alignment, notes = align(waveform, features, words, aligner=setup.aligner, recognise=setup.recognise)
    arrays = None
    if alignment is not None:
        try:
            arrays = phone_arrays(alignment, features.n_frames, config)
        except ValueError as error:
            raise Rejected("mismatch", str(error)) from None
    path = cache_path(setup.cache, row)
    aligned = path.with_suffix(".phones.npz")
    save_features(path, features, to_pcm(waveform, config))
    if arrays is not None:
        write_npz(aligned, phones=arrays[0], stress=arrays[1], durations=arrays[2])
    elif aligned.exists():
        _forget(aligned)
    counts = pack(np.bincount(arrays[0], minlength=40)) if arrays is not None else ""
    return Verdict(
        id=row.id, audio=row.audio, speaker=row.speaker, text=words.text, words_from=words.origin,
        sentence=spoken_key(words.text), seconds=round(features.n_samples / config.sample_rate, 4),
        snr_db=round(snr, 2), f0=_f0_histogram(features), phones=counts, shape=envelope(features).tobytes().hex(),
        frames=features.n_frames, notes=notes, **known,
    )  # fmt: skip


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot be removed ({error.strerror})", place=str(path), remedy="remove it") from None


def _f0_histogram(features: Features) -> str:
    log_f0 = features.log_f0[features.voiced].astype(np.float64)
    bins = np.floor((log_f0 / np.log(2) - np.log2(F0_LOW_HZ)) * F0_BINS_PER_OCTAVE).astype(int)
    return pack(np.bincount(np.clip(bins, 0, F0_BINS - 1), minlength=F0_BINS))
