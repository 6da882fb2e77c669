"""How a recording is read and understood."""

from __future__ import annotations

from prosody_transfer.analysis.tracking import DEFAULT_TRACKER, check_tracker
from prosody_transfer.audio.layouts import check_channel
from prosody_transfer.core.config import Config
from prosody_transfer.core.errors import UsageError


class AnalysisSettings(Config):
    """How a recording is read and understood.

    Attributes:
        aligner: "pocketsphinx", "ptx", "mfa" or "viter".
        check_transcript: Refuse a transcript that does not match the audio.
        recognise: Without a transcript: "words", "phones", or "auto": words.
        track: Audio track of a film, from 1; None for the first.
        channel: The channel that holds the voice: its number from 1, or its name (L, R, C, LFE, Ls, Rs, ...); None
            mixes those that hold sound.
        tracker: Of the melody: "learned" or "dio".
    """

    aligner: str = "pocketsphinx"
    check_transcript: bool = True
    recognise: str = "auto"
    track: int | None = None
    channel: str | int | None = None
    tracker: str = DEFAULT_TRACKER

    def check(self) -> AnalysisSettings:
        """Itself, or UsageError naming the setting that is out of range."""
        if self.recognise not in ("auto", "words", "phones"):
            raise UsageError(
                f"{self.recognise!r} is unknown", place="--recognise", remedy="choose auto, words or phones"
            )
        if self.track is not None and self.track < 1:
            raise UsageError(f"there is no track {self.track}", place="--track", remedy="give a number from 1")
        check_channel(self.channel)
        check_tracker(self.tracker)
        return self
