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

from segue import VERSION, catalog
from segue.catalog import version_files
from segue.catalog.remote.blocks import MANIFEST_KEY
from segue.errors import ArtifactsError, SourceError, SparkError
from segue.releases.store import LocalStore
from segue_build.arguments import check_output_folder
from segue_build.artifacts import records, writer
from segue_build.model.clustering import PreviousClusters
from segue_build.model.fitted_model import WIDE, FittedModel, fit_model
from segue_build.model.weights import WEIGHTS
from segue_build.progress import beside, one_thread_each, stage, time_table
from segue_build.quality import recall
from segue_build.quality.evaluate import evaluate_by, evaluated_catalog, format_metrics, format_table_metrics
from segue_build.quality.metrics import (
    agreement_with_previous,
    cluster_metrics,
    playlist_queries,
    table_metrics,
)
from segue_build.releases import version_history
from segue_build.sources import importer, playlists
from segue_build.sources.download import DATASETS
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.series import batch_slices
from segue_build.sources.tracks import DEMO, load_tracks, source_name, uses_demo

SKLEARN, SPARK = ENGINES = ("sklearn", "spark")
QUALITY_DIGITS = 9  # of figures of quality: processors differ in those after
LIBRARIES = ("numpy", "pandas", "py3langid", "pyarrow", "scikit-learn", "scipy")
SPARK_LIBRARIES = ("pyspark",)


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What a build depends on besides the libraries' versions."""

    sources: Sequence[str] = (DEMO,)
    columns: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    accept_checksum: bool = False
    seed: int = 0
    references: Sequence[str] = ()
    labels: Sequence[str] = ()
    playlists: Path | None = None
    fold: int | None = None
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    engine: str = SKLEARN
    master: str | None = None

    def arguments(self) -> list[str]:
        """What ``segue fit`` is given to make the same version again; files are named without their folders."""
        arguments = [argument for source in self.sources for argument in ("--source", source_name(source))]
        arguments += [argument for source in self.references for argument in ("--enrich", source_name(source))]
        if self.columns:
            arguments += ["--columns", ",".join(f"{name}={header}" for name, header in self.columns.items())]
        if self.labels:
            arguments += ["--labels", ",".join(self.labels)]
        if self.playlists:
            arguments += ["--playlists", self.playlists.name]
        if self.weights != WEIGHTS:
            arguments += ["--shares", ",".join(f"{block}={weight}" for block, weight in self.weights.items())]
        if self.seed:
            arguments += ["--seed", str(self.seed)]
        return arguments

    def digest(self) -> str | None:
        """A digest of all that a version is made from; None if a source can change unseen or is too large to read."""
        if self.engine == SPARK:
            return None
        known = f"{VERSION} {version_files.FORMAT} {self.fold} {self.arguments()}"
        for source in map(str, (*self.sources, *self.references, *filter(None, [self.playlists]))):
            path = Path(source) if Path(source).exists() else Path(source.partition("#")[0])
            if path.is_file() or path.is_dir():
                known += f" {_sha256(path)}"
            elif source not in DATASETS and not uses_demo([source]):
                return None
        return hashlib.sha256(known.encode()).hexdigest()


def default_sources(out: Path) -> Sequence[str]:
    """The invented catalogue, unless it would take the place of a real one.

    Raises
    ------
    SourceError
        the current version in ``out`` is real, or can't be read.

    """
    manifest = version_files.current_manifest(out)
    if manifest is not None and manifest.get("invented") is not True:
        raise SourceError(
            f"the songs in {out} are real ones, and without --source they would be replaced by invented ones: run"
            f" '{version_files.fit_command(manifest)}', or say --source {DEMO} if that is what you want"
        )
    return (DEMO,)


