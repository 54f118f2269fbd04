"""The arrays of a version: the one place that declares them. Writers, readers, remote catalogs and tests follow it.

Each is a NumPy file, ``NAME.npy``. Rows are songs unless the shape says otherwise, sorted by cluster, then
by cell, the most popular first; clusters are numbered in the order of the manifest's entries.

A *list array* holds lists of unequal length end to end; its ``offsets`` array says where each list begins and where
the last one ends. Its name is OWNER_ITEMS: ``song_artists`` holds the artists of each song. Texts are such lists,
too: of bytes of UTF-8.
"""

from typing import NamedTuple

import numpy as np

RECORDS, RESIDENT, BLOCKS = "records", "resident", "blocks"
OFFSET = "uint32 uint64"  # the smaller one that holds the last offset
ATTRIBUTE_PREFIX = "attribute_"
TABLE_FILE = "catalog.parquet"  # all that the source tells of songs, for people and rare requests


class ArraySchema(NamedTuple):
    """What is true of an array in every version.

    name : of the file, without ``.npy``
    dtype : where several are named, one of them
    shape : the size of each axis
    remote : how a remote catalog gets at it: from the RECORDS of cells, which hold every song's element; from a file
        that is always on the disk (RESIDENT), because it is small however many songs there are, or a byte per song;
        or from BLOCKS of the file
    offsets : of a list array: the array of its offsets
    values : what :mod:`segue.catalog.validation` requires of elements: ``LOW..HIGH``, both inclusive, or
        ``LOW..AXIS`` where they number the elements of an axis, or of several such (``AXIS*NUMBER``); ``rising`` or
        ``strict`` where none along the last axis is below, or up to, the one before it; ``offsets of AXIS`` where
        they divide it. Offsets of lists always divide these; floats are finite, except that NaN is an unknown
        attribute
    """

    name: str
    dtype: str
    shape: str
    meaning: str
    remote: str = BLOCKS
    offsets: str = ""
    values: str = ""

    def storage_dtype(self, dtype: np.dtype, n_axes: int) -> np.dtype:
        """The dtype in which values of a dtype are stored.

        Raises
        ------
        ValueError
            this array can't hold them: they are of another kind of number, or have another number of axes.

        """
        declared = self.dtype.split()
        stored = np.dtype(declared[0]) if len(declared) == 1 else dtype
        fits = stored.name in declared and np.can_cast(dtype, stored, "same_kind")
        if not fits or n_axes != len(self.shape.split(", ")):
            raise ValueError(
                f"{self.name} is {self.dtype} of shape ({self.shape}), not {dtype.name} of {n_axes} axes"
            )
        return stored


class ListSchema(NamedTuple):
    """The two arrays that hold lists."""

    offsets: str
    values: str


