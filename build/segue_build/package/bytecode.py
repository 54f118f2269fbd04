"""Byte code that a package carries: made by an interpreter of the target's version, used whatever a file's date.

A deployed folder is read-only and its dates are not those of the build, so the ordinary kind would be neither used
nor renewed: PEP 552's unchecked kind is (https://peps.python.org/pep-0552/).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from segue_build.package.targets import running
from segue.errors import PackageError

ALONE = ("-I", "-S", "-B")  # neither the environment, nor what is installed, nor byte code of its own


def interpreter(python: str, environ: Mapping[str, str] = os.environ) -> str:
    """The path of an interpreter of a minor version. Raises PackageError, which names one that is there."""
    for candidate in _candidates(python, environ):
        if _version(candidate) == python:
            return candidate
    here = running()[0]
    raise PackageError(
        f"no Python {python} to compile byte code with: install it so that `python{python}` runs,"
        f" or package for the one that is here with --python {here}"
    )


def compile_all(folder: Path, home: str, compiler: str) -> None:
    """Compile every module below a folder; in tracebacks the folder reads as ``home``."""
    command = [compiler, "-s", "-S", "-P", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash",
               "-s", str(folder), "-p", home, str(folder)]  # fmt: skip
    # A fixed hash seed: sets of constants keep one order, and equal sources give equal bytes.
    fixed = {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=fixed, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"byte code could not be compiled: {done.stdout.strip() or done.stderr.strip()}")


def _candidates(python: str, environ: Mapping[str, str]) -> Iterator[str]:
    if running()[0] == python:
        yield sys.executable
    found = shutil.which(f"python{python}", path=environ.get("PATH"))
    if found:
        yield found
    homes = Path(environ.get("PYENV_ROOT") or Path(environ.get("HOME", "/")) / ".pyenv") / "versions"
    yield from map(str, sorted(homes.glob(f"{python}.*/bin/python{python}"), reverse=True))


def _version(path: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([path, *ALONE, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
