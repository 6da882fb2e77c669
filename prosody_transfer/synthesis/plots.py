"""Pictures: what was measured on a recording, and a transfer beside its source. Needs the `evaluate` extra."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prosody_transfer.core.extras import DRAWING, require
from prosody_transfer.core.types import SILENCE, Alignment
from prosody_transfer.features.extract import Features
from prosody_transfer.synthesis.report import check_report, write_report

if TYPE_CHECKING:
    from prosody_transfer.synthesis.transfer import TransferResult

SUFFIXES = (".png", ".pdf", ".svg")
SOURCE_COLOUR, OUTPUT_COLOUR = "#1b6ca8", "#d1495b"
F0_TICKS = (50, 60, 75, 90, 100, 120, 150, 175, 200, 250, 300, 350, 400, 500, 600, 700)
MEL_RANGE = 9.0  # ln units shown below the loudest point: 78 dB
_WIDTH_PER_SECOND, _LEAST_WIDTH, _MOST_WIDTH = 3.2, 9.0, 60.0  # inches


def require_matplotlib() -> None:
    """Raises DependencyError, with the remedy, when pictures can't be drawn here."""
    require("evaluate", DRAWING, "--plot")


def plot_features(
    features: Features, alignment: Alignment, path: str | Path, title: str = "", *, overwrite: bool = False
) -> None:
    """Draw a recording's mel-spectrogram, F0 and energy over its phones and words.

    Args:
        features: T frames.
        alignment: Phones and words of the same recording.
        path: .png, .pdf or .svg; it appears whole or not at all.
        title: Written above the picture.
        overwrite: Replace an existing file.

    Raises:
        DependencyError: matplotlib is not installed.
        OutputError: The file exists, its folder can't be written to, or its suffix is unknown.
    """
    require_matplotlib()
    check_report(path, SUFFIXES, overwrite)
    seconds = features.n_samples / features.config.sample_rate
    figure, (labels, mel, pitch, energy) = _figure(seconds, (0.5, 2.2, 1.6, 1.2))
    _draw_labels(labels, alignment, 1.0)
    _draw_mel(mel, features, "")
    _draw_contour(pitch, features, _f0(features), SOURCE_COLOUR, "F0")
    _draw_contour(energy, features, features.energy_db, SOURCE_COLOUR, "energy")
    _finish_contours(pitch, energy, features, legend=False)
    _save(figure, (labels, mel, pitch, energy), alignment, 1.0, title, path, overwrite)


def plot_transfer(result: TransferResult, path: str | Path, *, title: str = "", overwrite: bool = False) -> None:
    """Draw a transfer: both mel-spectrograms, F0 contours (the source's moved to the output's level) and energies.

    Args:
        result: Of a `Transferer`; where the output was not measured, it is measured here.
        path, title, overwrite: As for `plot_features`.

    Raises:
        DependencyError: matplotlib is not installed.
        OutputError: The file exists, its folder can't be written to, or its suffix is unknown.
    """
    require_matplotlib()
    check_report(path, SUFFIXES, overwrite)
    source, output = result.source, result.output or _measure(result)
    seconds = output.n_samples / output.config.sample_rate
    stretch = output.n_frames / source.n_frames
    figure, (labels, above, below, pitch, energy) = _figure(seconds, (0.5, 1.8, 1.8, 1.6, 1.2))
    _draw_labels(labels, result.alignment, stretch)
    _draw_mel(above, source, "source", stretch)
    _draw_mel(below, output, result.speaker)
    shift = _level_difference(source, output)
    moved = f"source, {12 * shift / np.log(2):+.1f} semitones"
    _draw_contour(pitch, source, _f0(source) * np.exp(shift), SOURCE_COLOUR, moved, stretch)
    _draw_contour(pitch, output, _f0(output), OUTPUT_COLOUR, result.speaker)
    _draw_contour(energy, source, source.energy_db, SOURCE_COLOUR, "source", stretch)
    _draw_contour(energy, output, output.energy_db, OUTPUT_COLOUR, result.speaker)
    _finish_contours(pitch, energy, output, legend=True)
    heading = title or _heading(result)
    _save(figure, (labels, above, below, pitch, energy), result.alignment, stretch, heading, path, overwrite)


