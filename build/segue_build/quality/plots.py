"""What a version looks like: the report's tables, and plots as SVG texts, whose captions are on the page.

No text of a catalogue is ever drawn: fonts lack letters, and names belong where they can be read and copied.
"""

import base64
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score

from segue.catalog import Catalog
from segue.engine.space import rank_transform, space_of
from segue.query.schema import NUMERIC_ATTRIBUTES, Attribute
from segue_build.artifacts.parquet import FILE_NAME
from segue_build.model.clustering import browsing_weights
from segue_build.model.kmeans import sample_rows
from segue_build.quality.metrics import name_coverages, song_clusters

PROFILE_ATTRIBUTES = ("energy", "acousticness", "valence", "danceability", "instrumentalness", "tempo", "popularity")
TYPICAL_SONGS = 5  # songs that stand for a cluster
CLUSTER_COUNTS = (2, 5, 10, 20, 30, 45, 60)  # numbers of clusters
KMEANS_SONGS = 5_000  # songs on which they are tried
MAP_SONGS = 15_000  # songs on the map, at the most
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


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """A column of ``catalog.parquet``.

    missing : songs without a value; an empty text or list is none
    low, middle, high : smallest value, median and largest, where it holds numbers
    """

    name: str
    kind: str
    missing: int
    low: float | None = None
    middle: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """A cluster as people see it.

    coverage : share of its songs that have a genre that its name says
    profile : mean rank of each of ``PROFILE_ATTRIBUTES``, 0..1, None where unknown
    typical : rows of well-known songs near its centre
    """

    id: int
    name: str
    size: int
    coverage: float
    profile: tuple[float | None, ...]
    typical: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FamilySummary:
    """A family of clusters."""

    name: str
    size: int
    clusters: list[ClusterSummary]


@dataclass(frozen=True, slots=True)
class ClusterFit:
    """How well ``k`` clusters fit: mean squared distance to the centre, and silhouette (None where undefined)."""

    k: int
    inertia: float
    silhouette: float | None


@dataclass(frozen=True, slots=True)
class SongMap:
    """Songs in the plane.

    coordinates : float64, shape (n_points, 2)
    clusters : int64, shape (n_points,), the index of each one's cluster
    """

    coordinates: np.ndarray
    clusters: np.ndarray


def summarize_columns(catalog: Catalog) -> list[ColumnSummary]:
    """Every column of the table, in its order."""
    table = pq.ParquetFile(catalog.path(FILE_NAME)).read()
    return [_summarize_column(name, table[name]) for name in table.column_names]


def summarize_families(catalog: Catalog) -> list[FamilySummary]:
    """Every family with its clusters, their mean ranks and songs that stand for them."""
    curve = rank_transform(catalog)
    ranks = [curve(name, np.asarray(catalog.attribute(name), np.float64)) for name in PROFILE_ATTRIBUTES]
    known_songs, coverages = catalog.lists("cluster", "songs"), name_coverages(catalog)
    clusters: dict[int, list[ClusterSummary]] = {}
    for index, entry in enumerate(catalog.manifest["clusters"]):
        members = slice(entry["first"], entry["first"] + entry["size"])
        profile = tuple(_known_mean(values[members]) for values in ranks)
        typical = tuple(map(int, known_songs[index][:TYPICAL_SONGS]))
        found = ClusterSummary(entry["id"], entry["name"], entry["size"], coverages[index], profile, typical)
        clusters.setdefault(entry["family"], []).append(found)
    return [
        FamilySummary(entry["name"], entry["size"], clusters[entry["id"]]) for entry in catalog.manifest["families"]
    ]


def browsing_vectors(catalog: Catalog) -> np.ndarray:
    """Vectors of the space in which clusters are found; float32, shape (n_songs, n_dims)."""
    return np.asarray(catalog.array("vectors"), np.float32) * browsing_weights(space_of(catalog)).astype(np.float32)


def try_cluster_counts(points: np.ndarray, labels: np.ndarray, seed: int = 0) -> tuple[list[ClusterFit], ClusterFit]:
    """k-means with several numbers of clusters on a sample, and beside it the clustering in use.

    Parameters
    ----------
    points : shape (n_songs, n_dims)
    labels : shape (n_songs,), the clustering in use

    """
    rows = sample_rows(len(points), KMEANS_SONGS, seed)
    points, labels = points[rows], labels[rows]
    fits = []
    for k in (k for k in CLUSTER_COUNTS if k < len(points)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct songs than clusters
            fits.append(_cluster_fit(points, KMeans(k, n_init=2, random_state=seed).fit(points).labels_, k))
    return fits, _cluster_fit(points, labels, len(np.unique(labels)))


def sample_map(catalog: Catalog, seed: int = 0) -> SongMap:
    """The map, or a sample of a large one."""
    rows = sample_rows(len(catalog), MAP_SONGS, seed)
    return SongMap(catalog.array("map")[rows].astype(np.float64), song_clusters(catalog)[rows])


def _summarize_column(name: str, values: pa.ChunkedArray) -> ColumnSummary:
    kind, missing = values.type, values.null_count
    if pa.types.is_list(kind):
        empty = pc.sum(pc.equal(pc.list_value_length(values), 0)).as_py() or 0
        return ColumnSummary(name, "list", missing + empty)
    if pa.types.is_string(kind):
        return ColumnSummary(name, "text", missing + (pc.sum(pc.equal(values, "")).as_py() or 0))
    if pa.types.is_boolean(kind):
        return ColumnSummary(name, "yes or no", missing)
    if missing == len(values) or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return ColumnSummary(name, "number", missing)
    bounds = pc.min_max(values).as_py()
    return ColumnSummary(name, "number", missing, bounds["min"], pc.quantile(values, 0.5)[0].as_py(), bounds["max"])


def _known_mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _cluster_fit(points: np.ndarray, labels: np.ndarray, k: int) -> ClusterFit:
    labels = np.unique(labels, return_inverse=True)[1]
    n_labels = int(labels.max()) + 1
    distances = points - _label_means(points, labels, n_labels)[labels]
    silhouette = float(silhouette_score(points, labels)) if 1 < n_labels < len(points) else None
    return ClusterFit(k, float((distances**2).sum(axis=1).mean()), silhouette)


def _label_means(points: np.ndarray, labels: np.ndarray, n_labels: int) -> np.ndarray:
    """Mean point of each label, 0 where it has none; shape (n_labels, n_dims)."""
    sums = np.zeros((n_labels, points.shape[1]))
    np.add.at(sums, labels, points)
    return sums / np.maximum(np.bincount(labels, minlength=n_labels), 1)[:, None]


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
