"""Versions wherever they are kept, and a running function that follows what is current.

It opens versions of a folder or a bucket, keeps what it fetched in a cache, and swaps pointers.
It may import segue.catalog.
"""

from segue.releases.opening import at, load, of
from segue.releases.versions import Local, Pointer, Releases, moved, pointer

__all__ = ["Local", "Pointer", "Releases", "at", "load", "moved", "of", "pointer"]
