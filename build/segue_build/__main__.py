"""``python -m segue_build``: the command ``segue``."""

import sys

from segue_build.cli import main

sys.exit(main())
