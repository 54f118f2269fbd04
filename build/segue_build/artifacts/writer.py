"""A fitted model as the files that :mod:`segue.catalog` describes."""

import math
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from segue.catalog.schema import ARRAYS
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.artifacts import lookup_index, parquet
from segue_build.artifacts.array_files import offsets_from_lengths, save_array, save_lists, write_strings
from segue_build.model.fitted_model import FittedModel
from segue_build.model.incidence import first_artists
from segue_build.model.quantization import ProductQuantization
from segue_build.progress import beside
from segue_build.sources import series


def least_bytes(model: FittedModel) -> int:
    """Bytes that the files of a version have at least: arrays whose axes are known before they are written."""
    n_songs, n_dims = model.embedding.vectors.shape
    sizes = {"songs": n_songs, "works": int(model.works.max()) + 1, "dims": n_dims, "2": 2}
    total = 0
    for array in ARRAYS.values():
        axes = [axis.removesuffix(" + 1") for axis in array.shape.split(", ")]
        if sizes.keys() >= set(axes) and not array.name.startswith("neighbour_"):
            total += np.dtype(array.dtype.split()[0]).itemsize * math.prod(sizes[axis] for axis in axes)
    return total


def write(folder: Path, model: FittedModel) -> dict[str, Any]:
    """Write every file of a version but the manifest.

    Returns
    -------
    What the manifest says of these files.

    """
    clusters, clustering = model.clustering.cell_clusters[model.cells], model.clustering
    firsts = beside(
        "compressing the table",
        parquet.write,
        folder / parquet.FILE_NAME,
        model.frame,
        clustering.ids[clusters],
        clustering.families[clusters],
        model.cells,
    )
    try:
        _write_space(folder, model)
        _write_relations(folder, model)
        _write_texts(folder, model)
        lookup_index.write(folder, model.frame, model.embedding.song_artists, model.popularity)
        recommendable = _write_attributes(folder, model)
        save_array(folder, "map", model.map.result())
    finally:
        wait([firsts])  # what fails leaves a folder in which nothing more is written
    return {
        "songs": len(model.frame),
        "recommendable": recommendable,
        "works": int(model.works.max()) + 1,
        "space": model.embedding.space.to_manifest(),
        "genres": model.embedding.song_genres.names,
        "attributes": [a.name for a in NUMERIC_ATTRIBUTES if model.frame[a.name].notna().any()],
        "has_explicit": bool(model.frame["explicit"].notna().any()),
        **({"isrcs": n_isrcs} if (n_isrcs := int(model.frame["isrc"].notna().sum())) else {}),
        "clusters": model.descriptions.clusters,
        "families": model.descriptions.families,
        "clusters_chosen": clustering.chosen,
        "silhouettes": {str(count): found.silhouette for count, found in clustering.tried.items()},
        "coverages": {str(count): found.coverage for count, found in clustering.tried.items()},
        "row_groups": firsts.result(),
    }


def _write_space(folder: Path, model: FittedModel) -> None:
    save_array(folder, "vectors", model.embedding.vectors)
    save_array(folder, "present", model.embedding.present)
    _write_pq(folder, model.pq)
    save_array(folder, "cell_offsets", offsets_from_lengths(np.diff(model.cell_offsets)))
    save_array(folder, "cell_centroids", model.cell_centroids)
    save_array(folder, "local_scales", model.local_scales)
    save_array(folder, "cell_local_scales", model.cell_local_scales)
    save_array(folder, "cell_clusters", model.clustering.cell_clusters)
    save_array(folder, "rank_values", model.embedding.ranks.values)
    save_array(folder, "rank_levels", model.embedding.ranks.levels)


def _write_pq(folder: Path, pq: ProductQuantization) -> None:
    rows = pq.quantizer.rows
    width = max(of_block.shape[1] for of_block in rows)
    padded = [np.pad(of_block, ((0, 0), (0, width - of_block.shape[1]))) for of_block in rows]
    save_array(folder, "pq_centroids", np.concatenate(padded))
    save_array(folder, "pq_offsets", offsets_from_lengths(np.array([len(of_block) for of_block in rows])))
    save_array(folder, "pq_subspaces", pq.quantizer.subspaces.astype(np.uint8))
    save_array(folder, "pq_codes", pq.codes)


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
    save_lists(folder, "genre", "songs", *model.genre_songs)
    save_lists(folder, "cluster", "songs", *model.cluster_songs)
    if model.neighbour_lists:
        neighbours = model.neighbour_lists
        save_array(folder, "neighbour_lists", neighbours.list_of_work)
        save_lists(folder, "neighbour", "works", neighbours.counts, neighbours.works)
        save_array(folder, "neighbour_weights", neighbours.weights)


def _songs_of_artists(model: FittedModel) -> tuple[np.ndarray, np.ndarray]:
    """Each artist's songs: as first artist before the others, for occasions last of them, most popular first."""
    counts, artists = model.embedding.song_artists.ragged
    songs = np.repeat(np.arange(len(counts)), counts)
    featured = first_artists(model.embedding.song_artists)[songs] != artists
    order = np.lexsort((songs, -model.popularity[songs], model.embedding.occasional[songs], featured))
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
    save_array(folder, "recommendable", model.recommendable)
    return int(model.recommendable.sum())


def _smallest_float(values: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest float that holds each of them: float32 has the milliseconds of four hours."""
    with np.errstate(over="ignore"):
        small = (values.astype(kind) for kind in (np.float16, np.float32))
        return next((kept for kept in small if np.array_equal(kept, values, equal_nan=True)), values)
