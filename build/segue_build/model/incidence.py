"""Incidence matrices: which artists and genres songs have, and n-grams words; and sums over songs that are exact."""

import functools
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
NGRAM_LENGTHS = (2, 3)  # of n-grams; of the longest, letters fill an int64
LETTER_BITS = 21  # of any Unicode character


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


def ngram_matrix(words: np.ndarray, min_words: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """How often each word has each n-gram that so many words have, and these n-grams: numbers, rising."""
    rows, ngrams = _ngrams_of(words)
    ngrams, columns = np.unique(ngrams, return_inverse=True)
    counts = sparse.csc_matrix((np.ones(len(rows)), (rows, columns)), (len(words), len(ngrams)))
    frequent = np.diff(counts.indptr) >= min_words
    return sparse.csr_matrix(counts[:, frequent]), ngrams[frequent]


def count_ngrams(words: np.ndarray, ngrams: np.ndarray) -> sparse.csr_matrix:
    """How often each word has each of some n-grams, numbered as :func:`ngram_matrix` does."""
    rows, found = _ngrams_of(words)
    columns = ngrams.searchsorted(found)
    known = ngrams.take(columns, mode="clip") == found
    ones = np.ones(np.count_nonzero(known))
    return sparse.csr_matrix((ones, (rows[known], columns[known])), (len(words), len(ngrams)))


def _ngrams_of(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All n-grams of words, whose ends count as spaces: the index of the word, and the letters as a number."""
    spaced = [f" {word} " for word in words]
    letters = np.frombuffer("".join(spaced).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    owners = np.repeat(np.arange(len(spaced)), list(map(len, spaced)))
    rows, ngrams = [], []
    for length in NGRAM_LENGTHS:
        places = np.flatnonzero(owners[: len(owners) - length + 1] == owners[length - 1 :])
        joined = (letters[places + nth] << LETTER_BITS * (NGRAM_LENGTHS[-1] - 1 - nth) for nth in range(length))
        ngrams.append(functools.reduce(np.bitwise_or, joined))
        rows.append(owners[places])
    return np.concatenate(rows), np.concatenate(ngrams)
