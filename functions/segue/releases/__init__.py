"""Versions in a folder or a bucket, and the one that a running function serves.

Opens stores and versions, caches files of a bucket, and replaces the pointer to the current version. May import
segue.catalog.
"""

from segue.releases.serving import load, open_releases, open_store
from segue.releases.store import LocalReleases, Pointer, Releases, read_pointer, read_pointer_if_changed

__all__ = [
    "LocalReleases",
    "Pointer",
    "Releases",
    "load",
    "open_releases",
    "open_store",
    "read_pointer",
    "read_pointer_if_changed",
]
