"""Progress of long work, on stderr: a line per stage, a bar where a stage has many steps."""

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


@contextlib.contextmanager
def stage(what: str) -> Iterator[None]:
    """Tell that a stage begins, and how long it took."""
    print(f"{what} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


def bar(items: Iterable[Item], what: str, unit: str, total: int | None = None) -> Iterator[Item]:
    """The items, with a bar for a person at a terminal that goes when it is full."""
    return iter(tqdm(items, desc=what, unit=unit, total=total, leave=False, disable=None, unit_scale=True))
