"""Configuration: a mapping, read once; bad values fail the start and name the variable."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segue.errors import ConfigError

BESIDE = Path(__file__).resolve().parent.parent / "artifacts"  # where a deployed package bundles them
ADDRESS = re.compile(r"(s3|gs)://[^/]+(/.*)?", re.DOTALL)
MB = 1_000_000
RESIDENT = ("auto", "all", "cells")


@dataclass(frozen=True, slots=True)
class Config:
    """How the function was set up.

    artifacts : SEGUE_ARTIFACTS, a folder as ``fit --out`` makes it, ``s3://bucket/prefix`` or ``gs://bucket/prefix``;
        default: beside the code, else ``artifacts``
    refresh : SEGUE_REFRESH_SECONDS, 0..86400, seconds between looks for a new version; 0: never
    cache : SEGUE_CACHE, a folder for files of a bucket; default: this user's below the platform's temporary folder
    cache_limit : SEGUE_CACHE_MB, 1..1000000, of which this is the bytes
    mapped : SEGUE_MAPPED_MB, 1..1000000, of which this is the bytes: of files that a process keeps mapped between
        requests; default: all that were read, or 128 by cells
    resident : SEGUE_RESIDENT, ``all`` fetches a bucket's files whole, ``cells`` only the pieces that requests need,
        ``auto`` the latter where a version is larger than the cache may be
    pieces_limit : SEGUE_CELLS_MB, 8..1000000, what these pieces may take of memory, of which this is the bytes
    public_url : SEGUE_PUBLIC_URL, where callers reach the service; default: as each request came
    preload : SEGUE_PRELOAD, 1 loads everything when the function starts; default: when a request needs it
    """

    artifacts: Path | str
    refresh: float = 60.0
    cache: Path | None = None
    cache_limit: int = 1000 * MB
    mapped: int | None = None
    resident: str = "auto"
    pieces_limit: int = 100 * MB
    public_url: str | None = None
    preload: bool = False

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Config":
        """Read the ``SEGUE_*`` variables."""
        cache = environ.get("SEGUE_CACHE", "")
        return cls(
            _artifacts(environ.get("SEGUE_ARTIFACTS", "")),
            _number(environ, "SEGUE_REFRESH_SECONDS", 0, 86400, 60),
            Path(cache) if cache else None,
            round(_number(environ, "SEGUE_CACHE_MB", 1, 10**6, 1000) * MB),
            round(_number(environ, "SEGUE_MAPPED_MB", 1, 10**6, 0) * MB) or None,
            _choice(environ, "SEGUE_RESIDENT", RESIDENT),
            round(_number(environ, "SEGUE_CELLS_MB", 8, 10**6, 100) * MB),
            _public_url(environ),
            _switch(environ, "SEGUE_PRELOAD"),
        )


def _artifacts(given: str) -> Path | str:
    if "://" in given:
        if not ADDRESS.fullmatch(given):
            raise ConfigError(
                f"SEGUE_ARTIFACTS: '{given}' is not a folder as `fit --out` makes it, nor s3://bucket/prefix or"
                " gs://bucket/prefix"
            )
        return given
    if given:
        return Path(given)
    return BESIDE if BESIDE.is_dir() else Path("artifacts")


def _public_url(environ: Mapping[str, str]) -> str | None:
    given = environ.get("SEGUE_PUBLIC_URL", "").rstrip("/")
    if given and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", given):
        raise ConfigError(f"SEGUE_PUBLIC_URL: '{given}' is not an address such as https://songs.example.org/api")
    return given or None


def _switch(environ: Mapping[str, str], name: str) -> bool:
    given = environ.get(name, "")
    if given not in ("", "0", "1"):
        raise ConfigError(f"{name}: '{given}' is neither 0 nor 1")
    return given == "1"


def _choice(environ: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    given = environ.get(name, "") or choices[0]
    if given not in choices:
        raise ConfigError(f"{name}: '{given}' is none of {', '.join(choices)}")
    return given


def _number(environ: Mapping[str, str], name: str, low: float, high: float, default: float) -> float:
    given = environ.get(name, "")
    if not given:
        return default
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", given, re.ASCII) or not low <= float(given) <= high:
        raise ConfigError(f"{name}: '{given}' is not a number {low:g}..{high:g}")
    return float(given)
