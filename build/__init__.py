"""The offline step: from a table of tracks to the artifacts that the function serves.

Run as ``python -m build`` from the project's root; a clean checkout needs nothing installed with ``-e``. Its
wings, in the order in which a table goes through them: sources, model, artifacts, quality, releases, package.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "functions"

if str(FUNCTIONS) not in sys.path:
    sys.path.insert(0, str(FUNCTIONS))
