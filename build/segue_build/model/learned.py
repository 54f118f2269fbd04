"""What people play together, learned from playlists: a block that generalises and short lists that remember.

All versions of a work share what is learned. Works that the catalogue lacks are learned from too: four fifths of what
is on playlists teaches which of the others belong together.

The block
    Playlists x works, TF-IDF, rows of unit length, truncated SVD; a work's vector is its row of V S, of unit length.
    A ridge regression on the content blocks predicts the vector of works that few playlists hold; a work held by n
    playlists has n / (n + ``PRIOR``) of its own and the rest of the prediction.
The lists
    ``raw(s, i) = (together(s, i) + KAPPA * p(i | artist of s)) / n_i ** POPULARITY``, where p is the share of the
    playlists holding the artist that hold i; the best ``NEIGHBOURS`` of each work, each divided by the best. A work
    that no playlist holds has the list of its artist.

What is factored or solved is float64: processors then differ far below the codes that are kept.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import normalize

from segue_build import progress
from segue_build.sources.playlists import Playlists
from segue_build.sources.runs import slices
from segue.errors import SourceError

DIMENSIONS = 24
PRIOR = 3  # playlists
RIDGE = 10.0
KAPPA = 10  # playlists that the song's artist counts for
POPULARITY = 0.3  # 0: no correction; 1: popular songs count no more than others
NEIGHBOURS = 50
FEWEST = 2  # playlists of two works or more
ROWS_AT_A_TIME = 512  # of the table of pairs; bounds its memory


@dataclass(frozen=True, slots=True)
class Learned:
    """What playlists teach about the works of a catalogue.

    vectors : float32, shape (n_works, n_dims), of unit length
    held : int64, shape (n_works,), playlists that hold each work
    lists : int64, shape (n_works,), the list of each work, -1 where there is none
    counts : int64, shape (n_lists,), neighbours in each list
    neighbours : int64, shape (sum of counts,), works, the nearest of each list first
    weights : float32, the same shape, 1 for the nearest
    """

    vectors: np.ndarray
    held: np.ndarray
    lists: np.ndarray
    counts: np.ndarray
    neighbours: np.ndarray
    weights: np.ndarray


def learn(playlists: Playlists, content: np.ndarray, seed: int) -> Learned:
    """Learn from playlists.

    content : float32, shape (n_works, n_dims), the catalogue's works by what the table says of them

    Raises
    ------
    SourceError
        there are too few playlists to learn from.

    """
    held_by = _incidence(playlists)
    _refuse_too_little(held_by[:, : playlists.n_known])
    held = np.asarray(held_by.sum(axis=0)).ravel()[: playlists.n_known].astype(np.int64)
    vectors = _vectors(held_by, held, content, seed)
    lists, rows = _lists(held_by, held, pd.factorize(pd.Series(playlists.artists, dtype="str"))[0])
    return Learned(
        vectors,
        held,
        lists,
        np.array([len(works) for works, _ in rows], np.int64),
        np.concatenate([works for works, _ in rows]),
        np.concatenate([weights for _, weights in rows]).astype(np.float32),
    )


def _incidence(playlists: Playlists) -> sparse.csr_matrix:
    """Playlists x works, 0/1."""
    works = np.fromiter(itertools.chain.from_iterable(playlists.members), np.int64)
    starts = np.concatenate([[0], np.cumsum([len(held) for held in playlists.members])])
    shape = (len(playlists.members), len(playlists.artists))
    held_by = sparse.csr_matrix((np.ones(len(works), np.float32), works, starts), shape=shape)
    held_by.sort_indices()
    return held_by


def _refuse_too_little(held_by: sparse.csr_matrix) -> None:
    """One playlist, or one list of songs over and over, puts all songs in one place."""
    several = held_by[np.diff(held_by.indptr) > 1]
    if len({row.indices.tobytes() for row in several}) < FEWEST:
        raise SourceError(
            f"of {held_by.shape[0]:,} playlists to learn from, {several.shape[0]:,} hold two or more songs of"
            f" the catalogue: learning takes {FEWEST} such playlists that differ"
        )


def _vectors(held_by: sparse.csr_matrix, held: np.ndarray, content: np.ndarray, seed: int) -> np.ndarray:
    everywhere = np.asarray(held_by.sum(axis=0)).ravel()
    known = np.arange(held_by.shape[1]) < len(held)
    kept = np.flatnonzero(
        np.where(known, everywhere > 0, everywhere > 1)
    )  # seen once elsewhere: ties nothing together
    svd = TruncatedSVD(min(DIMENSIONS, len(kept) - 1, held_by.shape[0]), n_iter=4, random_state=seed)
    svd.fit(TfidfTransformer().fit_transform(held_by[:, kept].astype(np.float64)))
    own = normalize(svd.components_.T * svd.singular_values_)[kept < len(held)]
    seen = np.flatnonzero(held)
    trust = (held[seen] / (held[seen] + PRIOR))[:, None]
    model = Ridge(RIDGE, solver="cholesky")
    model.fit(content[seen].astype(np.float64), own, sample_weight=trust.ravel())
    runs = (content[run].astype(np.float64) for run in slices(len(content)))
    vectors = normalize(np.concatenate([model.predict(run) for run in runs]))
    vectors[seen] = trust * own + (1 - trust) * vectors[seen]
    return normalize(vectors).astype(np.float32)


def _lists(
    held_by: sparse.csr_matrix, held: np.ndarray, artists: np.ndarray
) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """The number of each work's list; the lists, of works that are held, then of artists of others."""
    n_works, works = len(artists), np.arange(len(artists))
    songs_of = sparse.csr_matrix((np.ones(n_works, np.float32), (works, artists)), shape=(n_works, artists.max() + 1))
    holds_artist = sparse.csr_matrix(((held_by @ songs_of) > 0).astype(np.float32)).T.tocsr()
    votes = sparse.diags(KAPPA / np.maximum(np.asarray(holds_artist.sum(axis=1)).ravel(), 1)) @ holds_artist
    seen = np.flatnonzero(held)
    artist = artists[: len(held)]
    known = np.diff(holds_artist.indptr)[artist] > 0
    cold = np.unique(artist[(held == 0) & known])
    lists = np.full(len(held), -1, np.int64)
    lists[seen] = np.arange(len(seen))
    of_artist = pd.Series(len(seen) + np.arange(len(cold)), index=cold)
    unheld = (held == 0) & known
    lists[unheld] = of_artist.loc[artist[unheld]]
    together = held_by[:, : len(held)].T.tocsr()
    rows = itertools.chain(
        _ranked(together[seen] + votes[artist[seen]], together, held, seen),
        _ranked(votes[cold], together, held, None),
    )
    return lists, list(progress.bar(rows, "neighbours", " works", len(seen) + len(cold)))


def _ranked(
    votes: sparse.csr_matrix, together: sparse.csr_matrix, held: np.ndarray, own: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each row of votes (rows x playlists) its neighbours and their weights, none of them its ``own`` work."""
    damped = (sparse.diags(np.maximum(held, 1.0) ** -POPULARITY) @ together).T.tocsr()
    votes = sparse.csr_matrix(votes)
    for first in range(0, votes.shape[0], ROWS_AT_A_TIME):
        raw = sparse.csr_matrix(votes[first : first + ROWS_AT_A_TIME] @ damped)
        for row, (start, stop) in enumerate(itertools.pairwise(raw.indptr)):
            works, scores = raw.indices[start:stop], raw.data[start:stop]
            other = scores > 0 if own is None else (scores > 0) & (works != own[first + row])
            yield _nearest(works[other], scores[other])


def _nearest(works: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Powers differ between processors in float64's last digits, which must not order what is equal.
    order = np.lexsort((works, -scores.astype(np.float32)))[:NEIGHBOURS]
    return works[order].astype(np.int64), scores[order] / (scores[order[0]] if len(order) else 1)
