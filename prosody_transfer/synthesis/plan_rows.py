"""What stands in the file of a plan."""

from __future__ import annotations

from prosody_transfer.core.config import Config, MelConfig


class PhoneRow(Config, kw_only=True):
    """A phone of a plan.

    Attributes:
        phone: ARPABET with the stress digit on vowels, or "SIL".
        frames: How long it is wanted, 1 or more.
        word: Index into the words, from 0; None in pauses and where no words are known.
        log_f0: ln F0 relative to the source speaker's level, in each frame that was measured.
        voiced: 0 or 1.
        energy_db: Relative to the speech level.
        heard: Where it was heard rather than told: how probable each of the 40 phones is.
    """

    phone: str
    frames: int
    word: int | None = None
    log_f0: list[float]
    voiced: list[int]
    energy_db: list[float]
    heard: list[float] | None = None


class PieceRow(Config, kw_only=True):
    """A stretch of at most 20 s; `embedding` has a row a channel."""

    phones: list[PhoneRow]
    embedding: list[list[float]] | None = None


class SourceRow(Config, kw_only=True):
    """What is known of the recording, see `plan.PlannedSource` and `audio.levelling.SourceLevel`."""

    samples: int
    recorded_rate: int
    recorded_samples: int
    f0_level: float
    gain_db: float
    ride_db: list[float] | None = None
    silences: list[tuple[int, int, float]] = []
    sha256: str = ""
    words_from: str = ""
    text: str = ""
    aligner: str = ""


class PlanFile(Config, kw_only=True):
    """A plan as it is stored; `power` is `ProsodyPlan.power`."""

    format: int
    mel: MelConfig
    source: SourceRow
    words: list[str] = []
    power: list[float] = []
    embedding_level: str = ""
    embedding_model: str = ""
    embedding_frames: int = 0
    pieces: list[PieceRow]
