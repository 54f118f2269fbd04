"""From an address to a store, and to the versions in it. What only a bucket needs is imported by the first one."""

import dataclasses
import os
from pathlib import Path

from segue.catalog import Catalog
from segue.config import Config
from segue.releases.store import SCHEMES, Folder, Store
from segue.releases.versions import Local, Releases


def at(address: str) -> Store:
    """The store at an address; the client of object stores is imported by the first one that needs it."""
    if not address.startswith(SCHEMES):
        return Folder(Path(address))
    from segue.releases.bucket import Bucket

    return Bucket(address)


def of(config: Config) -> Releases:
    """The versions that the function serves."""
    address = str(config.artifacts)
    if not address.startswith(SCHEMES) and config.resident != "cells":
        return Local(Path(address))
    from segue.releases.cache import private_folder
    from segue.releases.remote import Remote

    folder = config.cache or private_folder()
    return Remote(at(address), folder, config.cache_limit, config.resident, config.pieces_limit)


def load(artifacts: Path | str) -> Catalog:
    """The current version in a folder or a store, in whole files; the cache is configured by the environment."""
    return of(dataclasses.replace(Config.from_environ(os.environ), artifacts=artifacts, resident="all")).start()
