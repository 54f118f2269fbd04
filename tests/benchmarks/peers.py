"""The search core beside search libraries, in the same run, on the same vectors, on one thread.

The vectors are Segue's own times the square roots of their blocks' shares, so that one Euclidean distance serves for
all blocks. Recall is each one's against its own exact measure: Segue's score, the others' distance; what ties with
the last of the exact answer counts as found.
"""

import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segue.filtering import allowed
from segue.query import Filters, Seed
from segue.scoring import Scorer
from segue.seeds import resolve
from segue.space import Space
from tests.benchmarks.figures import Row, interleaved
from tests.benchmarks.libraries import LARGEST_GRAPH, LIBRARIES, WANTED, Library, Search
from tests.benchmarks.subject import ROOT, Subject

QUERIES = 200
EXACT = 40  # of these are answered by brute force
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
    weights = Space.from_manifest(subject.catalog.manifest["space"]).weights.astype(np.float32)
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (len(stored), len(weights)))
    for start in range(0, len(stored), STEP):
        vectors[start : start + STEP] = stored[start : start + STEP].astype(np.float32) * weights
    return vectors.view(np.ndarray)


def _lacking(library: Library, songs: int) -> str:
    if importlib.util.find_spec(library.module) is None:
        return "not installed (tests/benchmarks/requirements.txt)"
    if library.graph and songs > LARGEST_GRAPH:
        return f"not built beyond {LARGEST_GRAPH:,} songs"
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
    took = _timed(searches, queries)
    firsts = {name: first_answers(subject, name, path, queries[0]) for name, (path, _) in files.items()}
    return {
        name: {
            "search": name,
            "process start to first answer ms": firsts[name][0] * 1000,
            "open to first answer ms": firsts[name][1] * 1000,
            "p50 ms": statistics.median(took[name]) * 1000,
            f"recall@{WANTED}": recall(subject, name, searches[name], vectors, queries[:EXACT]),
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


def first_answers(subject: Subject, name: str, path: Path, query: tuple[str, np.ndarray]) -> list[float]:
    """Medians of seconds in fresh processes: from the start, and from opening the file."""
    with tempfile.TemporaryDirectory() as folder:
        vector = Path(folder) / "query.npy"
        np.save(vector, query[1])
        environ = subject.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"}
        command = [sys.executable, "-m", "tests.benchmarks.first", name, str(path), query[0], str(vector)]
        opened: list[float] = []

        def start() -> float:
            began = time.perf_counter()
            done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
            opened.append(float(done.stdout))
            return time.perf_counter() - began

        whole = interleaved([start], subject.runs)[0]
        return [statistics.median(whole), statistics.median(opened[1:])]


def recall(
    subject: Subject, name: str, search: Search, vectors: np.ndarray, queries: list[tuple[str, np.ndarray]]
) -> float:
    """The share of what is found that belongs to the exact answer."""
    found = 0
    for song, vector in queries:
        worth = _scores(subject, song) if name == "Segue" else _closeness(vectors, vector)
        last = np.partition(worth, -WANTED)[-WANTED]
        rows = search(song, vector)
        found += int((worth[rows[rows >= 0]] >= last - (0 if name == "Segue" else TIE)).sum())
    return found / (WANTED * len(queries))


def _scores(subject: Subject, song: str) -> np.ndarray:
    """The score of every song, by brute force; -inf where it may not be recommended."""
    space = Space.from_manifest(subject.catalog.manifest["space"])
    seeds = resolve(subject.catalog, space, (Seed("/song_id", {}, id=song),))
    scores = Scorer(subject.catalog, space, seeds, {}).score(np.arange(len(subject.catalog)))
    return np.where(allowed(subject.catalog, Filters()), scores, -np.inf)


def _closeness(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Squared distances to every vector, negative."""
    parts = [((vectors[start : start + STEP] - vector) ** 2).sum(axis=1) for start in range(0, len(vectors), STEP)]
    return -np.concatenate(parts)


def _searched(subject: Subject) -> int:
    """Bytes of Segue's files that its search reads."""
    patterns = ("vectors*", "reaches*", "present*", "cell_*", "recommendable*", "id_*")
    return sum(path.stat().st_size for pattern in patterns for path in subject.catalog.folder.glob(pattern))
