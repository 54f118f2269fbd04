"""``segue package``: the function as a folder and a zip that a platform takes.

It holds the code, but for Google also the requirements for a Python and a processor, byte code, and the current
version of the artifacts. Equal inputs give equal bytes. A package replaces an older one only once it is complete, has
been tried and is small enough.
"""

import fnmatch
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import segue
from segue.catalog import version_files
from segue.errors import PackageError
from segue_build import FUNCTIONS, ROOT
from segue_build.package.targets import MB, PYTHON_VERSIONS, UNPACK_PATHS, Target, running_platform
from segue_build.progress import stage

REQUIREMENTS = ROOT / "requirements.txt"
CONSTRAINTS = ROOT / "constraints.txt"
GCLOUDIGNORE = "# Everything here is deployed: byte code, too.\n.gcloudignore\n"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold
FILE_MODE = 0o100644 << 16  # a file that everybody may read
MIN_PART = 1 * MB  # parts below this are shown together
FRAMEWORK = "functions-framework"
# Patterns of paths below the package's root; `*` also matches slashes.
EXCLUDED = (
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
ISOLATED_FLAGS = ("-I", "-S", "-B")  # no environment variables, no site-packages, no byte code written
# Runs isolated, inside the package: it can import only what is packaged.
TRIAL_SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import main, numpy, pyarrow.parquet
def ask(path):
    event = {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {"host": "trial"},
             "requestContext": {"http": {"method": "GET", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"}}}
    event["rawPath"], _, event["rawQueryString"] = path.partition("?")
    answer = main.lambda_handler(event, None)
    if answer["statusCode"] != 200:
        sys.exit(f"{path} answers {answer['statusCode']}: {answer['body']}")
    return json.loads(answer["body"])
answers = {"healthz": ask("/healthz")["status"]}
if sys.argv[2] == "bundled":
    song = ask("/clusters/0?limit=1")["songs"][0]["id"]
    answers["songs"] = ask("/readyz")["songs"]
    answers["name"] = ask(f"/songs/{song}")["name"]
    answers["found"] = len(ask("/search?q=a")["songs"])
    answers["recommended"] = len(ask(f"/recommend?song_id={song}")["recommendations"])
print(json.dumps(answers))
"""


@dataclass(frozen=True, slots=True)
class PackageOptions:
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
    """A package that was built.

    parts : bytes of each part, unpacked, the largest first
    trial : what it answered on this machine, or why it could not be tried
    """

    folder: Path
    archive: Path
    parts: Mapping[str, int]
    trial: str


def build_package(options: PackageOptions) -> Package:
    """Build a package. Raises PackageError if it can't be built, does not work or is too large."""
    target = options.target
    compiler = find_interpreter(target.python, PYTHON_VERSIONS[target.cloud])
    folder, archive = options.out / target.cloud, options.out / f"{target.cloud}.zip"
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.out, prefix=".package-") as aside:
        staged = Path(aside) / "staged"
        stage_files(staged, options, Path(aside) / "wheels")
        with stage("compiling"):
            compile_bytecode(staged, UNPACK_PATHS[target.cloud], compiler)
        sizes = part_sizes(staged)
        _check_size(sizes, target)
        trial_result = try_package(staged, compiler, target)
        with stage("packing"):
            _write_zip(staged, archive)
        shutil.rmtree(folder, ignore_errors=True)
        staged.rename(folder)
    return Package(folder, archive, sizes, trial_result)


def stage_files(staged: Path, options: PackageOptions, wheels_folder: Path) -> None:
    """Put everything except byte code into an empty folder."""
    code = Path(segue.__file__).parent
    shutil.copytree(code, staged / code.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
    shutil.copyfile(FUNCTIONS / "main.py", staged / "main.py")
    if options.artifacts:
        _copy_artifacts(options.artifacts, staged / "artifacts")
    pinned, lock = (
        pinned_requirements(options.requirements, options.target),
        options.requirements.with_suffix(".lock"),
    )
    if not options.target.bundles_requirements:
        _write_requirements(staged, pinned, lock)
        return
    wheels_folder.mkdir()
    with stage("fetching requirements"):
        download_wheels(pinned, CONSTRAINTS, options.target, wheels_folder)
        if lock.exists():
            check_wheels(wheels_folder, lock, options.target)
        excluded = unpack_wheels(wheels_folder, staged)
    missing = missing_libraries(staged, excluded)
    if missing:
        raise PackageError(f"{', '.join(missing)} would be left out, but a library that is kept needs it")


def part_sizes(folder: Path) -> dict[str, int]:
    """Bytes of each part below a folder, the largest first; the small ones of the requirements together."""
    sizes: Counter[str] = Counter()
    for path in _list_files(folder):
        sizes[_part_of(path.relative_to(folder).parts)] += path.stat().st_size
    kept = {"code", "artifacts"} | {name for name, size in sizes.items() if size >= MIN_PART}
    shown: Counter[str] = Counter()
    for name, size in sizes.items():
        shown[name if name in kept else "other requirements"] += size
    return dict(shown.most_common())


def size_table(made: Package, target: Target) -> list[str]:
    """The size table and what was tried, for people."""
    whole = sum(made.parts.values())
    rows = [*made.parts.items(), ("unpacked", whole), ("zip", made.archive.stat().st_size)]
    limit = f"; {target.cloud} takes {target.limit / MB:.0f} MB unpacked" if target.limit else ""
    return [
        f"{made.archive}: Python {target.python}, {target.arch}{limit}",
        *(f"  {name:<20}{size / MB:>8.1f} MB" for name, size in rows),
        f"tried: {made.trial}",
    ]


def _part_of(path: tuple[str, ...]) -> str:
    if path[0] in ("main.py", "segue", "__pycache__"):
        return "code"
    return path[0].removesuffix(".libs").partition("-")[0].removesuffix(".dist")


def _copy_artifacts(artifacts: Path, folder: Path) -> None:
    """Copy the current version, verified, and the pointer to it."""
    version = version_files.current_version(artifacts)
    version_files.verify(artifacts / "versions" / version, version)
    shutil.copytree(artifacts / "versions" / version, folder / "versions" / version)
    (folder / "current.json").write_text(json.dumps({"version": version}), encoding="utf-8")


def _write_requirements(staged: Path, pinned: list[str], lock: Path) -> None:
    """Write what Google's builder reads, every version pinned, also of indirect ones: a lock, if there is one."""
    constraints = [line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    text = lock.read_text(encoding="utf-8") if lock.exists() else "\n".join([*pinned, *constraints, ""])
    (staged / "requirements.txt").write_text(text, encoding="utf-8")
    (staged / ".gcloudignore").write_text(GCLOUDIGNORE, encoding="utf-8")


def _check_size(sizes: Mapping[str, int], target: Target) -> None:
    whole = sum(sizes.values())
    if target.limit is None or whole <= target.limit:
        return
    largest = ", ".join(f"{name} {size / MB:.0f} MB" for name, size in list(sizes.items())[:3])
    raise PackageError(
        f"the package has {whole / MB:.0f} MB unpacked, more than the {target.limit / MB:.0f} MB that {target.cloud}"
        f" takes; its largest parts: {largest}. Use --no-artifacts and let the function fetch them from a bucket, or"
        " --image for a container image: see infra/README.md"
    )


def _write_zip(folder: Path, archive: Path) -> None:
    """Pack every file below a folder; equal files make equal bytes: sorted, with one date and one mode."""
    aside = archive.with_name(f".{archive.name}")
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for path in sorted(_list_files(folder), key=lambda path: path.relative_to(folder).as_posix()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_EPOCH)
            entry.create_system, entry.external_attr, entry.compress_type = 3, FILE_MODE, zipfile.ZIP_DEFLATED
            out.writestr(entry, path.read_bytes())
    aside.replace(archive)


def _list_files(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def pinned_requirements(requirements: Path, target: Target) -> list[str]:
    """The requirements of a package, pinned; without the functions framework on AWS, which does not use it."""
    lines = [line.strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    pinned = [line for line in lines if line and not line.startswith(("#", "-"))]
    return [line for line in pinned if target.cloud != "aws" or line.partition("==")[0] != FRAMEWORK]


def unpack_wheels(cache: Path, folder: Path) -> list[str]:
    """Unpack wheels into a folder, except what no request needs; returns the files left out."""
    return [path for wheel in sorted(cache.glob("*.whl")) for path in _unpack_wheel(wheel, folder)]


def is_excluded(path: str) -> bool:
    """Whether the function does not need a file of a wheel."""
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in EXCLUDED)


def missing_libraries(folder: Path, excluded: Iterable[str]) -> list[str]:
    """Shared libraries that were left out although a kept one names them; works for any processor."""
    libraries = {PurePosixPath(path).name.encode() for path in excluded if ".so" in path}
    kept = {path.name.encode() for path in folder.rglob("*.so*")}
    binaries = [path.read_bytes() for path in folder.rglob("*.so*")]
    gone = sorted(libraries - kept)
    return [name.decode() for name in gone if any(name + b"\0" in binary for binary in binaries)]


def download_wheels(requirements: Iterable[str], constraints: Path, target: Target, cache: Path) -> None:
    """Download wheels of requirements, and of all that they require."""
    arguments = ["--constraint", str(constraints), "--dest", str(cache), *requirements]
    _run_pip_download(arguments, target, f"no wheels for Python {target.python} on {target.arch}")


def check_wheels(cache: Path, lock: Path, target: Target) -> None:
    """Have pip compare wheels with the digests that a lock has of them. Raises PackageError."""
    locked = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
    entries = {_canonical(entry.partition("==")[0]): entry for entry in locked}
    names = [_canonical(wheel.name.partition("-")[0]) for wheel in cache.glob("*.whl")]
    unknown = sorted(set(names) - entries.keys())
    if unknown:
        raise PackageError(f"{lock.name} has no {', '.join(unknown)}: make it anew with 'make lock'")
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text("\n".join(entries[name].strip() for name in names), encoding="utf-8")
        arguments = ["--require-hashes", "--no-deps", "--no-index", "--find-links", str(cache)]
        arguments += ["--dest", folder, "--requirement", str(wanted)]
        _run_pip_download(arguments, target, f"a wheel is not one that {lock.name} names")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _run_pip_download(arguments: list[str], target: Target, failure: str) -> None:
    if importlib.util.find_spec("pip") is None:
        raise PackageError("pip is missing here, which fetches the requirements: install 'segue[aws]' or pip itself")
    platforms = [word for tag in target.wheel_tags for word in ("--platform", tag)]
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:",
        "--implementation", "cp", "--python-version", target.python, *platforms, *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        why = errors[0] if errors else f"pip ended with {done.returncode}"
        raise PackageError(f"{failure}: {why}")


def _unpack_wheel(wheel: Path, folder: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        files = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        archive.extractall(folder, [path for path in files if not is_excluded(path)])
    return [path for path in files if is_excluded(path)]


def find_interpreter(python: str, offered: Sequence[str], environ: Mapping[str, str] = os.environ) -> str:
    """The path of an interpreter of a minor version. Raises PackageError, which says what to do instead.

    offered : versions that the platform has
    """
    for candidate in _interpreter_candidates(python, environ):
        if _python_version(candidate) == python:
            return candidate
    here = running_platform()[0]
    instead = f", or package for the one on this machine with --python {here}" if here in offered else ""
    raise PackageError(
        f"no Python {python} to compile byte code with: install it so that `python{python}` runs{instead}"
    )


def compile_bytecode(folder: Path, unpack_path: str, compiler: str) -> None:
    """Compile every module below a folder; tracebacks name the folder as ``unpack_path``."""
    command = [compiler, "-s", "-S", "-P", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash",
               "-s", str(folder), "-p", unpack_path, str(folder)]  # fmt: skip
    # A fixed hash seed: sets of constants keep one order, and equal sources give equal bytes.
    environ = {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environ, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"byte code could not be compiled: {done.stdout.strip() or done.stderr.strip()}")


def _interpreter_candidates(python: str, environ: Mapping[str, str]) -> Iterator[str]:
    if running_platform()[0] == python:
        yield sys.executable
    found = shutil.which(f"python{python}", path=environ.get("PATH"))
    if found:
        yield found
    homes = Path(environ.get("PYENV_ROOT") or Path(environ.get("HOME", "/")) / ".pyenv") / "versions"
    yield from map(str, sorted(homes.glob(f"{python}.*/bin/python{python}"), reverse=True))


def _python_version(path: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [path, *ISOLATED_FLAGS, "-c", code], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def try_package(folder: Path, interpreter: str, target: Target) -> str:
    """Try a package, and say in a few words what it answered. Raises PackageError if it does not answer.

    A package for another processor, or one whose requirements the platform installs, can't be tried here.
    """
    if not target.bundles_requirements:
        return "not here, because Google installs the requirements; `make rehearse` tries it"
    if not target.runs_here:
        return f"not here, because this machine is not {target.arch}; no library needs one that was left out"
    artifacts = "bundled" if (folder / "artifacts").exists() else "none"
    command = [interpreter, *ISOLATED_FLAGS, "-c", TRIAL_SCRIPT, str(folder), artifacts]
    done = subprocess.run(command, env={}, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise PackageError(f"the package does not answer: {why}")
    answers = json.loads(done.stdout.splitlines()[-1])
    return f"it answers, {answers['recommended']} songs recommended" if "recommended" in answers else "it answers"
