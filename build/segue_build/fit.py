"""The offline step from end to end: sources -> space -> clusters -> artifacts."""

import hashlib
import importlib.metadata
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from segue import catalog
from segue.catalog.remote.blocks import MANIFEST_KEY
from segue.errors import ArtifactsError, SparkError
from segue.releases.store import LocalStore
from segue_build.artifacts import records, writer
from segue_build.model.fitted_model import FittedModel, fit_model
from segue_build.model.weights import WEIGHTS
from segue_build.progress import stage
from segue_build.quality import recall
from segue_build.quality.evaluate import evaluate_playlists
from segue_build.quality.metrics import playlist_queries, table_metrics
from segue_build.releases import version_history
from segue_build.sources import playlists
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.series import batch_slices
from segue_build.sources.tracks import load_tracks, uses_demo

SKLEARN, SPARK = ENGINES = ("sklearn", "spark")
QUALITY_DIGITS = 9  # of figures of quality: processors differ in those after
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
SPARK_LIBRARIES = ("pyspark",)


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What a build depends on besides the libraries' versions."""

    sources: Sequence[str] = ("demo",)
    columns: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    accept_checksum: bool = False
    seed: int = 0
    playlists: Path | None = None
    fold: int | None = None
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    engine: str = SKLEARN
    master: str | None = None


def fit(options: FitOptions, out: Path) -> catalog.Catalog:
    """Build a version and make it current.

    Raises
    ------
    SourceError
        the sources can't be used; nothing is written.
    SparkError
        Spark is to be used and can't be; nothing is written.

    """
    # One thread: sums in another order give other centroids, and the same input must give the same bytes.
    engine = _fit_on_spark if options.engine == SPARK else _fit_in_memory
    with threadpool_limits(1):
        model, report = engine(options)
        report.songs, report.works = len(model.frame), int(model.works.max()) + 1
        report.not_analysed = int((~model.recommendable).sum())
        print("\n".join(report.lines()), file=sys.stderr)
        with stage(f"writing and judging artifacts in {out}"):
            previous = _current_version(out)
            built = catalog.save_version(out, lambda folder: _write_version(folder, model, report, options))
            version_history.append_history(LocalStore(out), version_history.new_entry("fit", built.version, previous))
    return built


def _fit_in_memory(options: FitOptions) -> tuple[FittedModel, IngestReport]:
    frame, report = load_tracks(
        options.sources,
        options.columns,
        strict=options.strict,
        accept_checksum=options.accept_checksum,
        seed=options.seed,
    )
    if options.playlists and options.fold is not None:
        _check_fold(options.playlists, options.fold, frame)
    model = fit_model(
        frame,
        report,
        seed=options.seed,
        weights=options.weights,
        playlists_path=options.playlists,
        fold=options.fold,
    )
    return model, report


def _fit_on_spark(options: FitOptions) -> tuple[FittedModel, IngestReport]:
    if options.playlists:
        raise SparkError("--engine spark does not learn from playlists; leave out --playlists, or --engine spark")
    from segue_build.spark.fit import fit_on_spark

    return fit_on_spark(
        options.sources,
        options.columns,
        options.weights,
        strict=options.strict,
        seed=options.seed,
        master=options.master,
    )


def _current_version(out: Path) -> str | None:
    try:
        return catalog.current_version(out)
    except ArtifactsError:
        return None


def _check_fold(path: Path, fold: int, frame: pd.DataFrame) -> None:
    """Report a fold that judges nothing now rather than after the work."""
    works = playlists.catalog_works(frame)
    fold_playlists = playlists.load_playlists(path, works).split("valid", fold)
    playlist_queries(fold_playlists, works, frame["id"].iloc[works.rows].tolist())


def _write_version(folder: Path, model: FittedModel, report: IngestReport, options: FitOptions) -> dict[str, Any]:
    manifest = writer.write(folder, model)
    manifest[MANIFEST_KEY] = records.write(folder)
    manifest["search"] = recall.choose_budgets(catalog.Catalog(folder, manifest))
    return {
        **manifest,
        "quality": _measure_quality(catalog.Catalog(folder, manifest), options),
        "invented": uses_demo(options.sources),
        "data": {"fingerprint": fingerprint(model.frame), **report.to_manifest()},
        "parameters": {
            "columns": dict(options.columns),
            "strict": options.strict,
            "seed": options.seed,
            "fold": options.fold,
            "shares": dict(options.weights),
            "playlists": _sha256(options.playlists) if options.playlists else None,
        },
        "libraries": {
            "python": platform.python_version(),
            **{
                name: importlib.metadata.version(name)
                for name in LIBRARIES + SPARK_LIBRARIES * (options.engine == SPARK)
            },
        },
    }


def _measure_quality(songs: catalog.Catalog, options: FitOptions) -> dict[str, Any]:
    """Figures by what the table holds; by playlists too where some were left out of what was learned."""
    quality: dict[str, Any] = {
        "table": {name: round(value, QUALITY_DIGITS) for name, value in table_metrics(songs).items()}
    }
    if options.playlists and options.fold is not None:
        _, figures = evaluate_playlists(songs, options.playlists, "valid", options.fold)
        quality["playlists"] = {
            name: [round(value, QUALITY_DIGITS) for value in values] for name, values in figures.items()
        }
    return quality


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(frame: pd.DataFrame) -> str:
    """A digest of the canonical table, whatever files it came from."""
    digest = hashlib.sha256()
    for run in batch_slices(len(frame)):
        digest.update(pd.util.hash_pandas_object(frame.iloc[run], index=False).to_numpy().tobytes())
    return digest.hexdigest()
