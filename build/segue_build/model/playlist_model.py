"""The playlist model: a block and neighbour lists from works that co-occur in playlists.

All versions of a work share what is learned. Works that the catalogue lacks are learned from too: four fifths of what
is on playlists shows which of the others belong together.

The block
    Playlists x works, TF-IDF, rows of unit length, truncated SVD; a work's vector is its row of V S, of unit length.
    A ridge regression on the content blocks predicts the vector of works that few playlists hold; a work held by n
    playlists has n / (n + ``PRIOR_PLAYLISTS``) of its own and the rest of the prediction.
The neighbour lists
    ``raw(s, i) = (co_occurrence(s, i) + ARTIST_WEIGHT * p(i | artist of s)) / n_i ** POPULARITY_EXPONENT``, where p
    is the share of the playlists holding the artist that hold i; the best ``MAX_NEIGHBOURS`` of each work, each
    divided by the best. A work that no playlist holds has the list of its artist.

What is factored or solved is float64: processors then differ far below the codes that are kept.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import normalize

from segue.catalog.normalization import core_text
from segue.errors import SourceError
from segue_build import progress
from segue_build.model.embedding import Embedding, append_block
from segue_build.sources import playlists
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.multivalue import first_artist_names
from segue_build.sources.playlists import Playlists
from segue_build.sources.series import batch_slices

DIMENSIONS = 24
PRIOR_PLAYLISTS = 3
RIDGE_ALPHA = 10.0
ARTIST_WEIGHT = 10  # playlists that the song's artist counts for
POPULARITY_EXPONENT = 0.3  # 0: no correction; 1: popular songs count no more than others
MAX_NEIGHBOURS = 50
MIN_PLAYLISTS = 2  # playlists of two works or more
CHUNK_ROWS = 512  # of the table of pairs; bounds its memory
PLAYLIST_BLOCK_WEIGHT = 2 / 6  # of the block that is learned from playlists
CO_OCCURRENCE_WEIGHT = 3 / 6  # of the neighbour lists


@dataclass(frozen=True, slots=True)
class PlaylistModel:
    """What playlists teach about the works of a catalogue.

    vectors : float32, shape (n_works, n_dims), of unit length
    playlist_counts : int64, shape (n_works,), playlists that hold each work
    lists : int64, shape (n_works,), the list of each work, -1 where there is none
    counts : int64, shape (n_lists,), neighbours in each list
    neighbours : int64, shape (sum of counts,), works, the nearest of each list first
    weights : float32, the same shape, 1 for the nearest
    """

    vectors: np.ndarray
    playlist_counts: np.ndarray
    lists: np.ndarray
    counts: np.ndarray
    neighbours: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, slots=True)
class NeighbourLists:
    """The works that co-occur with each song in playlists.

    list_of_song : int64, shape (n_songs,), the list of each song, -1 where it has none
    counts : int64, shape (n_lists,)
    songs : int64, shape (sum of counts,), the song that stands for each neighbour, the nearest first
    weights : float32, the same shape, 0..1
    """

    list_of_song: np.ndarray
    counts: np.ndarray
    songs: np.ndarray
    weights: np.ndarray


def add_playlist_block(
    embedding: Embedding,
    frame: pd.DataFrame,
    works: playlists.CatalogWorks,
    training: playlists.Playlists,
    seed: int,
    report: IngestReport,
) -> tuple[Embedding, NeighbourLists]:
    """Learn from playlists, and append the block of what was learned.

    works : those of the table

    Raises
    ------
    SourceError
        the playlists are too few to learn from.

    """
    weighted = embedding.vectors[works.rows] * embedding.space.column_weights.astype(np.float32)
    model = fit_playlist_model(training, weighted, seed)
    report.add_note(_summary(training, model))
    work_of_song = _work_of_song(works, frame)
    block = np.where(work_of_song[:, None] >= 0, model.vectors[work_of_song], np.nan)
    known = (work_of_song >= 0) & (model.playlist_counts[work_of_song] > 0)
    lists = NeighbourLists(
        np.where(work_of_song >= 0, model.lists[work_of_song], -1),
        model.counts,
        works.rows[model.neighbours],
        model.weights,
    )
    return append_block(embedding, "played", block, known, PLAYLIST_BLOCK_WEIGHT, CO_OCCURRENCE_WEIGHT), lists


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
    vectors = _work_vectors(incidence, playlist_counts, content, seed)
    lists, rows = _neighbour_lists(
        incidence, playlist_counts, pd.factorize(pd.Series(playlists.artists, dtype="str"))[0]
    )
    return PlaylistModel(
        vectors,
        playlist_counts,
        lists,
        np.array([len(works) for works, _ in rows], np.int64),
        np.concatenate([works for works, _ in rows]),
        np.concatenate([weights for _, weights in rows]).astype(np.float32),
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
    if len({row.indices.tobytes() for row in several}) < MIN_PLAYLISTS:
        raise SourceError(
            f"of {incidence.shape[0]:,} playlists to learn from, {several.shape[0]:,} hold two or more songs of"
            f" the catalogue: learning takes {MIN_PLAYLISTS} such playlists that differ"
        )


def _work_vectors(
    incidence: sparse.csr_matrix, playlist_counts: np.ndarray, content: np.ndarray, seed: int
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
    vectors[observed] = trust * own + (1 - trust) * vectors[observed]
    return normalize(vectors).astype(np.float32)


def _neighbour_lists(
    incidence: sparse.csr_matrix, playlist_counts: np.ndarray, artists: np.ndarray
) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """The number of each work's list; the lists, of works that are held, then of artists of others."""
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
    rows = itertools.chain(
        _rank_neighbours(co_occurrence[observed] + votes[artist[observed]], co_occurrence, playlist_counts, observed),
        _rank_neighbours(votes[cold_artists], co_occurrence, playlist_counts, None),
    )
    return lists, list(progress.bar(rows, "neighbours", " works", len(observed) + len(cold_artists)))