def fit(options: FitOptions, out: Path) -> catalog.Catalog:
    """Build a version and make it current.

    Raises
    ------
    SourceError
        the sources can't be used; nothing is written.
    SparkError
        Spark is to be used and can't be; nothing is written.
    ArtifactsError
        the disk has too little room; nothing of the version is left.

    """
    check_output_folder(out)
    engine, digest = _fit_on_spark if options.engine == SPARK else _fit_in_memory, options.digest()
    with one_thread_each(), time_table():
        before = _current_catalog(out)
        previous = PreviousClusters(before)
        model, report, held_out = engine(options, previous)
        report.songs, report.works = len(model.frame), int(model.works.max()) + 1
        report.not_analysed = int((~model.recommendable).sum())
        print("\n".join(report.lines()), file=sys.stderr)
        needed = writer.least_bytes(model)
        built = catalog.save_version(
            out, lambda folder: _write_version(folder, model, report, held_out, options), needed
        )
        facts = {"input": digest, **_clusters_kept(built, previous)}
        entry = version_history.new_entry("fit", built.version, before.version if before else None, **facts)
        version_history.append_history(LocalStore(out), entry)
    return built


def is_fitted(options: FitOptions, out: Path) -> bool:
    """Whether the current version in a folder was made by this release with these options and of these very files."""
    current, digest = _current_catalog(out), options.digest()
    if current is None or digest is None:
        return False
    history = version_history.read_history(LocalStore(out))
    return any((entry["version"], entry.get("input")) == (current.version, digest) for entry in history)


def print_fit(options: FitOptions, out: Path) -> None:
    """Build a version, make it current, and print its figures."""
    built = fit(options, out)
    quality = built.manifest["quality"]
    print(f"version {built.version}: {len(built):,} songs in {len(built.manifest['clusters'])} clusters")
    figures = [*recall.format_recall(built.manifest["search"]), *format_table_metrics(quality["table"])]
    figures += format_metrics(quality.get("playlists", {}))
    print("\n".join(figures + format_table_metrics(quality["clusters"])), flush=True)


@dataclass
class _FitPlaylists:
    """The playlists of a fit, each of which is read once: those to learn from, and those of the fold that judge.

    paths : of those that the user names, then of those that the sources hold
    held_out : those of the fold, numbered by :func:`segue_build.quality.evaluate.evaluated_catalog`; known once read
    """

    paths: Sequence[Path]
    required: bool
    fold: int | None
    held_out: playlists.Playlists | None = None

    def read(self, frame: pd.DataFrame, known: playlists.CatalogWorks) -> playlists.Playlists:
        """Those to learn from."""
        training = playlists.PlaylistMatcher(known)
        judging = playlists.PlaylistMatcher(playlists.catalog_works(frame)) if self.fold is not None else None
        for path in self.paths:
            for entries in importer.iter_entries(path):
                training.add(entries)
                if judging and path == self.paths[0]:
                    judging.add(entries)
        if judging is None or self.fold is None:
            return training.playlists(_names(self.paths))
        self.held_out = judging.playlists(self.paths[0].name).split("valid", self.fold)
        works = judging.known
        playlist_queries(self.held_out, works, frame["id"].iloc[works.rows].tolist())  # too few are an error now
        return training.playlists(_names(self.paths)).split("train", self.fold)


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


Fitted = tuple[FittedModel, IngestReport, playlists.Playlists | None]  # the last: held out to judge by


def _fit_in_memory(options: FitOptions, previous: PreviousClusters) -> Fitted:
    frame, report = load_tracks(
        options.sources,
        options.columns,
        strict=options.strict,
        accept_checksum=options.accept_checksum,
        seed=options.seed,
        references=options.references,
        labels=options.labels,
        has_playlists=options.playlists is not None,
    )
    paths = list(dict.fromkeys(path for path in (options.playlists, *report.playlist_sources) if path))
    reader = _FitPlaylists(paths, bool(options.playlists), options.fold if options.playlists else None)
    model = fit_model(
        frame,
        report,
        seed=options.seed,
        weights=options.weights,
        playlist_reader=reader if paths else None,
        previous=previous,
        labels=options.labels,
    )
    return model, report, reader.held_out


