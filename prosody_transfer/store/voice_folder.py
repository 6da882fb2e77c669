"""A user's voice on disk: a folder with voice.json, consent.json and weights.safetensors. Imports nothing heavy."""

from __future__ import annotations

import datetime
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosody_transfer.core.atomic import make_folder, write_atomically
from prosody_transfer.core.config import Config, load_config
from prosody_transfer.core.errors import ModelError, UsageError
from prosody_transfer.core.reading import parse_json, read_bytes
from prosody_transfer.store.checkpoint import load_arrays, load_checkpoint, save_checkpoint
from prosody_transfer.store.consent import CHECKED_BY, Consent, check_consent
from prosody_transfer.store.header import checksum
from prosody_transfer.store.voice_info import NAME, VoiceInfo, list_voices, user_voices, voices_folder
from prosody_transfer.store.voice_moves import delete, leftovers, recover

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

KIND = "voice"
VERSION = 1
PAGE = "test.html"  # what its test has found
TRAINING = "training"  # beside one that is not accepted: what training goes on from
AGAIN = "import it again, or remove it and add it again"
_LARGEST_JSON = 1_000_000  # bytes


class VoiceRecord(Config):
    """What voice.json holds.

    Attributes:
        voice: What is shown of it.
        log_f0_median: ln Hz.
        phone_log_frames: (V,) mean ln frames of each phone in this voice.
        sharpening: How much detail the decoder loses of it (`features.sharpen`); None where that was not measured.
        measured: Figures of its test, by name.
        failed: Why it has not passed that test, a line each; it does not speak then, unless somebody has accepted it.
        accepted_by, accepted_on: Who took it although the test was not passed, and the ISO date; "" for nobody.
        base: Checksum of the acoustic model that it was made for; it works with no other.
        weights: Checksum of weights.safetensors.
        consent: Fingerprint of consent.json.
        made: ISO date; `ptx`: the version that made it.
        request: Fingerprint of the recordings and settings that it was made from.
        format, version: Of the file.
    """

    voice: VoiceInfo
    log_f0_median: float
    phone_log_frames: tuple[float, ...]
    base: str
    weights: str
    consent: str
    made: str
    ptx: str
    measured: dict[str, Any] = {}
    failed: tuple[str, ...] = ()
    accepted_by: str = ""
    accepted_on: str = ""
    sharpening: tuple[float, float] | None = None
    request: str = ""
    format: str = "ptx-voice"
    version: int = VERSION


@dataclass(frozen=True)
class UserVoice:
    """A user's voice, without its weights."""

    record: VoiceRecord
    consent: Consent
    folder: Path

    @property
    def voice(self) -> VoiceInfo:
        return self.record.voice

    @property
    def accepted(self) -> bool:
        """Whether its test was passed, or somebody has taken it all the same."""
        return not self.record.failed or bool(self.record.accepted_by)

    def agreed(self) -> UserVoice:
        """Itself; UsageError where the consent to it has ended."""
        if self.consent.expired():
            problem = f"{self.consent.who} agreed to this voice until {self.consent.until}; it may not speak any more"
            remedy = f"ask again, then: ptx voice renew {self.voice.name} --consent FILE"
            raise UsageError(problem, place=self.voice.name, remedy=remedy)
        return self

    def allowed(self) -> UserVoice:
        """Itself; UsageError where the consent to it has ended, or it has not passed its test and nobody took it."""
        if not self.agreed().accepted:
            raise UsageError(self.refusal(), place=self.voice.name, remedy=self.remedy())
        return self

    def refusal(self) -> str:
        """What is wrong with one that is not accepted; its page says the rest."""
        first, *more = self.record.failed
        return f"the voice was not accepted: {first}" + (f" (and {len(more)} more)" if more else "")

    def remedy(self) -> str:
        """What to do about it."""
        name = self.voice.name
        page = f"see {self.folder / PAGE}; " if (self.folder / PAGE).exists() else ""
        return f"{page}ptx voice accept {name}, or ptx voice add {name} with more recordings or --steps goes on from it"

    def line(self) -> str:
        """Who speaks and by whose leave, for the metadata of what it speaks."""
        return credit(self.voice, self.consent)

    def facts(self) -> dict[str, Any]:
        """All that is known of it, as plain data."""
        record = self.record.to_dict()
        kept = {key: record[key] for key in ("measured", "base", "made", "ptx")}
        state: dict[str, Any] = {"accepted": self.accepted}
        if record["failed"]:
            state |= {key: record[key] for key in ("failed", "accepted_by", "accepted_on") if record[key]}
        if (self.folder / PAGE).exists():
            state["page"] = str(self.folder / PAGE)
        consent = {**self.consent.to_dict(), "expired": self.consent.expired(), "checked_by": CHECKED_BY}
        return {**self.voice.to_dict(), "consent": consent,
                **state, **kept, "folder": str(self.folder)}  # fmt: skip


