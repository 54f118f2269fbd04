"""Metrics of recommendation quality, by playlists that people made and by the table alone.

By playlists there is one query for each playlist that holds at least five works of the catalogue: one of them, drawn
by a hash of the playlist's id, is the seed; the others are relevant. A list is read by works; a work that the list
repeats, and the seed's own, are skipped and counted as duplicates.

==========  =========================================================================================
HR@10       share of queries with a relevant work among the first ten
xHR@10      the same, counting only works by another first artist than the seed's
R@100       relevant works among the first hundred, of all relevant ones
nDCG@10     Järvelin and Kekäläinen, "Cumulated gain-based evaluation", TOIS 20 (2002); gain 0 or 1
artists     distinct first artists among the first ten
dup         share of lists whose first ten hold two songs of one work, or the seed's work
AUC         share of pairs of a relevant work and one of 60 others, drawn in proportion to how many playlists
            hold them, in which the relevant one has the higher score; ties count half
coverage    share of the catalogue's works in the first ten of any list
==========  =========================================================================================

By the table alone, from ``TABLE_SEEDS`` songs, the same each time:

==========  =========================================================================================
artist@10   lists of ten that hold another song by the seed's artist, of seeds whose artist has one
album@10    the same for the album
genre@10    share of ten songs by other artists that share a genre with the seed
coverage    works in the lists, of all: never more than ten times as many as seeds
never       works in none of the lists, of all that ten songs a seed could reach
hubness     skewness of how often songs are in lists: Radovanović, Nanopoulos and Ivanović, "Hubs in
            space", JMLR 11 (2010); 0 is even
==========  =========================================================================================

Of the clusters:

=================  ==================================================================================
name_coverage      songs that have a genre that their cluster's name says, of all songs
lowest_coverage    the same for the worst of the clusters that are not called mixed
genre_information  mutual information of cluster and genre, in nats; a song's genres share its weight
evenness           entropy of the clusters' sizes, of what it would be if all were of one size
stability          adjusted Rand index (Hubert and Arabie, Journal of Classification 2, 1985) of the
                   clusters and those that another seed finds, over the songs that these are learned from
pair_information   mutual information, in nats, of the clusters of two songs of a playlist by
                   different first artists; ``PAIRS`` of a playlist at the most
=================  ==================================================================================
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from segue.catalog import Catalog
from segue.catalog.lookup.exact import artist_names
from segue.engine.recommendation import recommend
from segue.engine.space import space_of
from segue.errors import SourceError
from segue.query.schema import Filters, Query, Seed
from segue_build import progress
from segue_build.model import clustering
from segue_build.model.cluster_names import MIXED, share_covered
from segue_build.model.incidence import row_means
from segue_build.model.kmeans import grid_scale, nearest_centroids, sample_rows
from segue_build.sources.playlists import CatalogWorks, Playlists, playlist_frequencies

MIN_WORKS = 5  # works of the catalogue that a playlist must hold
DEPTH = 100
NEGATIVES = 60
BOOTSTRAP_SAMPLES = 300  # bootstrap samples of the queries
QUERY_METRICS = ("HR@10", "xHR@10", "R@100", "nDCG@10", "artists", "dup", "AUC")
TABLE_SEEDS = 500
PAIRS = 20  # of a playlist's songs, at the most
PAIR_DRAWS = 4 * PAIRS  # pairs that are drawn for that, before those that don't count are left out
STABILITY_SONGS = 30_000  # at most, on which clusterings are compared
CHUNK_ROWS = 1_000_000  # songs


@dataclass(frozen=True, slots=True)
class PlaylistQuery:
    """A query: the playlist it is from, the seed's work and the works that are relevant."""

    playlist: str
    seed: int
    relevant: frozenset[int]


