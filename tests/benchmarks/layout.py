"""What vectors cost on disk and what they are worth: codes in a column, and dimensions of the genre block.

Every row is a fit of its own. ``same ten`` is the share of the ten songs recommended that the finest codes recommend
too; these are as fine as whole numbers in float32 allow, and stand for vectors that are not rounded at all.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import segue.engine.space
import segue_build.model.embedding
import segue_build.model.genre_block
import segue_build.model.quantization
from segue.catalog import Catalog
from segue.engine.recommendation import recommend
from segue.query.schema import Query, Seed
from segue_build import ROOT
from segue_build.fit import FitOptions, fit
from segue_build.quality.evaluate import evaluate_playlists
from tests.benchmarks.figures import Row
from tests.benchmarks.subject import Skipped, Subject

PLAYLISTS = ROOT.parent / "shared" / "data" / "playlists_dev.csv"
FIGURES = ("HR@10", "xHR@10", "AUC")
QUERIES = 500
LAYOUTS = {  # codes on either side of the middle, and dimensions of the genre block
    "801 codes": (400, None),
    "255 codes": (127, None),
    "63 codes": (31, None),
    "15 codes": (7, None),
    "255 codes, genre in 12": (127, 12),
    "255 codes, genre in 48": (127, 48),
}


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each layout, the finest first."""
    if subject.source is None:
        raise Skipped("it needs the source, not only the artifacts: --source")
    finest: list[set[str]] = []
    for name, (largest, dimensions) in LAYOUTS.items():
        print(f"  {name}", file=sys.stderr)
        with laid_out(largest, dimensions), tempfile.TemporaryDirectory() as folder:
            catalog = fit(FitOptions([subject.source]), Path(folder))
            vectors, found = catalog.array("vectors"), tens(catalog, subject)
            finest = finest or found
            same = sum(len(one & other) for one, other in zip(found, finest)) / sum(map(len, finest))
            sizes = {"vectors": name, "dimensions": vectors.shape[1], "MB": vectors.nbytes / 1e6}
            yield {**sizes, "same ten": same, **_judged(catalog)}


def laid_out(largest: int, dimensions: int | None) -> ExitStack:
    """The build and the function with other codes or dimensions."""
    patches = [
        mock.patch.object(module, "MAX_CODE", largest)
        for module in (segue_build.model.quantization, segue_build.model.embedding, segue.engine.space)
    ]
    if dimensions:
        patches.append(mock.patch.object(segue_build.model.genre_block, "GENRE_DIMENSIONS", dimensions))
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        return stack.pop_all()


def tens(catalog: Catalog, subject: Subject) -> list[set[str]]:
    """Ids of what is recommended for some songs."""
    ids = catalog.texts("ids")
    queries = [Query((Seed("/song_id", {}, id=song),)) for song in subject.ids(QUERIES, seed=7)]
    return [{ids[found.row] for found in recommend(catalog, query).recommendations} for query in queries]


def _judged(catalog: Catalog) -> Row:
    """Quality by playlists, where there are any and the songs are real."""
    if not PLAYLISTS.exists() or catalog.manifest["invented"]:
        return {}
    figures = evaluate_playlists(catalog, PLAYLISTS, "all", 0).metrics
    return {name: figures[name][0] for name in FIGURES}
