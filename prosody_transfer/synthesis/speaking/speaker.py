"""Text said in a voice, sentence by sentence: a chapter takes no more memory than its longest sentence."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np

from prosody_transfer.analysis.analyse import analyse_file
from prosody_transfer.analysis.transcript import name_file
from prosody_transfer.audio.io import DEFAULT_SUBTYPE, check_writable
from prosody_transfer.core.errors import ModelError, OutputError, PtxError
from prosody_transfer.integration import open_addon
from prosody_transfer.integration.schema import NAME
from prosody_transfer.models import registry
from prosody_transfer.store.speech_file import write_speech
from prosody_transfer.store.weights import load_network, shipped
from prosody_transfer.synthesis.addons import AddonText
from prosody_transfer.synthesis.plan import ProsodyPlan
from prosody_transfer.synthesis.plan_file import save_plan
from prosody_transfer.synthesis.render import Rendered
from prosody_transfer.synthesis.speaking.choice import choose_prosody, embedding_prosody
from prosody_transfer.synthesis.speaking.planning import PlannedSentence, ProsodySource, join_plans, plan_sentence
from prosody_transfer.synthesis.speaking.reference import said_as_in
from prosody_transfer.synthesis.speaking.settings import SpeakSettings, check_settings
from prosody_transfer.synthesis.speaking.text_source import require_prosody
from prosody_transfer.synthesis.speaking.wishes import Request, requests
from prosody_transfer.synthesis.transferer import Transferer
from prosody_transfer.text.markup import read_markup
from prosody_transfer.text.spoken import Lexicon, spoken_sentences


@dataclass(frozen=True)
class SpokenPart:
    """One sentence, said.

    Attributes:
        planned: How.
        waveform: (N,) float32 at `Transferer.config.sample_rate`, with the silence after it.
    """

    planned: PlannedSentence
    waveform: np.ndarray


class Speaker:
    """Loads the networks once and says any number of texts.

    Args:
        transferer: Whose acoustic model, vocoder and voices are used; None for the shipped ones.
        prosody_model: Of the kind that is asked for: a checkpoint, or an addon's folder; None for the shipped one.

    Raises:
        ModelError: As `Transferer`.
    """

    def __init__(self, transferer: Transferer | None = None, prosody_model: str | Path | None = None) -> None:
        self.transferer = transferer or Transferer()
        self.prosody_model = prosody_model
        self._sources: dict[str, ProsodySource] = {}  # by kind, loaded when first asked for
        self._manner: tuple[str, np.ndarray] | None = None  # the kind of model that embedded it, and it

    def source(self, prosody: str = "") -> ProsodySource:
        """Where prosody comes from.

        Args:
            prosody: As `SpeakSettings` has it.

        Raises:
            UsageError: There is no such source.
            ModelError: It was made for other frames than the acoustic model's, or its weights can't be read.
        """
        choice = choose_prosody(prosody)
        if choice.kind not in self._sources:
            network = _network(choice.kind, self.prosody_model)
            mine, other = network.config.mel, self.transferer.config
            if (mine.sample_rate, mine.hop_length) != (other.sample_rate, other.hop_length):
                problem = "was made for other frames than the acoustic model's"
                raise ModelError(problem, place=str(self.prosody_model or choice.kind), remedy="choose another model")
            self._sources[choice.kind] = ProsodySource(choice, registry.get(choice.kind).load("speaking"), network)
        manner = self._manner[1] if self._manner and self._manner[0] == choice.kind else None
        return replace(self._sources[choice.kind], choice=choice, manner=manner)

    def like(self, recording: str | Path, prosody: str = "") -> tuple[Speaker, str]:
        """One that says texts as a recording of other words was said, with the same networks.

        Args:
            recording: A file; its words are looked for beside it, or heard.
            prosody: As `SpeakSettings` has it, of a model that can; "" for any.

        Returns:
            The speaker, and what `SpeakSettings.prosody` has to be.

        Raises:
            PtxError: The recording can't be read, or the source of prosody can't.
        """
        prosody = embedding_prosody(prosody)
        source = self.source(prosody)
        found = analyse_file(recording, self.transferer.aligner, config=self.transferer.config)
        made = copy.copy(self)
        try:
            made._manner = source.choice.kind, source.model.embed(source.network, found)
        except PtxError as error:
            raise name_file(error, recording) from None
        return made, prosody

    def requests(
        self, text: str, settings: SpeakSettings, lexicon: Lexicon | None = None, place: str = "text",
        words_from: str | Path | None = None,
    ) -> list[Request]:  # fmt: skip
        """What is to be said, sentence by sentence.

        Args:
            text: With its marks, see `text.markup`.
            place: Where the text comes from, for messages.
            words_from: A recording of the same words, each of which is said as there.

        Raises:
            MismatchError: The recording is of other words.
            TranscriptError: A mark is wrong, or nothing can be said.
            UsageError: There is no such source of prosody.
            DependencyError: It reads the text's parse, and the extra `speak` is not installed.
        """
        require_prosody(settings.prosody)
        marked = read_markup(text, place)
        analysed = None
        if choose_prosody(settings.prosody).reads:
            from prosody_transfer.text.linguistics.analysis import analyse

            analysed = analyse(marked.text)
        found = requests(spoken_sentences(marked.text, analysed, lexicon), marked.marks)
        if words_from is None:
            return found
        source, transferer = self.source(settings.prosody), self.transferer
        return said_as_in(words_from, found, marked.text, source, transferer.aligner, transferer.config)

    def plans(
        self, found: Sequence[Request], speaker: str, settings: SpeakSettings
    ) -> Iterator[PlannedSentence]:  # fmt: skip
        """How each sentence is said by a voice, with the silence after it; raises as `Transferer.voice`."""
        settings, level = check_settings(settings), self.transferer.voice(speaker).log_f0_median
        rng = np.random.default_rng(settings.seed)
        source, drawing = self.source(settings.prosody), np.random.default_rng([settings.seed, 1])
        for number, request in enumerate(found):
            silence = float(rng.uniform(*settings.sentence_silence))
            silence += settings.paragraph_silence * request.sentence.ends_paragraph
            silence = silence if request.silence is None else request.silence
            if number == len(found) - 1:
                silence = 0.0
            yield plan_sentence(
                request, source, speaker, level, config=self.transferer.config, rng=drawing,
                length_scale=settings.length_scale, tune=settings.tune, silence=silence,
            )  # fmt: skip

    def speak(
        self, text: str, speaker: str, settings: SpeakSettings | None = None, *, lexicon: Lexicon | None = None,
        place: str = "text", words_from: str | Path | None = None,
    ) -> Iterator[SpokenPart]:  # fmt: skip
        """Say a text, a sentence at a time; raises as `requests` and `plans`."""
        settings = check_settings(settings or SpeakSettings())
        self.transferer.voice(speaker)
        found = self.requests(text, settings, lexicon, place, words_from)
        for planned in self.plans(found, speaker, settings):
            yield SpokenPart(planned, self.render(planned.plan, speaker).waveform)

    def render(self, plan: ProsodyPlan, speaker: str) -> Rendered:
        """As `Transferer.render`."""
        return self.transferer.render(plan, speaker)

    def speak_to_file(
        self, text: str, speaker: str, output: str | Path, settings: SpeakSettings | None = None, *,
        lexicon: Lexicon | None = None, place: str = "text", plan: str | Path | None = None, overwrite: bool = False,
        subtype: str = DEFAULT_SUBTYPE, words_from: str | Path | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Say a text into a file, which appears whole or not at all.

        Args:
            plan: Where to store how it is said, too.

        Returns:
            What was done, for people and scripts.

        Raises:
            OutputError: The file can't be written; that is found out before any work is done.
        """
        check_writable(output, overwrite, subtype, self.transferer.config.sample_rate)
        credit = self.transferer.credit(speaker)
        with _spool(Path(output)) as kept:
            report = self.speak_to(
                kept, "<f4", text, speaker, settings, lexicon=lexicon, place=place, plan=plan, words_from=words_from
            )
            kept.flush()
            waveform = np.memmap(kept, np.dtype("<f4"), "r")
            rate = self.transferer.config.sample_rate
            write_speech(output, waveform, rate, credit, subtype=subtype, overwrite=overwrite)
            del waveform
        return {"output": str(output), **report}

    def speak_to(
        self, stream: IO[bytes], sample: str, text: str, speaker: str, settings: SpeakSettings | None = None, *,
        lexicon: Lexicon | None = None, place: str = "text", plan: str | Path | None = None,
        words_from: str | Path | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Say a text into a stream of samples without a header, flushed after every sentence.

        Args:
            sample: "<f4" or "<i2", as numpy has them.
        """
        settings = settings or SpeakSettings()
        began, count, rows, plans = time.perf_counter(), 0, [], []
        rate = self.transferer.config.sample_rate
        for part in self.speak(text, speaker, settings, lexicon=lexicon, place=place, words_from=words_from):
            wave = part.waveform
            if sample == "<i2":
                wave = np.clip(np.rint(wave * 32768.0), -32768, 32767)
            stream.write(np.ascontiguousarray(wave, np.dtype(sample)).tobytes())
            stream.flush()
            rows.append(_row(part.planned, count / rate))
            if plan is not None:
                plans.append(part.planned.plan)
            count += len(part.waveform)
        if plan is not None:
            save_plan(join_plans(plans), plan)
        elapsed = time.perf_counter() - began
        return {
            "speaker": speaker, "seconds": round(count / rate, 4), "prosody": choose_prosody(settings.prosody).name,
            "real_time_factor": round(elapsed * rate / max(1, count), 4), "credit": self.transferer.credit(speaker),
            "vocoder": self.transferer.vocoder_name, "settings": settings.to_dict(), "sentences": rows,
        }  # fmt: skip


def _network(kind: str, path: str | Path | None) -> Any:
    """A model of prosody from text: an addon on ONNX Runtime, or where there is none a checkpoint in torch."""
    folder = Path(path) if path is not None else shipped(kind).parent
    if path is not None and not folder.is_dir() or path is None and not (folder / NAME).is_file():
        return load_network(kind, path)[0]
    addon = open_addon(folder)
    if addon.config.kind != kind:
        problem = f"is a {addon.config.kind[:40]}, where {kind} is asked for"
        raise ModelError(problem, place=addon.place, remedy="give an addon of that kind")
    return AddonText(addon, {})


def _spool(output: Path) -> Any:
    """A file without a name beside the output, for samples until they are all there."""
    try:
        return TemporaryFile(dir=output.resolve().parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"can't be written ({reason})", place=str(output), remedy="choose another folder") from None


def _row(planned: PlannedSentence, start: float) -> dict[str, Any]:
    """A sentence for scripts: its kind, the tune that was drawn, and its words in time."""
    plan, sentence = planned.plan, planned.request.sentence
    step = plan.config.hop_length / plan.config.sample_rate
    words = []
    for word, wish, (a, b) in zip(sentence.words, planned.request.wishes, planned.spans, strict=True):
        row: dict[str, Any] = {
            "word": word.text, "start": round(start + float(a) * step, 4), "end": round(start + float(b) * step, 4)
        }  # fmt: skip
        row["prominence"] = None if word.prominence is None else round(word.prominence, 3)
        row["boundary"] = None if word.boundary is None else round(word.boundary, 3)
        if wish.emphasis:
            row["emphasis"] = wish.emphasis
        words.append(row)
    return {"kind": sentence.kind, "tune": planned.tune, "start": round(start, 4), "words": words}