def playlist_queries(playlists: Playlists, works: CatalogWorks, ids: Sequence[str]) -> list[PlaylistQuery]:
    """One query for each playlist that holds enough works; ``ids`` of the songs that stand for the works.

    Raises
    ------
    SourceError
        no playlist does.

    """
    queries = []
    for name, members in zip(playlists.names, playlists.members):
        known = [work for work in members if work < len(works.rows)]
        if len(known) >= MIN_WORKS:
            seed = sorted(known, key=lambda work: ids[work])[_hash(f"seed:{name}") % len(known)]
            queries.append(PlaylistQuery(name, seed, frozenset(known) - {seed}))
    if not queries:
        raise SourceError(
            f"none of {len(playlists.names):,} playlists holds {MIN_WORKS} songs of the catalogue: nothing to"
            " judge by"
        )
    return queries


def ranking_metrics(
    queries: Iterable[PlaylistQuery],
    works: CatalogWorks,
    playlists: Playlists,
    rank: Callable[[int], list[int]],
    score: Callable[[int, np.ndarray], np.ndarray],
) -> dict[str, tuple[float, float, float]]:
    """Figures with their 95 % bootstrap intervals.

    Parameters
    ----------
    rank : the seed's work -> works that are recommended, best first, repeats and all; negative: not in the catalogue
    score : the seed's work, works -> scores

    """
    cumulated = np.cumsum(playlist_frequencies(playlists)[: len(works.rows)], dtype=np.float64)
    rows: list[tuple[float, ...]] = []
    shown: set[int] = set()
    for query in queries:
        # Songs outside the catalogue are different misses: as one they would let later songs move up.
        ranked = [work if work >= 0 else -1 - position for position, work in enumerate(rank(query.seed))]
        top = [work for work in dict.fromkeys(ranked) if work != query.seed][:DEPTH]
        shown.update(work for work in top[:10] if work >= 0)
        rows.append((*_list_metrics(query, ranked, top, works), _auc(query, cumulated, score)))
    metrics = np.array(rows, np.float64)
    return {**_bootstrap_intervals(metrics), "coverage": (len(shown) / len(works.rows),) * 3}


def _list_metrics(query: PlaylistQuery, ranked: list[int], top: list[int], works: CatalogWorks) -> tuple[float, ...]:
    hits = [work in query.relevant for work in top]
    other = [hit and works.artists[work] != works.artists[query.seed] for hit, work in zip(hits, top)]
    gain = sum(1 / math.log2(position + 2) for position, hit in enumerate(hits[:10]) if hit)
    ideal = sum(1 / math.log2(position + 2) for position in range(min(10, len(query.relevant))))
    artists = {works.artists[work] for work in top[:10] if work >= 0}
    repeated = len(set(ranked[:10])) < len(ranked[:10]) or query.seed in ranked[:10]
    found = sum(hits) / len(query.relevant)
    return any(hits[:10]), any(other[:10]), found, gain / ideal, len(artists), repeated


def _auc(query: PlaylistQuery, cumulated: np.ndarray, score: Callable[[int, np.ndarray], np.ndarray]) -> float:
    rng = np.random.default_rng(_hash(f"negatives:{query.playlist}"))
    sampled = np.searchsorted(cumulated, rng.random(8 * NEGATIVES) * cumulated[-1], side="right")
    others = [work for work in sampled if work != query.seed and work not in query.relevant][:NEGATIVES]
    relevant = np.array(sorted(query.relevant))
    scores = score(query.seed, np.concatenate([relevant, np.array(others, np.int64)]))
    positives, negatives = scores[: len(relevant), None], scores[None, len(relevant) :]
    return float(((positives > negatives) + 0.5 * (positives == negatives)).mean()) if others else 0.5


