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

from build import artifacts, history
from build.account import Account
from build.clusters import cluster
from build.evaluate import by_playlists
from build.lessons import teach
from build.progress import stage
from build.reach import reaches
from build.retrieval import by_table
from build.runs import slices
from build.shares import SHARES
from build.sources import is_invented, tracks
from build.space import place
from segue import catalog
from segue.errors import ArtifactsError
from segue.store import Folder

DIGITS = 9  # of figures of quality: processors differ in those after
LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy")


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


def fit(options: Options, out: Path) -> catalog.Catalog:
    """Build a version and make it current.

    Raises
    ------
    SourceError
        the sources can't be used; nothing is written.

    """
    frame, account = tracks(
        options.sources,
        options.columns,
        strict=options.strict,
        accept_checksum=options.accept_checksum,
        seed=options.seed,
    )
    # One thread: sums in another order give other centroids, and the same input must give the same bytes.
    with threadpool_limits(1):
        model = _fitted(frame, account, options)
    account.songs, account.works = len(model.frame), int(model.works.max()) + 1
    account.not_analysed = int((model.frame["tempo"] == 0).sum())
    print("\n".join(account.lines()), file=sys.stderr)
    with stage(f"writing and judging artifacts in {out}"), threadpool_limits(1):
        before = _current(out)
        built = catalog.save(out, lambda folder: _entries(folder, model, account, options))
        history.append(Folder(out), history.entry("fit", built.version, before))
    return built


def _current(out: Path) -> str | None:
    try:
        return catalog.current(out)
    except ArtifactsError:
        return None


def _fitted(frame: pd.DataFrame, account: Account, options: Options) -> artifacts.Model:
    lists = None
    with stage(f"placing {len(frame):,} songs in the space"):
        placed = place(frame, account, options.seed, options.shares)
    with stage("measuring neighbourhoods"):
        usable = (frame["tempo"] != 0).to_numpy(bool)
        heard = reaches(placed.space, placed.vectors, usable, options.seed)
    if options.playlists:
        with stage(f"learning from {options.playlists}"):
            placed, lists = teach(placed, frame, options.playlists, options.fold, options.seed, account)
    with stage("clustering"):
        cells = cluster(placed.vectors, options.seed, placed.space.weights)
    with stage("sorting"):
        return artifacts.sort(frame, placed, heard, cells, lists)


def _entries(folder: Path, model: artifacts.Model, account: Account, options: Options) -> dict[str, Any]:
    described = artifacts.write(folder, model)
    return {
        **described,
        "quality": _quality(catalog.Catalog(folder, described), options),
        "invented": is_invented(options.sources),
        "data": {"fingerprint": fingerprint(model.frame), **account.facts()},
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
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
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
