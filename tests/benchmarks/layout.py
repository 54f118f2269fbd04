"""What vectors cost on disk and what they are worth: kinds of numbers, and dimensions of the genre block.

The table is placed anew, for only float32 is exact; everything else (cells, reaches, look-up) stays as it was
fitted. ``same ten`` is the share of the ten songs recommended that float32 recommends too.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest import mock

import numpy as np

import build.space
from build import ROOT
from build.evaluate import by_playlists
from build.fit import Options, fit
from build.sources import tracks
from build.space import place
from segue.catalog import Catalog, load
from segue.engine import recommend
from segue.query import Query, Seed
from tests.benchmarks.figures import Row
from tests.benchmarks.subject import Skipped, Subject

PLAYLISTS = ROOT.parent / "shared" / "data" / "playlists_dev.csv"
FIGURES = ("HR@10", "xHR@10", "AUC")
GENRE_DIMENSIONS = (12, 48)  # besides the build's own
QUERIES = 500
_LEVELS = 127  # of int8, on either side of zero


def halved(vectors: np.ndarray) -> np.ndarray:
    """What float16 keeps."""
    return vectors.astype(np.float16).astype(np.float32)


def quantised(vectors: np.ndarray) -> np.ndarray:
    """What int8 keeps, with a scale for each column."""
    scale = np.maximum(np.abs(vectors).max(axis=0), 1e-12) / _LEVELS
    return np.rint(vectors / scale).astype(np.int8) * scale.astype(np.float32)


KINDS: Mapping[str, tuple[Callable[[np.ndarray], np.ndarray], int]] = {
    "float32": (np.asarray, 4),
    "float16": (halved, 2),
    "int8, a scale a column": (quantised, 1),
}


class Relaid(Catalog):
    """A version with other vectors."""

    def __init__(self, catalog: Catalog, vectors: np.ndarray):
        super().__init__(catalog.folder, catalog.manifest)
        self._arrays["vectors"] = vectors


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each kind of number, and for each number of dimensions in the kind that is stored."""
    if subject.source is None:
        raise Skipped("it needs the source, not only the artifacts: --source")
    vectors = exact(subject.catalog, subject.source)
    wanted = tens(Relaid(subject.catalog, vectors), subject)
    for name, (kept, width) in KINDS.items():
        print(f"  {name}", file=sys.stderr)
        relaid = Relaid(subject.catalog, kept(vectors))
        same = sum(len(one & other) for one, other in zip(tens(relaid, subject), wanted))
        total = sum(map(len, wanted))
        yield {**_sizes(name, vectors.shape, width), "same ten": same / total, **_judged(relaid)}
    for dimensions in GENRE_DIMENSIONS:
        print(f"  genre in {dimensions} dimensions", file=sys.stderr)
        yield _with_dimensions(subject.source, dimensions)


def exact(catalog: Catalog, source: str) -> np.ndarray:
    """The vectors in float32, in the order of a catalogue that was fitted from the source with default options."""
    frame, account = tracks([source], {})
    return place(frame, account, seed=0).vectors[catalog.array("source_rows")]


def tens(catalog: Catalog, subject: Subject) -> list[set[int]]:
    """Rows of what is recommended for some songs."""
    queries = [Query((Seed("/song_id", {}, id=song),)) for song in subject.ids(QUERIES, seed=7)]
    return [{found.row for found in recommend(catalog, query).recommendations} for query in queries]


def _with_dimensions(source: str, dimensions: int) -> Row:
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(build.space, "GENRE_DIMENSIONS", dimensions):
        fit(Options([source]), Path(folder))
        catalog = load(Path(folder))
        stored = catalog.array("vectors")
        name = f"{stored.dtype}, genre in {dimensions}"
        return {**_sizes(name, stored.shape, stored.dtype.itemsize), **_judged(catalog)}


def _sizes(name: str, shape: tuple[int, ...], width: int) -> Row:
    return {"vectors": name, "dimensions": shape[1], "MB": shape[0] * shape[1] * width / 1e6}


def _judged(catalog: Catalog) -> Row:
    """Quality by playlists, where there are any and the songs are real."""
    if not PLAYLISTS.exists() or catalog.manifest["invented"]:
        return {}
    _, figures = by_playlists(catalog, PLAYLISTS, "all", 0)
    return {name: figures[name][0] for name in FIGURES}
