"""A version whose songs stay in the store: pieces of its files, fetched when they are needed.

Reading order: runs (what a piece holds), index (where pieces lie, and their digests), heap (what the C library keeps
of memory), held (the pieces that are here), arrays (files of which pieces are here, read as NumPy arrays are), ranged
(the catalogue over them).
"""

from segue.catalog.ranged.ranged import Ranged

__all__ = ["Ranged"]
