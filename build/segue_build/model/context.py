"""What a song keeps company with: artists, genres and albums as sparse matrices."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from segue_build.sources.listed import SEPARATOR
from segue_build.sources.runs import arrow

COMPILATION = 3  # first artists from which an album is a compilation, whose songs were put together on purpose


@dataclass(frozen=True, slots=True)
class Links:
    """Which of several named things each song has.

    names : of the things, sorted
    matrix : float32 0/1, shape (n_songs, n_names), CSR, a song's things in the order of the table
    """

    names: list[str]
    matrix: sparse.csr_matrix

    @property
    def lists(self) -> tuple[np.ndarray, np.ndarray]:
        """Counts per song, and codes end to end."""
        return np.diff(self.matrix.indptr), self.matrix.indices


def link(texts: "pd.Series[str]") -> Links:
    """Split joined texts (``SEPARATOR``) and number what they name."""
    split = pc.split_pattern(arrow(texts).cast(pa.large_string()), SEPARATOR)
    counts = pc.list_value_length(split).fill_null(0).to_numpy()
    named = split.flatten().dictionary_encode()
    order = pc.sort_indices(named.dictionary).to_numpy()
    numbers = np.empty(len(order), np.int32)
    numbers[order] = np.arange(len(order))
    codes = numbers[named.indices.to_numpy()]
    starts = np.concatenate([[0], np.cumsum(counts)])
    matrix = sparse.csr_matrix((np.ones(len(codes), np.float32), codes, starts), shape=(len(texts), len(order)))
    return Links(named.dictionary.take(order).to_pylist(), matrix)


def averaged(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Rows divided by their sums, float64: a product with it is a mean. Empty rows stay empty."""
    sums = np.asarray(matrix.sum(axis=1), np.float64).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(sums, 1)) @ matrix)


def compilations(albums: "pd.Series[str]", by: Links) -> sparse.csr_matrix:
    """Album x song 0/1 for the albums that put several artists together."""
    codes, found = pd.factorize(albums, sort=True)
    firsts = pd.Series(first_artists(by))
    known = (codes >= 0) & (firsts >= 0).to_numpy()
    artists = firsts[known].groupby(codes[known]).nunique().reindex(range(len(found)), fill_value=0)
    songs = np.flatnonzero(known & np.isin(codes, np.flatnonzero(artists >= COMPILATION)))
    ones = np.ones(len(songs), np.float32)
    return sparse.csr_matrix((ones, (codes[songs], songs)), shape=(len(found), len(albums)))


def first_artists(by: Links) -> np.ndarray:
    """Code of each song's first artist, -1 where it has none."""
    counts, codes = by.lists
    starts = by.matrix.indptr[:-1]
    firsts = np.full(len(counts), -1, np.int64)
    firsts[counts > 0] = codes[starts[counts > 0]]
    return firsts
