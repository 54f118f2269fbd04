"""What people play together with the seeds: the short lists that were learned from playlists."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog import Catalog
from segue.engine.seeds import Resolved


@dataclass(frozen=True, slots=True)
class Links:
    """Songs that are played together with points that stand for seeds; all three of shape (n_links,).

    rows : of the songs, every version of each
    points : numbers of the points
    weights : float32, 1 for the song that is most often played together with a point, falling to 0
    """

    rows: np.ndarray
    points: np.ndarray
    weights: np.ndarray


NONE = Links(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


def links(catalog: Catalog, seeds: Sequence[Resolved]) -> Links:
    """Find the lists of all songs that stand for seeds; raw features have none."""
    lists, works = catalog.array("together_lists"), catalog.array("works")
    found, point = [], 0
    for seed in seeds:
        for number, row in enumerate(seed.rows):
            if lists[works[row]] >= 0:
                found.append(_linked(catalog, int(lists[works[row]]), point + number))
        point += len(seed.vectors)
    if not found:
        return NONE
    return Links(*(np.concatenate(column) for column in zip(*found)))


def _linked(catalog: Catalog, number: int, point: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    works = catalog.lists("together", "works")[number]
    weights = catalog.lists("together", "weights")[number].astype(np.float32)
    songs = catalog.lists("work", "songs")
    versions = [songs[int(work)] for work in works]
    counts = [len(rows) for rows in versions]
    rows = np.concatenate(versions).astype(np.int64) if versions else np.empty(0, np.int64)
    return rows, np.full(len(rows), point, np.int64), np.repeat(weights, counts)