def changed(record: VoiceRecord, **fields: Any) -> VoiceRecord:
    """The same with other fields."""
    return load_config(VoiceRecord, {**record.to_dict(), **fields}, "voice.json")


def credit(voice: VoiceInfo, consent: Consent | None = None) -> str:
    """One line for the metadata of what a voice speaks."""
    kind = "synthetic, nobody's voice" if voice.synthetic else "the voice of a real person"
    line = f"Synthetic speech, made with ptx. Voice: {voice.name} ({kind}). Licence: {voice.licence}."
    return f"{line} Consent: {consent.line()}." if consent else f"{line} Provenance: {voice.provenance}."


def read_voice(name: str, voices: str | Path | None = None) -> UserVoice:
    """A user's voice by name, whether or not it may still speak.

    Raises:
        UsageError: There is none of that name.
        ModelError: It is damaged, or of another version.
    """
    folder = voices_folder(voices) / name
    recover(folder.parent)
    if not NAME.fullmatch(name) or not (folder / "voice.json").is_file():
        known = ", ".join(user_voices(voices)) or "none"
        shipped = name in {voice.name for voice in list_voices()}
        problem = f"{name!r} is a shipped voice, not one of yours" if shipped else f"you have no voice {name[:60]!r}"
        raise UsageError(problem, place=str(voices_folder(voices)), remedy=f"yours: {known}")
    return read_folder(folder, name)


def agreed_purposes(name: str, voices: str | Path | None = None) -> tuple[str, ...]:
    """What the speaker of a user's voice agreed to; () for a shipped voice. Nobody checks what it is used for.

    Raises:
        ModelError: It is damaged, or of another version.
    """
    return read_voice(name, voices).consent.purposes if name in user_voices(voices) else ()


def read_folder(folder: Path, name: str) -> UserVoice:
    """The same from a folder of any name; ModelError where it is not that voice's or is damaged."""
    place = folder / "voice.json"
    record = parse_record(_read_json(place), str(place))
    consent = parse_stored_consent(_read_json(folder / "consent.json"), str(folder / "consent.json"))
    if record.voice.name != name:
        problem = f"holds the voice {record.voice.name[:60]!r}, not {name!r}"
        raise ModelError(problem, place=str(place), remedy="give the folder its name back")
    if consent.fingerprint() != record.consent:
        remedy = f"store what the speaker agreed to: ptx voice renew {name} --consent FILE"
        raise ModelError("was changed after it was stored", place=str(folder / "consent.json"), remedy=remedy)
    return UserVoice(record, consent, folder)


def parse_record(data: Any, place: str) -> VoiceRecord:
    """voice.json's content, checked; ModelError where it can't be a voice."""
    if not isinstance(data, dict) or data.get("format") != "ptx-voice":
        raise ModelError("describes no ptx voice", place=place, remedy=AGAIN)
    if data.get("version") != VERSION:
        problem = f"has version {str(data.get('version'))[:20]}; this ptx reads {VERSION}"
        raise ModelError(problem, place=place, remedy="use the ptx that wrote it, or add the voice again")
    try:
        record = load_config(VoiceRecord, data, place)
    except UsageError as error:
        raise ModelError(f"is damaged ({error.problem})", place=place, remedy=AGAIN) from None
    voice = record.voice
    numbers = [voice.f0_low_hz, voice.f0_median_hz, voice.f0_high_hz, voice.minutes, record.log_f0_median]
    sound = all(map(math.isfinite, [*numbers, *record.phone_log_frames])) and 3.0 < record.log_f0_median < 7.0
    sound = sound and all(0 <= amount <= 1 for amount in record.sharpening or ())
    texts = (voice.name, voice.accent, voice.gender, voice.licence, voice.provenance, record.accepted_by)
    reasons = len(record.failed) <= 20 and all(len(t) <= 1000 and t.isprintable() for t in record.failed)
    sound = sound and reasons and all(len(t) <= 200 and t.isprintable() for t in texts)
    if not sound or not NAME.fullmatch(voice.name):
        raise ModelError("is damaged (a name or number can't be)", place=place, remedy=AGAIN)
    return record


