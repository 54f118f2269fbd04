"""The artifacts: a version's files, mapped when first needed; songs by id, name and artist.

:mod:`segue.catalog.schema` declares the arrays. This package imports no other one.
"""

from segue.catalog.catalog import Catalog
from segue.catalog.version_files import (
    current_version,
    file_sha256,
    load,
    load_version,
    save_version,
    set_current,
    verify,
    write_lock,
)

__all__ = [
    "Catalog",
    "current_version",
    "file_sha256",
    "load",
    "load_version",
    "save_version",
    "set_current",
    "verify",
    "write_lock",
]
