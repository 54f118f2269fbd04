"""A fresh process that opens one library's index and answers one query; ``peers`` starts it.

``python -m tests.benchmarks.first LIBRARY FILE SONG QUERY.npy`` prints the seconds from opening to the answer, the
library being imported already.
"""

import importlib
import sys
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.libraries import LIBRARIES


def main(name: str, file: str, song: str, query: str) -> None:
    """Import, open, ask."""
    library, vector = LIBRARIES[name], np.load(query)
    importlib.import_module(library.module)
    if name == "Segue":  # whose modules are imported when they are needed
        for module in ("segue.engine.search", "segue.engine.seeds", "segue.web.service"):
            importlib.import_module(module)
    began = time.perf_counter()
    library.open(Path(file))(song, vector)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
