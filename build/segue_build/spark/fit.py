"""``fit --engine spark``: a folder of parts to sorted songs; the driver fits the rest as one machine does."""

import contextlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from segue.catalog.catalog import map_array
from segue.errors import SourceError
from segue_build.artifacts.array_files import NpyFolderWriter
from segue_build.model import works
from segue_build.model.clustering import PreviousClusters
from segue_build.model.embedding import Embedding
from segue_build.model.fitted_model import FittedModel, fit_sorted
from segue_build.model.incidence import build_incidence
from segue_build.model.local_scale import scales_from_distances
from segue_build.progress import stage
from segue_build.sources.columns import CANONICAL_COLUMNS, TEXT_COLUMNS
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.tracks import NAMELESS, check_columns, check_dropped_share, check_song_count
from segue_build.spark.batches import Frame, map_batches, persist, stream_batches, to_matrix
from segue_build.spark.clustering import sort_songs
from segue_build.spark.embedding import embed, to_pandas
from segue_build.spark.reader import other_column, read_folder
from segue_build.spark.session import session

_TABLE = "texts.arrow"
_NUMBERS = {
    **{name: np.float64 for name in CANONICAL_COLUMNS if name not in TEXT_COLUMNS},
    **dict.fromkeys(("cell", "source_row", "work"), np.int64),
    "vector": np.int8, "present": np.uint16, "neighbour_distance": np.float64,
}  # fmt: skip
_WORK_KEYS = pa.schema([
    ("source_row", pa.int64()), ("popularity", pa.float64()), ("work", pa.int64()), ("name", pa.int64()),
    ("movement", pa.bool_()),
])  # fmt: skip
_LARGE, _TEXT = {pa.string(): pa.large_string()}, pd.StringDtype(na_value=np.nan)  # of Arrow and of pandas


def fit_on_spark(
    sources: Sequence[str], columns: Mapping[str, str], weights: Mapping[str, float], *, strict: bool, seed: int,
    master: str | None, previous: PreviousClusters,
) -> tuple[FittedModel, IngestReport]:  # fmt: skip
    """Fit a folder of parts.

    Parameters are those of :class:`segue_build.fit.FitOptions`. The model's columns and arrays with a row per song
    are mapped from files that are gone when they are no longer used.

    Raises
    ------
    SourceError
        the folder can't be used.
    SparkError
        Spark can't be.

    """
    if len(sources) != 1:
        raise SourceError(f"--engine spark reads one --source, a folder of parts, not {len(sources)}")
    (source,), report = sources, IngestReport()
    with tempfile.TemporaryDirectory() as scratch:
        with contextlib.ExitStack() as opened:
            with stage("starting Spark"):
                spark = opened.enter_context(session(master))
            with stage(f"reading {source}"):
                tidied, others = read_folder(spark, source, columns, report)
                songs, n_songs = _usable_songs(tidied, source, report, strict)
            with stage(f"placing {n_songs:,} songs in the space"):
                space, ranks, points = embed(songs, n_songs, report, seed, weights)
            with stage("clustering and sorting"):
                rows, clustering = sort_songs(space, points, songs, n_songs, seed, previous)
                _save_rows(rows, Path(scratch))
        frame, arrays = _map_rows(Path(scratch), others)
    incidences = build_incidence(frame["artists"]), build_incidence(frame["genres"])
    distances = arrays["neighbour_distance"]
    model = fit_sorted(
        frame,
        Embedding(space, ranks, arrays["vector"], arrays["present"], *incidences),
        source_rows=np.argsort(np.argsort(arrays["source_row"])),
        local_scales=scales_from_distances(distances, distances.mean()),
        cells=arrays["cell"],
        clustering=clustering,
        works=arrays["work"],
        seed=seed,
        previous=previous,
    )
    return model, report


def _usable_songs(frame: Frame, source: str, report: IngestReport, strict: bool) -> tuple[Frame, int]:
    """The songs that have a name, with their works, and how many they are."""
    from pyspark.sql import functions as sql

    frame = persist(frame)
    check_dropped_share(report, strict)
    named = sql.col("name").isNotNull()
    known = (sql.count(name).alias(name) for name in CANONICAL_COLUMNS)
    totals = sql.sum("_rows").alias("_rows"), sql.count_if(named).alias("_songs"), sql.count("*").alias("_ids")
    counts = frame.agg(*totals, *known).first()
    report.ids_merged += (counts["_rows"] or 0) - counts["_ids"]
    if counts["_ids"] > counts["_songs"]:
        report.count_dropped(NAMELESS, counts["_ids"] - counts["_songs"], [])
        check_dropped_share(report, strict)
    check_columns([name for name in CANONICAL_COLUMNS if counts[name]], [source], report)
    check_song_count(counts["_songs"], report, [source])
    return _find_works(frame.where(named).drop("_rows")), counts["_songs"]


def _find_works(songs: Frame) -> Frame:
    """The same songs with the column ``work``, and with popularities as far as they are known."""
    kept = ("source_row", "popularity")
    keys = map_batches(
        songs.select(*kept, "id", "name", "artists"),
        _WORK_KEYS,
        lambda table: {**{name: table[name] for name in kept}, **works.work_keys(to_pandas(table))},
    ).toArrow()
    numbers = works.merge_by_name(keys.to_pandas())
    popularity = works.known_popularity(keys["popularity"].to_numpy(), numbers)
    found = {"source_row": keys["source_row"], "work": numbers, "popularity": pa.array(popularity, from_pandas=True)}
    return persist(songs.drop("popularity").join(songs.sparkSession.createDataFrame(pa.table(found)), "source_row"))


def _save_rows(rows: Frame, folder: Path) -> None:
    """Write rows as they come: numbers to a file for each column, which is one array, texts to a table."""
    with contextlib.ExitStack() as opened:
        arrays, table = opened.enter_context(NpyFolderWriter(folder)), None
        for batch in stream_batches(rows):
            for name, dtype in _NUMBERS.items():
                values = to_matrix(batch[name], len(batch[name][0])) if name == "vector" else batch[name].to_numpy()
                arrays.append(name, values.astype(dtype, copy=False))
            texts = batch.drop_columns([*_NUMBERS])
            texts = texts.cast(pa.schema([(each.name, _LARGE.get(each.type, each.type)) for each in texts.schema]))
            table = table or opened.enter_context(pa.ipc.new_file(folder / _TABLE, texts.schema))
            table.write_table(texts)


def _map_rows(folder: Path, others: list[str]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The canonical table, and the arrays beside it, from files that may then be removed.

    others : names of the source's other columns
    """
    arrays = {name: map_array(folder / f"{name}.npy") for name in _NUMBERS}
    table = pa.ipc.open_file(pa.memory_map(str(folder / _TABLE))).read_all()
    texts = table.to_pandas(types_mapper=lambda kind: _TEXT if kind == pa.large_string() else pd.ArrowDtype(kind))
    columns = {name: arrays.pop(name) if name in arrays else texts[name].array for name in CANONICAL_COLUMNS}
    columns |= {name: texts[other_column(number)].array for number, name in enumerate(others)}
    return pd.DataFrame(columns, copy=False), arrays
