"""What is known of artists from their songs: sound, words, popularity and genres.

Sums over songs are sums of whole numbers, which are exact in any order: one machine takes all songs at once, Spark a
part of the artists at a time.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from segue.engine.space import AUDIO_COLUMNS
from segue_build.model.incidence import FIXED_POINT, row_means, to_fixed_point

# of the sound of an artist
ARTIST_AUDIO_COLUMNS = [number for number, (*_, weight) in enumerate(AUDIO_COLUMNS) if weight > 0.2]
PRIOR_SONGS = 3  # of an artist's genres that smooth the mean sound of an artist with few songs
MISSING = np.iinfo(np.int64).min  # the unknown among whole numbers


@dataclass(frozen=True, slots=True)
class GenreSound:
    """Mean sounds; a song that lacks a column counts with the mean of all songs.

    mean : float64, shape (n_columns,), that of all songs
    by_genre : float64, shape (n_genres, n_columns)
    """

    mean: np.ndarray
    by_genre: np.ndarray

    @classmethod
    def from_sums(cls, sums: np.ndarray) -> "GenreSound":
        """From the sums of :func:`sound_terms` over the songs of each genre and, last, over all songs.

        sums : int64, shape (n_genres + 1, 3 * n_columns)
        """
        known, unknown, sound = np.split(sums, 3, axis=1)
        mean = sound[-1] / FIXED_POINT / np.maximum(known[-1], 1)
        means = (sound / FIXED_POINT + unknown * mean) / np.maximum(known + unknown, 1)
        return cls(mean, means[:-1])


def artist_sound(audio: np.ndarray) -> np.ndarray:
    """The columns of audio blocks that artists are compared by, in fixed point, ``MISSING`` where unknown."""
    sound = audio[:, ARTIST_AUDIO_COLUMNS]
    return np.where(np.isnan(sound), MISSING, to_fixed_point(np.nan_to_num(sound)))


def sound_terms(sound: np.ndarray) -> np.ndarray:
    """What songs add to sums: column by column whether it is known, whether it is not, and its value.

    sound : see :func:`artist_sound`
    """
    known = sound != MISSING
    return np.column_stack([known, ~known, np.where(known, sound, 0)])


def sum_genre_sound(genres: sparse.csr_matrix, sound: np.ndarray) -> np.ndarray:
    """Sums of :func:`sound_terms` over the songs of each genre and, last, over all songs.

    genres : shape (n_songs, n_genres), 1 where a song has a genre
    """
    terms = sound_terms(sound)
    return np.vstack([genres.T.astype(np.int64) @ terms, terms.sum(axis=0)])


@dataclass(frozen=True, slots=True)
class ArtistFeatures:
    """What the songs of each artist have in common.

    n_songs, n_analysed : int64, shape (n_artists,), their songs, and those of which the sound is known
    sound : float64, shape (n_artists, len(ARTIST_AUDIO_COLUMNS))
    words : float64, shape (n_artists, n_dims), the mean of their songs', and the vector of their language
    max_popularity : float64, shape (n_artists,), of songs of which each is the first artist; NaN where unknown
    genres : shape (n_artists, n_genres), the share of an artist's songs that have a genre; with
        :func:`segue_build.model.genre_block.add_compilations`, also the genres of compilations
    """

    n_songs: np.ndarray
    n_analysed: np.ndarray
    sound: np.ndarray
    words: np.ndarray
    max_popularity: np.ndarray
    genres: sparse.csr_matrix

    @classmethod
    def from_songs(
        cls,
        members: sparse.csr_matrix,
        first_artists: np.ndarray,
        sound: np.ndarray,
        words: np.ndarray,
        languages: np.ndarray,
        popularity: np.ndarray,
        genres: sparse.csr_matrix,
        genre_sound: GenreSound,
    ) -> "ArtistFeatures":
        """Sum over songs.

        members : int64, shape (n_artists, n_songs), 1 where a song is by an artist
        first_artists : int64, shape (n_songs,), -1 where a song has none
        sound, words : int64 in fixed point, shape (n_songs, n_columns)
        languages : of :func:`segue_build.model.title_blocks.artist_languages`
        genres : shape (n_songs, n_genres), 1 where a song has a genre
        """
        n_songs = np.diff(members.indptr)
        genre_counts = sparse.csr_matrix(members @ genres.astype(np.int64))
        genre_counts.sort_indices()
        n_analysed, mean_sound = _mean_sound(members, sound, genre_counts, genre_sound)
        best = np.full(len(n_songs), np.nan)
        np.fmax.at(best, first_artists[first_artists >= 0], popularity[first_artists >= 0])
        shares = genre_counts.data / np.repeat(n_songs, np.diff(genre_counts.indptr))
        return cls(
            n_songs,
            n_analysed,
            mean_sound,
            members @ words / FIXED_POINT / n_songs[:, None] + languages,
            best,
            sparse.csr_matrix((shares, genre_counts.indices, genre_counts.indptr), genre_counts.shape),
        )


def _mean_sound(
    members: sparse.csr_matrix, sound: np.ndarray, genre_counts: sparse.csr_matrix, genre_sound: GenreSound
) -> tuple[np.ndarray, np.ndarray]:
    """Of how many songs the sound is known, and mean sounds, near their genres' where an artist has few songs."""
    known = sound != MISSING
    analysed = known.any(axis=1)
    imputed = np.where(known, sound, to_fixed_point(genre_sound.mean))
    n_analysed = members @ analysed.astype(np.int64)
    sums = members @ np.where(analysed[:, None], imputed, 0) / FIXED_POINT
    n_prior = PRIOR_SONGS * (np.diff(genre_counts.indptr) > 0)
    prior = n_prior[:, None] * (row_means(genre_counts) @ genre_sound.by_genre)
    return n_analysed, np.asarray((sums + prior) / np.maximum(n_analysed + n_prior, 1)[:, None])
