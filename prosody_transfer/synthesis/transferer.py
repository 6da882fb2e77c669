"""The networks that transfer, loaded once, for any number of sources."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.analysis.analyse import Analysis, analyse, analyse_file
from prosody_transfer.analysis.recorded import Recorded, check_waveform
from prosody_transfer.analysis.source import SourceAligner
from prosody_transfer.analysis.tracking import get_tracker
from prosody_transfer.analysis.transcript import given_words, name_file
from prosody_transfer.audio.io import DEFAULT_SUBTYPE, check_writable
from prosody_transfer.core.atomic import remove_leftovers
from prosody_transfer.core.errors import ModelError, PtxError
from prosody_transfer.core.spool import Sound
from prosody_transfer.core.types import Alignment
from prosody_transfer.features.extract import MINIMUM_SAMPLES, Features, extract, softened
from prosody_transfer.features.sharpen import USUAL
from prosody_transfer.integration.runtimes import Shapes
from prosody_transfer.store.speech_file import write_speech
from prosody_transfer.store.voice_folder import credit
from prosody_transfer.store.voices import get_voice
from prosody_transfer.store.weights import shipped
from prosody_transfer.synthesis.acoustic import speaking_of
from prosody_transfer.synthesis.batch import Batch
from prosody_transfer.synthesis.compare import compare
from prosody_transfer.synthesis.devices import check_process
from prosody_transfer.synthesis.keys import weights_digest
from prosody_transfer.synthesis.loading import load_models
from prosody_transfer.synthesis.plan import PlannedEmbedding, ProsodyPlan, plan_of
from prosody_transfer.synthesis.prosody import TransferSettings
from prosody_transfer.synthesis.records import State
from prosody_transfer.synthesis.render import Rendered, render
from prosody_transfer.synthesis.report import interval_rows
from prosody_transfer.synthesis.target_voice import TargetVoice
from prosody_transfer.synthesis.user_voices import UserVoices


@dataclass(frozen=True)
class TransferResult:
    """What a transfer gives.

    Attributes:
        sound: (N,) float32 in the target voice, exactly as long as the source when `duration_scale` is 1; in a file,
            where it is long (`core.spool.Samples`); `waveform` is it as an array.
        sample_rate: Hz, 24000 or the settings'.
        alignment: Of the source.
        heard: The source as it was analysed; `source` is what was measured on it.
        output: Measured at the same level as `source`, None where it was not asked for, or is longer than a minute.
        report: Plain data for people and scripts.
        plan: How it was said, apart from the voice.
    """

    sound: Sound
    sample_rate: int
    speaker: str
    source_seconds: float
    alignment: Alignment
    heard: Analysis | Features
    output: Features | None
    report: dict[str, Any] = field(default_factory=dict)
    plan: ProsodyPlan | None = field(default=None, repr=False)

    @property
    def waveform(self) -> np.ndarray:
        """The samples as an array: 346 MB an hour at 24 kHz."""
        return np.asarray(self.sound)

    @property
    def source(self) -> Features:
        """Measured on the source; the mel takes 135 MB an hour."""
        return self.heard.heard_features if isinstance(self.heard, Analysis) else self.heard


def default_output(path: str | Path, speaker: str, suffix: str = ".wav") -> Path:
    """Where the result goes when nothing is said: take.mp3 -> take.alice.wav, beside the source.

    >>> default_output("takes/one.mp3", "alice").as_posix()
    'takes/one.alice.wav'
    """
    path = Path(path)
    return path.with_name(f"{path.stem}.{speaker}{suffix}")


class Transferer:
    """Loads the networks once and speaks any number of sources.

    Safe to call from several threads, which take turns at aligning; and in forked processes, which use one thread each.
    On a GPU a forked process refuses: start it with "spawn".

    Args:
        model: An acoustic model's checkpoint, or an addon's folder; None for the shipped one.
        vocoder: "griffin-lim", a ptx or Vocos checkpoint, or an addon's folder; None for the shipped one.
        device: Where the networks run.
        voices: The folder of the user's voices; None for the usual one (`store.voices.voices_folder`).
        runtime: "onnx" or "torch", for addons, the shipped ones among them; None for torch's own networks, or ONNX
            Runtime where `model` is a folder; "auto", which the command line has, see `loading.load_models`.
        shapes: "fixed" runs addons at the sizes that they name.

    Attributes:
        voices: What is known of each voice of the model and of the user's, by name.

    Raises:
        ModelError: A checkpoint is missing, damaged or does not fit the others.
        UsageError: There is no such device.
    """

    networks: Sequence[str] = ()  # checksums of what was loaded

    def __init__(
        self, model: str | Path | None = None, vocoder: str | Path | None = None, device: str = "cpu",
        voices: str | Path | None = None, runtime: str | None = None, shapes: Shapes = "dynamic",
    ) -> None:  # fmt: skip
        loaded = load_models(model, vocoder, device, runtime, shapes)
        self._process, self.network, self.voices = loaded.process, loaded.network, loaded.voices
        self.vocoder, self.vocoder_name = loaded.vocoder, loaded.vocoder_name
        acoustic, named, _ = loaded.files
        self.own = UserVoices(self.network, acoustic, voices)
        if missing := set(self.network.config.speakers) - set(self.voices):
            problem = f"says nothing of the voice {min(missing)!r}"
            raise ModelError(problem, place=str(acoustic), remedy="make it with ptx train")
        self.config = self.network.config.mel
        if loaded.mel != self.config:
            problem = "was made for other features than the acoustic model's"
            raise ModelError(problem, place=str(named), remedy="choose another vocoder")
        self.voices = {**self.own.known(), **self.voices}
        files = (*loaded.files, shipped("tracker"))
        self.networks = [*map(weights_digest, files), *([loaded.runtime] if loaded.runtime else [])]
        self.aligner = SourceAligner(loaded.recogniser)

    def voice(self, name: str) -> TargetVoice:
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
        return TargetVoice(name, speakers.index(name), facts["log_f0_median"], phones, sharpening=sharpening)

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
        transcript = given_words(text, alignment)
        self._require(speaker)
        recorded = Recorded(sample_rate, len(waveform))
        if sample_rate != self.config.sample_rate:
            from prosody_transfer.audio.resample import resample

            waveform = resample(waveform, sample_rate, self.config.sample_rate)
        began = time.perf_counter()
        found = analyse(waveform, transcript, self.aligner, settings, config=self.config, recorded=recorded)
        return self._say(found, speaker, settings, measure_output, began)

    def _require(self, speaker: str) -> None:
        """Refuse, before any work, a voice that can't speak, and a process that can't."""
        check_process(self._process)
        self.voice(speaker)

    def plan(self, analysis: Analysis) -> ProsodyPlan:
        """How an analysed source is said, with the embedding that the acoustic model has of it."""
        model = self.networks[0] if self.networks else ""
        return plan_of(analysis, speaking_of(self.network).embed(self.network, analysis, model))

    def render(self, plan: ProsodyPlan, speaker: str, settings: TransferSettings | None = None) -> Rendered:
        """A plan said in a voice.

        Raises:
            PtxError: As `voice`; a setting is out of range, or the plan is of other features than the model's.
        """
        settings = (settings or TransferSettings()).check()
        if plan.config != self.config:
            raise ModelError("the plan was made for other features than the model's", remedy="make it again")
        if plan.embedding is not None and not self._knows(plan.embedding):
            plan = replace(plan, embedding=None)
        return render(plan, self.voice(speaker), settings, network=self.network, vocoder=self.vocoder)

    def render_to_file(
        self, plan: ProsodyPlan, speaker: str, output: str | Path, *, settings: TransferSettings | None = None,
        overwrite: bool = False, subtype: str = DEFAULT_SUBTYPE,
    ) -> dict[str, Any]:  # fmt: skip
        """A plan said in a voice, into a file; whether that may be written is found out before any work is done.

        Returns:
            What was done, for people and scripts.
        """
        settings = (settings or TransferSettings()).check()
        self._require(speaker)
        check_writable(output, overwrite, subtype, settings.sample_rate)
        began = time.perf_counter()
        rendered = self.render(plan, speaker, settings)
        write_speech(
            output, rendered.sound, rendered.sample_rate, self.credit(speaker), subtype=subtype, overwrite=overwrite
        )
        source, elapsed = plan.source, time.perf_counter() - began
        return {
            "speaker": speaker, "seconds": round(len(rendered.levelled) / self.config.sample_rate, 4),
            "words_from": source.words_from, "text": source.text, "aligner": source.aligner,
            "phones": len(plan.phones.names), "vocoder": self.vocoder_name, "credit": self.credit(speaker),
            "real_time_factor": round(elapsed / plan.seconds, 4), "settings": settings.to_dict(),
            "warnings": [*self._misfits(plan), *rendered.doubts],
        }  # fmt: skip

    def _misfits(self, plan: ProsodyPlan) -> list[str]:
        """What of a plan this model can't use."""
        if plan.embedding is None or self._knows(plan.embedding):
            return []
        return ["its prosody embedding is of another model, and left out"]

    def _knows(self, embedding: PlannedEmbedding) -> bool:
        same = not embedding.model or embedding.model in self.networks
        return same and all(len(rows) == getattr(self.network.config, "latent_channels", 0) for rows in embedding.steps)

    def _say(
        self, analysis: Analysis, speaker: str, settings: TransferSettings, measure_output: bool, began: float
    ) -> TransferResult:  # fmt: skip
        plan = self.plan(analysis)
        rendered = self.render(plan, speaker, settings)
        wanted, rate = len(rendered.levelled), self.config.sample_rate
        measured = None
        if measure_output and MINIMUM_SAMPLES <= wanted <= 60 * rate:
            measured = extract(np.asarray(rendered.levelled), self.config, get_tracker(settings.tracker))
            if settings.duration_scale == 1:
                measured = softened(measured, plan.source.level.at_frames(self.config.hop_length, plan.n_frames))
        aligned = analysis.aligned
        report: dict[str, Any] = {
            "speaker": speaker, "seconds": round(wanted / rate, 4), "words_from": aligned.origin,
            "text": aligned.text, "aligner": aligned.alignment.aligner, "phones": len(aligned.alignment.phones),
            "readings": [r._asdict() for r in aligned.readings],
            "words": interval_rows(aligned.alignment.words, "word", aligned.confidence),
            "vocoder": self.vocoder_name, "credit": self.credit(speaker),
        }  # fmt: skip
        if speaker not in self.network.config.speakers:
            report["purposes"] = list(self.own.read(speaker).consent.purposes)
        if measured is not None and settings.duration_scale == 1:
            report |= compare(analysis.heard_features, measured)
        report |= {
            "real_time_factor": round((time.perf_counter() - began) / analysis.seconds, 4),
            "settings": settings.to_dict(),
            "warnings": [*analysis.warnings, *rendered.doubts],
        }
        return TransferResult(
            rendered.sound, rendered.sample_rate, speaker, analysis.seconds, aligned.alignment, analysis, measured,
            report, plan,
        )  # fmt: skip

    def from_file(
        self, path: str | Path, speaker: str, *, text: str | None = None, transcript: str | Path | None = None,
        settings: TransferSettings | None = None,
    ) -> TransferResult:  # fmt: skip
        """The same from a file; without words a sidecar (src.txt, .lab, .TextGrid, .srt, ...) is looked for."""
        settings = (settings or TransferSettings()).check()
        try:
            self._require(speaker)
        except PtxError as error:
            raise name_file(error, path) from None
        began = time.perf_counter()
        found = analyse_file(path, self.aligner, settings, text=text, transcript=transcript, config=self.config)
        try:
            result = self._say(found, speaker, settings, True, began)
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
        write_speech(
            target, result.sound, result.sample_rate, result.report["credit"], subtype=subtype, overwrite=overwrite,
            on_written=on_written,
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