ARRAYS = {array.name: array for array in (
    # the space, see segue.engine.space, and product quantization, see segue.engine.scoring
    ArraySchema("vectors", "int8", "songs, dims", "the space's columns, block by block", RECORDS),
    ArraySchema("present", "uint16", "songs", "bit b is set: block b of the space is known, not imputed", RECORDS),
    ArraySchema("local_scales", "float32", "songs", "the local scale of a song", RECORDS, values="0.0001..10000"),
    ArraySchema(
        "pq_codes", "uint16", "songs, subspaces", "the nearest centroid in each subspace, at one of 8 local scales",
        RECORDS, values="0..centroids*8",
    ),
    ArraySchema("pq_subspaces", "uint8", "blocks", "the subspace of a block", RESIDENT, values="0..subspaces"),
    ArraySchema(
        "pq_offsets", OFFSET, "blocks + 1", "the first centroid of each block; blocks of a subspace have as many",
        RESIDENT, values="offsets of centroids",
    ),
    ArraySchema("pq_centroids", "int8", "centroids, columns", "those of a block in its columns, then 0", RESIDENT),
    ArraySchema(
        "recommendable", "bool", "songs", "the song was analysed (its tempo is not 0)", RESIDENT,
        values="0..1",
    ),
    ArraySchema("map", "uint16", "songs, 2", "where a song lies on the map: to the right, up"),
    ArraySchema(
        "rank_values", "float64", "numbers, knots", "curves from an attribute's value ...", RESIDENT,
        values="rising",
    ),
    ArraySchema(
        "rank_levels", "float64", "numbers, knots", "... to its rank, 0 to 1", RESIDENT, values="rising 0..1",
    ),
    # cells and clusters
    ArraySchema(
        "cell_offsets", OFFSET, "cells + 1", "the first row of each cell", RESIDENT, values="offsets of songs",
    ),
    ArraySchema("cell_centroids", "int8", "cells, dims", "the mean vector of a cell", RESIDENT),
    ArraySchema(
        "cell_local_scales", "float32", "cells", "the mean local scale of a cell's songs", RESIDENT,
        values="0.0001..10000",
    ),
    ArraySchema(
        "cell_clusters", "int16", "cells", "the cluster that a cell is a part of", RESIDENT,
        values="0..clusters",
    ),
    ArraySchema("cluster_offsets", OFFSET, "clusters + 1", "offsets of cluster_songs", RESIDENT),
    ArraySchema(
        "cluster_songs", "int32", "items", "up to 20 well-known songs of a cluster", RESIDENT,
        "cluster_offsets", values="0..songs",
    ),
    # songs, works, artists and genres
    ArraySchema("works", "int32", "songs", "the work of which a song is a version", RECORDS, values="0..works"),
    ArraySchema(
        "source_rows", "int32", "songs", "a song's row in the source, which decides between equal songs",
        values="0..",
    ),
    ArraySchema("work_offsets", OFFSET, "works + 1", "offsets of work_songs", values="strict"),
    ArraySchema(
        "work_songs", "int32", "songs", "a work's versions, the most popular first", BLOCKS, "work_offsets",
        values="0..songs",
    ),
    ArraySchema("song_artists_offsets", OFFSET, "songs + 1", "offsets of song_artists"),
    ArraySchema(
        "song_artists", "int32", "items", "a song's artists, as credited", BLOCKS, "song_artists_offsets",
        values="0..artists",
    ),
    ArraySchema("artist_offsets", OFFSET, "artists + 1", "offsets of artist_songs", values="strict"),
    ArraySchema(
        "artist_songs", "int32", "items", "an artist's songs: those that credit the artist first before the others, "
        "of them those for an occasion last, the most popular first", BLOCKS, "artist_offsets", values="0..songs",
    ),
    ArraySchema("song_genres_offsets", OFFSET, "songs + 1", "offsets of song_genres"),
    ArraySchema(
        "song_genres", "int32", "items", "a song's genres, by number in the manifest", BLOCKS,
        "song_genres_offsets", values="0..genres",
    ),
    ArraySchema("genre_offsets", OFFSET, "genres + 1", "offsets of genre_songs", RESIDENT),
    ArraySchema(
        "genre_songs", "int32", "items", "up to 16 songs that stand for a genre", RESIDENT, "genre_offsets",
        values="0..songs",
    ),
    # co-occurrence in playlists; only in versions that learned from playlists
    ArraySchema(
        "neighbour_lists", "int32", "works", "the number of a work's list of neighbours, -1: it has none",
        values="-1..lists",
    ),
    ArraySchema("neighbour_offsets", OFFSET, "lists + 1", "offsets of neighbour_works and neighbour_weights"),
    ArraySchema(
        "neighbour_works", "int32", "neighbours", "the works of a list, nearest first", BLOCKS,
        "neighbour_offsets", values="0..works",
    ),
    ArraySchema(
        "neighbour_weights", "float16", "neighbours", "their weights, 0 to 1", BLOCKS, "neighbour_offsets",
        values="0..1",
    ),
    # texts
    ArraySchema("ids_offsets", OFFSET, "songs + 1", "offsets of ids_heap"),
    ArraySchema("ids_heap", "uint8", "bytes", "the ids of songs", BLOCKS, "ids_offsets"),
    ArraySchema("names_offsets", OFFSET, "songs + 1", "offsets of names_heap"),
    ArraySchema("names_heap", "uint8", "bytes", "the names of songs", BLOCKS, "names_offsets"),
    ArraySchema("artists_offsets", OFFSET, "artists + 1", "offsets of artists_heap"),
    ArraySchema("artists_heap", "uint8", "bytes", "the names of artists", BLOCKS, "artists_offsets"),
    ArraySchema("albums_offsets", OFFSET, "albums + 1", "offsets of albums_heap"),
    ArraySchema("albums_heap", "uint8", "bytes", "the names of albums, each once", BLOCKS, "albums_offsets"),
    ArraySchema(
        "song_albums", "uint32", "songs", "the album of a song; the one without a name: unknown", RECORDS,
        values="0..albums",
    ),
    # the look-up index, see segue.catalog.lookup
    ArraySchema("id_hashes", "uint64", "songs", "sorted digests of ids ...", values="rising"),
    ArraySchema("id_songs", "int32", "songs", "... and their songs", values="0..songs"),
    ArraySchema(
        "isrc_of_song", "uint64", "songs", "a song's ISRC as a number to the base 36, 0: unknown; in versions of "
        "songs that have any", RECORDS, values="0..4738381338321616895",
    ),
    ArraySchema("isrc_numbers", "uint64", "isrcs", "these numbers, sorted ...", values="rising"),
    ArraySchema(
        "isrc_songs", "int32", "isrcs", "... and their songs, of equal ones the most popular first",
        values="0..songs",
    ),
    ArraySchema(
        "title_hashes", "uint64", "titles", "sorted digests of all ways to type a title ...", values="rising",
    ),
    ArraySchema(
        "title_songs", "int32", "titles", "... and their songs, of equal digests the most popular first",
        values="0..songs",
    ),
    ArraySchema(
        "artist_hashes", "uint64", "keys", "sorted digests of artists' title keys, names and ids ...",
        values="rising",
    ),
    ArraySchema("artist_rows", "int32", "keys", "... and their artists", values="0..artists"),
    ArraySchema(
        "title_order", "int32", "songs", "songs in the alphabetical order of their names as typed",
        values="0..songs",
    ),
    ArraySchema("artist_order", "int32", "artists", "artists in that order", values="0..artists"),
    ArraySchema(
        "entry_songs", "int32", "entries", "the best-known song of each pair of a name as typed and a first artist, "
        "the most popular first", values="0..songs",
    ),
    ArraySchema(
        "trigram_keys", "uint64", "trigrams", "the trigrams of these names and artists, sorted", RESIDENT,
        values="strict",
    ),
    ArraySchema("trigram_offsets", OFFSET, "trigrams + 1", "offsets of trigram_entries", RESIDENT),
    ArraySchema(
        "trigram_entries", "int32", "items", "the entries that contain a trigram, rising", BLOCKS,
        "trigram_offsets", values="0..entries",
    ),
    # the records of a published version, see segue.catalog.remote
    ArraySchema("record_offsets", "int64", "records + 1", "where each record begins", RESIDENT, values="strict"),
    ArraySchema("record_digests", "uint8", "records, 32", "their sha256", RESIDENT),
    ArraySchema("record_keys", "uint64", "lookup records", "the first digest of each record of a look-up", RESIDENT),
    ArraySchema("block_digests", "uint8", "array blocks, 32", "sha256 of the blocks of all arrays above", RESIDENT),
)}  # fmt: skip

ATTRIBUTE = ArraySchema(
    f"{ATTRIBUTE_PREFIX}NAME",
    "float16 float32 float64",
    "songs",
    "a number of the song, or explicit (0, 1); NaN: unknown; whole numbers in the smallest float that holds them",
    RECORDS,
)
_ATTRIBUTE_VALUES = {"explicit": "0..1", "key": "-1..11", "mode": "0..1"}  # of those that stand for something

LISTS = {
    tuple(array.name.split("_")): ListSchema(array.offsets, array.name) for array in ARRAYS.values() if array.offsets
}  # (owner, items) -> the arrays that hold each owner's items

RESIDENT_ARRAYS = frozenset(array.name for array in ARRAYS.values() if array.remote == RESIDENT)


def schema_of(name: str) -> ArraySchema:
    """The schema of an array; KeyError where there is no such array."""
    if name.startswith(ATTRIBUTE_PREFIX):
        return ATTRIBUTE._replace(name=name, values=_ATTRIBUTE_VALUES.get(name.removeprefix(ATTRIBUTE_PREFIX), ""))
    return ARRAYS[name]


def is_per_song(name: str) -> bool:
    """Whether the records of cells hold an array's element for each of their songs."""
    return schema_of(name).remote == RECORDS
