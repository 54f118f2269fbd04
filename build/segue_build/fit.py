"""The offline step from end to end: sources -> space -> clusters -> artifacts."""

import contextlib
import hashlib
import importlib.metadata
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from threadpoolctl import threadpool_limits

from segue_build.artifacts import records, writing
from segue_build.model.clusters import cluster
from segue_build.model.lessons import teach
from segue_build.model.reach import reaches
from segue_build.model.shares import SHARES
from segue_build.model.space import place
from segue_build.progress import stage
from segue_build.quality import recall
from segue_build.quality.evaluate import by_playlists
from segue_build.quality.judge import queries
from segue_build.quality.retrieval import by_table
from segue_build.releases import history
from segue_build.sources import playlists
from segue_build.sources.account import Account
from segue_build.sources.runs import slices
from segue_build.sources.tracks import is_invented, tracks
from segue import catalog
from segue.catalog.ranged.index import ENTRY
from segue.errors import ArtifactsError, EngineError
from segue.releases.store import Folder

SKLEARN, SPARK = ENGINES = ("sklearn", "spark")
DIGITS = 9  # of figures of quality: processors differ in those after
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
ON_SPARK = ("pyspark",)


@dataclass(frozen=True, slots=True)
class Options:
    """What a build depends on besides the libraries' versions."""

    sources: Sequence[str] = ("demo",)
    columns: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    accept_checksum: bool = False
    seed: int = 0
    playlists: Path | None = None
    fold: int | None = None
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    engine: str = SKLEARN
    master: str | None = None


def fit(options: Options, out: Path) -> catalog.Catalog:
    """Build a version and make it current.

    Raises
    ------
    SourceError
        the sources can't be used; nothing is written.
    EngineError
        Spark is to be used and can't be; nothing is written.

    """
    # One thread: sums in another order give other centroids, and the same input must give the same bytes.
    engine = _on_spark if options.engine == SPARK else _on_one_machine
    with threadpool_limits(1), engine(options) as made:
        print("\n".join(made.account.lines()), file=sys.stderr)
        with stage(f"writing and judging artifacts in {out}"):
            before = _current(out)
            built = catalog.save(out, lambda folder: _entries(folder, made, options))
            history.append(Folder(out), history.entry("fit", built.version, before))
    return built


class Made(Protocol):
    """What an engine made of the sources."""

    @property
    def account(self) -> Account:
        """All but the works, which are counted when files are written."""

    def write(self, folder: Path) -> dict[str, Any]:
        """Write every file but the manifest, and return what the manifest says of them."""

    def fingerprint(self) -> str:
        """A digest of the tidy table."""


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A model in memory."""

    model: writing.Model
    account: Account

    def write(self, folder: Path) -> dict[str, Any]:
        return writing.write(folder, self.model)

    def fingerprint(self) -> str:
        return fingerprint(self.model.frame)


@contextlib.contextmanager
def _on_one_machine(options: Options) -> Iterator[Made]:
    frame, account = tracks(
        options.sources,
        options.columns,
        strict=options.strict,
        accept_checksum=options.accept_checksum,
        seed=options.seed,
    )
    model = _fitted(frame, account, options)
    account.songs, account.works = len(model.frame), int(model.works.max()) + 1
    account.not_analysed = int((model.frame["tempo"] == 0).sum())
    yield _Fitted(model, account)


def _on_spark(options: Options) -> contextlib.AbstractContextManager[Made]:
    if options.playlists:
        raise EngineError("--engine spark does not learn from playlists; leave out --playlists, or --engine spark")
    from segue_build.spark.fit import fitted

    return fitted(
        options.sources,
        options.columns,
        options.shares,
        strict=options.strict,
        seed=options.seed,
        master=options.master,
    )


def _current(out: Path) -> str | None:
    try:
        return catalog.current(out)
    except ArtifactsError:
        return None


def _fitted(frame: pd.DataFrame, account: Account, options: Options) -> writing.Model:
    lists = None
    with stage(f"placing {len(frame):,} songs in the space"):
        placed = place(frame, account, options.seed, options.shares)
    with stage("measuring neighbourhoods"):
        usable = (frame["tempo"] != 0).to_numpy(bool)
        scales = reaches(placed.space, placed.vectors, usable, options.seed)
    if options.playlists:
        with stage(f"learning from {options.playlists}"):
            works, taught = _taught(options.playlists, options.fold, frame)
            placed, lists = teach(placed, frame, works, taught, options.seed, account)
    with stage("clustering"):
        cells = cluster(placed.vectors, options.seed, placed.space.weights)
    with stage("sorting"):
        return writing.sort(frame, placed, scales, cells, lists)


def _taught(path: Path, fold: int | None, frame: pd.DataFrame) -> tuple[playlists.Works, playlists.Playlists]:
    """The table's works and the playlists to learn from, all or without the fold that will judge."""
    works = playlists.works_of(frame)
    read = playlists.load(path, works)
    if fold is None:
        return works, read
    # A fold that judges nothing is reported now rather than after the work.
    queries(read.part("valid", fold), works, frame["id"].iloc[works.rows].tolist())
    return works, read.part("train", fold)


def _entries(folder: Path, made: Made, options: Options) -> dict[str, Any]:
    described = made.write(folder)
    described[ENTRY] = records.write(folder)
    made.account.works = described["works"]
    described["search"] = recall.chosen(catalog.Catalog(folder, described))
    return {
        **described,
        "quality": _quality(catalog.Catalog(folder, described), options),
        "invented": is_invented(options.sources),
        "data": {"fingerprint": made.fingerprint(), **made.account.facts()},
        "parameters": {
            "columns": dict(options.columns),
            "strict": options.strict,
            "seed": options.seed,
            "fold": options.fold,
            "shares": dict(options.shares),
            "playlists": _sha256(options.playlists) if options.playlists else None,
        },
        "libraries": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES + ON_SPARK * (options.engine == SPARK)},
        },
    }


def _quality(songs: catalog.Catalog, options: Options) -> dict[str, Any]:
    """Figures by what the table holds; by playlists too where some were left out of what was learned."""
    quality: dict[str, Any] = {"table": {name: round(value, DIGITS) for name, value in by_table(songs).items()}}
    if options.playlists and options.fold is not None:
        _, figures = by_playlists(songs, options.playlists, "valid", options.fold)
        quality["playlists"] = {name: [round(value, DIGITS) for value in values] for name, values in figures.items()}
    return quality


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(frame: pd.DataFrame) -> str:
    """A digest of the tidy table, whatever files it came from."""
    digest = hashlib.sha256()
    for run in slices(len(frame)):
        digest.update(pd.util.hash_pandas_object(frame.iloc[run], index=False).to_numpy().tobytes())
    return digest.hexdigest()
