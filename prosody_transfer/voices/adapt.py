"""`ptx voice add`: from recordings and a consent to a voice that has passed its test, or is kept and does not speak."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from prosody_transfer.core.atomic import check_target, make_folder, write_atomically
from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import ModelError, OutputError, UsageError
from prosody_transfer.core.reading import RECORD_BYTES, parse_json, read_bytes
from prosody_transfer.data.manifest import read_manifest
from prosody_transfer.models import registry
from prosody_transfer.store.consent import Consent
from prosody_transfer.store.voice_folder import (
    PAGE,
    UserVoice,
    VoiceRecord,
    changed,
    checksum,
    read_voice,
    read_weights,
    write_folder,
)
from prosody_transfer.store.voice_moves import put_in_place
from prosody_transfer.store.voice_network import REFERENCES, adapted
from prosody_transfer.store.voices import VoiceInfo, check_name, user_voices, voices_folder
from prosody_transfer.store.weights import checkpoint_of, load_acoustic, voice_level
from prosody_transfer.training.commands import voice_facts
from prosody_transfer.training.loop import LoopConfig, Trainer, run
from prosody_transfer.training.provenance import provenance
from prosody_transfer.voices.fisher import load_fisher, shipped_fisher
from prosody_transfer.voices.go_on import Before, bring, check_speaker, keep, take_up
from prosody_transfer.voices.recordings import Event, Speech, gather
from prosody_transfer.voices.settings import VoiceTaskConfig

FEMALE_ABOVE_HZ = 155.0  # median F0, where the gender was not given


class Adaptation(Config):
    """How a voice is learnt, and what is said of it.

    Attributes:
        steps: Of training in all; 0 chooses by the minutes of speech.
        learning_rate: Its peak.
        task: Sizes and weights of the losses.
        gender, accent, licence, provenance, synthetic: What is shown of the voice; "" as it is heard, or by consent.
        speaker: Whose recordings to take, where there are several people's.
        recognise: Without transcripts: "auto", "words", "phones" or "none".
        seed: Of all that is random.
    """

    steps: int = 0
    learning_rate: float = 1e-3
    task: VoiceTaskConfig = VoiceTaskConfig()
    gender: str = ""
    accent: str = ""
    licence: str = ""
    provenance: str = ""
    synthetic: bool = False
    speaker: str = ""
    recognise: str = "auto"
    seed: int = 1


class Verdict(Protocol):
    """What a gate says; see `evaluation.voice_gate`."""

    @property
    def passed(self) -> bool: ...
    @property
    def failed(self) -> tuple[str, ...]: ...
    @property
    def figures(self) -> dict[str, Any]: ...
    @property
    def references(self) -> Any: ...
    @property
    def judge(self) -> str: ...
    @property
    def page(self) -> str: ...


class Gate(Protocol):
    """The test; see `evaluation.voice_gate`. May also have `before(held_out, learnt)`, called before the training."""

    def __call__(self, name: str, voices: Path, held_out: list[str], learnt: list[str], /) -> Verdict: ...


def add_voice(
    name: str, recordings: str | Path, consent: Consent, gate: Gate | None, *, voices: str | Path | None = None,
    settings: Adaptation | None = None, replay: str | Path | None = None, fisher: str | Path | None = None,
    model: str | Path | None = None, max_minutes: float | None = None, workers: int = 2, device: str = "cpu",
    on_event: Event | None = None, on_note: Callable[[str], None] | None = None,
) -> UserVoice:  # fmt: skip
    """Add a voice. Killed at any time, the same call goes on; a voice that is there already is only returned.

    A voice that does not pass its test is kept, does not speak, and is gone on from when it is called with more
    recordings or steps.

    Args:
        recordings: A corpus in any layout that `ptx prepare` reads, or a folder that it has prepared.
        consent: What the speaker agreed to.
        gate: The test; None accepts anything.
        voices: The folder of the user's voices.
        replay: A prepared folder with recordings of the model's own voices, to repeat while learning.
        fisher: Importances of the model's parameters; None for those that ship.
        model: An acoustic model's checkpoint, or its addon's folder; None for the shipped one.
        max_minutes: The longest that training may take, in all (of what is new, where it goes on from a voice that is
            not accepted); then what is learnt is tested.
        on_event: Called with a stage ("prepare", "train", "test"), how much is done, of how much, and figures.
        on_note: Called with what the user should know, in a line.

    Raises:
        UsageError: The name can't be one, the consent has ended, or the recordings are of several people.
        OutputError: There is another voice of that name, or it is being added right now.
        ModelError: The voice did not pass; what was learnt is kept.
        KeyboardInterrupt: Asked to stop; the work is kept.
    """
    settings = settings or Adaptation()
    check_name(name)
    base = checkpoint_of(model)
    wanted = request(recordings, replay, base, settings)
    order = _Order(name, wanted, base, consent, gate, settings, replay, fisher, max_minutes, device, on_event)
    partial, there = voices_folder(voices) / f".{name}.partial", name in user_voices(voices)
    if there:
        own = read_voice(name, voices)
        if own.record.request == wanted:
            shutil.rmtree(partial, ignore_errors=True)
            return _passed(own)
        order = replace(order, before=_go_on(own, order))
    _check_consent(consent)
    make_folder(partial)
    with _locked(partial, name):
        learnt = order.before.learnt if order.before else frozenset()
        speech = gather(
            name, Path(recordings), partial / "data", speaker=settings.speaker, recognise=settings.recognise,
            seed=settings.seed, workers=workers, on_event=on_event, learnt=learnt, on_note=on_note,
        )  # fmt: skip
        _forget_other(partial, wanted)
        put_in_place(_make(partial, speech, order), partial.parent / name, replace=there)
    shutil.rmtree(partial, ignore_errors=True)
    return _passed(read_voice(name, voices))


@dataclass(frozen=True)
class _Order:
    """What `add_voice` was asked for; `before` is what it goes on from."""

    name: str
    wanted: str
    base: Path
    consent: Consent
    gate: Gate | None
    settings: Adaptation
    replay: str | Path | None
    fisher: str | Path | None
    max_minutes: float | None
    device: str
    on_event: Event | None
    before: Before | None = None


def _make(partial: Path, speech: Speech, order: _Order) -> Path:
    """Learn and test, or go on with either; gives the finished folder."""
    name = order.name
    ready, tested = partial / "ready", partial / "tested"
    if not (ready / name / "voice.json").exists():
        if listen := getattr(order.gate, "before", None):
            listen(*([row.audio for row in rows] for rows in (speech.held_out, speech.train)))
        weights, facts = _learn(partial / "run", speech, order)
        _pack(ready / name, speech, order, weights, facts)
    if not (tested / name / "voice.json").exists():
        _test(ready, tested / name, speech, order)
    return tested / name


def _go_on(own: UserVoice, order: _Order) -> Before | None:
    """What is gone on from; OutputError where the voice that is there has been accepted."""
    if own.accepted:
        place = str(own.folder.parent)
        raise OutputError(f"there is a voice {order.name!r}", place=place, remedy="choose another name, or remove it")
    before = take_up(own, checksum(order.base))
    if before and order.settings.steps:
        before.total(order.settings.steps, 0)
    return before


def _passed(own: UserVoice) -> UserVoice:
    """Itself; ModelError where it was not accepted."""
    if not own.accepted:
        raise ModelError(own.refusal(), place=own.voice.name, remedy=own.remedy())
    return own


def request(recordings: str | Path, replay: str | Path | None, base: Path, settings: Adaptation) -> str:
    """A fingerprint of what a voice is made from: files by name and size, model, settings."""
    digest = hashlib.sha256(f"{checksum(base)} {settings.fingerprint()} {replay or ''}".encode())
    path = Path(recordings)
    if not path.exists():
        raise UsageError("there is no such folder", place=str(path), remedy="check the path")
    for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        digest.update(f"{file.relative_to(path)}\0{file.stat().st_size}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def steps_for(minutes: float) -> int:
    """How long to learn from so much speech."""
    return int(np.interp(minutes, [1, 5, 20], [400, 800, 1200]))


def _learn(folder: Path, speech: Speech, order: _Order) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train, or go on; the learnt tensors, and what is known of the voice."""
    base, settings, replay, before, on_event = order.base, order.settings, order.replay, order.before, order.on_event
    network, header = load_acoustic(base)
    who = speech.train[0].speaker
    facts = voice_facts(speech.train, speech.cache, (who,), network.config.n_phones)[who]
    levels = [voice_level(header, s, base) for s in network.config.speakers] + [facts["log_f0_median"]]
    old = None
    if replay is not None:
        old = [r for r in read_manifest(Path(replay) / "train.jsonl") if r.speaker in network.config.speakers]
    important = None
    if settings.task.ewc_weight:
        important = load_fisher(order.fisher if order.fisher is not None else shipped_fisher(), checksum(base))
    task = registry.of(network).load("voice_task")(
        network, levels, settings.task, speech.train, speech.cache, important,
        (old, Path(replay) / "cache") if old and replay is not None else None, order.device,
    )  # fmt: skip
    nearest = task.begin_like()
    steps = settings.steps or steps_for(speech.minutes)
    if before:
        check_speaker(before, speech)
        bring(before, folder)
        steps = before.total(settings.steps, steps)
    loop = LoopConfig(
        total_steps=steps, learning_rate=settings.learning_rate, warmup_steps=20, weight_decay=0.0,
        ema_decay=0.99, checkpoint_minutes=0.5, validation_steps=0, seed=settings.seed,
    )  # fmt: skip
    trainer = Trainer(task, loop, folder, {"request": order.wanted, "nearest": nearest})
    trainer.resume()
    taken = trainer.seconds - (before.seconds if before else 0)
    left = None if order.max_minutes is None else max(0.0, order.max_minutes - taken / 60)
    report = (lambda step, figures: on_event("train", step, loop.total_steps, figures)) if on_event else None
    run(trainer, resume=True, max_minutes=left, on_step=report)
    if trainer.ending == "asked":
        raise KeyboardInterrupt
    learnt = {name: value.half() for name, value in task.tensors(trainer.average).items()}
    made = adapted(task.base, learnt, str(folder))
    sharpening = task.sharpening(made)
    return learnt, {**facts, "steps": trainer.step, "nearest": nearest, "sharpening": sharpening,
                    "loop": loop.to_dict(), "task": settings.task.to_dict()}  # fmt: skip


