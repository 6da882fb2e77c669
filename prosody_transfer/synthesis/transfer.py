"""The main job: say a recording again in another voice."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.audio.io import DEFAULT_SUBTYPE, check_writable, read_audio, write_audio
from prosody_transfer.audio.levelling import level_source
from prosody_transfer.audio.limiter import describe
from prosody_transfer.core.atomic import remove_leftovers
from prosody_transfer.core.errors import ModelError, PtxError, TranscriptError
from prosody_transfer.core.sharing import Shared
from prosody_transfer.core.types import Alignment
from prosody_transfer.features.background import above_background
from prosody_transfer.features.extract import MINIMUM_SAMPLES, Features, extract, softened
from prosody_transfer.features.sharpen import USUAL
from prosody_transfer.features.statistics import measure_speaker, shrink
from prosody_transfer.store.vocoders import load_vocoder
from prosody_transfer.store.voice_folder import credit
from prosody_transfer.store.voices import get_voice
from prosody_transfer.store.weights import load_network, shipped
from prosody_transfer.synthesis.batch import Batch
from prosody_transfer.synthesis.delivery import Recorded, at_rate, check_waveform, silenced
from prosody_transfer.synthesis.devices import check_device, check_process
from prosody_transfer.synthesis.keys import weights_digest
from prosody_transfer.synthesis.own_voices import OwnVoices
from prosody_transfer.synthesis.pieces import Piece, cut, whole
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.records import State
from prosody_transfer.synthesis.report import interval_rows
from prosody_transfer.synthesis.source import Heard, Listener, Transcript, find_words, name_file
from prosody_transfer.synthesis.speak import Speaker, Spoken, Voice, sound

__all__ = [
    "TransferResult", "TransferSettings", "Transferer", "default_output", "from_audio", "from_file",
    "from_file_to_file", "from_files_to_files",
]  # fmt: skip


@dataclass(frozen=True)
class TransferResult:
    """What a transfer gives.

    Attributes:
        waveform: (N,) float32 in the target voice, exactly as long as the source when `duration_scale` is 1.
        sample_rate: Hz, 24000 or the settings'.
        alignment: Of the source.
        source, output: Measured on both; `output` at the same level as `source`, None where it was not asked for.
        report: Plain data for people and scripts.
    """

    waveform: np.ndarray
    sample_rate: int
    speaker: str
    source_seconds: float
    alignment: Alignment
    source: Features
    output: Features | None
    report: dict[str, Any] = field(default_factory=dict)


def default_output(path: str | Path, speaker: str, suffix: str = ".wav") -> Path:
    """Where the result goes when nothing is said: take.mp3 -> take.alice.wav, beside the source.

    >>> default_output("takes/one.mp3", "alice").as_posix()
    'takes/one.alice.wav'
    """
    path = Path(path)
    return path.with_name(f"{path.stem}.{speaker}{suffix}")


def _correlation(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float | None:
    """Pearson's, over the frames where `where`; None when there are too few to say."""
    if where.sum() < 20 or a[where].std() < 1e-6 or b[where].std() < 1e-6:
        return None
    return round(float(np.corrcoef(a[where], b[where])[0, 1]), 4)


def compare(source: Features, output: Features) -> dict[str, Any]:
    """Output against source: F0 over frames voiced in both, energy within 40 dB of the peak and above the pauses'."""
    size = min(source.n_frames, output.n_frames)
    seconds = source.config.hop_length / source.config.sample_rate
    loud = (above_background(source.energy_db, seconds) & (source.energy_db > source.energy_db.max() - 40))[:size]
    both = source.voiced[:size] & output.voiced[:size]
    median = lambda f: round(float(np.exp(np.median(f.log_f0[:size][both]))), 1) if both.any() else None
    return {
        "f0_median_source_hz": median(source), "f0_median_output_hz": median(output),
        "f0_correlation": _correlation(source.log_f0[:size], output.log_f0[:size], both),
        "energy_correlation": _correlation(source.energy_db[:size], output.energy_db[:size], loud),
    }  # fmt: skip


