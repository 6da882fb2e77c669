"""Pictures and sounds that lie inside a report page: SVG that follows the page's colours, audio as data URIs."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from prosody_transfer.evaluation.figures import EVALUATION_RATE, HOP_SECONDS
from prosody_transfer.evaluation.trackers import Contour

# Colours that can be told apart by the colour-blind; in the page they are variables, so that it can change them.
COLOURS = {"#1b6ca8": "var(--source)", "#d1495b": "var(--output)", "#3a8f5c": "var(--exact)", "#010203": "currentColor"}
SOURCE, OUTPUT, EXACT, INK = COLOURS
GREY = "#808890"
WINDOW, SHOWN_DB, TICKS_HZ = 400, 70.0, (50, 75, 100, 150, 200, 300, 400, 500, 700)
LONGEST_SECONDS = 15.0  # of a recording that is drawn and played whole


def can_draw() -> bool:
    """True when matplotlib is installed."""
    return find_spec("matplotlib") is not None


def make_axes(width: float, heights: Sequence[float], share_x: bool = True) -> tuple[Any, Any]:
    """A figure without pyplot, so that no display and no global state is needed; sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(width, sum(heights)), layout=ConstrainedLayoutEngine(h_pad=0.03, hspace=0.01))
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(heights), 1, sharex=share_x, squeeze=False, gridspec_kw={"height_ratios": heights})
    for axis in axes[:, 0]:
        axis.tick_params(colors=INK, which="both", labelsize=8)
        axis.yaxis.label.set_color(INK)
        axis.xaxis.label.set_color(INK)
        for name, spine in axis.spines.items():
            spine.set_color(GREY)
            spine.set_visible(name in ("left", "bottom"))
    return figure, axes[:, 0]


def to_svg(figure: Any, name: str, label: str) -> str:
    """The figure as an <svg> element: no address of anything outside, ids of its own, the page's colours."""
    import matplotlib

    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "svg.id": None}):
        figure.savefig(buffer, format="svg", transparent=True, dpi=110, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.S)
    text = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'<svg\b[^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" role="img" aria-label="{label}">', text)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px var(--font)", text)
    for colour, variable in COLOURS.items():
        text = text.replace(colour, variable)
    return text


def spectrogram_db(waveform: np.ndarray) -> np.ndarray:
    """(N,) at `EVALUATION_RATE` -> (201, T) dB: Hann windows of 25 ms every 10 ms, frame t centred on t * 10 ms."""
    hop = round(HOP_SECONDS * EVALUATION_RATE)
    padded = np.pad(waveform.astype(float), (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop][: 1 + len(waveform) // hop]
    return 20 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(WINDOW))).T + 1e-6)


