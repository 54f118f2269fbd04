"""The artifacts: a version's files, mapped when first needed; songs by id, name and artist.

:mod:`segue.catalog.version` lists the files. The wing imports no other one.
"""

from segue.catalog.version import Catalog, current, load, load_version, sha256, verify
from segue.catalog.writing import one_writer, point_to, save

__all__ = [
    "Catalog",
    "current",
    "load",
    "load_version",
    "one_writer",
    "point_to",
    "save",
    "sha256",
    "verify",
]