def _heading(result: TransferResult) -> str:
    report = result.report
    name = Path(report["input"]).name if "input" in report else "source"
    correlation = report.get("f0_correlation")
    return f"{name} in the voice of {result.speaker}" + (f" (F0 correlation {correlation:.2f})" if correlation else "")


def _measure(result: TransferResult) -> Features:
    from prosody_transfer.audio.loudness import normalise_level
    from prosody_transfer.audio.resample import resample
    from prosody_transfer.features.extract import extract

    config = result.source.config
    waveform = resample(result.waveform, result.sample_rate, config.sample_rate)
    return extract(normalise_level(waveform, config.sample_rate)[0], config)


def _level_difference(source: Features, output: Features) -> float:
    """How far the output's melody lies above the source's, ln Hz: the median over frames that are voiced in both."""
    same = source.n_frames == output.n_frames and bool((source.voiced & output.voiced).any())
    if same:
        return float(np.median((output.log_f0 - source.log_f0)[source.voiced & output.voiced]))
    medians = [np.median(f.log_f0[f.voiced]) if f.voiced.any() else 0.0 for f in (output, source)]
    return float(medians[0] - medians[1])


def _f0(features: Features) -> np.ndarray:
    """(T,) Hz, NaN where unvoiced, so that the line breaks there."""
    return np.where(features.voiced, np.exp(features.log_f0), np.nan)


def _times(features: Features, stretch: float = 1.0) -> np.ndarray:
    """(T,) seconds on the output's time axis."""
    return np.arange(features.n_frames) * (features.config.hop_length / features.config.sample_rate * stretch)