def energy_db(waveform: np.ndarray) -> np.ndarray:
    """(T,) dB, its mean over what is within 40 dB of the peak removed; frames as in `spectrogram_db`."""
    hop = round(HOP_SECONDS * EVALUATION_RATE)
    padded = np.pad(waveform.astype(float), (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop][: 1 + len(waveform) // hop]
    level = 10 * np.log10((frames**2).mean(1) + 1e-10)
    return level - level[level > level.max() - 40].mean()


def draw_pair(
    waves: Mapping[str, np.ndarray], contours: Mapping[str, Contour], name: str, label: str, target: str
) -> str:
    """Spectrograms one above the other, F0 and energy over one another, as SVG.

    Args:
        waves: "source", "output" and perhaps "exact", each (N,) at `EVALUATION_RATE`.
        contours: Their melodies, under the same names; F0 is drawn with its median moved to the output's.
        name: Letters and digits; makes the ids in the SVG its own.
        label: What the picture shows, in words.
        target: The target speaker's name.
    """
    order = [(key, waves[key]) for key in ("source", "output", "exact") if key in waves]
    titles = {"source": "source", "output": f"output\n({target})", "exact": f"exact answer\n({target})"}
    colours = {"source": SOURCE, "output": OUTPUT, "exact": EXACT}
    figure, axes = make_axes(9.0, [*[1.15] * len(order), 1.8, 1.4])
    seconds = min(len(waves["source"]) / EVALUATION_RATE, LONGEST_SECONDS)
    for axis, (key, wave) in zip(axes, order, strict=False):
        _draw_spectrogram(axis, wave, titles[key])
    pitch, energy = axes[-2:]
    for key, wave in order:
        times = np.arange(1 + len(wave) // round(HOP_SECONDS * EVALUATION_RATE)) * HOP_SECONDS
        energy.plot(times, energy_db(wave)[: len(times)], color=colours[key], linewidth=1.3, label=key)
        shift = _level_difference(contours[key], contours["output"])
        f0 = np.where(contours[key].voiced, np.exp(contours[key].log_f0 + shift), np.nan)
        moved = f"{key}, moved {12 * shift / np.log(2):+.1f} semitones" if abs(shift) > 1e-6 else key
        pitch.plot(times[: len(f0)], f0[: len(times)], color=colours[key], linewidth=1.5, label=moved)
    _finish(pitch, energy, seconds)
    return to_svg(figure, name, label)


def _level_difference(contour: Contour, output: Contour) -> float:
    """How far the output lies above a contour, ln Hz: the median over frames that are voiced in both."""
    size = min(len(contour.voiced), len(output.voiced))
    both = contour.voiced[:size] & output.voiced[:size]
    return float(np.median((output.log_f0[:size] - contour.log_f0[:size])[both])) if both.any() else 0.0


def _draw_spectrogram(axis: Any, wave: np.ndarray, title: str) -> None:
    levels = spectrogram_db(wave[: int(LONGEST_SECONDS * EVALUATION_RATE)])
    top, frames = float(levels.max()), levels.shape[1]
    extent = (-HOP_SECONDS / 2, (frames - 0.5) * HOP_SECONDS, 0, EVALUATION_RATE / 2000)
    axis.imshow(
        levels, origin="lower", aspect="auto", cmap="magma", vmin=top - SHOWN_DB, vmax=top, extent=extent,
        interpolation="bilinear",
    )  # fmt: skip
    axis.set_yticks([0, 4, 8])
    axis.set_ylabel(f"{title}\n(kHz)", fontsize=8)


def _finish(pitch: Any, energy: Any, seconds: float) -> None:
    """Scales, grids and the legend of the two contour rows."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    drawn = np.concatenate([line.get_ydata() for line in pitch.get_lines()] or [np.zeros(0)])
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size:
        pitch.set_yscale("log")
        pitch.set_ylim(drawn.min() / 1.08, drawn.max() * 1.3)
        pitch.yaxis.set_major_locator(FixedLocator(TICKS_HZ))
        pitch.yaxis.set_minor_locator(NullLocator())
        pitch.yaxis.set_major_formatter(FuncFormatter(lambda hz, _: f"{hz:g}"))
        pitch.legend(loc="upper right", ncols=3, frameon=False, fontsize=8, labelcolor=INK)
    pitch.set_ylabel("F0 (Hz)", fontsize=8)
    energy.set_ylabel("energy (dB)", fontsize=8)
    energy.set_ylim(-45, 15)
    energy.set_xlim(0, seconds)
    energy.set_xlabel("time (s)", fontsize=8)
    for axis in (pitch, energy):
        axis.grid(color=GREY, alpha=0.25, linewidth=0.6)


def draw_spread(groups: Mapping[str, Sequence[float]], judged: str, name: str, label: str) -> str:
    """How the values of one figure lie, a row a system: every value a dot, the box its quartiles, as SVG."""
    figure, (axis,) = make_axes(6.4, [0.5 + 0.34 * len(groups)])
    rng = np.random.default_rng(0)
    names = list(groups)
    for row, system in enumerate(reversed(names)):
        data = np.asarray(groups[system], float)
        colour = OUTPUT if system == judged else EXACT if system == "exact" else SOURCE
        height = row + rng.uniform(-0.24, 0.24, len(data))
        axis.plot(data, height, ".", color=colour, alpha=0.5, markersize=7, markeredgewidth=0)
        low, middle, high = np.quantile(data, [0.25, 0.5, 0.75])
        axis.plot([low, high], [row, row], color=INK, linewidth=1)
        axis.plot([middle], [row], "|", color=INK, markersize=13, markeredgewidth=1.8)
    axis.set_yticks(range(len(names)), list(reversed(names)))
    axis.set_ylim(-0.6, len(names) - 0.4)
    axis.grid(axis="x", color=GREY, alpha=0.25, linewidth=0.6)
    return to_svg(figure, name, label)


def audio_uri(waveform: np.ndarray, sample_rate: int, opus: bool = False) -> str:
    """(N,) as a data URI: FLAC of 16 bits, or Opus."""
    import soundfile

    buffer = io.BytesIO()
    kind = {"format": "OGG", "subtype": "OPUS"} if opus else {"format": "FLAC", "subtype": "PCM_16"}
    soundfile.write(buffer, np.clip(waveform, -1, 1).astype(np.float32), sample_rate, **kind)
    return f"data:audio/{'ogg' if opus else 'flac'};base64,{base64.b64encode(buffer.getvalue()).decode()}"