def _pack(folder: Path, speech: Speech, order: _Order, weights: dict[str, Any], facts: dict[str, Any]) -> None:
    """The voice as a folder, not tested yet."""
    name, base, consent, settings = order.name, order.base, order.consent, order.settings
    shutil.rmtree(folder, ignore_errors=True)
    median = float(np.exp(facts["log_f0_median"]))
    voice = VoiceInfo(
        name=name, synthetic=settings.synthetic, accent=settings.accent or "unknown",
        gender=settings.gender or ("female" if median > FEMALE_ABOVE_HZ else "male"),
        f0_median_hz=round(median, 1), f0_low_hz=facts["f0_low_hz"], f0_high_hz=facts["f0_high_hz"],
        minutes=round(speech.minutes, 1), licence=settings.licence or "by consent",
        provenance=settings.provenance or f"recordings of {consent.who}"[:200],
    )  # fmt: skip
    record = VoiceRecord(
        voice=voice, log_f0_median=facts["log_f0_median"], phone_log_frames=tuple(facts["phone_log_frames"]),
        base=checksum(base), weights="", consent="", made=datetime.date.today().isoformat(), ptx=provenance()["ptx"],
        sharpening=facts["sharpening"], request=order.wanted,
    )  # fmt: skip
    _, header = load_acoustic(base)
    kept = {key: facts[key] for key in ("steps", "nearest", "loop", "task")}
    write_folder(folder, record, consent, weights, header["config"], kept)


