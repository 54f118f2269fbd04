"""The search core beside search libraries, in the same run, on the same vectors, on one thread.

The vectors are Segue's own times the square roots of their blocks' shares, so that one Euclidean distance serves for
all blocks. Recall is each one's against its own exact measure: Segue's score, the others' distance; what ties with
the last of the exact answer counts as found.
"""

import functools
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segue.engine.scoring import Scorer
from segue.engine.search import AllowedSongs
from segue.engine.seeds import resolve
from segue.engine.space import space_of
from segue.query.schema import Filters, Seed
from segue_build import FUNCTIONS, ROOT
from tests.benchmarks.figures import Row, interleaved
from tests.benchmarks.libraries import LARGEST_BUILT, LIBRARIES, WANTED, Library, Search
from tests.benchmarks.subject import Subject

QUERIES = 200
EXACT = 50  # of these are answered by brute force
TURN = 20  # queries of one before the next has its turn
STEP = 200_000  # songs converted at a time
TIE = 1e-5  # squared distance


def measure(subject: Subject) -> Iterator[Row]:
    """A row for Segue and for each library; one that can't be measured says why."""
    with tempfile.TemporaryDirectory() as folder:
        vectors = weighted(subject, Path(folder))
        missing = {name: _lacking(library, len(vectors)) for name, library in LIBRARIES.items()}
        files = {
            name: _build(number, name, subject, vectors, Path(folder))
            for number, name in enumerate(LIBRARIES)
            if not missing[name]
        }
        rows = _measured(subject, vectors, files)
        for name, reason in missing.items():
            yield {"search": f"{name}: {reason}"} if reason else rows[name]


def weighted(subject: Subject, folder: Path) -> np.ndarray:
    """The vectors as libraries get them, float32, shape (n_songs, n_dims), in a file of their own."""
    stored = subject.catalog.array("vectors")
    weights = space_of(subject.catalog).column_weights.astype(np.float32)
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (len(stored), len(weights)))
    for start in range(0, len(stored), STEP):
        vectors[start : start + STEP] = stored[start : start + STEP].astype(np.float32) * weights
    return vectors.view(np.ndarray)


def _lacking(library: Library, songs: int) -> str:
    if importlib.util.find_spec(library.module) is None:
        return "not installed (tests/benchmarks/requirements.txt)"
    if library.slow and songs > LARGEST_BUILT:
        return f"not built beyond {LARGEST_BUILT:,} songs"
    return ""


def _build(number: int, name: str, subject: Subject, vectors: np.ndarray, folder: Path) -> tuple[Path, float]:
    """The file of a library, or Segue's artifacts, and the seconds that it took to build."""
    build, path = LIBRARIES[name].build, folder / f"{number}.{vectors.shape[1]}"
    if build is None:
        return subject.artifacts, 0.0
    print(f"  building {name}", file=sys.stderr)
    began = time.perf_counter()
    build(vectors, path)
    return path, time.perf_counter() - began


def _measured(subject: Subject, vectors: np.ndarray, files: dict[str, tuple[Path, float]]) -> dict[str, Row]:
    rows = np.random.default_rng(6).choice(len(vectors), QUERIES, replace=False)
    ids = subject.catalog.texts("ids")
    queries = [(ids[int(row)], np.ascontiguousarray(vectors[row])) for row in rows]
    searches = {name: LIBRARIES[name].open(path) for name, (path, _) in files.items()}
    p50 = _medians(_timed(searches, queries))
    started, opened = first_answers(subject, files, queries[0])
    print("  searching by brute force, for recall", file=sys.stderr)
    found = recalls(subject, searches, vectors, queries[:EXACT])
    return {
        name: {
            "search": name,
            "start to first answer ms": started[name],
            "open to first answer ms": opened[name],
            "of Segue's": opened[name] / opened["Segue"],
            "p50 ms": p50[name],
            "p50 of Segue's": p50[name] / p50["Segue"],
            f"recall@{WANTED}": found[name],
            "MB": (path.stat().st_size if path.is_file() else _searched(subject)) / 1e6,
            **({"built in s": built} if built else {}),
        }
        for name, (path, built) in files.items()
    }


def _timed(searches: dict[str, Search], queries: list[tuple[str, np.ndarray]]) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {name: [] for name in searches}
    for turn in range(0, len(queries), TURN):
        for name, search in searches.items():
            for query in queries[turn : turn + TURN]:
                began = time.perf_counter()
                search(*query)
                took[name].append(time.perf_counter() - began)
    return took


def first_answers(
    subject: Subject, files: dict[str, tuple[Path, float]], query: tuple[str, np.ndarray]
) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of milliseconds in fresh processes, in turn: from the start, and from opening the file."""
    environ = subject.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{FUNCTIONS}"}
    opened: dict[str, list[float]] = {name: [] for name in files}
    with tempfile.TemporaryDirectory() as folder:
        vector = Path(folder) / "query.npy"
        np.save(vector, query[1])

        def start(name: str, path: Path) -> float:
            command = [sys.executable, "-m", "tests.benchmarks.first", name, str(path), query[0], str(vector)]
            began = time.perf_counter()
            done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
            opened[name].append(float(done.stdout))
            return time.perf_counter() - began

        starts = [functools.partial(start, name, path) for name, (path, _) in files.items()]
        started = dict(zip(files, interleaved(starts, subject.runs)))
    return _medians(started), _medians({name: took[1:] for name, took in opened.items()})


def _medians(took: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(seconds) * 1000 for name, seconds in took.items()}


def recalls(
    subject: Subject, searches: dict[str, Search], vectors: np.ndarray, queries: list[tuple[str, np.ndarray]]
) -> dict[str, float]:
    """The share of what each search finds that belongs to its exact answer."""
    found = dict.fromkeys(searches, 0)
    for song, vector in queries:
        near = closeness(vectors, vector)
        scores = _scores(subject, song) if "Segue" in searches else near
        for name, search in searches.items():
            found[name] += _exact(search(song, vector), *((scores, 0.0) if name == "Segue" else (near, TIE)))
    return {name: count / (WANTED * len(queries)) for name, count in found.items()}


def _exact(rows: np.ndarray, worth: np.ndarray, tie: float) -> int:
    """How many rows are worth as much as the last of the best; libraries fill up with -1."""
    last = np.partition(worth, -WANTED)[-WANTED]
    return int((worth[rows[rows >= 0]] >= last - tie).sum())


def _scores(subject: Subject, song: str) -> np.ndarray:
    """The score of every song, by brute force; -inf where it may not be recommended."""
    seeds, rows = resolve(subject.catalog, (Seed("/song_id", {}, id=song),)), np.arange(len(subject.catalog))
    scores = Scorer(subject.catalog, seeds, {}).score(rows)
    return np.where(AllowedSongs(subject.catalog, Filters())(rows), scores, -np.inf)


def closeness(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Squared distances to every vector, negative."""
    parts = [((vectors[start : start + STEP] - vector) ** 2).sum(axis=1) for start in range(0, len(vectors), STEP)]
    return -np.concatenate(parts)


def _searched(subject: Subject) -> int:
    """Bytes of Segue's files that its search reads."""
    patterns = ("vectors*", "local_scales*", "present*", "cell_*", "recommendable*", "id_*")
    return sum(path.stat().st_size for pattern in patterns for path in subject.catalog.folder.glob(pattern))
