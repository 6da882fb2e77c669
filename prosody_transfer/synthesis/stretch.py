"""A plan with other durations: contours stretch inside their phones, and all that runs along them goes with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from prosody_transfer.analysis.recorded import Recorded
from prosody_transfer.audio.follow import FRAME_SECONDS
from prosody_transfer.audio.levelling import STEP_SECONDS
from prosody_transfer.audio.silence import Silence
from prosody_transfer.core.errors import ShapeError
from prosody_transfer.synthesis.plan import PlannedEmbedding, PlannedSource, ProsodyPlan


def stretched(plan: ProsodyPlan, durations: np.ndarray) -> ProsodyPlan:
    """The same plan with other durations.

    F0 and energy are interpolated between the frames of a phone, voicing is taken from the nearest one; the loudness
    that is followed, soft lines and silences move along. The same durations give the same plan.

    Args:
        durations: (P,) int frames, each 1 or more.

    Raises:
        ShapeError: There is not one for each phone, or one is below 1.
    """
    before = plan.phones.durations
    durations = np.asarray(durations, np.int64)
    if durations.shape != before.shape or (durations < 1).any():
        raise ShapeError(f"{len(before)} durations of 1 frame and more are wanted, not {durations.shape}")
    if np.array_equal(durations, before):
        return plan
    at = _positions(before, durations)
    frames, near = np.arange(plan.n_frames), np.round(at).astype(int)
    return replace(
        plan,
        phones=replace(plan.phones, durations=durations),
        log_f0=np.interp(at, frames, plan.log_f0).astype(np.float32),
        voiced=plan.voiced[near],
        energy_db=np.interp(at, frames, plan.energy_db).astype(np.float32),
        power=_along(plan.power, FRAME_SECONDS, plan, durations),
        source=_moved(plan, durations),
        embedding=_embedding(plan, durations, near),
    )


def _positions(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(T',) the frame of the old plan, as a fraction, that each new one is; inside the same phone."""
    starts = np.cumsum(before) - before
    inside = [
        np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1) + start
        for old, new, start in zip(before, after, starts, strict=True)
    ]
    return np.concatenate(inside)


def _times(plan: ProsodyPlan, durations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the map between the old and the new time, (P + 1,) seconds each."""
    step = plan.config.hop_length / plan.config.sample_rate
    corners = lambda sizes: np.concatenate([[0], np.cumsum(sizes)]) * step
    return corners(plan.phones.durations), corners(durations)


def _along(values: np.ndarray, step: float, plan: ProsodyPlan, durations: np.ndarray) -> np.ndarray:
    """A curve with a value every `step` seconds on the new time."""
    if not len(values):
        return values
    old, new = _times(plan, durations)
    at = np.interp((np.arange(max(1, round(len(values) * new[-1] / old[-1]))) + 0.5) * step, new, old)
    return np.interp(at / step - 0.5, np.arange(len(values)), values)


def _moved(plan: ProsodyPlan, durations: np.ndarray) -> PlannedSource:
    old, new = _times(plan, durations)
    source, rate = plan.source, plan.config.sample_rate
    move = lambda sample: round(float(np.interp(sample / rate, old, new)) * rate)
    samples = max(1, source.samples + int(durations.sum() - plan.n_frames) * plan.config.hop_length)
    recorded = source.recorded
    ride = None if source.level.ride_db is None else _along(source.level.ride_db, STEP_SECONDS, plan, durations)
    silences = [Silence(move(s.start), min(samples, move(s.stop)), s.peak) for s in source.silences]
    return replace(
        source,
        recorded=Recorded(recorded.sample_rate, max(1, round(samples * recorded.samples / source.samples))),
        samples=samples,
        level=replace(source.level, samples=samples, ride_db=ride),
        silences=tuple(s for s in silences if s.stop > s.start),
        sha256="",
    )


def _embedding(plan: ProsodyPlan, durations: np.ndarray, near: np.ndarray) -> PlannedEmbedding | None:
    """Steps of phones and words follow them; steps of frames are laid out and taken from the nearest frame."""
    made = plan.embedding
    if made is None or (made.level == "steps" and not made.frames_per_step):
        return made
    ends = np.cumsum(durations)[np.cumsum(plan.pieces) - 1]
    steps = []
    for rows, (_, cut), taken in zip(made.steps, plan.split(), np.split(near, ends[:-1]), strict=True):
        laid = rows if made.level == "frames" else np.repeat(rows, made.frames_per_step, -1)
        steps.append(laid[:, taken - cut.start])
    return replace(made, steps=tuple(steps), level="frames")