def _figure(seconds: float, heights: Sequence[float]) -> tuple[Any, Any]:
    """A figure with rows over one time axis; without pyplot, so that no display and no global state is needed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width = min(_MOST_WIDTH, max(_LEAST_WIDTH, _WIDTH_PER_SECOND * seconds))
    engine = ConstrainedLayoutEngine(h_pad=0.02, hspace=0.02)
    figure = Figure(figsize=(width, 1.25 * sum(heights) + 0.8), layout=engine)
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
    axes[-1].set_xlim(0, seconds)
    axes[-1].set_xlabel("time (s)")
    return figure, axes


def _draw_labels(axis: Any, alignment: Alignment, stretch: float) -> None:
    """Words above phones, each in its interval; the text is fitted in `_fit_labels` when the width is known."""
    axis.set_ylim(0, 2)
    axis.set_yticks([0.5, 1.5], ["phones", "words"])
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    for row, intervals in ((0, alignment.phones), (1, alignment.words)):
        for k, (name, start, end) in enumerate(intervals):
            if name == SILENCE:
                continue
            shade = "#e8eef4" if k % 2 else "#d5e0ea"
            axis.axvspan(start * stretch, end * stretch, row / 2 + 0.02, row / 2 + 0.48, color=shade, linewidth=0)


def _fit_labels(figure: Any, axis: Any, alignment: Alignment, stretch: float) -> None:
    """Write each name as large as its interval allows, upright where that is larger, and not at all below 4 points."""
    low, high = axis.get_xlim()
    points = axis.get_window_extent().width / figure.dpi * 72 / (high - low)
    for y, largest, intervals in ((0.5, 8.0, alignment.phones), (1.5, 10.0, alignment.words)):
        for name, start, end in intervals:
            if name == SILENCE:
                continue
            room = (end - start) * stretch * points
            size = min(largest, room / (0.74 * len(name)))
            turned = size < 5.5 and min(largest, room * 0.9, 36 / (0.62 * len(name))) > size
            if turned:
                size = min(largest, room * 0.9, 36 / (0.62 * len(name)))
            if size >= 4:
                middle = (start + end) / 2 * stretch
                place = {"rotation": 90, "va": "center"} if turned else {"va": "center_baseline"}
                axis.text(middle, y, name, size=size, ha="center", parse_math=False, **place)


def _draw_mel(axis: Any, features: Features, name: str, stretch: float = 1.0) -> None:
    """The mel-spectrogram with ticks in Hz."""
    config = features.config
    step = config.hop_length / config.sample_rate * stretch
    top = float(features.mel.max())
    axis.imshow(
        features.mel, origin="lower", aspect="auto", cmap="magma", vmin=top - MEL_RANGE, vmax=top,
        interpolation="nearest", extent=(-step / 2, (features.n_frames - 0.5) * step, -0.5, config.n_mels - 0.5),
    )  # fmt: skip
    mel = lambda hz: 2595 * np.log10(1 + hz / 700)  # HTK, as `MelConfig` says
    ticks = np.array([500, 1000, 2000, 4000, 8000])
    ticks = ticks[ticks < config.sample_rate / 2]
    places = mel(ticks) / mel(config.sample_rate / 2) * (config.n_mels + 1) - 1
    axis.set_yticks(places, [f"{hz / 1000:g}" for hz in ticks])
    axis.set_ylabel(f"{name}\n(kHz)" if name else "frequency (kHz)")


def _draw_contour(
    axis: Any, features: Features, values: np.ndarray, colour: str, name: str, stretch: float = 1.0
) -> None:
    axis.plot(_times(features, stretch), values, color=colour, linewidth=1.6, label=name, alpha=0.9)


def _finish_contours(pitch: Any, energy: Any, features: Features, legend: bool) -> None:
    """Axes of the two contour rows: F0 in Hz on a logarithmic scale, energy in dB."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    drawn = np.concatenate([line.get_ydata() for line in pitch.get_lines()])
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size:
        pitch.set_yscale("log")
        low, high = drawn.min() / 1.08, drawn.max() * (1.25 if legend else 1.08)
        pitch.set_ylim(low, high)
        pitch.yaxis.set_major_locator(FixedLocator(F0_TICKS if high < 3.5 * low else F0_TICKS[::2]))
        pitch.yaxis.set_minor_locator(NullLocator())
        pitch.yaxis.set_major_formatter(FuncFormatter(lambda hz, _: f"{hz:g}"))
    pitch.set_ylabel("F0 (Hz)")
    top = max(float(np.max(line.get_ydata())) for line in energy.get_lines())
    energy.set_ylim(top - 60, top + 4)
    energy.set_ylabel("energy\n(dB re speech)")
    for axis in (pitch, energy):
        axis.grid(color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
    if legend:
        pitch.legend(loc="upper right", ncols=2, frameon=True, framealpha=0.9, fontsize=8)


def _save(
    figure: Any, axes: Sequence[Any], alignment: Alignment, stretch: float, title: str, path: str | Path,
    overwrite: bool,
) -> None:  # fmt: skip
    """Lines at word borders, labels fitted to the final width, then the file."""
    if title:
        figure.suptitle(title, fontsize=12, parse_math=False)
    edges = {t * stretch for w in alignment.words for t in (w.start, w.end)}
    for axis in axes[1:]:
        shade = "#ffffff55" if axis.images else "#bbbbbb"
        for edge in edges:
            axis.axvline(edge, color=shade, linewidth=0.7, zorder=1.5)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box in a picture is no reason to alarm anyone
        figure.canvas.draw()  # settles the layout, so that the labels' room is known
        figure.set_layout_engine("none")
        _fit_labels(figure, axes[0], alignment, stretch)
        figure.savefig(buffer, format=Path(path).suffix.lower().lstrip("."), dpi=130)
    write_report(path, buffer.getvalue(), overwrite)