def _rank_neighbours(
    votes: sparse.csr_matrix, co_occurrence: sparse.csr_matrix, playlist_counts: np.ndarray, own: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each row of votes (rows x playlists) its neighbours and their weights, none of them its ``own`` work."""
    damped = (sparse.diags(np.maximum(playlist_counts, 1.0) ** -POPULARITY_EXPONENT) @ co_occurrence).T.tocsr()
    votes = sparse.csr_matrix(votes)
    for first in range(0, votes.shape[0], CHUNK_ROWS):
        raw = sparse.csr_matrix(votes[first : first + CHUNK_ROWS] @ damped)
        for row, (start, stop) in enumerate(itertools.pairwise(raw.indptr)):
            works, scores = raw.indices[start:stop], raw.data[start:stop]
            other = scores > 0 if own is None else (scores > 0) & (works != own[first + row])
            yield _top_neighbours(works[other], scores[other])


def _top_neighbours(works: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Powers differ between processors in float64's last digits, which must not order what is equal.
    order = np.lexsort((works, -scores.astype(np.float32)))[:MAX_NEIGHBOURS]
    return works[order].astype(np.int64), scores[order] / (scores[order[0]] if len(order) else 1)


def _work_of_song(works: playlists.CatalogWorks, frame: pd.DataFrame) -> np.ndarray:
    """The work of each song, that of its name where it can't be recommended itself; -1: none."""
    keys = zip(first_artist_names(frame), frame["name"])
    found: Sequence[int] = [
        works.by_id[song] if song in works.by_id else works.by_key.get((core_text(artist), core_text(title)), -1)
        for song, (artist, title) in zip(frame["id"], keys)
    ]
    return np.array(found, np.int64)


def _summary(training: playlists.Playlists, model: PlaylistModel) -> str:
    n_songs = sum(map(len, training.members))
    in_catalogue = int(model.playlist_counts.sum())
    return (
        f"{len(training.names):,} playlists of {n_songs:,} songs taught, {in_catalogue:,} of them in the catalogue;"
        f" {int((model.playlist_counts > 0).sum()):,} of {len(model.playlist_counts):,} works are on any"
    )
