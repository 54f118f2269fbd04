"""The tidy table, placed and clustered, as the files that :mod:`segue.catalog` describes."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from segue_build.artifacts import groups, lookups, table
from segue_build.model.clusters import Cells, centroids
from segue_build.model.context import Links, first_artists
from segue_build.model.lessons import Lists
from segue_build.model.plane import plane
from segue_build.model.sketches import sketched
from segue_build.model.space import Placed
from segue_build.model.works import work_numbers
from segue_build.sources import runs
from segue.catalog.ragged import offsets_of, write_texts
from segue.query.attributes import NUMERIC


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that was fitted, rows sorted by cluster, then cell, then the most popular first.

    works : int64, shape (n_songs,), one number for all versions of a song
    source_rows : int64, shape (n_songs,), each song's row in the tidy table
    reaches : float32, shape (n_songs,)
    """

    frame: pd.DataFrame
    placed: Placed
    cells: np.ndarray
    clusters: Cells
    works: np.ndarray
    source_rows: np.ndarray
    reaches: np.ndarray
    lists: Lists | None = None

    @property
    def popularity(self) -> np.ndarray:
        """Popularity, unknown as -1, shape (n_songs,)."""
        return self.frame["popularity"].fillna(-1).to_numpy(np.float64)


def sort(frame: pd.DataFrame, placed: Placed, reaches: np.ndarray, clusters: Cells, lists: Lists | None) -> Model:
    """Sort songs so that neighbours of the space lie together.

    frame : is emptied column by column, for two whole tables would be most of a large build's memory
    """
    order = _order(frame, clusters.cells)
    columns = {name: frame.pop(name).take(order).array for name in frame.columns.tolist()}
    sorted_frame = pd.DataFrame(columns, copy=False)
    placed = dataclasses.replace(
        placed,
        vectors=placed.vectors[order],
        present=placed.present[order],
        by=Links(placed.by.names, placed.by.matrix[order]),
        genres=Links(placed.genres.names, placed.genres.matrix[order]),
    )
    if lists:
        lists = dataclasses.replace(lists, of_song=lists.of_song[order], songs=np.argsort(order)[lists.songs])
    works = work_numbers(sorted_frame)
    return Model(sorted_frame, placed, clusters.cells[order], clusters, works, order, reaches[order], lists)


def _order(frame: pd.DataFrame, cells: np.ndarray) -> np.ndarray:
    """By cell, then the most popular first, then by id."""
    by_id = pc.sort_indices(runs.arrow(frame["id"])).to_numpy()
    popularity = frame["popularity"].fillna(-1).to_numpy(np.float64)
    return by_id[np.lexsort((-popularity[by_id], cells[by_id]))].astype(np.int64)


def write(folder: Path, model: Model) -> dict[str, Any]:
    """Write every file of a version but the manifest.

    Returns
    -------
    What the manifest says of these files.

    """
    _write_space(folder, model)
    _write_relations(folder, model)
    _write_texts(folder, model)
    lookups.write(folder, model.frame, model.placed.by.names, model.popularity)
    recommendable = _write_attributes(folder, model)
    clusters = model.clusters.clusters[model.cells]
    firsts = table.write(folder / table.FILE, model.frame, clusters, model.cells)
    return {
        "songs": len(model.frame),
        "recommendable": recommendable,
        "works": int(model.works.max()) + 1,
        "space": model.placed.space.to_manifest(),
        "genres": model.placed.genres.names,
        "attributes": [a.name for a in NUMERIC if model.frame[a.name].notna().any()],
        "has_explicit": bool(model.frame["explicit"].notna().any()),
        "clusters": groups.described(model.frame, model.placed, clusters),
        "row_groups": firsts,
    }


def _write_space(folder: Path, model: Model) -> None:
    vectors = model.placed.vectors
    offsets = offsets_of(np.bincount(model.cells, minlength=len(model.clusters.clusters)))
    middles = centroids(vectors, offsets)
    reaches = np.add.reduceat(model.reaches, offsets[:-1].astype(np.int64)) / np.diff(offsets)
    _save(folder, "vectors", vectors)
    _save(folder, "present", model.placed.present)
    found = sketched(model.placed.space, vectors, model.reaches, seed=0)
    _save(folder, "sketch_centres", found.centres)
    _save(folder, "sketches", found.sketches)
    _save(folder, "cell_offsets", offsets)
    _save(folder, "cell_centroids", middles)
    _save(folder, "map", plane(vectors, model.placed.space.weights, offsets, middles))
    _save(folder, "reaches", model.reaches)
    _save(folder, "cell_reaches", reaches.astype(np.float32))
    _save(folder, "cell_clusters", model.clusters.clusters.astype(np.int16))
    _save(folder, "rank_values", model.placed.ranks.values)
    _save(folder, "rank_levels", model.placed.ranks.levels)