def _bootstrap_intervals(metrics: np.ndarray) -> dict[str, tuple[float, float, float]]:
    draws = np.random.default_rng(1).integers(0, len(metrics), (BOOTSTRAP_SAMPLES, len(metrics)))
    low, high = np.percentile(metrics[draws].mean(axis=1), [2.5, 97.5], axis=0)
    mean = metrics.mean(axis=0)
    return {name: (float(mean[k]), float(low[k]), float(high[k])) for k, name in enumerate(QUERY_METRICS)}


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def table_metrics(songs: Catalog, n_seeds: int = TABLE_SEEDS) -> dict[str, float]:
    """Figures from a sample of seeds, the same each time; those of which the table knows nothing are left out."""
    rows = _sample_seeds(songs, n_seeds)
    judged = list(progress.thread_map(lambda row: _judge_seed(songs, row), rows, "judging by the table", " songs"))
    *retrieved, shown = zip(*judged) if judged else ((),) * 4
    means = {
        name: float(np.nanmean(values))
        for name, values in zip(("artist@10", "album@10", "genre@10"), retrieved)
        if not np.isnan(values).all()
    }
    return {**means, **coverage_metrics(shown, int(songs.manifest["works"]))}


def _judge_seed(songs: Catalog, row: int) -> tuple[float, float, float, list[int]]:
    """Hits by artist and by album, the share of other artists' songs of the genre, and the list for one seed."""
    seed, artists = _song_seed(songs, row), tuple(artist_names(songs, row)[:1])
    without_cap = _recommended_rows(songs, row, Query(seed, max_per_artist=None))
    others = _recommended_rows(songs, row, Query(seed, filters=Filters(exclude_artists=artists)))
    return (
        _hit(_songs_by_first_artist(songs, row), without_cap),
        _hit(_songs_on_album(songs, row), without_cap),
        _genre_share(songs, row, others),
        _recommended_rows(songs, row, Query(seed)),
    )


def _sample_seeds(songs: Catalog, n_seeds: int) -> list[int]:
    candidates = RecommendableSongs(songs)
    picks = np.random.default_rng(0).choice(len(candidates), min(n_seeds, len(candidates)), replace=False)
    return [candidates.row(pick) for pick in picks.tolist()]


def _song_seed(songs: Catalog, row: int) -> tuple[Seed]:
    return (Seed("/song_id", {}, id=songs.texts("ids")[row]),)


def _recommended_rows(songs: Catalog, row: int, query: Query) -> list[int]:
    return [found.row for found in recommend(songs, query).recommendations if found.row != row]


def _hit(wanted: set[int], found: Sequence[int]) -> float:
    """1 or 0; NaN where there was nothing to find."""
    return float(bool(wanted & set(found))) if wanted else np.nan


def _songs_by_first_artist(songs: Catalog, row: int) -> set[int]:
    artists = songs.lists("song", "artists")[row]
    theirs = songs.lists("artist", "songs")[int(artists[0])] if len(artists) else ()
    return _other_works(songs, row, theirs)


def _songs_on_album(songs: Catalog, row: int) -> set[int]:
    albums = songs.texts("albums")
    return {other for other in _songs_by_first_artist(songs, row) if albums[row] and albums[other] == albums[row]}


def _other_works(songs: Catalog, row: int, rows: Sequence[int] | np.ndarray) -> set[int]:
    """Those rows that may be recommended and are no version of the song."""
    works, usable, others = songs.array("works"), songs.array("recommendable"), np.asarray(rows, np.int64)
    return set(others[(works[others] != works[row]) & usable[others]].tolist())


def _genre_share(songs: Catalog, row: int, found: Sequence[int]) -> float:
    genres = songs.lists("song", "genres")
    own = set(map(int, genres[row]))
    return float(np.mean([bool(own & set(map(int, genres[other]))) for other in found])) if own and found else np.nan


def coverage_metrics(shown: Sequence[Sequence[int]], n_works: int) -> dict[str, float]:
    """How evenly lists of ten fall on the catalogue: ``coverage``, ``never`` and ``hubness`` of the table above."""
    slots = sum(map(len, shown))
    rows, counts = np.unique([row for rows in shown for row in rows], return_counts=True)
    mean, never = slots / n_works, n_works - len(rows)
    second, third = ((((counts - mean) ** power).sum() + never * (-mean) ** power) / n_works for power in (2, 3))
    skewness = float(third / max(second, 1e-12) ** 1.5)
    return {
        "coverage": len(rows) / n_works,
        "never": 1 - len(rows) / min(n_works, max(slots, 1)),
        "hubness": skewness,
    }


