"""Incidence matrices: which artists, genres and albums each song has, sparse; and sums over songs that are exact."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.series import to_arrow

MIN_COMPILATION_ARTISTS = 3  # first artists from which an album is a compilation
FIXED_POINT = 2.0**30  # parts of 1 in which numbers are summed, so that sums are the same in any order


@dataclass(frozen=True, slots=True)
class Incidence:
    """Which of several named things each song has, as a sparse song x name matrix.

    names : of the columns, sorted
    matrix : float32 0/1, shape (n_songs, n_names), CSR, a song's things in the order of the table
    """

    names: list[str]
    matrix: sparse.csr_matrix

    @property
    def ragged(self) -> tuple[np.ndarray, np.ndarray]:
        """Counts per song, and codes end to end."""
        return np.diff(self.matrix.indptr), self.matrix.indices


def build_incidence(joined: "pd.Series[str]") -> Incidence:
    """Split joined texts (``SEPARATOR``) and number what they name."""
    split = pc.split_pattern(to_arrow(joined).cast(pa.large_string()), SEPARATOR)
    counts = pc.list_value_length(split).fill_null(0).to_numpy()
    dictionary = split.flatten().dictionary_encode()
    order = pc.sort_indices(dictionary.dictionary).to_numpy()
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    codes = rank[dictionary.indices.to_numpy()]
    starts = np.concatenate([[0], np.cumsum(counts)])
    matrix = sparse.csr_matrix((np.ones(len(codes), np.float32), codes, starts), shape=(len(joined), len(order)))
    return Incidence(dictionary.dictionary.take(order).to_pylist(), matrix)


def row_means(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Rows divided by their sums, float64, so that a product with it is a mean. Empty rows stay empty."""
    sums = np.asarray(matrix.sum(axis=1), np.float64).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(sums, 1)) @ matrix)


def group_members(groups: np.ndarray, n_groups: int) -> sparse.csr_matrix:
    """Group x row: 1 where a row is in a group; int64, shape (n_groups, n_rows).

    groups : the group of each row, -1 where it is in none
    """
    rows = np.flatnonzero(groups >= 0)
    return sparse.csr_matrix((np.ones(len(rows), np.int64), (groups[rows], rows)), (n_groups, len(groups)))


def to_fixed_point(values: np.ndarray) -> np.ndarray:
    """Numbers in parts of 1 / ``FIXED_POINT``, int64."""
    return np.rint(values * FIXED_POINT).astype(np.int64)


def first_artists(song_artists: Incidence) -> np.ndarray:
    """Code of each song's first artist, -1 where it has none."""
    counts, codes = song_artists.ragged
    starts = song_artists.matrix.indptr[:-1]
    firsts = np.full(len(counts), -1, np.int64)
    firsts[counts > 0] = codes[starts[counts > 0]]
    return firsts
