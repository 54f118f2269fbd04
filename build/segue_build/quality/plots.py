"""Plots as SVG texts, of data that :mod:`segue_build.quality.report_data` computes; their captions are on the page.

No text of a catalogue is ever drawn: fonts lack letters, and names belong where they can be read and copied.
"""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from segue.query.schema import NUMERIC_ATTRIBUTES, Attribute
from segue_build.quality.report_data import ClusterFit, SongMap

INK, FAINT, MAIN, ACCENT = "#1f2933", "#9aa5b1", "#3a6ea5", "#d1495b"
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "segue",  # the same plot is the same bytes
    "svg.fonttype": "none",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.unicode_minus": False,
}
METADATA: dict[str, Any] = {"Creator": None, "Date": None, "Format": None, "Type": None}
COLUMNS = 5  # small multiples in a row
CLIPPED_PERCENT = 0.5  # per cent at either end that are counted in the outermost bars


def colours(sizes: Sequence[int]) -> list[str]:
    """Colours of clusters: families have hues all round the wheel, and the clusters of one are shades of its hue.

    sizes : how many clusters each family has
    """
    shades = [(hue / len(sizes), (place + 0.5) / size) for hue, size in enumerate(sizes) for place in range(size)]
    hsv = [(hue, 0.9 - 0.5 * shade, 0.5 + 0.45 * shade) for hue, shade in shades]
    return [mpl.colors.to_hex(tuple(mpl.colors.hsv_to_rgb(colour))) for colour in hsv]


def histograms(values: Mapping[str, np.ndarray]) -> str:
    """How numbers are distributed, one small plot each.

    values : attribute -> known values, shape (n_known,), of which there is at least one

    Returns
    -------
    Nothing, ``""``, where no attribute is known.

    """
    if not values:
        return ""
    known = [attribute for attribute in NUMERIC_ATTRIBUTES if attribute.name in values]
    down = -(-len(known) // COLUMNS)
    with _figure(11, 1.75 * down) as figure:
        grid = figure.subplots(down, COLUMNS, squeeze=False).ravel()
        for axes, attribute in zip(grid, known):
            _histogram(axes, attribute, values[attribute.name])
        for axes in grid[len(known) :]:
            axes.set_axis_off()
        return _svg(figure)


def elbow(fits: Sequence[ClusterFit], used: ClusterFit, tried: Mapping[int, float], chosen: int) -> str:
    """Distance to the centre, and silhouette, over the number of clusters, and by what the number was chosen.

    tried : number of clusters -> the sum of simplified silhouette and name coverage
    """
    with _figure(11, 3.2) as figure:
        left, middle, right = figure.subplots(1, 3)
        _curve(left, [(s.k, s.inertia) for s in fits], (used.k, used.inertia))
        left.set(title="mean squared distance to the centre", xlabel="clusters", ylim=(0, None))
        _curve(middle, [(s.k, s.silhouette) for s in fits], (used.k, used.silhouette))
        middle.set(title="mean silhouette", xlabel="clusters")
        _curve(right, list(tried.items()), (chosen, tried.get(chosen)), "chosen")
        right.set(title="silhouette and name coverage, numbers tried", xlabel="clusters")
        return _svg(figure)


def cluster_map(songs: SongMap, palette: Sequence[str], ids: Sequence[int]) -> str:
    """The map, a cluster's number on a song in its middle.

    palette, ids : of each cluster its colour and number
    """
    with _figure(11, 8.5) as figure:
        axes = figure.subplots()
        axes.set_axis_off()
        across, up = songs.coordinates.T
        colour = np.array(palette)[songs.clusters]
        axes.scatter(across, up, s=5, c=colour, linewidths=0, alpha=0.75, rasterized=True)
        axes.margins(0.03)
        for index in np.unique(songs.clusters).tolist():
            x, y = _central_point(songs.coordinates[songs.clusters == index])
            badge = {
                "boxstyle": "round,pad=0.25",
                "facecolor": "white",
                "edgecolor": palette[index],
                "linewidth": 1.6,
            }
            axes.text(x, y, str(ids[index]), ha="center", va="center", weight="bold", bbox=badge, in_layout=False)
        return _svg(figure)


def metric_history(metrics: Sequence[tuple[float, float, float] | None], current: int) -> str:
    """One figure over the versions, oldest first, with its interval.

    metrics : of each version its mean, low and high, None where it was not measured
    current : which version is the current one
    """
    with _figure(2.6, 1.5) as figure:
        axes = figure.subplots()
        for place, measured in enumerate(metrics):
            if measured is not None:
                mean, low, high = measured
                colour = ACCENT if place == current else MAIN
                axes.plot([place, place], [low, high], color=colour, linewidth=1.4)
                axes.plot([place], [mean], "o", color=colour, markersize=5)
        axes.set(xlim=(-0.5, len(metrics) - 0.5), xticks=range(len(metrics)), xticklabels=[])
        axes.margins(y=0.2)
        return _svg(figure)


def data_uri(svg: str) -> str:
    """An SVG as the source of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _histogram(axes: Axes, attribute: Attribute, values: np.ndarray) -> None:
    low, high = np.percentile(values, [CLIPPED_PERCENT, 100 - CLIPPED_PERCENT])
    scale = 60_000 if attribute.name == "duration_ms" else 1
    if attribute.is_integer and high - low <= 12:
        kinds, counts = np.unique(values, return_counts=True)
        axes.bar(kinds, counts, width=0.8, color=MAIN)
    else:
        edges = np.linspace(low, high if high > low else low + 1, 31) / scale
        axes.hist(np.clip(values, low, high) / scale, edges.tolist(), color=MAIN)
    axes.set_title("duration, minutes" if scale > 1 else attribute.name.replace("_", " "))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=attribute.is_integer))


def _central_point(coordinates: np.ndarray) -> np.ndarray:
    """The point nearest to the median of all: unlike the median itself, one of them is there."""
    return coordinates[((coordinates - np.median(coordinates, axis=0)) ** 2).sum(axis=1).argmin()]


def _curve(
    axes: Axes, points: Sequence[tuple[int, float | None]], used: tuple[int, float | None], what: str = "in use"
) -> None:
    known = [(k, value) for k, value in points if value is not None]
    axes.plot([k for k, _ in known], [value for _, value in known], "o-", color=MAIN, markersize=4, label="k-means")
    if used[1] is not None:
        axes.axvline(used[0], color=ACCENT, linewidth=0.8, linestyle=":")
        axes.plot([used[0]], [used[1]], "D", color=ACCENT, markersize=7, label=f"{what}: {used[0]}")
    if known or used[1] is not None:
        axes.legend(frameon=False)


@contextmanager
def _figure(width: float, height: float) -> Iterator[Figure]:
    """A figure in our style, whatever matplotlib's global settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield Figure(figsize=(width, height), layout="constrained")


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata=METADATA, dpi=160, transparent=True)
    return file.getvalue()
