"""A smooth walk between two songs through real songs.

A way leads from end to end through regions where there are songs; the songs around it are gathered; of these, one for
each place of the walk is chosen so that the steps are small and even.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue import engine
from segue.catalog import Catalog
from segue.engine.filtering import Allowed
from segue.engine.seeds import Resolved, ranks, resolve
from segue.errors import Fault, InvalidQuery
from segue.journeys.caps import Caps
from segue.journeys.gathering import Gathered, gather, way
from segue.journeys.ground import FEW, Ground
from segue.journeys.ruler import ruler_of
from segue.journeys.smoothing import Candidates, fourth_power, smooth
from segue.query import Query
from segue.query.journeys import PathQuery

DRAWN = 0.5  # of the songs around a way take part in a draw
STEADY = 2.0  # a gap between ranks of popularity costs what a step costs that is so many times as long
UNKNOWN_GAP = 0.5  # of ranks, where a song's popularity is not known


@dataclass(frozen=True, slots=True)
class Path:
    """A walk.

    seeds : what was found for its ends and for what lies between
    rows : its songs, from end to end
    steps : distance of each song from the one before, shape (len(rows) - 1,); two songs drawn at random are 1 apart
    after_filters : songs that pass the filters
    """

    seeds: tuple[Resolved, ...]
    rows: tuple[int, ...]
    steps: np.ndarray
    after_filters: int


def path(catalog: Catalog, query: PathQuery) -> Path:
    """Find a walk.

    Raises
    ------
    UnknownSongs
        an end, or what is to lie between, names nothing in the catalogue.
    InvalidQuery
        two of them are one song, or too few songs pass; tells what would have worked.

    """
    seeds = resolve(catalog, query.seeds)
    allowed = Allowed(catalog, query.filters)
    fixed = _fixed(catalog, query, seeds, allowed)
    rows = _walk(catalog, query, np.array(fixed), allowed) if query.length > len(fixed) else fixed
    ruler = ruler_of(catalog)
    return Path(tuple(seeds), tuple(rows), ruler.steps(ruler.points(np.array(rows))), allowed.count())


def _fixed(catalog: Catalog, query: PathQuery, seeds: Sequence[Resolved], allowed: Allowed) -> list[int]:
    """A song for each seed, no work twice; an artist, genre or sound takes one that no song has been named for."""
    works, faults = catalog.array("works"), list[Fault]()
    rows, numbers = dict[int, int](), dict[int, int]()
    for number in sorted(range(len(seeds)), key=lambda number: seeds[number].match is None):
        standing = _standing(catalog, query, seeds[number], allowed)
        row = next((row for row in standing if int(works[row]) not in numbers), None)
        if row is None:
            before = seeds[numbers[int(works[standing[0]])]] if standing else None
            faults.append(_nothing_left(catalog, seeds[number], standing, before))
        else:
            rows[number], numbers[int(works[row])] = row, number
    if faults:
        raise InvalidQuery(faults)
    return [rows[number] for number in range(len(seeds))]


def _nothing_left(catalog: Catalog, seed: Resolved, standing: Sequence[int], before: Resolved | None) -> Fault:
    if before is None:
        return Fault(seed.seed.pointer, "none of the songs that pass the filters stands for it")
    again = f"'{catalog.texts('names')[standing[0]]}' is the song at {before.seed.pointer} again"
    return Fault(seed.seed.pointer, f"{again}: name another, or ask /recommend for songs like it")


def _standing(catalog: Catalog, query: PathQuery, seed: Resolved, allowed: Allowed) -> list[int]:
    """Songs that may stand for a seed, the best first."""
    if seed.match is not None:
        return [seed.match.row]
    if seed.rows:
        passing = allowed(np.array(seed.rows))
        return [seed.rows[place] for place in np.argsort(~passing, kind="stable")]
    nearest = Query((seed.seed,), len(query.seeds), query.filters, max_per_artist=None)
    return [song.row for song in engine.recommend(catalog, nearest).recommendations]


def _walk(catalog: Catalog, query: PathQuery, fixed: np.ndarray, allowed: Allowed) -> list[int]:
    """Rows from end to end."""
    ruler, wanted = ruler_of(catalog), query.length - len(fixed)
    ground = Ground(catalog, ruler, allowed)
    through = way(catalog, ruler, ground, fixed, wanted)
    found = gather(ruler, through, ground.near(through.points), fixed)
    caps, pool = _pool(catalog, query, found)
    if len(pool) < wanted:
        everywhere = _one_by_one(catalog, query, ground.everywhere, fixed, wanted)
        found = gather(ruler, through, everywhere, fixed)
        caps, pool = _pool(catalog, query, found)
    slots = _slots(through.marks, query.length)
    layers = _layers(np.sort(_drawn(pool, query.draw, wanted)), found.fixed, slots, query.length)
    dear = _unsteadiness(catalog, found.rows, fixed, slots, query.length) if query.steady_popularity else None
    free = [slot for slot in range(query.length) if slot not in slots]
    walk = smooth(Candidates(found.points, ruler.unit, dear), layers, free, caps)
    return [int(row) for row in found.rows[walk]]


def _pool(catalog: Catalog, query: PathQuery, found: Gathered) -> tuple[Caps, np.ndarray]:
    """The caps, in which the fixed songs count, and places that may all be taken besides."""
    caps = Caps(catalog, found.rows, query.max_per_artist)
    for place in found.fixed.tolist():
        caps.take(place)
    return caps, caps.together(found.order)


def _one_by_one(catalog: Catalog, query: PathQuery, rows: np.ndarray, fixed: np.ndarray, wanted: int) -> np.ndarray:
    """Songs from everywhere that may all be taken; those of fewest artists first, for they leave most others free.

    Raises
    ------
    InvalidQuery
        there are fewer than are wanted.

    """
    others = np.setdiff1d(rows, fixed)
    credited = np.diff(catalog.array("by_offsets").astype(np.int64))[others]
    caps = Caps(catalog, np.concatenate([others, fixed]), query.max_per_artist)
    for place in range(len(others), len(others) + len(fixed)):
        caps.take(place)
    order = np.concatenate([np.argsort(credited, kind="stable"), np.arange(len(others), len(others) + len(fixed))])
    kept = caps.together(order)
    if len(kept) < wanted:
        raise InvalidQuery([_too_long(query, len(kept) + len(fixed))])
    return others[np.sort(kept)[:: -(-len(kept) // FEW)]]


def _too_long(query: PathQuery, most: int) -> Fault:
    cap = "" if query.max_per_artist is None else f" or a larger max_per_artist than {query.max_per_artist}"
    would = f"ask for {most} songs at the most" if most >= 3 else "no path has fewer than 3 songs"
    return Fault("/length", f"{most} different songs pass the filters, the fixed ones included: {would}{cap}")


def _drawn(pool: np.ndarray, draw: int, wanted: int) -> np.ndarray:
    """Those of a pool that take part in a draw; all in none."""
    size = max(round(DRAWN * len(pool)), wanted)
    return np.array(random.Random(draw).sample(pool.tolist(), size)) if draw else pool  # noqa: S311 # no secret


def _slots(marks: np.ndarray, length: int) -> list[int]:
    """Places of the walk where the fixed songs stand: at their marks, but no two at one."""
    slots = [round(mark * (length - 1)) for mark in marks.tolist()]
    for number in range(1, len(slots)):
        slots[number] = max(slots[number], slots[number - 1] + 1)
    for number in range(len(slots) - 1, 0, -1):
        slots[number] = min(slots[number], length - len(slots) + number)
    return slots


def _layers(pool: np.ndarray, fixed: np.ndarray, slots: Sequence[int], length: int) -> list[np.ndarray]:
    """The songs for each place of a walk: runs of the pool, which is sorted, and the fixed ones in theirs."""
    runs = iter(np.array_split(pool, length - len(fixed)))
    places = dict(zip(slots, fixed))
    return [np.array([places[slot]]) if slot in places else next(runs) for slot in range(length)]


def _unsteadiness(
    catalog: Catalog, rows: np.ndarray, fixed: np.ndarray, slots: Sequence[int], length: int
) -> np.ndarray:
    """What songs cost whose popularity is off the line between the fixed ones', shape (length, len(rows))."""
    curve = ranks(catalog)
    known = curve("popularity", catalog.attribute("popularity")[np.concatenate([rows, fixed])].astype(np.float64))
    levels, ends = known[: len(rows)], np.nan_to_num(known[len(rows) :], nan=0.5)
    wanted = np.interp(np.arange(length), slots, ends)
    gaps = np.nan_to_num(np.abs(levels - wanted[:, None]), nan=UNKNOWN_GAP)
    return fourth_power(np.square(STEADY * gaps))
