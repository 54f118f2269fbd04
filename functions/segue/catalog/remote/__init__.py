"""A version whose songs stay in the store: blocks of its files are fetched when they are needed, and cached."""

from segue.catalog.remote.catalog import RemoteCatalog

__all__ = ["RemoteCatalog"]
