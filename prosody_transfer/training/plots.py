"""A picture of a validation sample: target, prediction, difference, and both melodies. Needs the `train` extra."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import Any

import numpy as np

from prosody_transfer.training.samples import Sample

TARGET_COLOUR, PREDICTED_COLOUR = "#1b6ca8", "#d1495b"
MEL_RANGE = 9.0  # ln units shown below the loudest point: 78 dB
F0_TICKS = (50, 75, 100, 150, 200, 300, 400, 600)
LARGEST_DIFFERENCE = 3.0  # ln units, 26 dB


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def draw(sample: Sample) -> bytes:
    """A PNG: rows for target, prediction and their difference over one time axis, and the melodies where known."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    melody = sample.target_f0 is not None
    rows = 4 if melody else 3
    seconds = sample.target.shape[1] * sample.frame_seconds
    figure = Figure(figsize=(min(24.0, max(8.0, 2.5 * seconds)), 2.0 * rows + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, sharex=True)
    _draw_images(figure, axes, sample, seconds)
    if melody:
        _draw_melody(axes[3], sample)
    axes[-1].set_xlabel("time (s)")
    axes[-1].set_xlim(0, seconds)
    figure.suptitle(sample.speaker, parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return buffer.getvalue()


def _draw_images(figure: Any, axes: Any, sample: Sample, seconds: float) -> None:
    top = float(sample.target.max())
    low = top - MEL_RANGE if sample.what == "mel" else 0.0
    difference = np.maximum(sample.predicted, low) - np.maximum(sample.target, low)
    limit = LARGEST_DIFFERENCE if sample.what == "mel" else 1.0
    shown = (
        ("target", sample.target, "magma", low, top),
        ("predicted", sample.predicted, "magma", low, top),
        ("difference", difference, "RdBu_r", -limit, limit),
    )
    for axis, (name, values, colours, least, most) in zip(axes, shown, strict=False):
        image = axis.imshow(
            values, origin="lower", aspect="auto", cmap=colours, vmin=least, vmax=most, interpolation="nearest",
            extent=(0, seconds, -0.5, len(values) - 0.5),
        )  # fmt: skip
        axis.set_ylabel(f"{name}\n{sample.what}")
        figure.colorbar(image, ax=axis, pad=0.01)


def _draw_melody(axis: Any, sample: Sample) -> None:
    for name, contour, colour in (
        ("target", sample.target_f0, TARGET_COLOUR), ("spoken", sample.predicted_f0, PREDICTED_COLOUR)
    ):  # fmt: skip
        if contour is not None:
            times = (np.arange(len(contour)) + 0.5) * sample.frame_seconds
            axis.plot(times, contour, color=colour, linewidth=1.5, label=name, alpha=0.9)
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis.set_yscale("log")
    axis.yaxis.set_major_locator(FixedLocator(F0_TICKS))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda hz, _: f"{hz:g}"))
    axis.set_ylabel("F0 (Hz)")
    axis.grid(color="#dddddd", linewidth=0.6)
    axis.legend(loc="upper right", ncols=2, fontsize=8)