def parse_stored_consent(data: Any, place: str) -> Consent:
    """consent.json's content, checked; ModelError where it is none."""
    try:
        return check_consent(load_config(Consent, data, place), place)
    except UsageError as error:
        raise ModelError(f"is damaged ({error.problem})", place=place, remedy=AGAIN) from None


def write_folder(
    folder: Path, record: VoiceRecord, consent: Consent, tensors: Mapping[str, Any], config: dict[str, Any],
    facts: Mapping[str, Any],
) -> UserVoice:  # fmt: skip
    """Write a voice into a folder that has none; voice.json, without which there is no voice, last.

    Args:
        record: `weights` and `consent` are filled in here.
        tensors: What differs from the base model.
        config: The base model's settings.
        facts: More for the header of the weights.

    Raises:
        OutputError: It can't be written.
    """
    weights = folder / "weights.safetensors"
    make_folder(folder)
    save_checkpoint(weights, KIND, tensors, config, **facts)
    whole = changed(record, weights=checksum(weights), consent=consent.fingerprint())
    write_atomically(folder / "consent.json", _json(consent))
    write_atomically(folder / "voice.json", _json(whole))
    return UserVoice(whole, consent, folder)


def read_weights(own: UserVoice) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of a voice's weights.

    Raises:
        ModelError: They are missing, damaged, or not those that voice.json means.
    """
    path = own.folder / "weights.safetensors"
    tensors, header = load_checkpoint(path, KIND)
    _require_same(own, path)
    return tensors, header


def read_arrays(own: UserVoice) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The same without torch, in the precision that they are stored in; raises as it does."""
    path = own.folder / "weights.safetensors"
    arrays, header = load_arrays(path, KIND)
    _require_same(own, path)
    return arrays, header


def _require_same(own: UserVoice, path: Path) -> None:
    if checksum(path) != own.record.weights:
        raise ModelError("is not the file that voice.json means", place=str(path), remedy=AGAIN)


def renew(name: str, consent: Consent, voices: str | Path | None = None) -> UserVoice:
    """Store a new consent with a voice, in place of the one it has.

    Raises:
        UsageError: There is no such voice, or the new consent has ended too.
        ModelError: voice.json is damaged.
    """
    folder = voices_folder(voices) / name
    if not NAME.fullmatch(name) or not (folder / "voice.json").is_file():
        read_voice(name, voices)
    record = parse_record(_read_json(folder / "voice.json"), str(folder / "voice.json"))
    own = UserVoice(changed(record, consent=consent.fingerprint()), consent, folder).agreed()
    write_atomically(folder / "consent.json", _json(consent))  # killed between the two: the same command mends it
    write_atomically(folder / "voice.json", _json(own.record))
    return own


def accept_voice(name: str, by: str, voices: str | Path | None = None) -> UserVoice:
    """Let a voice speak that has not passed its test; who takes it is noted in its record.

    What training would have gone on from is deleted: it is finished.

    Raises:
        UsageError: There is no such voice, its speaker's consent has ended, or nobody is named.
        ModelError: It is damaged.
    """
    by = " ".join(by.split())
    if not by or len(by) > 200 or not by.isprintable():
        problem = "a voice that has not passed its test is taken by somebody"
        raise UsageError(problem, place="--by", remedy="give a name of up to 200 letters")
    own = read_voice(name, voices).agreed()
    if not own.accepted:
        record = changed(own.record, accepted_by=by, accepted_on=datetime.date.today().isoformat())
        write_atomically(own.folder / "voice.json", _json(record))
        own = UserVoice(record, own.consent, own.folder)
    shutil.rmtree(own.folder / TRAINING, ignore_errors=True)
    return own


def remove_voice(name: str, voices: str | Path | None = None) -> Path:
    """Delete a user's voice, also a damaged or half-made one, and all that was kept of it.

    Raises:
        UsageError: There is none of that name, or it is a shipped one.
        OutputError: It can't be deleted.
    """
    root = voices_folder(voices)
    recover(root)
    if not NAME.fullmatch(name) or not ((root / name / "voice.json").is_file() or leftovers(root, name)):
        read_voice(name, voices)
    delete(root, name)
    return root / name


def _json(value: Config) -> bytes:
    return (json.dumps(value.to_dict(), indent=1, ensure_ascii=False) + "\n").encode()


def _read_json(path: Path) -> Any:
    try:
        return parse_json(read_bytes(path, _LARGEST_JSON, ModelError))
    except (ModelError, ValueError):
        raise ModelError("is missing or damaged", place=str(path), remedy=AGAIN) from None