def cluster_metrics(songs: Catalog, seed: int) -> dict[str, float]:
    """Figures of a version's clusters; those of which the table knows nothing are left out.

    seed : of the fit; the clusters that they are compared with are found with the next one
    """
    clusters, genres = song_clusters(songs), song_genres(songs)
    found = _name_metrics(songs, name_coverages(songs)) if genres.nnz else {}
    return found | {
        **({"genre_information": genre_information(clusters, genres)} if genres.nnz else {}),
        "evenness": evenness(np.bincount(clusters)),
        "stability": _stability(songs, clusters, genres, seed),
    }


def song_clusters(songs: Catalog) -> np.ndarray:
    """The index of each song's cluster among the manifest's, int64, shape (n_songs,)."""
    sizes = [entry["size"] for entry in songs.manifest["clusters"]]
    return np.repeat(np.arange(len(sizes)), sizes)


def song_genres(songs: Catalog) -> sparse.csr_matrix:
    """Which genres each song has, 0/1, shape (n_songs, n_genres)."""
    lists = songs.lists("song", "genres")
    ones, offsets = np.ones(len(lists.values), np.float32), np.asarray(lists.offsets, np.int64)
    return sparse.csr_matrix((ones, lists.values, offsets), shape=(len(songs), len(songs.manifest["genres"])))


def name_coverages(songs: Catalog) -> list[float]:
    """For each cluster the share of its songs that have a genre that its name says."""
    codes = {name: code for code, name in enumerate(songs.manifest["genres"])}
    genres = song_genres(songs)
    return [
        share_covered(genres[entry["first"] : entry["first"] + entry["size"]], [codes[n] for n in entry["named"]])
        for entry in songs.manifest["clusters"]
    ]


def _name_metrics(songs: Catalog, shares: Sequence[float]) -> dict[str, float]:
    entries, mixed = songs.manifest["clusters"], MIXED.partition(":")[0]
    clear = [share for share, entry in zip(shares, entries) if not entry["name"].startswith(mixed)]
    mean = float(np.average(shares, weights=[entry["size"] for entry in entries]))
    return {"name_coverage": mean, **({"lowest_coverage": min(clear)} if clear else {})}


def _stability(songs: Catalog, clusters: np.ndarray, genres: sparse.csr_matrix, seed: int) -> float:
    """The adjusted Rand index of the clusters and those that another seed finds in a sample."""
    rows = sample_rows(len(songs), STABILITY_SONGS, seed)
    vectors, ids = songs.array("vectors")[rows], songs.texts("ids").take(rows)
    points = clustering.browsing_points(vectors, grid_scale(vectors, clustering.browsing_weights(space_of(songs))))
    count = songs.manifest["clusters_chosen"]
    centroids = clustering.fit_centroids(points, genres[rows], clustering.song_keys(ids), count, len(songs), seed + 1)
    return float(adjusted_rand_score(clusters[rows], nearest_centroids(points, centroids)))


def agreement_with_previous(songs: Catalog, previous: clustering.PreviousClusters) -> tuple[float, float] | None:
    """How far clusters are those of the version before: the share of its ids that are kept, and how alike they are.

    The second is the adjusted Rand index over songs of a sample that both versions have; None where none is in both.
    """
    rows = sample_rows(len(songs), STABILITY_SONGS, 0)
    ids = songs.texts("ids")
    before = previous.of_songs([ids[row] for row in rows.tolist()])[:, 0]
    if not (before >= 0).any():
        return None
    known = {entry["id"] for entry in previous.manifest["clusters"]}
    kept = len(known & {entry["id"] for entry in songs.manifest["clusters"]}) / len(known)
    return kept, float(adjusted_rand_score(before[before >= 0], song_clusters(songs)[rows[before >= 0]]))


