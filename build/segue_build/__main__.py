"""``segue``: the command line."""

import sys

from segue_build.cli import main

sys.exit(main(sys.argv[1:]))
