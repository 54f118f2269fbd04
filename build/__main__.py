"""``python -m build``: the command line."""

import sys

from build.cli import main

sys.exit(main(sys.argv[1:]))
