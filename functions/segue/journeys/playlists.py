"""A list to be played from its beginning to its end: chosen by the engine, then ordered by how it is to flow."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue import engine
from segue.catalog import Catalog
from segue.engine.seeds import Resolved, resolve, standing
from segue.errors import Fault, InvalidQuery
from segue.journeys import curves, lengths
from segue.journeys.choosing import chosen_well
from segue.journeys.flows import FLOWS, NEEDED, Songs
from segue.query import Seed
from segue.query.journeys import MOST_SONGS, PlaylistQuery

POOL = 4  # times the songs wanted: among which they are chosen
SMALLEST_POOL = 100
DRAWN = 0.5  # of a pool take part in a draw
DIGITS = 6  # of curves


@dataclass(frozen=True, slots=True)
class Playlist:
    """A list.

    seeds : what was found for each
    rows : of the songs, in order
    curve : where the flow wants each song's energy, 0 lowest .. 1 highest; None where it wants none
    flowing : how well the songs follow
    pool : how many songs there were to choose from
    """

    seeds: tuple[Resolved, ...]
    rows: tuple[int, ...]
    curve: tuple[float, ...] | None
    flowing: "Flowing"
    pool: engine.Pool


@dataclass(frozen=True, slots=True)
class Flowing:
    """How well the songs of a list follow.

    correlation : of energy and curve, -1..1; None without a curve
    harmonic : share of neighbours whose keys go together, 0..1
    change : of energy from song to song, mean, 0..1
    """

    correlation: float | None
    harmonic: float
    change: float


def playlist(catalog: Catalog, query: PlaylistQuery) -> Playlist:
    """Make a list.

    Raises
    ------
    UnknownSongs
        a seed names nothing in the catalogue.
    InvalidQuery
        there is no such cluster, no song tells of its energy, or too few songs pass for the time asked for.

    """
    _refuse(catalog, query)
    seeds = resolve(catalog, query.query.seeds) if query.cluster is None else [_typical(catalog, query.cluster)]
    rows, pool = _pool(catalog, query, seeds)
    songs = Songs(catalog, rows)
    chosen = _listed(songs, query)
    curve = curves.curve(query.flow, len(chosen))
    wanted = None if curve is None else tuple(curve.round(DIGITS).tolist())
    listed = tuple(int(row) for row in rows[chosen])
    return Playlist(tuple(seeds), listed, wanted, _flowing(songs, chosen, curve), pool)


def _refuse(catalog: Catalog, query: PlaylistQuery) -> None:
    faults, clusters = [], len(catalog.manifest["clusters"])
    if query.cluster is not None and query.cluster >= clusters:
        faults.append(Fault("/cluster", f"clusters are numbered 0..{clusters - 1}"))
    missing = [name for name in NEEDED[query.flow] if name not in catalog.manifest["attributes"]]
    if missing:
        faults.append(Fault("/flow", f"the table says nothing about {' and '.join(missing)}: ask for another flow"))
    if faults:
        raise InvalidQuery(faults)


def _typical(catalog: Catalog, cluster: int) -> Resolved:
    """The songs nearest to a cluster's centre as a seed."""
    seed = Seed("/cluster", {"cluster": cluster})
    return standing(catalog, seed, catalog.lists("cluster", "songs")[cluster])


def _flowing(songs: Songs, chosen: np.ndarray, curve: np.ndarray | None) -> Flowing:
    energies, followed = songs.energies[chosen], songs.fits[chosen[:-1], chosen[1:]]
    return Flowing(
        None if curve is None else curves.correlation(energies, curve),
        float(followed.mean()) if len(followed) else 1.0,
        float(np.abs(np.diff(energies)).mean()) if len(followed) else 0.0,
    )


def _pool(catalog: Catalog, query: PlaylistQuery, seeds: Sequence[Resolved]) -> tuple[np.ndarray, engine.Pool]:
    """The songs to choose from, the best first; after those of a draw come the others."""
    wanted = query.wanted
    rows, pool = chosen_well(catalog, query.query, seeds, max(SMALLEST_POOL, POOL * wanted), wanted)
    if query.minutes is not None:
        rows = rows[catalog.attribute("duration_ms")[rows] > 0]
    if query.query.draw:
        drawn = random.Random(query.query.draw).sample(range(len(rows)), round(DRAWN * len(rows)))  # noqa: S311 # no secret
        rows = np.concatenate([rows[sorted(drawn)], np.delete(rows, drawn)])
    if query.cluster is not None:
        entry = catalog.manifest["clusters"][query.cluster]
        outside = (rows < entry["first"]) | (rows >= entry["first"] + entry["size"])
        rows = rows[np.argsort(outside, kind="stable")]
    return rows, pool


def _listed(songs: Songs, query: PlaylistQuery) -> np.ndarray:
    """Places of the songs of a list, in order; where its time is not met in any other way, of songs that meet it."""
    flow = FLOWS[query.flow]
    if query.minutes is None:
        return flow(songs, query.flow, min(query.songs or 0, len(songs))).order
    asked = query.minutes * lengths.MINUTE
    for count in lengths.counts(songs.durations, asked, MOST_SONGS):
        ordered = flow(songs, query.flow, count)
        listed = lengths.exchanged(ordered.order, songs.durations, asked, ordered.may)
        if lengths.met(songs.durations[listed], asked):
            return listed
    filling = lengths.filling(songs.durations, asked, MOST_SONGS)
    return filling[flow(songs.at(filling), query.flow, len(filling)).order]
