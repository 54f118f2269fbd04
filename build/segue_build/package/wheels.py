"""The requirements of a package: wheels for another Python and processor, unpacked and stripped."""

import fnmatch
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from segue_build.package.targets import Target
from segue.errors import PackageError

FRAMEWORK = "functions-framework"
# Patterns are of paths below the package's root; `*` reaches across folders.
NEEDLESS = (
    "*/tests/*", "*.pyi", "*.pyx", "*.pxd", "*.pxi", "*.c", "*.h", "*.hpp", "*.a", "*.dist-info/RECORD",
    "*.data/*", "*.dist-info/WHEEL", "*.dist-info/REQUESTED",
    "numpy/f2py/*", "numpy/random/_examples/*", "numpy/_core/include/*", "numpy/_pyinstaller/*",
    "pyarrow/include/*", "pyarrow/includes/*", "pyarrow/src/*",
    # Arrow's servers and cloud file systems: the function reads local files, its stores are obstore's.
    "pyarrow/*flight*", "pyarrow/_s3fs*", "pyarrow/libarrow_s3*", "pyarrow/_gcsfs*", "pyarrow/_azurefs*",
    "pyarrow/_hdfs*", "pyarrow/_orc*", "pyarrow/_dataset_orc*", "pyarrow/*_encryption*",
    "pyarrow/_pyarrow_cpp_tests*",
    "pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*.*",  # copies; the linker asks for .so.NNNN
)  # fmt: skip


def names(requirements: Path, target: Target) -> list[str]:
    """The pinned lines of a requirements file that a package holds; the emulator serves no request on AWS."""
    lines = [line.strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    pinned = [line for line in lines if line and not line.startswith(("#", "-"))]
    return [line for line in pinned if target.cloud != "aws" or line.partition("==")[0] != FRAMEWORK]


def install(wanted: Iterable[str], constraints: Path, target: Target, folder: Path, cache: Path) -> list[str]:
    """Put wheels for a target into a folder, without what no request needs; returns what was left out."""
    _download(wanted, constraints, target, cache)
    left_out: list[str] = []
    for wheel in sorted(cache.glob("*.whl")):
        left_out += _unpack(wheel, folder)
    return left_out


def needless(path: str) -> bool:
    """Whether a file of a wheel is of no use to the function."""
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in NEEDLESS)


def still_wanted(folder: Path, left_out: Iterable[str]) -> list[str]:
    """Libraries that were left out though a kept one names them; works for any processor."""
    libraries = {PurePosixPath(path).name.encode() for path in left_out if ".so" in path}
    kept = {path.name.encode() for path in folder.rglob("*.so*")}
    binaries = [path.read_bytes() for path in folder.rglob("*.so*")]
    gone = sorted(libraries - kept)
    return [name.decode() for name in gone if any(name + b"\0" in binary for binary in binaries)]


def _download(wanted: Iterable[str], constraints: Path, target: Target, cache: Path) -> None:
    platforms = [word for tag in target.wheel_tags for word in ("--platform", tag)]
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:",
        "--implementation", "cp", "--python-version", target.python, *platforms,
        "--constraint", str(constraints), "--dest", str(cache), *wanted,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        why = said[0] if said else f"pip ended with {done.returncode}"
        raise PackageError(f"no wheels for Python {target.python} on {target.arch}: {why}")


def _unpack(wheel: Path, folder: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        files = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        archive.extractall(folder, [path for path in files if not needless(path)])
    return [path for path in files if needless(path)]