def _write_relations(folder: Path, model: Model) -> None:
    best_first = np.argsort(-model.popularity, kind="stable")
    _save(folder, "works", model.works.astype(np.int32))
    _save(folder, "source_rows", model.source_rows.astype(np.int32))
    _save_lists(folder, "work", "songs", *_grouped(model.works[best_first], best_first, int(model.works.max()) + 1))
    by, genres = model.placed.by, model.placed.genres
    _save_lists(folder, "by", "artists", *by.lists)
    _save_lists(folder, "in", "genres", *genres.lists)
    _save_lists(folder, "artist", "songs", *_songs_of_artists(model))
    analysed = (model.frame["tempo"] != 0).to_numpy(bool)
    of_cluster = groups.of_clusters(model.clusters.clusters[model.cells])
    for owner, songs in (("genre", groups.of_genres(model.placed)), ("cluster", of_cluster)):
        _save_lists(folder, owner, "songs", *groups.typical(songs, model.placed, analysed, model.works))
    if model.lists:
        _write_together(folder, model, model.lists)


def _write_together(folder: Path, model: Model, lists: Lists) -> None:
    of_work = np.full(int(model.works.max()) + 1, -1, np.int32)
    np.maximum.at(of_work, model.works, lists.of_song.astype(np.int32))  # one version may be unknown to playlists
    _save(folder, "together_lists", of_work)
    owners, works = np.repeat(np.arange(len(lists.counts)), lists.counts), model.works[lists.songs]
    pairs = pd.DataFrame({"list": owners, "work": works})
    # Two works to playlists may be one here: "???" and "ß" are different there.
    once = ~pairs.duplicated().to_numpy()
    counts = np.bincount(owners[once], minlength=len(lists.counts))
    _save_lists(folder, "together", "works", counts, works[once])
    _save(folder, "together_weights", lists.weights[once].astype(np.float16))


def _songs_of_artists(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Each artist's songs: as first artist before the others, most popular first."""
    counts, artists = model.placed.by.lists
    songs = np.repeat(np.arange(len(counts)), counts)
    featured = first_artists(model.placed.by)[songs] != artists
    order = np.lexsort((songs, -model.popularity[songs], featured))
    return _grouped(artists[order], songs[order], len(model.placed.by.names))


def _grouped(owners: np.ndarray, items: np.ndarray, n_owners: int) -> tuple[np.ndarray, np.ndarray]:
    """Items by owner, in the order given."""
    order = np.argsort(owners, kind="stable")
    return np.bincount(owners, minlength=n_owners), items[order]


def _write_texts(folder: Path, model: Model) -> None:
    for name, column in (("ids", "id"), ("names", "name")):
        write_texts(folder, name, runs.texts(model.frame[column]))
    numbers, albums = pd.factorize(model.frame["album"].fillna(""))
    write_texts(folder, "albums", [albums.tolist()])
    _save(folder, "song_albums", numbers.astype(np.uint32))
    write_texts(folder, "artists", [model.placed.by.names])


def _write_attributes(folder: Path, model: Model) -> int:
    for attribute in NUMERIC:
        values = model.frame[attribute.name].to_numpy(np.float64)
        _save(folder, f"attribute_{attribute.name}", _whole(values) if attribute.whole else values.astype(np.float32))
    _save(folder, "attribute_explicit", _whole(model.frame["explicit"].to_numpy(np.float64)))
    recommendable = (model.frame["tempo"] != 0).to_numpy()
    _save(folder, "recommendable", recommendable)
    return int(recommendable.sum())


def _whole(values: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest float that holds each of them: float32 has the milliseconds of four hours."""
    with np.errstate(over="ignore"):
        small = (values.astype(kind) for kind in (np.float16, np.float32))
        return next((kept for kept in small if np.array_equal(kept, values, equal_nan=True)), values)


def _save(folder: Path, name: str, array: np.ndarray) -> None:
    np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)


def _save_lists(folder: Path, owner: str, items: str, counts: np.ndarray, values: np.ndarray) -> None:
    _save(folder, f"{owner}_offsets", offsets_of(counts))
    _save(folder, f"{owner}_{items}", values.astype(np.int32))
