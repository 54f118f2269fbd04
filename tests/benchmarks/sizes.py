"""What is deployed, in megabytes: artifacts by what is in them, code, requirements with all that they require."""

import importlib.metadata
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from segue_build import FUNCTIONS, ROOT
from tests.benchmarks.figures import Row
from tests.benchmarks.subject import Subject

GROUPS = {  # the first that fits
    "table for people": ("*.parquet",),
    "look-up by name": ("*.sqlite", "title_*", "artist_hashes*", "artist_rows*"),
    "look-up by id": ("id_*",),
    "texts": ("*_heap.npy", "ids_*", "names_*", "albums_*", "artists_*"),
    "vectors": ("vectors*", "local_scales*", "present*"),
    "cells": ("cell_*",),
    "attributes": ("attribute_*", "rank_*", "recommendable*"),
    "relations": ("work*", "by_*", "in_*", "artist_*", "genre_*", "neighbour_*", "source_rows*"),
    "other": ("*",),
}
_NAME = re.compile(r"[\w.-]+")


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each group of files and one for all."""
    totals = dict.fromkeys(GROUPS, 0)
    for path in subject.catalog.folder.iterdir():
        totals[group(path.name)] += path.stat().st_size
    songs, everything = len(subject.catalog), sum(totals.values())
    for name, size in [*totals.items(), ("all", everything)]:
        yield {"artifacts": name, "MB": size / 1e6, "bytes a song": round(size / songs)}


def deployed(_: Subject) -> Iterator[Row]:
    """A row for the code, each requirement, what these require, and all."""
    named = {canonical(line) for line in _lines(ROOT / "requirements.txt")}
    packages = closure(named)
    sizes = {name: packages[name] for name in sorted(named)}
    sizes["what these require"] = sum(size for name, size in packages.items() if name not in named)
    code = sum(path.stat().st_size for path in FUNCTIONS.rglob("*") if path.suffix not in {"", ".pyc"})
    for name, size in [("Segue's code", code), *sizes.items(), ("all", code + sum(packages.values()))]:
        yield {"deployed": name, "MB": size / 1e6}


def group(file: str) -> str:
    """What a file of the artifacts holds."""
    return next(name for name, patterns in GROUPS.items() if any(fnmatch(file, pattern) for pattern in patterns))


def closure(names: set[str]) -> dict[str, int]:
    """Bytes of packages and of all that they require without extras, as installed here."""
    sizes, waiting = {}, set(names)
    while waiting:
        name = waiting.pop()
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # required on other systems or older Pythons only
        sizes[name] = sum(file.size or 0 for file in package.files or [])
        plain = [line for line in package.requires or [] if "extra ==" not in line]
        waiting |= {canonical(line) for line in plain} - set(sizes)
    return sizes


def canonical(requirement: str) -> str:
    """A requirement's package: ``"Flask[async]>=3.0"`` -> ``"flask"``."""
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1].isalpha()]
