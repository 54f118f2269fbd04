"""Versions in a folder or a bucket, and a running function that follows the current one.

It opens stores and versions, caches what it fetched from a bucket, and swaps pointers. It may import segue.catalog.
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
