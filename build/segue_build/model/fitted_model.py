"""The fitted model: songs sorted by cluster and cell, and all that was learned about them."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from segue_build.model.clustering import Clustering
from segue_build.model.embedding import Embedding
from segue_build.model.incidence import Incidence
from segue_build.model.playlist_model import NeighbourLists
from segue_build.model.works import work_numbers
from segue_build.sources import series


@dataclass(frozen=True, slots=True)
class FittedModel:
    """Everything that was fitted, rows sorted by cluster, then cell, then the most popular first.

    works : int64, shape (n_songs,), one number for all versions of a song
    source_rows : int64, shape (n_songs,), each song's row in the canonical table
    local_scales : float32, shape (n_songs,)
    """

    frame: pd.DataFrame
    embedding: Embedding
    cells: np.ndarray
    clusters: Clustering
    works: np.ndarray
    source_rows: np.ndarray
    local_scales: np.ndarray
    neighbour_lists: NeighbourLists | None = None

    @property
    def popularity(self) -> np.ndarray:
        """Popularity, unknown as -1, shape (n_songs,)."""
        return self.frame["popularity"].fillna(-1).to_numpy(np.float64)


def sort_songs(
    frame: pd.DataFrame,
    embedding: Embedding,
    local_scales: np.ndarray,
    clusters: Clustering,
    neighbour_lists: NeighbourLists | None,
) -> FittedModel:
    """Sort songs so that neighbours of the space lie together.

    frame : is emptied column by column, for two whole tables would be most of a large build's memory
    """
    order = _song_order(frame, clusters.cell_of_song)
    columns = {name: frame.pop(name).take(order).array for name in frame.columns.tolist()}
    sorted_frame = pd.DataFrame(columns, copy=False)
    embedding = dataclasses.replace(
        embedding,
        vectors=embedding.vectors[order],
        present=embedding.present[order],
        song_artists=Incidence(embedding.song_artists.names, embedding.song_artists.matrix[order]),
        song_genres=Incidence(embedding.song_genres.names, embedding.song_genres.matrix[order]),
    )
    if neighbour_lists:
        neighbour_lists = dataclasses.replace(
            neighbour_lists,
            list_of_song=neighbour_lists.list_of_song[order],
            songs=np.argsort(order)[neighbour_lists.songs],
        )
    works = work_numbers(sorted_frame)
    return FittedModel(
        sorted_frame,
        embedding,
        clusters.cell_of_song[order],
        clusters,
        works,
        order,
        local_scales[order],
        neighbour_lists,
    )


def _song_order(frame: pd.DataFrame, cells: np.ndarray) -> np.ndarray:
    """By cell, then the most popular first, then by id."""
    by_id = pc.sort_indices(series.to_arrow(frame["id"])).to_numpy()
    popularity = frame["popularity"].fillna(-1).to_numpy(np.float64)
    return by_id[np.lexsort((-popularity[by_id], cells[by_id]))].astype(np.int64)