def _test(ready: Path, folder: Path, speech: Speech, order: _Order) -> None:
    """Let the gate judge the voice, and write it with what was found into `folder`."""
    import torch

    own = read_voice(order.name, ready)
    tensors, header = read_weights(own)
    facts = {key: value for key, value in header.items() if key != "config"}
    found: dict[str, Any] = {}
    shutil.rmtree(folder, ignore_errors=True)
    if order.gate is not None:
        held_out, learnt = ([row.audio for row in rows] for rows in (speech.held_out, speech.train))
        verdict = order.gate(order.name, ready, held_out, learnt)
        tensors |= {REFERENCES: torch.from_numpy(np.asarray(verdict.references)).half()}
        facts["judge"], found["measured"] = verdict.judge, verdict.figures
        if verdict.page:
            write_atomically(folder / PAGE, verdict.page.encode(), folder=True)
        if not verdict.passed:
            found["failed"] = verdict.failed
            keep(ready.parent / "run", folder, speech, order.before)
    write_folder(folder, changed(own.record, **found), order.consent, tensors, header["config"], facts)


def _check_consent(consent: Consent) -> None:
    if consent.expired():
        problem = f"{consent.who} agreed until {consent.until}, which is over"
        raise UsageError(problem, place="--consent", remedy="ask again, and write down until when")


def _forget_other(partial: Path, wanted: str) -> None:
    """What was learnt for another request is of no use; what was for this one goes on."""
    note = partial / "request.json"
    try:
        if note.exists() and parse_json(read_bytes(note, RECORD_BYTES, ModelError))["request"] == wanted:
            return
    except (ModelError, ValueError, KeyError, TypeError):
        pass  # damaged: nothing goes on
    for part in ("run", "ready", "tested"):
        shutil.rmtree(partial / part, ignore_errors=True)
    write_atomically(note, json.dumps({"request": wanted}).encode())


@contextmanager
def _locked(folder: Path, name: str) -> Iterator[None]:
    """Keep a second run of the same command out; the lock ends with its process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows: two at once are the user's risk there
        yield
        return
    check_target(folder / "lock")
    with open(folder / "lock", "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError("is being added right now", place=name, remedy="wait for the other ptx") from None
        yield
