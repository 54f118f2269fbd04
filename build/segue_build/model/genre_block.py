"""The genre block: the genres around each song, by TF-IDF and SVD; artists' signatures where no sound is known.

Around a song are its own genres, its artists' and those of compilations with its artists.
"""

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from segue_build.model.incidence import (
    FIXED_POINT,
    MIN_COMPILATION_ARTISTS,
    Incidence,
    group_members,
    row_means,
    to_fixed_point,
)

GENRE_DIMENSIONS = 24
SVD_SONGS = 250_000  # at most, from which the SVD is learned
MIN_SVD_LABELS = 8  # fewer are a column each
SIGNATURE_BITS = 16  # random signs, so many that hardly two artists share them
SIGNATURE_NORM = 0.2  # that of an artist's genres is 1 at the most; a longer signature crowds other artists out


def genre_context(
    genres: sparse.csr_matrix, artist_means: sparse.csr_matrix, artist_genres: sparse.csr_matrix
) -> sparse.csr_matrix:
    """How much of each genre is around each song, from its own genres and its artists'; shape (n_songs, n_genres).

    genres : shape (n_songs, n_genres), 1 where a song has a genre
    artist_means : shape (n_songs, n_artists), a product with it is the mean over a song's artists
    artist_genres : shape (n_artists, n_genres)
    """
    context = sparse.csr_matrix(genres + artist_means @ artist_genres)
    context.sort_indices()
    # The order of a sum shows in its last digits, and those in the SVD.
    context.data = to_fixed_point(context.data) / FIXED_POINT
    return context


def compilation_genres(
    albums: np.ndarray, first_artists: np.ndarray, context: sparse.csr_matrix
) -> sparse.csr_matrix:
    """The mean of what is around the songs of each compilation.

    albums, first_artists : int64, shape (n_songs,), -1 where unknown
    context : shape (n_songs, n_genres), see :func:`genre_context`

    Returns
    -------
    int64 in fixed point, shape (n_albums, n_genres), nothing where an album is no compilation

    """
    n_albums = albums.max(initial=-1) + 1
    credited = (albums >= 0) & (first_artists >= 0)
    n_artists = first_artists.max(initial=-1) + 1
    pairs = np.unique(albums[credited].astype(np.int64) * n_artists + first_artists[credited])
    # One more than there are albums, so that -1 is none of them.
    is_compilation = np.bincount(pairs // max(n_artists, 1), minlength=n_albums + 1) >= MIN_COMPILATION_ARTISTS
    members = group_members(np.where(credited & is_compilation[albums], albums, -1), n_albums)
    amounts = sparse.csr_matrix((to_fixed_point(context.data), context.indices, context.indptr), context.shape)
    sums = sparse.csr_matrix(members @ amounts)
    sizes = np.repeat(np.diff(members.indptr), np.diff(sums.indptr))
    sums.data = np.rint(sums.data / sizes).astype(np.int64)
    return sums


def add_compilations(
    artist_genres: sparse.csr_matrix, sums: sparse.csr_matrix, n_songs: np.ndarray
) -> sparse.csr_matrix:
    """An artist's genres and those of the compilations that the artist's songs are on.

    artist_genres : shape (n_artists, n_genres), the share of an artist's songs that have a genre
    sums : int64, of :func:`compilation_genres`, over the songs of each artist
    n_songs : shape (n_artists,), of each artist
    """
    both = sparse.csr_matrix(artist_genres + sparse.diags(1 / FIXED_POINT / n_songs) @ sums)
    both.sort_indices()
    return both


class GenreEmbedding:
    """TF-IDF, SVD, unit length; factored in float64, so that processors differ far below the codes that are kept.

    training : the genre context of some songs, shape (n_songs, n_genres)
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
            roots = training.sqrt()
            self._svd.fit(self._tfidf.fit(roots).transform(roots, copy=False))

    def transform(self, context: sparse.csr_matrix) -> np.ndarray:
        """The block of some songs, float32, shape (n_songs, dimensions); NaN where a song has no genre."""
        if self._svd is None:
            return np.full((context.shape[0], 1), np.nan, np.float32)
        block: np.ndarray = normalize(self._svd.transform(self._tfidf.transform(context.sqrt())))
        block[np.diff(context.indptr) == 0] = np.nan
        return block.astype(np.float32)


def label_block(labels: Incidence, seed: int) -> np.ndarray:
    """A block of what else a table calls its songs, such as tags; float32, NaN where a song has no label.

    labels : shape (n_songs, n_labels); those of one song tie it to no other and are left out
    """
    shared = np.asarray(labels.matrix.sum(axis=0)).ravel() > 1
    matrix = sparse.csr_matrix(labels.matrix[:, np.flatnonzero(shared)])
    if matrix.shape[1] >= MIN_SVD_LABELS:
        return GenreEmbedding(matrix.astype(np.float64), seed).transform(matrix.astype(np.float64))
    block: np.ndarray = normalize(matrix.toarray()) if matrix.shape[1] else np.zeros((matrix.shape[0], 1))
    block[np.diff(matrix.indptr) == 0] = np.nan
    return block.astype(np.float32)


def svd_sample(n_songs: int, seed: int) -> np.ndarray:
    """The songs from which the SVD is learned, rising."""
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
