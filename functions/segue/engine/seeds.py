"""From a query's seeds to points of the space."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import popularity, prefetch
from segue.catalog.lookup.moods import Description
from segue.catalog.lookup.resolver import Resolution, match_by_id, resolve_name, resolve_text, search
from segue.engine.scoring import SeedPoints
from segue.engine.search import AllowedSongs
from segue.engine.space import rank_transform, space_of, squared_distances
from segue.errors import Fault, InvalidQuery, UnknownSong, UnknownSongs
from segue.limits import SEED, charge, checked, checkpoint
from segue.query.schema import ATTRIBUTES_BY_NAME, AUDIO_FEATURES, Filters, Query, Seed

MAX_SUGGESTIONS = 5
MAX_POINTS = 400  # that stand for all seeds of a request; with more than twenty seeds each has fewer
MAX_POINTS_TIMES_SONGS = 40_000  # asked for; a list of more than a hundred songs has fewer points in all
SEARCH_POINTS = 32  # that a search is made with: more are thinned
POINTS_PER_SEED = 20  # songs that stand for an artist; of a cluster the artifacts keep as many, of a genre fewer
MAX_MULTIPLIER = 1023  # of a column, so that squared distances are whole numbers that float64 holds
_NO_SONGS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class ResolvedSeed(SeedPoints):
    """What a seed means in a catalogue.

    match : what a text or an id was found to mean; None for genres, clusters and features
    """

    match: Resolution | None = None

    @property
    def is_song(self) -> bool:
        """Whether the seed means one song."""
        return self.seed.id is not None if self.match is None else self.match.row is not None

    @property
    def description(self) -> Description | None:
        """The description of music that the seed is, if it is one."""
        described = self.match and self.match.reading
        return described if isinstance(described, Description) else None


def resolve(catalog: Catalog, seeds: Sequence[Seed], n_songs: int = 1) -> list[ResolvedSeed]:
    """Find what each seed means.

    n_songs : that are asked for

    Raises
    ------
    InvalidQuery
        raw features in which no songs of this catalogue differ.
    UnknownSongs
        carries every seed that names nothing.

    """
    charge(SEED, len(seeds))
    names = [(seed.song, seed.artist) for seed in seeds if seed.song or seed.artist]
    prefetch(catalog, [seed.id for seed in seeds if seed.id], names)
    by_features = {
        position: _resolve_features(catalog, seed, seed.features)
        for position, seed in checked(enumerate(seeds))
        if seed.features is not None
    }
    found, unknown = [], []
    points = min(POINTS_PER_SEED, min(MAX_POINTS, MAX_POINTS_TIMES_SONGS // n_songs) // len(seeds))
    for position, seed in enumerate(seeds):
        checkpoint()
        try:
            found.append((_NO_SONGS, None) if position in by_features else _songs_and_match(catalog, seed, points))
        except UnknownSong as error:
            unknown.append(error)
    if unknown:
        raise UnknownSongs(unknown, *_suggestions(catalog, unknown))
    for position, (rows, match) in enumerate(found):
        if match and not len(rows):  # a description by features alone
            features = match.reading.targets if isinstance(match.reading, Description) else {}
            described = _resolve_features(catalog, seeds[position], _audio_features(features))
            by_features[position] = replace(described, match=match)
    catalog.prefetch_rows(lambda: np.concatenate([rows for rows, _ in found]), "vectors", "present")
    return [
        by_features.get(position) or seed_of_songs(catalog, seed, *found[position])
        for position, seed in enumerate(seeds)
    ]


def complete(catalog: Catalog, query: Query, seeds: Sequence[ResolvedSeed]) -> Query:
    """A query with what its seeds describe, whose relative targets have become values.

    Raises
    ------
    InvalidQuery
        no seed of positive weight has an attribute of which more or less is asked for.

    """
    return _with_relative_targets(catalog, _with_descriptions(query, seeds), seeds)


def _with_descriptions(query: Query, seeds: Sequence[ResolvedSeed]) -> Query:
    """A query with the targets and years that its seeds describe, where it has none itself.

    Targets pull away from the genres that are described with them, which therefore filter: the piano in "sad piano".
    """
    described = [seed.description for seed in seeds if seed.seed.weight > 0]
    targets: dict[str, float] = {}
    ranges: dict[str, tuple[float, float]] = {}
    genres: tuple[str, ...] = ()
    for description in filter(None, described):
        targets |= description.targets
        ranges |= {"year": description.years} if description.years else {}
        genres += description.genres if description.targets else ()
    if not targets and not ranges:
        return query
    filters = replace(query.filters, ranges={**ranges, **query.filters.ranges}, genres=query.filters.genres or genres)
    return replace(query, targets={**targets, **query.targets}, filters=filters)


def _with_relative_targets(catalog: Catalog, query: Query, seeds: Sequence[ResolvedSeed]) -> Query:
    """Differences from the seeds as values, within the attributes' ranges."""
    if not query.relative_targets:
        return query
    targets, faults = dict(query.targets), []
    for name, difference in query.relative_targets.items():
        values = [value for seed in seeds if seed.seed.weight > 0 for value in _values(catalog, seed, name)]
        if values:
            attribute = ATTRIBUTES_BY_NAME[name]
            targets[name] = min(max(sum(values) / len(values) + difference, attribute.low), attribute.high)
        else:
            faults.append(Fault(f"/targets/{name}", "no seed has a value to differ from: give a number"))
    if faults:
        raise InvalidQuery(faults)
    return replace(query, targets=targets, relative_targets={})


