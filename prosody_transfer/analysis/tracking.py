"""The trackers of the melody by name; the addon of the learned one is opened once a process."""

from __future__ import annotations

from functools import lru_cache, partial

from prosody_transfer.core.errors import UsageError
from prosody_transfer.features.extract import Tracker
from prosody_transfer.features.learned_pitch import hear_pitch
from prosody_transfer.store.weights import shipped

TRACKERS = ("learned", "dio")
DEFAULT_TRACKER = "learned"


def check_tracker(name: str) -> None:
    """Raises UsageError where there is no tracker of that name."""
    if name not in TRACKERS:
        raise UsageError(f"{name!r} is unknown", place="--tracker", remedy=f"choose {' or '.join(TRACKERS)}")


@lru_cache(maxsize=2)
def get_tracker(name: str = DEFAULT_TRACKER) -> Tracker | None:
    """What `features.extract` takes; None for DIO.

    Raises:
        UsageError: There is none of that name.
        ModelError: The network's weights are missing or damaged.
    """
    check_tracker(name)
    if name == "dio":
        return None
    from prosody_transfer.analysis.tracker_addon import TrackerAddon

    return partial(hear_pitch, TrackerAddon())


@lru_cache(maxsize=2)
def weights_fingerprint(name: str) -> str:
    """Twelve digits that change with the weights of a tracker; empty for DIO, which has none."""
    import hashlib

    check_tracker(name)
    return "" if name == "dio" else hashlib.sha256(shipped("tracker").read_bytes()).hexdigest()[:12]
