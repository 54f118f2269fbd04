"""What has a row a song, written while the rows come in."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from segue_build.artifacts.table import row_groups
from segue_build.model.plane import drawn
from segue_build.spark.batches import Frame, lengths_of, matrix, streamed, totals, vectors_of
from segue_build.spark.columns import Columns, Ragged
from segue_build.spark.features import NUMBERS
from segue_build.spark.ordering import Ordered
from segue_build.spark.tables import GrowingTable
from segue.query.attributes import NUMERIC

_WHOLE = [attribute.name for attribute in NUMERIC if attribute.whole] + ["explicit"]


def write(folder: Path, whole: Frame, others: list[str], ordered: Ordered) -> dict[str, Any]:
    """Write columns, lists, texts and the table, and return what the manifest says of them.

    whole : all that is known of songs
    others : names of the source's other columns
    """
    firsts = row_groups(ordered.firsts)
    table = GrowingTable(folder, whole, others, [*firsts[1:], int(ordered.offsets[-1])])
    with Columns(folder) as columns:
        files = _Files(folder, columns, ordered, _kinds(whole))
        for songs in streamed(whole.sort("row")):
            files.append(songs)
            table.append(songs)
        files.close()
    table.close()
    return files.facts()


def write_texts(folder: Path, name: str, frame: Frame) -> None:
    """Write the texts of the column ``text``."""
    heap = Ragged(folder, name, "heap", np.uint8)
    for table in streamed(frame):
        heap.append(*_encoded(table["text"].to_pylist()))
    heap.close()


class _Files:
    """All files but the table.

    kinds : attribute -> its type
    """

    def __init__(self, folder: Path, columns: Columns, ordered: Ordered, kinds: dict[str, Any]):
        self._columns, self._ordered, self._kinds = columns, ordered, kinds
        self._texts = {
            "id": Ragged(folder, "ids", "heap", np.uint8),
            "name": Ragged(folder, "names", "heap", np.uint8),
        }
        self._lists = {
            "by": Ragged(folder, "by", "artists", np.int32),
            "codes": Ragged(folder, "in", "genres", np.int32),
        }
        self._known = dict.fromkeys([*NUMBERS, "explicit"], False)
        self._recommendable = 0
        self._reaches = np.zeros(len(ordered.clusters))

    def append(self, songs: pa.Table) -> None:
        """Write some rows."""
        self._append_places(songs)
        self._append_attributes(songs)
        np.add.at(self._reaches, songs["cell"].to_numpy(), songs["reach"].to_numpy().astype(np.float64))
        for name, heap in self._texts.items():
            heap.append(*_encoded(songs[name].to_pylist()))
        for name, lists in self._lists.items():
            counts, values = lengths_of(songs[name])
            lists.append(counts, values.to_numpy())

    def close(self) -> None:
        """Write what is known when all songs are."""
        self._columns.append("cell_reaches", self._reaches / np.diff(self._ordered.offsets), np.float32)
        for each in (*self._texts.values(), *self._lists.values()):
            each.close()

    def facts(self) -> dict[str, Any]:
        """What the manifest says."""
        return {
            "recommendable": self._recommendable,
            "attributes": [attribute.name for attribute in NUMERIC if self._known[attribute.name]],
            "has_explicit": self._known["explicit"],
        }

    def _append_places(self, songs: pa.Table) -> None:
        columns, width = self._columns, len(songs["sketch"][0])
        points = np.stack([songs["x"].to_numpy(), songs["y"].to_numpy()], axis=1)
        columns.append("vectors", vectors_of(songs["vector"]))
        columns.append("present", songs["present"].to_numpy(), np.uint16)
        columns.append("reaches", songs["reach"].to_numpy(), np.float32)
        columns.append("sketches", matrix(songs["sketch"], width), np.uint16)
        columns.append("map", drawn(points, self._ordered.low, self._ordered.high))
        columns.append("works", songs["work"].to_numpy(), np.int32)
        columns.append("source_rows", songs["place"].to_numpy(), np.int32)
        columns.append("song_albums", songs["album_number"].to_numpy(), np.uint32)

    def _append_attributes(self, songs: pa.Table) -> None:
        for name, kind in self._kinds.items():
            values = songs[name].to_numpy(zero_copy_only=False).astype(np.float64)
            self._known[name] |= not np.isnan(values).all()
            self._columns.append(f"attribute_{name}", values, kind)
        analysed = songs["tempo"].to_numpy(zero_copy_only=False) != 0
        self._columns.append("recommendable", analysed)
        self._recommendable += int(analysed.sum())


def _encoded(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = [text.encode("utf-8", "replace") for text in texts]
    return np.fromiter(map(len, encoded), np.int64, len(encoded)), np.frombuffer(b"".join(encoded), np.uint8)


def _kinds(whole: Frame) -> dict[str, Any]:
    """The smallest float of each attribute that holds all of its values, where they are whole."""
    small, single = totals(whole.select(*_WHOLE), _inexact)
    kinds = np.where(small == 0, "float16", np.where(single == 0, "float32", "float64"))
    parts = {attribute.name: np.float32 for attribute in NUMERIC if not attribute.whole}
    return {**parts, **dict(zip(_WHOLE, kinds.tolist()))}


def _inexact(songs: pa.Table) -> np.ndarray:
    """How many values are not the same as float16, and as float32; shape (2, n_attributes)."""
    values = np.stack([songs[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in _WHOLE])
    known = ~np.isnan(values)
    with np.errstate(over="ignore"):
        return np.stack([((values.astype(kind) != values) & known).sum(axis=1) for kind in (np.float16, np.float32)])
