"""The right answer by brute force: every song scored, sorted, then walked through one by one."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from segue.catalog import Catalog
from segue.catalog.lookup.exact import song_by_id
from segue.catalog.lookup.resolver import resolve_text
from segue.catalog.normalization import normalized, title_variants
from segue.engine import scoring, seeds
from segue.engine.recommendation import recommend
from segue.query.schema import Filters, Query
from segue_build.model.works import work_numbers


def scores(catalog: Catalog, query: Query) -> np.ndarray:
    """The score of every song."""
    found = seeds.resolve(catalog, query.seeds)
    return scoring.Scorer(catalog, found, query.targets).score(np.arange(len(catalog)))


def table(catalog: Catalog) -> pd.DataFrame:
    """The catalogue's table, in its rows' order."""
    frame = pd.read_parquet(catalog.folder / "catalog.parquet")
    firsts = [artists[0] if artists is not None and len(artists) else None for artists in frame["artists"]]
    return frame.assign(
        first=firsts,
        work=work_numbers(frame.assign(artists=firsts)),
        title=[min(title_variants(name), key=len) for name in frame["name"]],
        genre_set=[frozenset(row) if row is not None else frozenset() for row in frame["genres"]],
        by=[frozenset(row) if row is not None else frozenset() for row in frame["artists"]],
        artist_set=[frozenset(map(normalized, row)) if row is not None else frozenset() for row in frame["artists"]],
    )


def passing(frame: pd.DataFrame, filters: Filters) -> np.ndarray:
    """Which songs were analysed and pass the filters."""
    passes = np.array(frame["tempo"] != 0)
    for name, (low, high) in filters.ranges.items():
        passes &= frame[name].astype("float64").between(low, high).to_numpy(bool)
    if filters.explicit is not None:
        passes &= (frame["explicit"] == filters.explicit).fillna(False).to_numpy(bool)
    if filters.genres:
        passes &= ~_disjoint(frame["genre_set"], filters.genres)
    if filters.exclude_genres:
        passes &= _disjoint(frame["genre_set"], filters.exclude_genres)
    if filters.exclude_ids:
        passes &= ~frame["work"].isin(set(frame["work"][frame["id"].isin(filters.exclude_ids)])).to_numpy(bool)
    if filters.exclude_artists:
        passes &= _disjoint(frame["artist_set"], map(normalized, filters.exclude_artists))
    return passes


def _disjoint(sets: pd.Series, unwanted: Iterable[str]) -> np.ndarray:
    unwanted = frozenset(unwanted)
    return np.array([unwanted.isdisjoint(row) for row in sets])


def best(
    catalog: Catalog, frame: pd.DataFrame, query: Query, scored: np.ndarray, allowed: np.ndarray
) -> list[tuple[str, float]]:
    """(id, score) of what must be recommended at diversity 0 and draw 0, given all scores and what passes."""
    stands = _standing(frame, allowed) & ~frame["work"].isin(seed_works(catalog, frame, query)).to_numpy(bool)
    order = (row for row in np.lexsort((np.arange(len(frame)), -scored)) if stands[row])
    chosen = _capped(frame, order, query)
    return [(frame["id"][row], float(scored[row])) for row in sorted(chosen, key=lambda row: (-scored[row], row))]


def _standing(frame: pd.DataFrame, allowed: np.ndarray) -> np.ndarray:
    """Of each work, the most popular version that is allowed."""
    ranked = frame[allowed].assign(row=np.flatnonzero(allowed))
    ranked = ranked.assign(known=ranked["popularity"].fillna(-1)).sort_values(
        ["known", "row"], ascending=[False, True]
    )
    stands = np.zeros(len(frame), bool)
    stands[ranked.drop_duplicates("work")["row"]] = True
    return stands


def seed_works(catalog: Catalog, frame: pd.DataFrame, query: Query) -> set[int]:
    """The works of the seeds that are songs, and of all songs that are called as they are."""
    songs = [seed for seed in query.seeds if seed.id or seed.song]
    rows = [
        song_by_id(catalog, seed.id) if seed.id else resolve_text(catalog, seed.song, seed.artist).row
        for seed in songs
    ]
    return set(frame["work"][frame["title"].isin(set(frame["title"].iloc[rows]))])


def _capped(frame: pd.DataFrame, order: Iterable[int], query: Query) -> list[int]:
    counts: Counter[object] = Counter()
    chosen, refused = [], []
    for row in order:
        if len(chosen) == query.limit:
            break
        if query.max_per_artist in {counts[artist] for artist in frame["by"][row]}:
            refused.append(row)
            continue
        counts.update(frame["by"][row])
        chosen.append(row)
    return chosen + refused[: query.limit - len(chosen)] if query.fill else chosen


def recommended(catalog: Catalog, query: Query) -> list[tuple[str, float]]:
    """(id, score) of what the engine recommends."""
    ids = catalog.texts("ids")
    return [(ids[found.row], found.score) for found in recommend(catalog, query).recommendations]
