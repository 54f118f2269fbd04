"""The genre block: axes along which the genres about songs differ most."""

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from segue_build.model.company import Company
from segue_build.progress import bar
from segue_build.sources.runs import slices

GENRE_DIMENSIONS = 24
SVD_SAMPLE = 500_000  # songs that the axes are learned from at the most


class GenreAxes:
    """TF-IDF, SVD, unit length; factored in float64, so that processors differ far below the codes that are kept.

    taught : roots of how much of each genre there is about each of some songs, shape (n_songs, n_genres)
    dimensions : columns of the block; one that says nothing where there are too few genres
    """

    def __init__(self, taught: sparse.csr_matrix, seed: int):
        self.dimensions = 1
        self._svd: TruncatedSVD | None = None
        if min(taught.shape) < 3 or not taught.nnz:
            return
        self.dimensions = min(GENRE_DIMENSIONS, taught.shape[1] - 1)
        self._tfidf, self._svd = TfidfTransformer(), TruncatedSVD(self.dimensions, random_state=seed)
        with np.errstate(invalid="ignore"):  # where all songs have the same genres there is no variance to explain
            self._svd.fit(self._tfidf.fit_transform(taught))

    def place(self, counts: sparse.csr_matrix) -> np.ndarray:
        """The block of some songs, shape (n_songs, dimensions); NaN where a song has no genre about it."""
        if self._svd is None:
            return np.full((counts.shape[0], 1), np.nan)
        block: np.ndarray = normalize(self._svd.transform(self._tfidf.transform(counts)))
        block[np.diff(counts.indptr) == 0] = np.nan
        return block


def genre_block(company: Company, seed: int) -> np.ndarray:
    """The block of all songs, float32, shape (n_songs, n_dims)."""
    axes = GenreAxes(company.counts(_sample(len(company), seed)), seed)
    block = np.empty((len(company), axes.dimensions), np.float32)
    for run in bar(slices(len(company)), "genres", " runs"):
        block[run] = axes.place(company.counts(run))
    return block


def _sample(n_songs: int, seed: int) -> np.ndarray:
    if n_songs <= SVD_SAMPLE:
        return np.arange(n_songs)
    return np.sort(np.random.default_rng(seed).choice(n_songs, SVD_SAMPLE, replace=False))
