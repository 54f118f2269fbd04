"""The offline step: from a table of tracks to the artifacts that the function serves.

Run it as ``segue``, or as ``python -m segue_build`` with ``functions`` and ``build`` on the path. A table goes
through its packages in this order: sources, model, artifacts, quality, releases, package.
"""

import os
import sys
from pathlib import Path

# Set before NumPy is imported: matrices are small, and threads of BLAS would mostly wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_CHECKOUT = Path(__file__).resolve().parents[2]
IS_INSTALLED = not (_CHECKOUT / "functions" / "main.py").is_file()
# A wheel holds those of a checkout's files that commands use, but for the function's package, which is installed.
ROOT = Path(__file__).resolve().parent / "checkout" if IS_INSTALLED else _CHECKOUT
FUNCTIONS = ROOT / "functions"

if str(FUNCTIONS) not in sys.path:
    sys.path.insert(0, str(FUNCTIONS))