class Transferer:
    """Loads the networks once and speaks any number of sources.

    Safe to call from several threads, which take turns at aligning; and in forked processes, which use one thread each.
    On a GPU a forked process refuses: start it with "spawn".

    Args:
        model: A CopyCat checkpoint; None for the shipped one.
        vocoder: "griffin-lim", or a ptx or Vocos checkpoint; None for the shipped one.
        device: Where the networks run.
        voices: The folder of the user's voices; None for the usual one (`store.voices.voices_folder`).

    Attributes:
        voices: What is known of each voice of the model and of the user's, by name.

    Raises:
        ModelError: A checkpoint is missing, damaged or does not fit the others.
        UsageError: There is no such device.
    """

    networks: Sequence[str] = ()  # checksums of what was loaded

    def __init__(
        self, model: str | Path | None = None, vocoder: str | Path | None = None, device: str = "cpu",
        voices: str | Path | None = None,
    ) -> None:  # fmt: skip
        self._process = check_device(device)
        self.network, header = load_network("copycat", model, device)
        self.voices = header.get("voices", {})
        self.own = OwnVoices(self.network, model or shipped("copycat"), voices)
        if missing := set(self.network.config.speakers) - set(self.voices):
            problem = f"says nothing of the voice {min(missing)!r}"
            raise ModelError(problem, place=str(model or shipped("copycat")), remedy="make it with ptx train copycat")
        self.vocoder, mel, self.vocoder_name = load_vocoder(vocoder)
        self.config = self.network.config.mel
        if mel != self.config:
            problem = "was made for other features than the acoustic model's"
            raise ModelError(problem, place=str(vocoder or shipped("vocoder")), remedy="choose another vocoder")
        self.voices = {**self.own.known(), **self.voices}
        recogniser, _ = load_network("recogniser", None, device)
        named = vocoder or shipped("vocoder")
        self.networks = [weights_digest(file) for file in (model or shipped("copycat"), named, shipped("recogniser"))]
        self.listener = Listener(recogniser)

    def voice(self, name: str) -> Voice:
        """A target voice of this model, or one of the user's that was made for it.

        Raises:
            UsageError: There is none of that name (the nearest are named), or its speaker's consent has ended.
            ModelError: A user's voice is damaged, or was made for another model.
        """
        speakers = self.network.config.speakers
        if name not in speakers:
            if name in (own := self.own.names()):
                return self.own.voice(name)
            get_voice(name, known=[*speakers, *own])
        facts = self.voices[name]
        sharpening = tuple(facts.get("sharpening", USUAL))
        phones = np.array(facts["phone_log_frames"])
        return Voice(name, speakers.index(name), facts["log_f0_median"], phones, sharpening=sharpening)

    def credit(self, name: str) -> str:
        """Whose voice it is and by whose leave it speaks, in a line; it goes into the metadata of what is spoken."""
        if name not in self.network.config.speakers:
            return self.own.read(name).line()
        try:
            return credit(get_voice(name, known=self.network.config.speakers))
        except PtxError:  # a voice of the user's own model
            return f"Synthetic speech, made with ptx. Voice: {name}."

    def made_of(self, speaker: str) -> dict[str, Any]:
        """What of this decides how `speaker` sounds: its part of `keys.output_key`. Raises as `voice`."""
        return {"model": self.networks, "voice": self.own.facts(speaker, self.credit(speaker))} if self.networks else {}

    def from_audio(
        self, waveform: np.ndarray, sample_rate: int, speaker: str, *, text: str | None = None,
        alignment: Alignment | None = None, settings: TransferSettings | None = None, measure_output: bool = True,
    ) -> TransferResult:  # fmt: skip
        """Say a recording again in another voice.

        Args:
            waveform: (N,) float32, mono, at least 0.3 s.
            sample_rate: Hz; the output is at 24 kHz, or at the settings' rate.
            speaker: Target voice.
            text: Its words, if known.
            alignment: Its phones in time, if known; then `text` is not used.

        Raises:
            PtxError: See `core.errors`.
        """
        waveform = np.asarray(waveform)
        check_waveform(waveform, sample_rate)
        settings = (settings or TransferSettings()).check()
        if alignment is None and text is not None and not text.strip():
            raise TranscriptError("is empty", place="text", remedy="give the words, or None to have them recognised")
        origin = "textgrid" if alignment is not None else "text" if text else ""
        transcript = Transcript(text or "", alignment, origin)
        if alignment is None and text:
            from prosody_transfer.text.transcript import spoken_part

            transcript = Transcript.of(spoken_part(text, "text"), origin)
        recorded = Recorded(sample_rate, len(waveform))
        if sample_rate != self.config.sample_rate:
            from prosody_transfer.audio.resample import resample

            waveform = resample(waveform, sample_rate, self.config.sample_rate)
        return self._run(waveform, speaker, transcript, settings, measure_output, recorded)

    def _run(
        self, waveform: np.ndarray, speaker: str, transcript: Transcript, settings: TransferSettings,
        measure_output: bool, recorded: Recorded | None = None,
    ) -> TransferResult:  # fmt: skip
        began = time.perf_counter()
        recorded = recorded or Recorded(self.config.sample_rate, len(waveform))
        check_process(self._process)
        voice = self.voice(speaker)
        levelled = level_source(waveform, self.config.sample_rate)
        pieces = cut(levelled.waveform, self.config)
        source = whole(pieces)
        heard = self.listener.listen(
            levelled.waveform,
            pieces,
            transcript,
            aligner=settings.aligner,
            check=settings.check_transcript,
            recognise=settings.recognise,
        )
        spoken = self._speak(pieces, heard, voice, source, settings)
        audio = sound(self.vocoder, spoken, levelled.waveform, settings, self.config.sample_rate)
        ride_db = levelled.at_frames(self.config.hop_length, source.n_frames)
        source = softened(source, ride_db)
        wanted = len(audio)
        measured = None
        if measure_output and MINIMUM_SAMPLES <= wanted <= 60 * self.config.sample_rate:
            measured = extract(audio, self.config)
            if settings.duration_scale == 1:
                measured = softened(measured, ride_db)
        audio = at_rate(audio, self.config.sample_rate, recorded, settings)
        audio, limited = levelled.give_back(audio, settings.sample_rate or self.config.sample_rate)
        audio = silenced(audio, waveform, pieces, spoken, settings, self.config)
        warnings = [*recorded.notes, *heard.warnings, *filter(None, [describe(limited)])]
        seconds = len(waveform) / self.config.sample_rate
        report: dict[str, Any] = {
            "speaker": speaker, "seconds": round(wanted / self.config.sample_rate, 4), "words_from": heard.origin,
            "text": heard.text, "aligner": heard.alignment.aligner, "phones": len(heard.alignment.phones),
            "readings": [r._asdict() for r in heard.readings],
            "words": interval_rows(heard.alignment.words, "word", heard.confidence),
            "vocoder": self.vocoder_name, "credit": self.credit(speaker),
        }  # fmt: skip
        if measured is not None and settings.duration_scale == 1:
            report |= compare(source, measured)
        elapsed = time.perf_counter() - began
        report |= {
            "real_time_factor": round(elapsed / seconds, 4),
            "settings": settings.to_dict(),
            "warnings": warnings,
        }
        return TransferResult(
            audio.astype(np.float32),
            settings.sample_rate or self.config.sample_rate,
            speaker,
            seconds,
            heard.alignment,
            source,
            measured,
            report,
        )

    def _speak(
        self, pieces: list[Piece], heard: Heard, voice: Voice, source: Features, settings: TransferSettings
    ) -> list[Spoken]:
        level = shrink(measure_speaker([(source.log_f0, source.voiced)])).log_f0_median
        speaker = Speaker(self.network, voice, level, settings)
        total = math.ceil(source.n_frames * settings.duration_scale)  # never fewer frames than the samples need
        spoken, done = [], 0
        for piece, part in zip(pieces, heard.parts, strict=True):
            end = round((piece.first_frame + piece.features.n_frames) * total / source.n_frames)
            spoken.append(speaker.speak(piece.features, part, end - done))
            done = end
        return spoken

    def from_file(
        self, path: str | Path, speaker: str, *, text: str | None = None, transcript: str | Path | None = None,
        settings: TransferSettings | None = None,
    ) -> TransferResult:  # fmt: skip
        """The same from a file; without words a sidecar (src.txt, .lab, .TextGrid, .srt, ...) is looked for."""
        settings = (settings or TransferSettings()).check()
        try:
            words = find_words(path, text, transcript)
            audio = read_audio(path, self.config.sample_rate, track=settings.track, channel=settings.channel)
            recorded = Recorded(audio.original_sample_rate, audio.original_samples, audio.notes)
            result = self._run(audio.waveform, speaker, words, settings, True, recorded)
        except PtxError as error:
            raise name_file(error, path) from None
        return replace(result, report={"input": str(path), **result.report})

    def from_file_to_file(
        self, path: str | Path, speaker: str, output: str | Path | None = None, *, text: str | None = None,
        transcript: str | Path | None = None, settings: TransferSettings | None = None, overwrite: bool = False,
        subtype: str = DEFAULT_SUBTYPE, on_written: Callable[[Path], None] | None = None,
    ) -> TransferResult:  # fmt: skip
        """From a file to a file; whether the output may be written is found out before any work is done.

        Args:
            subtype: "PCM_24" or "PCM_16", or "FLOAT" for 32-bit float samples (wav only).
            on_written: Called with the finished file before it gets its name.
        """
        target = Path(output) if output is not None else default_output(path, speaker)
        check_writable(target, overwrite, subtype, settings.sample_rate if settings else None)
        remove_leftovers(target.parent)
        result = self.from_file(path, speaker, text=text, transcript=transcript, settings=settings)
        write_audio(
            target, result.waveform, result.sample_rate, subtype=subtype, overwrite=overwrite,
            comment=result.report.get("credit", ""), on_written=on_written,
        )  # fmt: skip
        return replace(result, report={"output": str(target), **result.report})

    def from_files_to_files(
        self, paths: Iterable[str | Path], speaker: str, out_dir: str | Path, *,
        settings: TransferSettings | None = None, overwrite: bool = False,
        root: str | Path | None = None, suffix: str = ".wav", subtype: str = DEFAULT_SUBTYPE,
        on_done: Callable[[Path, TransferResult | None, PtxError | None], None] | None = None,
        on_left: Callable[[Path, State], None] | None = None,
    ) -> list[tuple[Path, PtxError]]:  # fmt: skip
        """Many files into a folder; failures do not stop the others.

        An output is made again where its recording, words, voice, options, model or this program have changed since, as
        a record in `out_dir`/.ptx tells. One that somebody has edited is left alone, and so is one without a record.

        Args:
            overwrite: Make all again, edited ones too.
            root: Folder whose sub-folders are kept under `out_dir`.
            on_done: Called after each file; without result or error for what was left.
            on_left: Called before that with what was found: "current", "edited" or "unknown".

        Returns:
            The files that failed, and why.
        """
        options = {"settings": (settings or TransferSettings()).check(), "subtype": subtype}
        kept = Path(root) if root is not None else None
        batch = Batch(self, speaker, Path(out_dir), options, overwrite=overwrite, root=kept, suffix=suffix)
        return batch.run(paths, on_done, on_left)