def _fit_on_spark(options: FitOptions, previous: PreviousClusters) -> Fitted:
    if options.playlists:
        raise SparkError("--engine spark does not learn from playlists; leave out --playlists, or --engine spark")
    if options.references:
        raise SparkError("--engine spark does not fill what songs lack; leave out --enrich, or --engine spark")
    if options.labels:
        raise SparkError("--engine spark does not compare songs by labels; leave out --labels, or --engine spark")
    from segue_build.spark.fit import fit_on_spark

    model, report = fit_on_spark(
        options.sources,
        options.columns,
        options.weights,
        strict=options.strict,
        seed=options.seed,
        master=options.master,
        previous=previous,
    )
    return model, report, None


def _clusters_kept(built: catalog.Catalog, previous: PreviousClusters) -> dict[str, Any]:
    """How far the clusters are those of the version before, for the history: a version does not depend on it."""
    found = agreement_with_previous(built, previous)
    if found is None:
        return {}
    kept, agreement = found
    print(
        f"clusters: {kept:.0%} of ids kept, adjusted Rand index with the version before {agreement:.2f}",
        file=sys.stderr,
    )
    return {"clusters_kept": round(kept, QUALITY_DIGITS), "clusters_agreement": round(agreement, QUALITY_DIGITS)}


def _current_catalog(out: Path) -> catalog.Catalog | None:
    """The current version, if there is one that this release reads."""
    try:
        return catalog.load(out)
    except ArtifactsError:
        return None


def _write_version(
    folder: Path,
    model: FittedModel,
    report: IngestReport,
    held_out: playlists.Playlists | None,
    options: FitOptions,
) -> dict[str, Any]:
    with stage(f"writing artifacts below {folder.parent}"):
        manifest = writer.write(folder, model)
        data = {"fingerprint": fingerprint(model.frame), **report.to_manifest()}
        for name in model.frame.columns[:WIDE].tolist():
            del model.frame[name]  # the rest reads files: with the table beside them, it would need the most memory
    with stage("digesting what requests read"):
        manifest[MANIFEST_KEY] = records.write(folder)
    with stage("choosing the budgets of searches"):
        manifest["search"] = recall.choose_budgets(catalog.Catalog(folder, manifest))
    with stage("judging lists and clusters"):
        quality = _measure_quality(catalog.Catalog(folder, manifest), held_out, options.seed)
    return {
        **manifest,
        "quality": quality,
        "invented": uses_demo(options.sources),
        "data": data,
        "parameters": {
            "arguments": options.arguments(),
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


def _measure_quality(songs: catalog.Catalog, held_out: playlists.Playlists | None, seed: int) -> dict[str, Any]:
    """Figures by what the table holds; by playlists too where some were left out of what was learned."""
    clusters = beside("judging clusters", cluster_metrics, songs, seed)
    quality: dict[str, Any] = {"table": table_metrics(songs), "clusters": clusters.result()}
    if held_out:
        _, figures, by_pairs = evaluate_by(evaluated_catalog(songs), held_out)
        quality["clusters"] |= by_pairs
        quality["playlists"] = {name: list(values) for name, values in figures.items()}
    return {source: {name: _rounded(value) for name, value in found.items()} for source, found in quality.items()}


def _rounded(value: float | list[float]) -> float | list[float]:
    return [round(one, QUALITY_DIGITS) for one in value] if isinstance(value, list) else round(value, QUALITY_DIGITS)


def _sha256(path: Path) -> str:
    """The digest of a file, or of all files in a folder and their names."""
    if path.is_dir():
        parts = [f"{file.relative_to(path)} {_sha256(file)}\n" for file in sorted(path.rglob("*")) if file.is_file()]
        return hashlib.sha256("".join(parts).encode()).hexdigest()
    return version_files.file_sha256(path)


def fingerprint(frame: pd.DataFrame) -> str:
    """A digest of the canonical table, whatever files it came from."""
    digest = hashlib.sha256()
    for run in batch_slices(len(frame)):
        digest.update(pd.util.hash_pandas_object(frame.iloc[run], index=False).to_numpy().tobytes())
    return digest.hexdigest()
