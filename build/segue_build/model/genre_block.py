"""The genre block: the genres around each song, by TF-IDF and SVD; artists' signatures where no sound is known."""

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from segue_build.model.incidence import Incidence, compilations, row_means
from segue_build.progress import bar
from segue_build.sources.series import batch_slices

GENRE_DIMENSIONS = 24
SVD_SONGS = 500_000  # at most, from which the SVD is learned
SIGNATURE_BITS = 16  # random signs, so many that hardly two artists share them
SIGNATURE_NORM = 0.2  # that of an artist's genres is 1 at the most; a longer signature crowds other artists out


class GenreContext:
    """Genres around songs: their own, their artists' and those of compilations with their artists.

    They are counted for a chunk of songs at a time, which bounds memory.

    albums : of the songs, missing where unknown
    """

    def __init__(self, albums: "pd.Series[str]", song_artists: Incidence, song_genres: Incidence):
        self._song_genres = song_genres.matrix
        self._song_artist_means = row_means(song_artists.matrix)
        per_artist = row_means(sparse.csr_matrix(song_artists.matrix.T))
        self._artist_genres = sparse.csr_matrix(per_artist @ self._song_genres)
        self._compilation_genres = self._genres_of_compilations(compilations(albums, song_artists), per_artist)

    def __len__(self) -> int:
        return int(self._song_genres.shape[0])

    def counts(self, songs: slice | np.ndarray) -> sparse.csr_matrix:
        """Square roots of how often each genre occurs around each of the songs; shape (n_songs, n_genres)."""
        artists_of_songs = self._song_artist_means[songs]
        sums = sparse.csr_matrix(
            self._song_genres[songs]
            + artists_of_songs @ self._artist_genres
            + artists_of_songs @ self._compilation_genres
        )
        sums.data = np.sqrt(sums.data)
        return sums

    def _genres_of_compilations(
        self, album_songs: sparse.csr_matrix, per_artist: sparse.csr_matrix
    ) -> sparse.csr_matrix:
        """Artists x genres: the genres of the compilations that an artist's songs are on."""
        albums = row_means(album_songs)
        albums.sort_indices()  # the order of a sum shows in its last digits, and those in the SVD
        album_genres = albums @ (self._song_genres + self._song_artist_means @ self._artist_genres)
        albums_of_songs = sparse.csr_matrix(album_songs.T)
        parts = []
        for chunk in batch_slices(per_artist.shape[0]):
            artists = per_artist[chunk]
            songs = np.unique(artists.indices)
            context = sparse.csr_matrix(albums_of_songs[songs] @ album_genres)
            context.sort_indices()  # as above
            parts.append(artists[:, songs] @ context)
        return sparse.csr_matrix(sparse.vstack(parts))


class GenreEmbedding:
    """TF-IDF, SVD, unit length; factored in float64, so that processors differ far below the codes that are kept.

    training : square roots of genre counts of some songs, shape (n_songs, n_genres)
    dimensions : columns of the block; one that says nothing where there are too few genres
    """

    def __init__(self, training: sparse.csr_matrix, seed: int):
        self.dimensions = 1
        self._svd: TruncatedSVD | None = None
        if min(training.shape) < 3 or not training.nnz:
            return
        self.dimensions = min(GENRE_DIMENSIONS, training.shape[1] - 1)
        self._tfidf, self._svd = TfidfTransformer(), TruncatedSVD(self.dimensions, random_state=seed)
        with np.errstate(invalid="ignore"):  # where all songs have the same genres there is no variance to explain
            self._svd.fit(self._tfidf.fit_transform(training))

    def transform(self, counts: sparse.csr_matrix) -> np.ndarray:
        """The block of some songs, shape (n_songs, dimensions); NaN where a song has no genre."""
        if self._svd is None:
            return np.full((counts.shape[0], 1), np.nan)
        block: np.ndarray = normalize(self._svd.transform(self._tfidf.transform(counts)))
        block[np.diff(counts.indptr) == 0] = np.nan
        return block


def genre_block(context: GenreContext, seed: int) -> np.ndarray:
    """The block of all songs, float32, shape (n_songs, n_dims)."""
    embedding = GenreEmbedding(context.counts(_svd_sample(len(context), seed)), seed)
    block = np.empty((len(context), embedding.dimensions), np.float32)
    for chunk in bar(batch_slices(len(context)), "genres", " chunks"):
        block[chunk] = embedding.transform(context.counts(chunk))
    return block


def _svd_sample(n_songs: int, seed: int) -> np.ndarray:
    if n_songs <= SVD_SONGS:
        return np.arange(n_songs)
    return np.sort(np.random.default_rng(seed).choice(n_songs, SVD_SONGS, replace=False))


def artist_signatures(song_artists: Incidence, genres: np.ndarray, seed: int) -> np.ndarray:
    """The artist block of a table without sound: songs by the mean of their artists' genres and random signatures.

    Songs of one artist share a point, those of artists with the same genres are near, and a song by two artists is
    between both.

    Parameters
    ----------
    genres : shape (n_songs, n_dims), the genre block
    seed : of the signatures

    Returns
    -------
    float64, shape (n_songs, n_dims + SIGNATURE_BITS), NaN for songs without artists.

    """
    signs = np.random.default_rng(seed).integers(0, 2, (len(song_artists.names), SIGNATURE_BITS)) * 2 - 1
    known = ~np.isnan(genres).any(axis=1)
    artists_with_genres = song_artists.matrix.multiply(known[:, None]).tocsr()
    artist_genres = row_means(artists_with_genres.T.tocsr()) @ np.nan_to_num(genres)
    artists = np.concatenate([artist_genres, signs * (SIGNATURE_NORM / SIGNATURE_BITS**0.5)], axis=1)
    block = np.asarray(row_means(song_artists.matrix) @ artists)
    block[np.diff(song_artists.matrix.indptr) == 0] = np.nan
    return block
