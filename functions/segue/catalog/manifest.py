"""The two small files that lead to all others: ``current.json`` and a version's ``manifest.json``, checked."""

import hashlib
import json
import re
from typing import Any

from segue.errors import ArtifactsError

FORMAT = 3
POINTER = "current.json"
NAME = "manifest.json"
REBUILD = "segue fit"
_VERSION = re.compile(r"[0-9a-f]{16}")
_FILE = re.compile(r"\w[\w.-]*", re.ASCII)


def pointed(content: bytes) -> dict[str, Any]:
    """What a ``current.json`` says: ``version``, and where ``publish`` wrote it, when, by whom and why.

    Raises
    ------
    ArtifactsError
        it names no version.

    """
    said = _object(content, POINTER)
    if not is_version(said.get("version")):
        raise ArtifactsError(f"{POINTER} names no version: run '{REBUILD}'")
    return said


def parsed(content: bytes, version: str) -> dict[str, Any]:
    """The manifest of a version; the format is the first thing read.

    Raises
    ------
    ArtifactsError
        it is of another format, or not what the version's id promises.

    """
    manifest = _object(content, NAME)
    found = manifest.get("format")
    if found != FORMAT:
        raise ArtifactsError(
            f"{NAME} of version {version} has format {found}, this code reads format {FORMAT}: run '{REBUILD}'"
        )
    if version_of(content) != version:
        raise ArtifactsError(f"{NAME} of version {version} is damaged: run '{REBUILD}'")
    if not all(map(_FILE.fullmatch, manifest["files"])):  # no name may lead out of the version's folder
        raise ArtifactsError(f"{NAME} of version {version} names a file that it can't have")
    return manifest


def version_of(content: bytes) -> str:
    """The id of the version that has this manifest: the manifest holds the digests of all other files."""
    return hashlib.sha256(content).hexdigest()[:16]


def is_version(name: object) -> bool:
    """Whether this can be the id of a version."""
    return isinstance(name, str) and _VERSION.fullmatch(name) is not None


def _object(content: bytes, name: str) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ArtifactsError(f"{name} can't be read ({type(error).__name__}): run '{REBUILD}'") from error
    if not isinstance(said, dict):
        raise ArtifactsError(f"{name} does not hold an object: run '{REBUILD}'")
    return said