def _values(catalog: Catalog, seed: ResolvedSeed, name: str) -> list[float]:
    """What the songs of a seed have of an attribute, or what was asked for by raw features."""
    if seed.rows:
        values = catalog.attribute(name, list(seed.rows)).astype(np.float64)
        return [value for value in values.tolist() if value == value]
    return [value for given, value in (seed.seed.features or {}).items() if given == name]


def _songs_and_match(catalog: Catalog, seed: Seed, points: int) -> tuple[np.ndarray, Resolution | None]:
    """The songs that stand for a seed, ``points`` at most, and what it was found to mean."""
    if seed.genre is not None:
        return _songs_of_genre(catalog, seed.genre, points), None
    if seed.cluster is not None:
        return catalog.lists("cluster", "songs").head(catalog.cluster_indices[seed.cluster], points), None
    match = (
        _match_artist(catalog, seed) if seed.song is None and seed.artist is not None else _match_song(catalog, seed)
    )
    if match.artist is not None:
        return catalog.lists("artist", "songs").head(match.artist, points), match
    if isinstance(match.reading, Description):
        return _songs_of_description(catalog, match.reading, points), match
    return np.array([match.row]), match


def _songs_of_genre(catalog: Catalog, genre: str, points: int) -> np.ndarray:
    songs: np.ndarray = catalog.lists("genre", "songs").head(catalog.manifest["genres"].index(genre), points)
    return songs


def _songs_of_description(catalog: Catalog, described: Description, points: int) -> np.ndarray:
    """The songs of its genres, or the best known of its years; none if it has neither genres nor years alone."""
    if described.genres:
        each = math.ceil(points / len(described.genres))
        return np.unique(np.concatenate([_songs_of_genre(catalog, name, each) for name in described.genres]))
    if _audio_features(described.targets):
        return _NO_SONGS
    ranges = {"year": described.years} if described.years else {}
    rows = AllowedSongs(catalog, Filters(ranges=ranges)).rows()
    return rows[np.lexsort((rows, -popularity(catalog, rows)))[:points]]


def _audio_features(targets: Mapping[str, float]) -> dict[str, float]:
    return {one.name: targets[one.name] for one in AUDIO_FEATURES if one.name in targets}


def _match_artist(catalog: Catalog, seed: Seed) -> Resolution:
    match = resolve_name(catalog, seed.artist or "")
    if match is None:
        raise UnknownSong(f"no artist is called '{seed.artist}'", seed.pointer, seed.artist, is_artist=True)
    return match


def _match_song(catalog: Catalog, seed: Seed) -> Resolution:
    if seed.id is not None:
        found = match_by_id(catalog, seed.id)
        if found is None:
            raise UnknownSong(f"no song has the id '{seed.id}'", seed.pointer)
        return Resolution(found)
    title = seed.song or ""  # never empty: the parser lets no other seed through
    match = resolve_text(catalog, title, seed.artist)
    if match is None:
        by = f" by '{seed.artist}'" if seed.artist else ""
        raise UnknownSong(f"no song is called '{title}'{by}", seed.pointer, f"{title} {seed.artist or ''}".strip())
    return match


