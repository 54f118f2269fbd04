"""``segue report``: one HTML page, complete in itself: what a version holds and how good it is."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from threadpoolctl import threadpool_limits

from segue_build.progress import stage
from segue_build.quality import plots, survey
from segue_build.quality.evaluate import MEANING
from segue_build.releases import history
from segue import releases
from segue.catalog import Catalog, lookup, manifest
from segue.query.attributes import NUMERIC
from segue.releases import at
from segue.releases.store import Store

TEMPLATE = "report.html"
FILE = f"/{manifest.NAME}"
SPOTIFY_ID = re.compile(r"[A-Za-z0-9]{22}")
NAMED = 3  # of a song's artists
Measured = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Song:
    """A song as the page names it; address : where it can be played, if anywhere."""

    name: str
    artists: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure of quality: mean, low and high of the current version, and a plot where there is a history."""

    name: str
    measured: Measured
    plot: str


def report(artifacts: str | Path, out: Path) -> None:
    """Write the page of the current version; the same version and history give the same bytes.

    Raises
    ------
    ArtifactsError
        there is no version to report on.

    """
    catalog = releases.load(artifacts)
    with threadpool_limits(1):  # sums in another order would move the map
        page = render(catalog, versions(at(str(artifacts))))
    aside = out.with_name(f".{out.name}.partial")
    aside.write_text(page, encoding="utf-8")
    aside.replace(out)


def render(catalog: Catalog, history: Mapping[str, Any]) -> str:
    """Compose the page.

    history : version -> the quality in its manifest, oldest first
    """
    with stage("reading the table"):
        columns, clusters = survey.columns(catalog), survey.clusters(catalog)
    points = survey.weighted(catalog)
    with stage(f"trying {len(survey.TRIED)} numbers of clusters"):
        spreads, used = survey.tried(points, survey.numbers(catalog))
    with stage("drawing the map"):
        drawn = survey.placed(catalog)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"amount": amount, "image": plots.data_uri}
    return environment.get_template(TEMPLATE).render(
        catalog=catalog,
        manifest=catalog.manifest,
        columns=columns,
        clusters=clusters,
        profile=survey.PROFILE,
        colours=plots.colours(len(clusters)),
        songs={row: _song(catalog, row) for cluster in clusters for row in cluster.typical},
        used=used,
        tried=min(len(catalog), survey.SAMPLE),
        mapped=len(drawn.places),
        histograms=plots.histograms(_known(catalog)),
        elbow=plots.elbow(spreads, used),
        map=plots.scatter(drawn, len(clusters)),
        meaning=MEANING,
        quality=quality(history, catalog.version),
        versions=list(history),
    )


def versions(store: Store) -> dict[str, Any]:
    """The quality of every version that was judged, in the order in which they were built.

    A version that can't be read has no part in it: it is not the one that is reported on.
    """
    made = {
        name.split("/")[1]: entry.modified
        for name, entry in store.names("versions").items()
        if name.endswith(FILE) and not name.startswith("versions/.")
    }
    known = {entry["version"]: history.seconds(entry) for entry in reversed(history.read(store))}
    order = sorted(made, key=lambda version: known.get(version) or made[version])
    judged = {version: _judged(store, f"versions/{version}{FILE}") for version in order}
    return {version: quality for version, quality in judged.items() if quality}


def quality(history: Mapping[str, Any], version: str) -> dict[str, list[Figure]]:
    """Figures of a version by what they were judged by, each with its history."""
    if version not in history:
        return {}
    place, several = list(history).index(version), len(history) > 1
    found = {}
    for judged_by, figures in history[version].items():
        over = [_figures(other.get(judged_by)) for other in history.values()]
        found[judged_by] = [
            Figure(name, measured, plots.history([other.get(name) for other in over], place) if several else "")
            for name, measured in _figures(figures).items()
        ]
    return {judged_by: figures for judged_by, figures in found.items() if figures}


def _judged(store: Store, name: str) -> dict[str, Any]:
    """The quality in a manifest, if it has any."""
    try:
        found = json.loads(store.read(name).content)["quality"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _figures(entry: object) -> dict[str, Measured]:
    """Figures with their intervals; a figure without one has a mean alone."""
    found: dict[str, Measured] = {}
    for name, value in entry.items() if isinstance(entry, dict) else ():
        if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 3:
            mean, low, high = value
            found[name] = float(mean), float(low), float(high)
        elif isinstance(value, int | float):
            found[name] = (float(value),) * 3
    return found


def amount(value: float) -> str:
    """A number as people read it.

    ``1234567`` -> ``1,234,567``; ``0.123456`` -> ``0.123``
    """
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _known(catalog: Catalog) -> dict[str, np.ndarray]:
    """The known values of each number that any song has; tempo 0 means that nobody listened."""
    values = {a.name: np.asarray(catalog.attribute(a.name), np.float64) for a in NUMERIC}
    known = {name: numbers[~np.isnan(numbers)] for name, numbers in values.items()}
    known["tempo"] = known["tempo"][known["tempo"] > 0]
    return {name: numbers for name, numbers in known.items() if len(numbers)}


def _song(catalog: Catalog, row: int) -> Song:
    identity = catalog.texts("ids")[row]
    playable = SPOTIFY_ID.fullmatch(identity) and not catalog.manifest["invented"]
    address = f"https://open.spotify.com/track/{identity}" if playable else None
    artists = lookup.artists_of(catalog, row)
    more = f" and {len(artists) - NAMED} more" if len(artists) > NAMED else ""
    return Song(catalog.texts("names")[row], ", ".join(artists[:NAMED]) + more, address)
