"""What is measured: a catalogue, and how to run the function over it."""

import os
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from segue.catalog import Catalog, load
from segue_build import FUNCTIONS, ROOT

OURS = FUNCTIONS
HELLO = ROOT / "tests" / "benchmarks" / "hello"


class Skipped(Exception):
    """A part that can't be measured here; the message says what it needs."""


@dataclass(frozen=True)
class Subject:
    """Artifacts, and what is measured with them.

    source : what they were fitted from, None where only the artifacts are given
    runs : how often what is slow is repeated
    minutes : how long a soak takes, 1 at the least
    """

    artifacts: Path
    source: str | None = None
    runs: int = 7
    minutes: int = 10

    @cached_property
    def catalog(self) -> Catalog:
        """The current version."""
        return load(self.artifacts)

    @cached_property
    def environ(self) -> dict[str, str]:
        """The environment of a server: one BLAS thread, and byte code, which the first start writes, is used."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return kept | {"SEGUE_ARTIFACTS": str(self.artifacts.resolve()), "OPENBLAS_NUM_THREADS": "1"}

    def ids(self, count: int, seed: int) -> list[str]:
        """Ids of songs drawn at random, the same for one seed."""
        texts, dice = self.catalog.texts("ids"), random.Random(seed)
        return [texts[dice.randrange(len(texts))] for _ in range(count)]