_loaded: dict[str, Transferer] = {}
_loading: Shared[object] = Shared(object)  # one thread loads, the others wait for it


def _shared(device: str = "cpu") -> Transferer:
    with _loading.use():
        if device not in _loaded:
            _loaded[device] = Transferer(device=device)
        return _loaded[device]


def from_audio(waveform: np.ndarray, sample_rate: int, speaker: str, **options: Any) -> TransferResult:
    """`Transferer.from_audio` with the shipped networks, loaded once."""
    return _shared().from_audio(waveform, sample_rate, speaker, **options)


def from_file(path: str | Path, speaker: str, **options: Any) -> TransferResult:
    """`Transferer.from_file` with the shipped networks, loaded once."""
    return _shared().from_file(path, speaker, **options)


def from_file_to_file(
    path: str | Path, speaker: str, output: str | Path | None = None, **options: Any
) -> TransferResult:
    """`Transferer.from_file_to_file` with the shipped networks, loaded once."""
    return _shared().from_file_to_file(path, speaker, output, **options)


def from_files_to_files(
    paths: Iterable[str | Path], speaker: str, out_dir: str | Path, **options: Any
) -> list[tuple[Path, PtxError]]:
    """`Transferer.from_files_to_files` with the shipped networks, loaded once."""
    return _shared().from_files_to_files(paths, speaker, out_dir, **options)
