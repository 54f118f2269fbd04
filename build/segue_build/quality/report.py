"""``segue report``: one HTML page, complete in itself: what a version holds and how good it is."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from segue import releases
from segue.catalog import Catalog, version_files
from segue.catalog.lookup.exact import artist_names
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue.releases import open_store
from segue.releases.store import Store
from segue_build.arguments import check_output_file
from segue_build.progress import one_thread_each, stage
from segue_build.quality import plots
from segue_build.quality.evaluate import METRIC_DESCRIPTIONS
from segue_build.quality.metrics import song_clusters
from segue_build.releases import version_history

TEMPLATE = "report.html"
FILE = f"/{version_files.MANIFEST}"
SPOTIFY_ID = re.compile(r"[A-Za-z0-9]{22}")
MAX_ARTISTS = 3  # of a song's artists
Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Song:
    """A song as the page names it; address : where it can be played, if anywhere."""

    name: str
    artists: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure of quality: mean, low and high of the current version, and a plot where there is a history."""

    name: str
    interval: Interval
    plot: str


def report(artifacts: str | Path, out: Path) -> None:
    """Write the page of the current version; the same version and history give the same bytes.

    Raises
    ------
    SegueError
        there is no version to report on, or no place for the page.

    """
    check_output_file(out)
    catalog = releases.load(artifacts)
    with one_thread_each():  # or the map would move
        page = render(catalog, quality_by_version(open_store(str(artifacts))))
    aside = out.with_name(f".{out.name}.partial")
    aside.write_text(page, encoding="utf-8")
    aside.replace(out)


def render(catalog: Catalog, history: Mapping[str, Any]) -> str:
    """Compose the page.

    history : version -> the quality in its manifest, oldest first
    """
    with stage("reading the table"):
        columns, families = plots.summarize_columns(catalog), plots.summarize_families(catalog)
    with stage(f"trying {len(plots.CLUSTER_COUNTS)} numbers of clusters"):
        fits, used = plots.try_cluster_counts(plots.browsing_vectors(catalog), song_clusters(catalog))
    with stage("drawing the map"):
        song_map = plots.sample_map(catalog)
    clusters = {cluster.id: cluster for family in families for cluster in family.clusters}
    colours = dict(zip(clusters, plots.colours([len(family.clusters) for family in families])))
    coverages = catalog.manifest["coverages"]
    tried = {int(count): value + coverages[count] for count, value in catalog.manifest["silhouettes"].items()}
    ids = [entry["id"] for entry in catalog.manifest["clusters"]]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"amount": format_number, "image": plots.data_uri}
    return environment.get_template(TEMPLATE).render(
        catalog=catalog,
        manifest=catalog.manifest,
        columns=columns,
        families=families,
        profile=plots.PROFILE_ATTRIBUTES,
        colours=colours,
        songs={row: _described_song(catalog, row) for cluster in clusters.values() for row in cluster.typical},
        used=used,
        tried=min(len(catalog), plots.KMEANS_SONGS),
        mapped=len(song_map.coordinates),
        histograms=plots.histograms(_known_values(catalog)),
        elbow=plots.elbow(fits, used, tried, catalog.manifest["clusters_chosen"]),
        map=plots.cluster_map(song_map, [colours[one] for one in ids], ids),
        meaning=METRIC_DESCRIPTIONS,
        quality=metrics_with_history(history, catalog.version),
        versions=list(history),
    )


def quality_by_version(store: Store) -> dict[str, Any]:
    """The quality of every version that was judged, in the order in which they were built.

    A version that can't be read has no part in it: it is not the one that is reported on.
    """
    made = {
        name.split("/")[1]: entry.modified
        for name, entry in store.list_files("versions").items()
        if name.endswith(FILE) and not name.startswith("versions/.")
    }
    known = {
        entry["version"]: version_history.entry_time(entry) for entry in reversed(version_history.read_history(store))
    }
    order = sorted(made, key=lambda version: known.get(version) or made[version])
    measured = {version: _quality_in_manifest(store, f"versions/{version}{FILE}") for version in order}
    return {version: quality for version, quality in measured.items() if quality}


def metrics_with_history(history: Mapping[str, Any], version: str) -> dict[str, list[Metric]]:
    """Figures of a version by what they were judged by, each with its history."""
    if version not in history:
        return {}
    place, several = list(history).index(version), len(history) > 1
    found = {}
    for source, metrics in history[version].items():
        over = [_intervals(other.get(source)) for other in history.values()]
        found[source] = [
            Metric(
                name, measured, plots.metric_history([other.get(name) for other in over], place) if several else ""
            )
            for name, measured in _intervals(metrics).items()
        ]
    return {source: metrics for source, metrics in found.items() if metrics}


def _quality_in_manifest(store: Store, name: str) -> dict[str, Any]:
    """The quality in a manifest, if it has any."""
    try:
        found = json.loads(store.read(name).content)["quality"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _intervals(entry: object) -> dict[str, Interval]:
    """Figures with their intervals; a figure without one has a mean alone."""
    found: dict[str, Interval] = {}
    for name, value in entry.items() if isinstance(entry, dict) else ():
        if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 3:
            mean, low, high = value
            found[name] = float(mean), float(low), float(high)
        elif isinstance(value, int | float):
            found[name] = (float(value),) * 3
    return found


def format_number(value: float) -> str:
    """A number as people read it.

    ``1234567`` -> ``1,234,567``; ``0.123456`` -> ``0.123``
    """
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _known_values(catalog: Catalog) -> dict[str, np.ndarray]:
    """The known values of each number that any song has; tempo 0 means that nobody listened."""
    values = {a.name: np.asarray(catalog.attribute(a.name), np.float64) for a in NUMERIC_ATTRIBUTES}
    known = {name: numbers[~np.isnan(numbers)] for name, numbers in values.items()}
    known["tempo"] = known["tempo"][known["tempo"] > 0]
    return {name: numbers for name, numbers in known.items() if len(numbers)}


def _described_song(catalog: Catalog, row: int) -> Song:
    identity = catalog.texts("ids")[row]
    playable = SPOTIFY_ID.fullmatch(identity) and not catalog.manifest["invented"]
    address = f"https://open.spotify.com/track/{identity}" if playable else None
    artists = artist_names(catalog, row)
    more = f" and {len(artists) - MAX_ARTISTS} more" if len(artists) > MAX_ARTISTS else ""
    return Song(catalog.texts("names")[row], ", ".join(artists[:MAX_ARTISTS]) + more, address)
