"""What a song's artists add to it: the mean of all their songs' sound, words and genres, and their fame."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from segue_build.model.context import averaged
from segue_build.model.space import PSEUDO_SONGS, TELLING
from segue_build.spark.batches import Frame, each_key, kept, matrix, ragged, rows_of
from segue_build.spark.company import by_text, listed, sparse_of, with_compilations
from segue_build.spark.features import UNKNOWN, WHOLE, Fitted, whole

ARTISTS = pa.schema([
    ("artist", pa.string()), ("credits", pa.int32()), ("songs", pa.int32()), ("sound", pa.list_(pa.float64())),
    ("words", pa.list_(pa.float64())), ("fame", pa.float64()), ("genres", pa.list_(pa.int32())),
    ("weights", pa.list_(pa.float64())),
])  # fmt: skip


def with_artists(features: Frame, fitted: Fitted) -> Frame:
    """Songs' features, and in the column ``by`` their artists in their order."""
    from pyspark.sql import functions as sql

    links = features.select("*", sql.posexplode("artists").alias("position", "artist")).drop("artists")
    alone = kept(each_key(links, "artist", ARTISTS, _Artists(fitted)))
    links = kept(links.select("place", "position", "artist"))
    found = with_compilations(features, links, alone, ARTISTS, len(fitted.genres))
    return features.join(listed(links, found), "place", "left")


@dataclass(frozen=True, slots=True)
class _Artists:
    fitted: Fitted

    def __call__(self, links: pa.Table) -> dict[str, Any]:
        named, of = by_text(links["artist"])
        n_songs = np.diff(of.indptr)
        genres = self._genres(of, links)
        analysed, sounds = self._sounds(of, links, genres)
        words = of @ matrix(links["words"], self.fitted.words.dimensions) / WHOLE / n_songs[:, None]
        counts = np.diff(genres.indptr)
        return {
            "artist": named.dictionary,
            "credits": n_songs.astype(np.int32),
            "songs": analysed.astype(np.int32),
            "sound": rows_of(sounds, pa.float64()),
            "words": rows_of(words, pa.float64()),
            "fame": _fame(named.indices.to_numpy(), len(named.dictionary), links),
            "genres": ragged(counts, genres.indices, pa.int32()),
            "weights": ragged(counts, genres.data / np.repeat(n_songs, counts), pa.float64()),
        }

    def _genres(self, of: sparse.csr_matrix, links: pa.Table) -> sparse.csr_matrix:
        """How many of each artist's songs have a genre; int64, shape (n_artists, n_genres)."""
        found = sparse.csr_matrix(of @ sparse_of(links["genres"], len(self.fitted.genres)).astype(np.int64))
        found.sort_indices()
        return found

    def _sounds(
        self, of: sparse.csr_matrix, links: pa.Table, genres: sparse.csr_matrix
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of how many songs the sound is known, and mean sounds, near their genres' where an artist has few songs."""
        sound = matrix(links["sound"], len(TELLING))
        known = sound != UNKNOWN
        analysed = known.any(axis=1)
        imputed = np.where(known, sound, whole(self.fitted.sound))
        sums, songs = of @ np.where(analysed[:, None], imputed, 0) / WHOLE, of @ analysed.astype(np.int64)
        smoothing = PSEUDO_SONGS * (np.diff(genres.indptr) > 0)
        drawn = smoothing[:, None] * (averaged(genres) @ self.fitted.of_genres)
        return songs, np.asarray((sums + drawn) / np.maximum(songs + smoothing, 1)[:, None])


def _fame(artists: np.ndarray, n_artists: int, links: pa.Table) -> np.ndarray:
    """The popularity of the best-known song of which each is the first artist; NaN without one."""
    popularity = links["popularity"].to_numpy()
    first = (links["position"].to_numpy() == 0) & ~np.isnan(popularity)
    fame = np.full(n_artists, np.nan)
    np.fmax.at(fame, artists[first], popularity[first])
    return fame
