"""The playlist model: a block and neighbour lists from works that co-occur in playlists.

All versions of a work share what is learned. Works that the catalogue lacks are learned from too: four fifths of what
is on playlists shows which of the others belong together.

The block
    Playlists x works, TF-IDF, rows of unit length, truncated SVD; a work's vector is its row of V S, of unit length.
    A ridge regression on the content blocks predicts the vector of works that few playlists hold. To it is added what
    it misses of the artist's other works: the sum of their residuals times their trusts, divided by the sum of the
    trusts and ``PRIOR_WORKS`` (a random effect of the artist). A work held by n playlists has
    n / (n + ``PRIOR_PLAYLISTS``) of its own vector, its *trust*, and the rest of the prediction.
The neighbour lists
    ``raw(s, i) = (co_occurrence(s, i) + ARTIST_WEIGHT * p(i | artist of s)) / n_i ** POPULARITY_EXPONENT``, where p
    is the share of the playlists holding the artist that hold i; the best ``MAX_NEIGHBOURS`` of each work, each
    divided by the best. A work that no playlist holds has the list of its artist.

What is factored or solved is float64: processors then differ far below the codes that are kept.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import normalize

from segue.errors import SourceError
from segue_build import progress
from segue_build.model.embedding import Embedding, append_block
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.playlists import CatalogWorks, Playlists
from segue_build.sources.series import batch_slices

DIMENSIONS = 24
PRIOR_PLAYLISTS = 3
PRIOR_WORKS = 1  # of an artist, by which the mean of their residuals is shrunk
RIDGE_ALPHA = 10.0
ARTIST_WEIGHT = 10  # playlists that the song's artist counts for
POPULARITY_EXPONENT = 0.3  # 0: no correction; 1: popular songs count no more than others
MAX_NEIGHBOURS = 50
MIN_PLAYLISTS = 2  # playlists of two works or more
CHUNK_ROWS = 512  # of the table of pairs; bounds its memory
PLAYLIST_BLOCK_WEIGHT = 2 / 6  # of the block that is learned from playlists
CO_OCCURRENCE_WEIGHT = 3 / 6  # of the neighbour lists


@dataclass(frozen=True, slots=True)
class NeighbourLists:
    """The works that co-occur with each work in playlists.

    list_of_work : int64, shape (n_works,), the list of each work, -1 where it has none
    counts : int64, shape (n_lists,), works in each list
    works : int64, shape (sum of counts,), the works of all lists end to end, the nearest of each first
    weights : float32, the same shape, 0..1, 1 for the nearest
    """

    list_of_work: np.ndarray
    counts: np.ndarray
    works: np.ndarray
    weights: np.ndarray

    def renumbered(self, numbers: np.ndarray, n_works: int) -> "NeighbourLists":
        """The same lists where work w is ``numbers[w]`` of ``n_works``."""
        list_of_work = np.full(n_works, -1, np.int64)
        list_of_work[numbers] = self.list_of_work
        return NeighbourLists(list_of_work, self.counts, numbers[self.works], self.weights)


@dataclass(frozen=True, slots=True)
class PlaylistModel:
    """What playlists teach about the works of a catalogue.

    vectors : float32, shape (n_works, n_dims), of unit length
    playlist_counts : int64, shape (n_works,), playlists that hold each work
    """

    vectors: np.ndarray
    playlist_counts: np.ndarray
    neighbours: NeighbourLists


def add_playlist_block(
    embedding: Embedding, works: np.ndarray, known: CatalogWorks, training: Playlists, seed: int, report: IngestReport
) -> tuple[Embedding, NeighbourLists]:
    """Learn from playlists, and append the block of what was learned.

    Parameters
    ----------
    works : int64, shape (n_songs,), the work of each song
    known : the works that can be recommended, numbered as in ``training``

    Returns
    -------
    The embedding, and neighbour lists of ``works``.

    Raises
    ------
    SourceError
        the playlists are too few to learn from.

    """
    weighted = embedding.vectors[known.rows] * embedding.space.column_weights.astype(np.float32)
    model = fit_playlist_model(training, weighted, seed)
    counts = model.playlist_counts
    report.add_note(
        f"{len(training.names):,} playlists of {sum(map(len, training.members)):,} songs taught,"
        f" {int(counts.sum()):,} of them in the catalogue; {int((counts > 0).sum()):,} of {len(counts):,} works are"
        " on any"
    )
    numbers, n_works = works[known.rows], int(works.max()) + 1
    index_of_work = np.full(n_works, -1, np.int64)
    index_of_work[numbers] = np.arange(len(numbers))
    indices = index_of_work[works]
    block = np.where(indices[:, None] >= 0, model.vectors[indices], np.nan)
    can_seed = (indices >= 0) & (counts[indices] > 0)
    embedding = append_block(embedding, "played", block, can_seed, PLAYLIST_BLOCK_WEIGHT, CO_OCCURRENCE_WEIGHT)
    return embedding, model.neighbours.renumbered(numbers, n_works)


def fit_playlist_model(playlists: Playlists, content: np.ndarray, seed: int) -> PlaylistModel:
    """Learn from playlists.

    content : float32, shape (n_works, n_dims), the catalogue's works by what the table says of them

    Raises
    ------
    SourceError
        there are too few playlists to learn from.

    """
    incidence = _incidence(playlists)
    _check_enough_playlists(incidence[:, : playlists.n_known])
    playlist_counts = np.asarray(incidence.sum(axis=0)).ravel()[: playlists.n_known].astype(np.int64)
    artists = pd.factorize(pd.Series(playlists.artists, dtype="str"))[0]
    return PlaylistModel(
        _work_vectors(incidence, playlist_counts, content, artists[: len(content)], seed),
        playlist_counts,
        _neighbour_lists(incidence, playlist_counts, artists),
    )


def _incidence(playlists: Playlists) -> sparse.csr_matrix:
    """Playlists x works, 0/1."""
    works = np.fromiter(itertools.chain.from_iterable(playlists.members), np.int64)
    starts = np.concatenate([[0], np.cumsum([len(works_of_playlist) for works_of_playlist in playlists.members])])
    shape = (len(playlists.members), len(playlists.artists))
    matrix = sparse.csr_matrix((np.ones(len(works), np.float32), works, starts), shape=shape)
    matrix.sort_indices()
    return matrix


def _check_enough_playlists(incidence: sparse.csr_matrix) -> None:
    """One playlist, or one list of songs over and over, puts all songs in one place."""
    several = incidence[np.diff(incidence.indptr) > 1]
    different = len({row.indices.tobytes() for row in several})
    if different < MIN_PLAYLISTS:
        raise SourceError(
            f"learning takes {MIN_PLAYLISTS} playlists or sessions that differ, each of two or more songs of the"
            f" catalogue; found: {different:,}, of {incidence.shape[0]:,} in all"
        )


def _work_vectors(
    incidence: sparse.csr_matrix, playlist_counts: np.ndarray, content: np.ndarray, artists: np.ndarray, seed: int
) -> np.ndarray:
    work_counts = np.asarray(incidence.sum(axis=0)).ravel()
    known = np.arange(incidence.shape[1]) < len(playlist_counts)
    used = np.flatnonzero(
        np.where(known, work_counts > 0, work_counts > 1)
    )  # seen once elsewhere: ties nothing together
    svd = TruncatedSVD(min(DIMENSIONS, len(used) - 1, incidence.shape[0]), n_iter=4, random_state=seed)
    svd.fit(TfidfTransformer().fit_transform(incidence[:, used].astype(np.float64)))
    own = normalize(svd.components_.T * svd.singular_values_)[used < len(playlist_counts)]
    observed = np.flatnonzero(playlist_counts)
    trust = (playlist_counts[observed] / (playlist_counts[observed] + PRIOR_PLAYLISTS))[:, None]
    model = Ridge(RIDGE_ALPHA, solver="cholesky")
    model.fit(content[observed].astype(np.float64), own, sample_weight=trust.ravel())
    chunks = (content[chunk].astype(np.float64) for chunk in batch_slices(len(content)))
    vectors = normalize(np.concatenate([model.predict(chunk) for chunk in chunks]))
    _add_artist_effects(vectors, own - vectors[observed], trust, artists, observed)
    vectors[observed] = trust * own + (1 - trust) * vectors[observed]
    return normalize(vectors).astype(np.float32)


def _add_artist_effects(
    vectors: np.ndarray, residuals: np.ndarray, trust: np.ndarray, artists: np.ndarray, observed: np.ndarray
) -> None:
    """Add to predictions what they miss of the artist's other works, shrunk.

    vectors : shape (n_works, n_dims), of unit length, before and after
    residuals, trust : shape (n_observed, n_dims) and (n_observed, 1), of the works ``observed``
    artists : shape (n_works,), the artist of each work
    """
    weighted = np.concatenate([trust * residuals, trust], axis=1)
    sums = np.zeros((artists.max() + 1, weighted.shape[1]))
    np.add.at(sums, artists[observed], weighted)
    heard = np.flatnonzero(sums[artists, -1])
    others = sums[artists[heard]]
    others[heard.searchsorted(observed)] -= weighted
    vectors[heard] = normalize(vectors[heard] + others[:, :-1] / (others[:, -1:] + PRIOR_WORKS))


def _neighbour_lists(
    incidence: sparse.csr_matrix, playlist_counts: np.ndarray, artists: np.ndarray
) -> NeighbourLists:
    """A list for each work that playlists hold, then one for each artist of the others."""
    n_works, works = len(artists), np.arange(len(artists))
    works_of_artist = sparse.csr_matrix(
        (np.ones(n_works, np.float32), (works, artists)), shape=(n_works, artists.max() + 1)
    )
    holds_artist = sparse.csr_matrix(((incidence @ works_of_artist) > 0).astype(np.float32)).T.tocsr()
    votes = sparse.diags(ARTIST_WEIGHT / np.maximum(np.asarray(holds_artist.sum(axis=1)).ravel(), 1)) @ holds_artist
    observed = np.flatnonzero(playlist_counts)
    artist = artists[: len(playlist_counts)]
    artist_observed = np.diff(holds_artist.indptr)[artist] > 0
    cold_artists = np.unique(artist[(playlist_counts == 0) & artist_observed])
    lists = np.full(len(playlist_counts), -1, np.int64)
    lists[observed] = np.arange(len(observed))
    of_artist = pd.Series(len(observed) + np.arange(len(cold_artists)), index=cold_artists)
    unobserved = (playlist_counts == 0) & artist_observed
    lists[unobserved] = of_artist.loc[artist[unobserved]]
    co_occurrence = incidence[:, : len(playlist_counts)].T.tocsr()

    def votes_of_works(rows: slice) -> sparse.csr_matrix:
        return co_occurrence[observed[rows]] + votes[artist[observed[rows]]]

    def votes_of_artists(rows: slice) -> sparse.csr_matrix:
        return votes[cold_artists[rows]]

    ranked = itertools.chain(
        _rank_neighbours(votes_of_works, len(observed), co_occurrence, playlist_counts, observed),
        _rank_neighbours(votes_of_artists, len(cold_artists), co_occurrence, playlist_counts, None),
    )
    neighbours = list(progress.bar(ranked, "neighbours", " works", len(observed) + len(cold_artists)))
    return NeighbourLists(
        lists,
        np.array([len(works) for works, _ in neighbours], np.int64),
        np.concatenate([works for works, _ in neighbours]),
        np.concatenate([weights for _, weights in neighbours]).astype(np.float32),
    )


def _rank_neighbours(
    votes: Callable[[slice], sparse.csr_matrix],
    n_rows: int,
    co_occurrence: sparse.csr_matrix,
    playlist_counts: np.ndarray,
    own: np.ndarray | None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each row of votes (rows x playlists) its neighbours and their weights, none of them its ``own`` work."""
    damped = (sparse.diags(np.maximum(playlist_counts, 1.0) ** -POPULARITY_EXPONENT) @ co_occurrence).T.tocsr()
    for first in range(0, n_rows, CHUNK_ROWS):
        raw = sparse.csr_matrix(votes(slice(first, first + CHUNK_ROWS)) @ damped)
        for row, (start, stop) in enumerate(itertools.pairwise(raw.indptr)):
            works, scores = raw.indices[start:stop], raw.data[start:stop]
            other = scores > 0 if own is None else (scores > 0) & (works != own[first + row])
            yield _top_neighbours(works[other], scores[other])


def _top_neighbours(works: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Powers differ between processors in float64's last digits, which must not order what is equal.
    order = np.lexsort((works, -scores.astype(np.float32)))[:MAX_NEIGHBOURS]
    return works[order].astype(np.int64), scores[order] / (scores[order[0]] if len(order) else 1)