def _suggestions(catalog: Catalog, unknown: Sequence[UnknownSong]) -> tuple[list[int], list[int]]:
    """Rows of songs, or of artists, that the first unknown name may mean: a search costs as much as an answer."""
    named = next((error for error in unknown if error.name), None)
    if named is None or named.name is None:
        return [], []
    found = search(catalog, named.name, MAX_SUGGESTIONS)
    if named.is_artist:
        return [], list(found.artists[:MAX_SUGGESTIONS])
    return [match.row for match in found.songs], []


def thin(catalog: Catalog, seeds: Sequence[SeedPoints]) -> list[SeedPoints]:
    """Seeds of one point each, ``SEARCH_POINTS`` at the most of either sign, that stand for those of many points.

    A point that is left out gives its weight to the nearest that stays. A dislike keeps its own, relative to the mean
    of the others, since of several the strongest counts.
    """
    weights = np.repeat(
        [seed.seed.weight / len(seed.vectors) for seed in seeds], [len(seed.vectors) for seed in seeds]
    )
    points = [
        SeedPoints(seed.seed, seed.rows[number : number + 1], vector[None], known[None])
        for seed in seeds
        for number, (vector, known) in enumerate(zip(seed.vectors, seed.known))
    ]
    vectors = np.concatenate([point.vectors * point.known for point in points])
    result: list[SeedPoints] = []
    mean_ratio = 1.0
    for of_sign in (np.flatnonzero(weights > 0), np.flatnonzero(weights < 0)):
        if not len(of_sign):
            continue
        chosen, merged = _representatives(catalog, vectors[of_sign], np.abs(weights[of_sign]))
        if weights[of_sign[0]] > 0:
            positive = [seed.seed.weight for seed in seeds if seed.seed.weight > 0]
            mean_ratio = merged.mean() / (sum(positive) / len(positive))
        elif result:
            merged = np.array([-points[of_sign[number]].seed.weight for number in chosen]) * mean_ratio
        result += [
            replace(
                points[number], seed=replace(points[number].seed, weight=float(np.sign(weights[number]) * weight))
            )
            for number, weight in zip(of_sign[chosen].tolist(), merged.tolist())
        ]
    return result


def _representatives(catalog: Catalog, vectors: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the points that stand for all, and the weights of those for which each stands, itself included.

    The heaviest first, then always the one with the greatest weight times squared distance from those before: greedy
    k-means++ without dice (Arthur and Vassilvitskii, SODA 2007). Distances are whole numbers, the same everywhere.
    """
    charge(SEED, SEARCH_POINTS)
    column_weights = space_of(catalog).column_weights
    points = vectors * np.rint(column_weights * (MAX_MULTIPLIER / column_weights.max()))
    chosen, distances, nearest = (
        [int(weights.argmax())],
        np.full(len(points), np.inf),
        np.zeros(len(points), np.int64),
    )
    while True:
        from_last = squared_distances(points, points[chosen[-1:]])[:, 0]
        nearest[from_last < distances] = len(chosen) - 1
        distances = np.minimum(distances, from_last)
        if len(chosen) == SEARCH_POINTS or not distances.any():
            return np.array(chosen), np.bincount(nearest, weights, len(chosen))
        chosen.append(int((weights * distances).argmax()))


def seed_of_songs(catalog: Catalog, seed: Seed, rows: np.ndarray, match: Resolution | None = None) -> ResolvedSeed:
    """A seed for which songs stand."""
    vectors = catalog.take("vectors", rows)
    known = space_of(catalog).known_columns(catalog.take("present", rows))
    return ResolvedSeed(seed, tuple(int(row) for row in rows), vectors, known, match)


def _resolve_features(catalog: Catalog, seed: Seed, features: Mapping[str, float]) -> ResolvedSeed:
    charge(SEED)  # once more: they are looked up in the distributions of all songs
    vector, known = space_of(catalog).embed_features(features, rank_transform(catalog))
    if not known.any():
        raise InvalidQuery([Fault(f"{seed.pointer}/features", "no songs of this catalogue differ in these features")])
    return ResolvedSeed(seed, (), vector[None], known[None])
