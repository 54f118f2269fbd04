"""``segue package``: the function as a folder and a zip that a platform takes.

Code, for AWS the requirements for its Python and processor, byte code, and the current version of the artifacts.
Equal inputs give equal bytes. The package replaces an older one when it is whole, has been tried and fits.
"""

import json
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from segue_build import FUNCTIONS, ROOT
from segue_build.package import bytecode, trial, wheels
from segue_build.package.targets import HOMES, MB, Target
from segue_build.progress import stage
from segue import catalog
from segue.errors import PackageError

REQUIREMENTS = ROOT / "requirements.txt"
CONSTRAINTS = ROOT / "constraints.txt"
IGNORED = "# Everything here is deployed: byte code, too.\n.gcloudignore\n"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold
PLAIN = 0o100644 << 16  # a file that everybody may read
SMALL = 1 * MB  # parts below this are shown together


@dataclass(frozen=True, slots=True)
class Options:
    """What to package.

    artifacts : a folder as ``fit --out`` makes it, whose current version comes along; None: the function fetches them
    out : where ``CLOUD/`` and ``CLOUD.zip`` are written
    """

    target: Target
    artifacts: Path | None
    out: Path = ROOT / "dist"
    requirements: Path = REQUIREMENTS


@dataclass(frozen=True, slots=True)
class Package:
    """What was made.

    parts : bytes of each part, unpacked, the largest first
    tried : what it answered here, or why it could not be tried
    """

    folder: Path
    archive: Path
    parts: Mapping[str, int]
    tried: str


def package(wanted: Options) -> Package:
    """Make a package. Raises PackageError when it can't be made, does not work or is too large."""
    target = wanted.target
    compiler = bytecode.interpreter(target.python)
    folder, archive = wanted.out / target.cloud, wanted.out / f"{target.cloud}.zip"
    wanted.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.out, prefix=".package-") as aside:
        staged = Path(aside) / "staged"
        fill(staged, wanted, Path(aside) / "wheels")
        with stage("compiling"):
            bytecode.compile_all(staged, HOMES[target.cloud], compiler)
        sizes = parts(staged)
        _refuse(sizes, target)
        tried = trial.run(staged, compiler, target)
        with stage("packing"):
            _zip(staged, archive)
        shutil.rmtree(folder, ignore_errors=True)
        staged.rename(folder)
    return Package(folder, archive, sizes, tried)


def fill(staged: Path, wanted: Options, cache: Path) -> None:
    """Put everything but byte code into an empty folder."""
    shutil.copytree(FUNCTIONS, staged, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
    if wanted.artifacts:
        _bundle(wanted.artifacts, staged / "artifacts")
    pinned = wheels.names(wanted.requirements, wanted.target)
    if not wanted.target.bundles_requirements:
        _list_requirements(staged, pinned)
        return
    cache.mkdir()
    with stage("fetching requirements"):
        left_out = wheels.install(pinned, CONSTRAINTS, wanted.target, staged, cache)
    missing = wheels.still_wanted(staged, left_out)
    if missing:
        raise PackageError(f"{', '.join(missing)} would be left out, but is named by a library that is kept")


def parts(folder: Path) -> dict[str, int]:
    """Bytes of each part below a folder, the largest first; the small ones of the requirements together."""
    sizes: Counter[str] = Counter()
    for path in _files(folder):
        sizes[_part(path.relative_to(folder).parts)] += path.stat().st_size
    kept = {"code", "artifacts"} | {name for name, size in sizes.items() if size >= SMALL}
    shown: Counter[str] = Counter()
    for name, size in sizes.items():
        shown[name if name in kept else "other requirements"] += size
    return dict(shown.most_common())


def lines(made: Package, target: Target) -> list[str]:
    """The size table and what was tried, for people."""
    whole = sum(made.parts.values())
    rows = [*made.parts.items(), ("unpacked", whole), ("zip", made.archive.stat().st_size)]
    limit = f"; {target.cloud} takes {target.limit / MB:.0f} MB unpacked" if target.limit else ""
    return [
        f"{made.archive}: Python {target.python}, {target.arch}{limit}",
        *(f"  {name:<20}{size / MB:>8.1f} MB" for name, size in rows),
        f"tried: {made.tried}",
    ]


def _part(path: tuple[str, ...]) -> str:
    if path[0] in ("main.py", "segue", "__pycache__"):
        return "code"
    return path[0].removesuffix(".libs").partition("-")[0].removesuffix(".dist")


def _bundle(artifacts: Path, folder: Path) -> None:
    """Copy the current version, verified, and the pointer to it."""
    version = catalog.current(artifacts)
    catalog.verify(artifacts / "versions" / version, version)
    shutil.copytree(artifacts / "versions" / version, folder / "versions" / version)
    (folder / "current.json").write_text(json.dumps({"version": version}), encoding="utf-8")


def _list_requirements(staged: Path, pinned: list[str]) -> None:
    """Write what Google's builder reads: every version pinned, those that come along, too."""
    along = [line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    (staged / "requirements.txt").write_text("\n".join([*pinned, *along, ""]), encoding="utf-8")
    (staged / ".gcloudignore").write_text(IGNORED, encoding="utf-8")


def _refuse(sizes: Mapping[str, int], target: Target) -> None:
    whole = sum(sizes.values())
    if target.limit is None or whole <= target.limit:
        return
    largest = ", ".join(f"{name} {size / MB:.0f} MB" for name, size in list(sizes.items())[:3])
    raise PackageError(
        f"{whole / MB:.0f} MB unpacked are more than the {target.limit / MB:.0f} MB that {target.cloud} takes; the"
        f" largest parts: {largest}. Package with --no-artifacts and let the function fetch them from the bucket,"
        " or with --image for a container image: infra/README.md has both"
    )


def _zip(folder: Path, archive: Path) -> None:
    """Pack every file below a folder; equal files make equal bytes: sorted, with one date and one mode."""
    aside = archive.with_name(f".{archive.name}")
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for path in sorted(_files(folder), key=lambda path: path.relative_to(folder).as_posix()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EARLIEST)
            entry.create_system, entry.external_attr, entry.compress_type = 3, PLAIN, zipfile.ZIP_DEFLATED
            out.writestr(entry, path.read_bytes())
    aside.replace(archive)


def _files(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]
