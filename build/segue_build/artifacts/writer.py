"""The canonical table, placed and clustered, as the files that :mod:`segue.catalog` describes."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.artifacts import lookup_index, parquet
from segue_build.artifacts.array_files import offsets_from_lengths, save_array, save_lists, write_strings
from segue_build.model import cluster_names
from segue_build.model.clustering import cell_centroids
from segue_build.model.fitted_model import FittedModel
from segue_build.model.incidence import first_artists
from segue_build.model.map_layout import map_coordinates
from segue_build.model.playlist_model import NeighbourLists
from segue_build.model.quantization import fit_pq
from segue_build.sources import series


def write(folder: Path, model: FittedModel) -> dict[str, Any]:
    """Write every file of a version but the manifest.

    Returns
    -------
    What the manifest says of these files.

    """
    _write_space(folder, model)
    _write_relations(folder, model)
    _write_texts(folder, model)
    lookup_index.write(folder, model.frame, model.embedding.song_artists.names, model.popularity)
    recommendable = _write_attributes(folder, model)
    clusters = model.clusters.cluster_of_cell[model.cells]
    firsts = parquet.write(folder / parquet.FILE_NAME, model.frame, clusters, model.cells)
    return {
        "songs": len(model.frame),
        "recommendable": recommendable,
        "works": int(model.works.max()) + 1,
        "space": model.embedding.space.to_manifest(),
        "genres": model.embedding.song_genres.names,
        "attributes": [a.name for a in NUMERIC_ATTRIBUTES if model.frame[a.name].notna().any()],
        "has_explicit": bool(model.frame["explicit"].notna().any()),
        "clusters": cluster_names.describe_clusters(model.frame, model.embedding, clusters),
        "row_groups": firsts,
    }


def _write_space(folder: Path, model: FittedModel) -> None:
    vectors = model.embedding.vectors
    offsets = offsets_from_lengths(np.bincount(model.cells, minlength=len(model.clusters.cluster_of_cell)))
    cell_means = cell_centroids(vectors, offsets)
    cell_local_scales = np.add.reduceat(model.local_scales, offsets[:-1].astype(np.int64)) / np.diff(offsets)
    save_array(folder, "vectors", vectors)
    save_array(folder, "present", model.embedding.present)
    pq = fit_pq(model.embedding.space, vectors, model.local_scales, seed=0)
    save_array(folder, "pq_centroids", pq.pq_centroids)
    save_array(folder, "pq_codes", pq.pq_codes)
    save_array(folder, "cell_offsets", offsets)
    save_array(folder, "cell_centroids", cell_means)
    save_array(folder, "map", map_coordinates(vectors, model.embedding.space.column_weights, offsets, cell_means))
    save_array(folder, "local_scales", model.local_scales)
    save_array(folder, "cell_local_scales", cell_local_scales)
    save_array(folder, "cell_clusters", model.clusters.cluster_of_cell)
    save_array(folder, "rank_values", model.embedding.ranks.values)
    save_array(folder, "rank_levels", model.embedding.ranks.levels)


def _write_relations(folder: Path, model: FittedModel) -> None:
    best_first = np.argsort(-model.popularity, kind="stable")
    save_array(folder, "works", model.works)
    save_array(folder, "source_rows", model.source_rows)
    save_lists(
        folder, "work", "songs", *_group_by_owner(model.works[best_first], best_first, int(model.works.max()) + 1)
    )
    song_artists, song_genres = model.embedding.song_artists, model.embedding.song_genres
    save_lists(folder, "song", "artists", *song_artists.ragged)
    save_lists(folder, "song", "genres", *song_genres.ragged)
    save_lists(folder, "artist", "songs", *_songs_of_artists(model))
    analysed = (model.frame["tempo"] != 0).to_numpy(bool)
    of_cluster = cluster_names.songs_by_cluster(model.clusters.cluster_of_cell[model.cells])
    for owner, songs in (("genre", cluster_names.songs_by_genre(model.embedding)), ("cluster", of_cluster)):
        save_lists(
            folder, owner, "songs", *cluster_names.typical_songs(songs, model.embedding, analysed, model.works)
        )
    if model.neighbour_lists:
        _write_neighbours(folder, model, model.neighbour_lists)


def _write_neighbours(folder: Path, model: FittedModel, neighbour_lists: NeighbourLists) -> None:
    list_of_work = np.full(int(model.works.max()) + 1, -1, np.int32)
    np.maximum.at(
        list_of_work, model.works, neighbour_lists.list_of_song.astype(np.int32)
    )  # one version may be unknown to playlists
    save_array(folder, "neighbour_lists", list_of_work)
    owners, works = (
        np.repeat(np.arange(len(neighbour_lists.counts)), neighbour_lists.counts),
        model.works[neighbour_lists.songs],
    )
    pairs = pd.DataFrame({"list": owners, "work": works})
    # Two works to playlists may be one here: "???" and "ß" are different there.
    distinct = ~pairs.duplicated().to_numpy()
    counts = np.bincount(owners[distinct], minlength=len(neighbour_lists.counts))
    save_lists(folder, "neighbour", "works", counts, works[distinct])
    save_array(folder, "neighbour_weights", neighbour_lists.weights[distinct])


def _songs_of_artists(model: FittedModel) -> tuple[np.ndarray, np.ndarray]:
    """Each artist's songs: as first artist before the others, most popular first."""
    counts, artists = model.embedding.song_artists.ragged
    songs = np.repeat(np.arange(len(counts)), counts)
    featured = first_artists(model.embedding.song_artists)[songs] != artists
    order = np.lexsort((songs, -model.popularity[songs], featured))
    return _group_by_owner(artists[order], songs[order], len(model.embedding.song_artists.names))


def _group_by_owner(owners: np.ndarray, items: np.ndarray, n_owners: int) -> tuple[np.ndarray, np.ndarray]:
    """Items by owner, in the order given."""
    order = np.argsort(owners, kind="stable")
    return np.bincount(owners, minlength=n_owners), items[order]


def _write_texts(folder: Path, model: FittedModel) -> None:
    for name, column in (("ids", "id"), ("names", "name")):
        write_strings(folder, name, series.iter_text_batches(model.frame[column]))
    numbers, albums = pd.factorize(model.frame["album"].fillna(""))
    write_strings(folder, "albums", [albums.tolist()])
    save_array(folder, "song_albums", numbers.astype(np.uint32))
    write_strings(folder, "artists", [model.embedding.song_artists.names])


def _write_attributes(folder: Path, model: FittedModel) -> int:
    for attribute in NUMERIC_ATTRIBUTES:
        values = model.frame[attribute.name].to_numpy(np.float64)
        save_array(
            folder,
            f"attribute_{attribute.name}",
            _smallest_float(values) if attribute.is_integer else values.astype(np.float32),
        )
    save_array(folder, "attribute_explicit", _smallest_float(model.frame["explicit"].to_numpy(np.float64)))
    recommendable = (model.frame["tempo"] != 0).to_numpy()
    save_array(folder, "recommendable", recommendable)
    return int(recommendable.sum())


def _smallest_float(values: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest float that holds each of them: float32 has the milliseconds of four hours."""
    with np.errstate(over="ignore"):
        small = (values.astype(kind) for kind in (np.float16, np.float32))
        return next((kept for kept in small if np.array_equal(kept, values, equal_nan=True)), values)
