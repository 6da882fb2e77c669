"""Where networks run, and which process may use them."""

from __future__ import annotations

import os

from prosody_transfer.core.errors import UsageError


def check_device(device: str) -> int | None:
    """The only process that may use networks loaded there; None for any, forked ones too.

    Raises:
        UsageError: There is no such device.
    """
    import torch

    try:
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError):
        problem = f"{device!r} is no device that works here"
        raise UsageError(problem, place="--device", remedy="choose cpu, or ask ptx doctor") from None
    return None if device.split(":")[0] == "cpu" else os.getpid()


def check_process(process: int | None) -> None:
    """UsageError in a process forked from the one that loaded networks on a GPU."""
    if process not in (None, os.getpid()):
        problem = "a GPU cannot be used in a process that was forked from one that uses it"
        raise UsageError(problem, place="device", remedy='start processes with "spawn", or load the networks in each')