def mutual_information(counts: np.ndarray) -> float:
    """Of two variables, in nats; ``counts`` of each pair of values, shape (n_values, n_values of the other)."""
    joint = counts / counts.sum()
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    there = joint > 0
    return max(0.0, float((joint[there] * np.log(joint[there] / independent[there])).sum()))


def genre_information(clusters: np.ndarray, genres: sparse.csr_matrix) -> float:
    """Mutual information of cluster and genre, in nats, over songs that have a genre; each weighs 1 in all.

    clusters : int64, shape (n_songs,)
    genres : 0/1, shape (n_songs, n_genres), of which at least one is 1
    """
    members = sparse.csr_matrix((np.ones(len(clusters)), (clusters, np.arange(len(clusters)))))
    return mutual_information((members @ row_means(genres)).toarray())


def evenness(sizes: np.ndarray) -> float:
    """Entropy of sizes by the largest that so many groups can have, 0..1; 1 for a single group."""
    shares = sizes[sizes > 0] / sizes.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(len(shares))) if len(shares) > 1 else 1.0


def pair_information(clusters: np.ndarray, pairs: np.ndarray) -> float | None:
    """Mutual information of the clusters of two songs, in nats; None without any pair.

    clusters : int64, shape (n_works,)
    pairs : of works, int64, shape (n_pairs, 2), in either order
    """
    if not len(pairs):
        return None
    n_clusters = int(clusters.max()) + 1
    counts = np.zeros((n_clusters, n_clusters))
    np.add.at(counts, tuple(clusters[pairs.T]), 1)
    return mutual_information(counts + counts.T)


def playlist_pairs(playlists: Playlists, works: CatalogWorks, ids: Sequence[str]) -> np.ndarray:
    """Pairs of works of a playlist by different first artists, int64, shape (n_pairs, 2), the same each time.

    ids : of the songs that stand for the works
    """
    pairs: list[tuple[int, int]] = []
    for name, members in zip(playlists.names, playlists.members):
        known = sorted((work for work in members if work < len(works.rows)), key=lambda work: ids[work])
        draws = np.random.default_rng(_hash(f"pairs:{name}")).integers(0, max(len(known), 1), (PAIR_DRAWS, 2))
        distinct = dict.fromkeys((known[min(draw)], known[max(draw)]) for draw in draws.tolist() if known)
        several = [pair for pair in distinct if works.artists[pair[0]] != works.artists[pair[1]]]
        pairs += several[:PAIRS]
    return np.array(pairs, np.int64).reshape(-1, 2)


class RecommendableSongs:
    """The songs that may be recommended, in the order of the source; a byte of each row of the source is held."""

    def __init__(self, catalog: Catalog):
        self._sources = catalog.array("source_rows")
        recommendable = catalog.array("recommendable")
        self._recommendable = np.zeros(int(self._sources.max()) + 1, bool)  # rows that were merged have numbers, too
        for chunk in _chunks(len(catalog)):
            self._recommendable[self._sources[chunk]] = recommendable[chunk]
        self._cumulated = np.cumsum(
            [0, *(np.count_nonzero(self._recommendable[chunk]) for chunk in _chunks(len(self._recommendable)))]
        )

    def __len__(self) -> int:
        return int(self._cumulated[-1])

    def row(self, index: int) -> int:
        """The catalogue's row of a recommendable song by its index among them."""
        chunk = int(self._cumulated.searchsorted(index, side="right")) - 1
        indices = np.flatnonzero(self._recommendable[chunk * CHUNK_ROWS : (chunk + 1) * CHUNK_ROWS])
        source = chunk * CHUNK_ROWS + indices[index - self._cumulated[chunk]]
        return int(np.argmax(self._sources == source))


def _chunks(size: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK_ROWS) for start in range(0, size, CHUNK_ROWS))
