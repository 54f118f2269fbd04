"""Search libraries beside Segue, each as its documentation would have it: build a file, open it, ask for neighbours.

Imported within functions: a fresh process that measures one of them must not pay for the others.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

WANTED = 20  # neighbours of a query, itself among them
PROBES = 16  # cells that IVF looks into
LINKS, EFFORT, EF = 16, 200, 100  # of HNSW: M, ef_construction, ef
LARGEST_BUILT = 2_000_000  # songs; HNSW takes hours to build beyond, and to train IVF some ten minutes

Search = Callable[[str, np.ndarray], np.ndarray]
"""From a song's id and its vector, float32, shape (n_dims,), to rows of its neighbours."""


class Library(NamedTuple):
    """A way to search.

    module : what must be installed
    build : from float32 vectors, shape (n_songs, n_dims), to a file
    open : from the file, or Segue's artifacts, to a search
    slow : whether it takes too long to build beyond ``LARGEST_BUILT``
    """

    module: str
    build: Callable[[np.ndarray, Path], None] | None
    open: Callable[[Path], Search]
    slow: bool = False


def open_segue(artifacts: Path) -> Search:
    """The search core of a request by id: no HTTP, no JSON, no versions and caps."""
    from segue.catalog import load
    from segue.engine.scoring import Scorer
    from segue.engine.search import AllowedSongs, approximate_search, search_budget
    from segue.engine.seeds import resolve
    from segue.query.schema import Filters, Seed
    from segue.web.service import retain_freed_memory

    catalog = load(artifacts)
    retain_freed_memory()

    def search(song: str, _: np.ndarray) -> np.ndarray:
        scorer = Scorer(catalog, resolve(catalog, (Seed("/song_id", {}, id=song),)), {})
        found = approximate_search(catalog, scorer, AllowedSongs(catalog, Filters()), search_budget(catalog, scorer))
        return next(found).rows[:WANTED]

    return search


def build_numpy(vectors: np.ndarray, path: Path) -> None:
    """A last column makes the largest product that of the nearest vector."""
    half = np.einsum("ij,ij->i", vectors, vectors)[:, None] / 2
    with path.open("wb") as file:
        np.save(file, np.hstack([vectors, -half]))


def open_numpy(path: Path) -> Search:
    """Every vector, memory-mapped."""
    vectors = np.load(path, mmap_mode="r").view(np.ndarray)

    def search(_: str, vector: np.ndarray) -> np.ndarray:
        products = vectors @ np.append(vector, np.float32(1))
        best = np.argpartition(-products, WANTED)[:WANTED]
        return best[np.argsort(-products[best])]

    return search


def build_faiss_flat(vectors: np.ndarray, path: Path) -> None:
    """Exact."""
    import faiss

    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(path))


def build_faiss_ivf(vectors: np.ndarray, path: Path) -> None:
    """Cells, about as many as Segue has."""
    import faiss

    n_songs, n_dims = vectors.shape
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(n_dims), n_dims, int(2 * n_songs**0.5))
    index.train(vectors)
    index.add(vectors)
    index.nprobe = PROBES
    faiss.write_index(index, str(path))


def open_faiss(path: Path) -> Search:
    """Either index."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.read_index(str(path))
    return lambda _, vector: index.search(vector[None], WANTED)[1][0]


def build_hnswlib(vectors: np.ndarray, path: Path) -> None:
    """A graph."""
    import hnswlib

    index = hnswlib.Index("l2", vectors.shape[1])
    index.init_index(len(vectors), ef_construction=EFFORT, M=LINKS)
    index.add_items(vectors)
    index.save_index(str(path))


def open_hnswlib(path: Path) -> Search:
    """The graph; its file does not tell how many dimensions it has, so its name does."""
    import hnswlib

    index = hnswlib.Index("l2", int(path.suffix[1:]))
    index.load_index(str(path))
    index.set_ef(EF)
    index.set_num_threads(1)
    return lambda _, vector: index.knn_query(vector[None], WANTED)[0][0].astype(np.int64)


def build_voyager(vectors: np.ndarray, path: Path) -> None:
    """A graph."""
    import voyager

    index = voyager.Index(voyager.Space.Euclidean, vectors.shape[1], M=LINKS, ef_construction=EFFORT)
    index.add_items(vectors)
    index.save(str(path))


def open_voyager(path: Path) -> Search:
    """The graph."""
    import voyager

    index = voyager.Index.load(str(path))
    return lambda _, vector: index.query(vector, WANTED, num_threads=1, query_ef=EF)[0].astype(np.int64)


LIBRARIES = {
    "Segue": Library("segue", None, open_segue),
    "NumPy flat": Library("numpy", build_numpy, open_numpy),
    "FAISS flat": Library("faiss", build_faiss_flat, open_faiss),
    f"FAISS IVF, {PROBES} probes": Library("faiss", build_faiss_ivf, open_faiss, slow=True),
    f"hnswlib, ef {EF}": Library("hnswlib", build_hnswlib, open_hnswlib, slow=True),
    f"voyager, ef {EF}": Library("voyager", build_voyager, open_voyager, slow=True),
}
