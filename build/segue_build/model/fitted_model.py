"""The model: everything that is fitted to a canonical table, its songs sorted so that similar ones lie together."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from segue.errors import SourceError
from segue_build.model import works
from segue_build.model.cluster_names import (
    Descriptions,
    SongFacts,
    describe_clusters,
    songs_by_group,
    songs_of_clusters,
    songs_of_genres,
)
from segue_build.model.clustering import (
    Clustering,
    PreviousClusters,
    browsing_weights,
    cell_centroids,
    fit_clustering,
    training_sample_size,
)
from segue_build.model.embedding import Embedding, embed
from segue_build.model.incidence import Incidence, first_artists
from segue_build.model.kmeans import max_squared_norm, sample_rows
from segue_build.model.local_scale import local_scales
from segue_build.model.map_layout import map_coordinates
from segue_build.model.playlist_model import NeighbourLists, add_playlist_block
from segue_build.model.quantization import ProductQuantization, fit_pq
from segue_build.model.works import known_popularity
from segue_build.progress import beside, stage
from segue_build.sources import playlists, series
from segue_build.sources.columns import find_column
from segue_build.sources.ingest_report import IngestReport

WIDE = 200  # columns, of more than which none is removed by itself: that takes time for all of them
Ragged = tuple[np.ndarray, np.ndarray]  # lists: how many items each has, and the items of all, end to end


class PlaylistReader(Protocol):
    """Reads the playlists that a model learns from.

    required : whether somebody asked for them; those that the sources happen to hold may be too few
    """

    required: bool

    def read(self, frame: pd.DataFrame, known: playlists.CatalogWorks) -> playlists.Playlists:
        """Those to learn from, matched to the works of a table."""


@dataclass(frozen=True, slots=True)
class FittedModel:
    """Everything that was fitted, songs sorted by cluster, then cell, then the most popular first.

    frame : the canonical table
    works : int64, shape (n_songs,), one number for all versions of a song
    source_rows : int64, shape (n_songs,), each song's row in the table that was read
    local_scales : float32, shape (n_songs,)
    cells : int64, shape (n_songs,), the cell of each song
    clustering : cells, clusters and families
    cell_offsets : int64, shape (n_cells + 1,), the first song of each cell
    cell_centroids : int8, shape (n_cells, n_dims)
    cell_local_scales : float32, shape (n_cells,), means of the songs'
    pq : the product quantization of all songs
    map : uint16, shape (n_songs, 2), see :mod:`segue_build.model.map_layout`; maybe still being laid out
    descriptions : the manifest's entries of families and clusters
    genre_songs, cluster_songs : songs that stand for each genre, well-known songs of each cluster
    neighbour_lists : works that co-occur in playlists; None where none were learned from
    """

    frame: pd.DataFrame
    embedding: Embedding
    works: np.ndarray
    source_rows: np.ndarray
    local_scales: np.ndarray
    cells: np.ndarray
    clustering: Clustering
    cell_offsets: np.ndarray
    cell_centroids: np.ndarray
    cell_local_scales: np.ndarray
    pq: ProductQuantization
    map: "Future[np.ndarray]"
    descriptions: Descriptions
    genre_songs: Ragged
    cluster_songs: Ragged
    neighbour_lists: NeighbourLists | None

    @property
    def popularity(self) -> np.ndarray:
        """Popularity, unknown as -1, shape (n_songs,)."""
        return popularity(self.frame)

    @property
    def recommendable(self) -> np.ndarray:
        """Which songs may be recommended, bool, shape (n_songs,)."""
        return is_analysed(self.frame)


def popularity(frame: pd.DataFrame) -> np.ndarray:
    """Popularity, unknown as -1, shape (n_songs,)."""
    return frame["popularity"].fillna(-1).to_numpy(np.float64)


def is_analysed(frame: pd.DataFrame) -> np.ndarray:
    """Whether each song's sound was analysed, bool; tempo 0 says that it was not."""
    return (frame["tempo"] != 0).to_numpy(bool)


def fit_model(
    frame: pd.DataFrame,
    report: IngestReport,
    *,
    seed: int,
    weights: Mapping[str, float],
    playlist_reader: PlaylistReader | None = None,
    previous: PreviousClusters,
    labels: Sequence[str] = (),
) -> FittedModel:
    """Fit everything to a canonical table.

    Parameters
    ----------
    frame : is emptied column by column: two whole tables would be most of a large build's memory
    report : receives notes on what the table or the playlists lack
    seed : of everything random
    weights : block -> its part of the similarity
    playlist_reader : None where there are no playlists
    previous : clusters whose ids and names are kept where they are still the same
    labels : columns of the table that become blocks

    """
    work_numbers, neighbours = works.work_numbers(frame), None
    frame["popularity"] = known_popularity(frame["popularity"].to_numpy(np.float64, na_value=np.nan), work_numbers)
    with stage(f"placing {len(frame):,} songs in the space"):
        embedding = embed(frame, report, seed, weights, _label_columns(frame, labels))
    with stage("measuring neighbourhoods"):
        scales = local_scales(embedding.space, embedding.vectors, is_analysed(frame), seed)
    if playlist_reader:
        embedding, neighbours = _learn_from_playlists(frame, embedding, work_numbers, playlist_reader, seed, report)
    with stage("clustering"):
        clustering, cells = _cluster(frame, embedding, seed, previous)
    with stage("sorting"):
        order = _song_order(frame, cells)
        take = frame.pop if len(frame.columns) <= WIDE else frame.__getitem__
        columns = {name: take(name).take(order).array for name in frame.columns.tolist()}
        frame, embedding = pd.DataFrame(columns, copy=False), _reordered(embedding, order)
    return fit_sorted(
        frame,
        embedding,
        source_rows=order,
        local_scales=scales[order],
        cells=cells[order],
        clustering=clustering,
        works=work_numbers[order],
        neighbours=neighbours,
        seed=seed,
        previous=previous,
    )


