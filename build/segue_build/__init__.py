"""The offline step: from a table of tracks to the artifacts that the function serves.

Run it as ``segue``, or as ``python -m segue_build`` with ``functions`` and ``build`` on the path. A table goes
through its packages in this order: sources, model, artifacts, quality, releases, package.
"""

import os
import sys
from pathlib import Path

# Set before NumPy is imported: matrices are small, and threads of BLAS would mostly wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"

if str(FUNCTIONS) not in sys.path:
    sys.path.insert(0, str(FUNCTIONS))
