"""The genres that songs keep company with: their own, their artists' and those of compilations with their artists."""

import numpy as np
import pandas as pd
from scipy import sparse

from segue_build.model.context import Links, averaged, compilations
from segue_build.sources.runs import slices


class Company:
    """Counts of genres, worked out for some songs at a time: for all at once they would be most of a build's memory.

    albums : of the songs, missing where unknown
    """

    def __init__(self, albums: "pd.Series[str]", by: Links, genres: Links):
        self._own = genres.matrix
        self._by = averaged(by.matrix)
        per_artist = averaged(sparse.csr_matrix(by.matrix.T))
        self._of_artists = sparse.csr_matrix(per_artist @ self._own)
        self._of_company = self._company(compilations(albums, by), per_artist)

    def __len__(self) -> int:
        return int(self._own.shape[0])

    def counts(self, songs: slice | np.ndarray) -> sparse.csr_matrix:
        """Roots of how much of each genre there is about each of the songs; shape (n_songs, n_genres)."""
        by = self._by[songs]
        found = sparse.csr_matrix(self._own[songs] + by @ self._of_artists + by @ self._of_company)
        found.data = np.sqrt(found.data)
        return found

    def _company(self, compiled: sparse.csr_matrix, per_artist: sparse.csr_matrix) -> sparse.csr_matrix:
        """Artists x genres: what is on the compilations that an artist's songs are on."""
        albums = averaged(compiled)
        albums.sort_indices()  # the order of a sum shows in its last digits, and those in the SVD
        of_albums = albums @ (self._own + self._by @ self._of_artists)
        on_albums = sparse.csr_matrix(compiled.T)
        parts = []
        for run in slices(per_artist.shape[0]):
            some = per_artist[run]
            songs = np.unique(some.indices)
            around = sparse.csr_matrix(on_albums[songs] @ of_albums)
            around.sort_indices()  # as above
            parts.append(some[:, songs] @ around)
        return sparse.csr_matrix(sparse.vstack(parts))