def _learn_from_playlists(
    frame: pd.DataFrame,
    embedding: Embedding,
    work_numbers: np.ndarray,
    reader: PlaylistReader,
    seed: int,
    report: IngestReport,
) -> tuple[Embedding, NeighbourLists | None]:
    """The embedding with what playlists teach, and their co-occurrences."""
    known = playlists.catalog_works(frame, works.match_key, work_numbers)
    with stage("reading playlists"):
        training = reader.read(frame, known)
    print("\n".join(training.matches.lines()), file=sys.stderr)
    report.add_note(training.matches.summary())
    try:
        with stage("learning from playlists"):
            return add_playlist_block(embedding, work_numbers, known, training, seed, report)
    except SourceError as error:
        if reader.required:
            raise
        report.add_note(f"nothing is learned from the playlists in the sources: {error}")
        return embedding, None


def _label_columns(frame: pd.DataFrame, labels: Sequence[str]) -> dict[str, Any]:
    """Name of a block -> the labels of each song, joined."""
    columns = {label: find_column(map(str, frame), label) for label in labels}
    return {label: series.joined_labels(frame[column]) for label, column in columns.items() if column}


def _cluster(
    frame: pd.DataFrame, embedding: Embedding, seed: int, previous: PreviousClusters
) -> tuple[Clustering, np.ndarray]:
    """The clustering, and the cell of each song."""
    vectors, space = embedding.vectors, embedding.space
    sampled = sample_rows(len(vectors), training_sample_size(len(vectors)), seed)
    clustering = fit_clustering(
        space,
        vectors[sampled],
        embedding.song_genres.matrix[sampled],
        frame["id"].iloc[sampled].tolist(),
        len(vectors),
        seed,
        previous,
        (max_squared_norm(vectors, browsing_weights(space)), max_squared_norm(vectors, space.column_weights)),
    )
    return clustering, clustering.assign(vectors)


def fit_sorted(
    frame: pd.DataFrame,
    embedding: Embedding,
    *,
    source_rows: np.ndarray,
    local_scales: np.ndarray,
    cells: np.ndarray,
    clustering: Clustering,
    works: np.ndarray,
    neighbours: NeighbourLists | None = None,
    seed: int,
    previous: PreviousClusters,
) -> FittedModel:
    """Fit what is fitted to sorted songs; columns and arrays may be mapped from files.

    Parameters are those of :class:`FittedModel`, in which works are numbered anew: as they first come. The popularity
    of songs is what :func:`segue_build.model.works.known_popularity` says.
    """
    space, vectors = embedding.space, embedding.vectors
    works, originals = pd.factorize(works)
    offsets = np.append(0, np.cumsum(np.bincount(cells, minlength=len(clustering.cell_clusters))))
    centroids = cell_centroids(vectors, offsets)
    coordinates = beside(
        "laying out the map", map_coordinates, vectors, browsing_weights(space), offsets, centroids, seed
    )
    with stage("quantizing"):
        pq = fit_pq(space, vectors, local_scales, seed)
    with stage("describing clusters"):
        genre_songs, cluster_songs, descriptions = _describe(frame, embedding, clustering, cells, previous)
    return FittedModel(
        frame=frame,
        embedding=embedding,
        works=works,
        source_rows=source_rows,
        local_scales=local_scales,
        cells=cells,
        clustering=clustering,
        cell_offsets=offsets,
        cell_centroids=centroids,
        cell_local_scales=(np.add.reduceat(local_scales, offsets[:-1]) / np.diff(offsets)).astype(np.float32),
        pq=pq,
        map=coordinates,
        descriptions=descriptions,
        genre_songs=genre_songs,
        cluster_songs=cluster_songs,
        neighbour_lists=neighbours.renumbered(np.argsort(originals), len(originals)) if neighbours else None,
    )


def _describe(
    frame: pd.DataFrame,
    embedding: Embedding,
    clustering: Clustering,
    cells: np.ndarray,
    previous: PreviousClusters,
) -> tuple[Ragged, Ragged, Descriptions]:
    """Songs that stand for genres, well-known songs of clusters, and the entries of clusters and families."""
    genres, clusters = embedding.song_genres, clustering.cell_clusters[cells]
    facts = SongFacts(
        vectors=embedding.vectors,
        column_weights=browsing_weights(embedding.space),
        analysed=is_analysed(frame),
        occasional=embedding.occasional,
        artists=first_artists(embedding.song_artists),
        popularity=popularity(frame),
    )
    cluster_songs = songs_of_clusters(songs_by_group(clusters, len(clustering.ids)), facts)
    descriptions = describe_clusters(
        frame,
        clusters,
        clustering.ids,
        clustering.families,
        clustering.centroids,
        embedding.ranks,
        genres,
        previous.manifest,
    )
    return songs_of_genres(genres, facts), cluster_songs, descriptions


def _song_order(frame: pd.DataFrame, cells: np.ndarray) -> np.ndarray:
    """By cell, then the most popular first, then by id."""
    by_id = pc.sort_indices(series.to_arrow(frame["id"])).to_numpy()
    return by_id[np.lexsort((-popularity(frame)[by_id], cells[by_id]))].astype(np.int64)


def _reordered(embedding: Embedding, order: np.ndarray) -> Embedding:
    return dataclasses.replace(
        embedding,
        vectors=embedding.vectors[order],
        present=embedding.present[order],
        song_artists=Incidence(embedding.song_artists.names, embedding.song_artists.matrix[order]),
        song_genres=Incidence(embedding.song_genres.names, embedding.song_genres.matrix[order]),
    )
