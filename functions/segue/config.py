"""Configuration from environment variables, read once; an invalid value prevents the start and is named."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segue.errors import ConfigError

BUNDLED_ARTIFACTS = Path(__file__).resolve().parent.parent / "artifacts"  # where a deployed package bundles them
BUCKET_URI = re.compile(r"(s3|gs)://[^/]+(/.*)?", re.DOTALL)
MB = 1_000_000
RESIDENT_MODES = ("auto", "all", "cells")
FORWARDED_HEADERS = ("Proto", "Port", "Host", "Prefix")
PLATFORM_VARIABLES = (
    "AWS_LAMBDA_FUNCTION_NAME",
    "K_SERVICE",
)  # of AWS Lambda and Cloud Run, which set these headers:
PLATFORM_HEADERS = ("Proto", "Port")


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of the function.

    artifacts : SEGUE_ARTIFACTS, a folder as ``fit --out`` makes it, ``s3://bucket/prefix`` or ``gs://bucket/prefix``;
        default: beside the code, else ``artifacts``
    refresh_seconds : SEGUE_REFRESH_SECONDS, 0..86400, seconds between checks for a new version; 0: never
    cache_folder : SEGUE_CACHE, a folder for files of a bucket; default: one per user in the temporary folder
    cache_bytes : SEGUE_CACHE_MB, 1..1000000, here in bytes: the most that this folder may hold
    mapped_bytes : SEGUE_MAPPED_MB, 1..1000000, here in bytes: how much of its files a process keeps mapped between
        requests; default: all that it has read, or 128 MB where SEGUE_RESIDENT is ``cells``
    resident_mode : SEGUE_RESIDENT, ``all`` fetches a bucket's files whole, ``cells`` only the blocks that it reads,
        ``auto`` the latter if a version is larger than the cache may be
    block_cache_bytes : SEGUE_CELLS_MB, 8..1000000, here in bytes: the memory that these blocks may use
    public_url : SEGUE_PUBLIC_URL, where callers reach the service; default: derived from each request
    preload : SEGUE_PRELOAD, 1 loads everything when the function starts; default: when a request first needs it
    request_seconds : SEGUE_REQUEST_SECONDS, 0.01..86400, seconds of a processor that one request may compute
    exact_pairs : SEGUE_EXACT_PAIRS, pairs of a song and a point of the seeds that an exact request may compare; 0,
        here None: as many as it likes
    request_cost : SEGUE_REQUEST_COST, 0..1000000, as many ordinary requests, for ten songs like one song, the work of
        one request may cost; 0, here None: as much as it likes
    forwarded_headers : which of ``X-Forwarded-*`` say how callers reach the service: those that the platform sets, or
        with SEGUE_TRUST_FORWARDED those that a proxy sets: 1 for all, or their names with commas
    max_waiting : requests that may wait for the engine; most of THREADS, the functions framework's, so that some are
        left to answer what need not wait
    """

    artifacts: Path | str
    refresh_seconds: float = 60.0
    cache_folder: Path | None = None
    cache_bytes: int = 1000 * MB
    mapped_bytes: int | None = None
    resident_mode: str = "auto"
    block_cache_bytes: int = 100 * MB
    public_url: str | None = None
    preload: bool = False
    request_seconds: float = 2.0
    exact_pairs: int | None = 3_000_000
    request_cost: float | None = 85.0
    forwarded_headers: tuple[str, ...] = ()
    max_waiting: float = math.inf

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Config":
        """Read the ``SEGUE_*`` variables."""
        cache_folder = environ.get("SEGUE_CACHE", "")
        return cls(
            _artifacts(environ.get("SEGUE_ARTIFACTS", "")),
            _number(environ, "SEGUE_REFRESH_SECONDS", 0, 86400, 60),
            Path(cache_folder) if cache_folder else None,
            round(_number(environ, "SEGUE_CACHE_MB", 1, 10**6, 1000) * MB),
            round(_number(environ, "SEGUE_MAPPED_MB", 1, 10**6, 0) * MB) or None,
            _one_of(environ, "SEGUE_RESIDENT", RESIDENT_MODES),
            round(_number(environ, "SEGUE_CELLS_MB", 8, 10**6, 100) * MB),
            _public_url(environ),
            read_boolean(environ, "SEGUE_PRELOAD"),
            _number(environ, "SEGUE_REQUEST_SECONDS", 0.01, 86400, 2),
            round(_number(environ, "SEGUE_EXACT_PAIRS", 0, 10**9 - 1, 3_000_000)) or None,
            _number(environ, "SEGUE_REQUEST_COST", 0, 10**6, 85) or None,
            _forwarded_headers(environ),
            _max_waiting(environ.get("THREADS", "")),
        )


def _artifacts(value: str) -> Path | str:
    if "://" in value:
        if not BUCKET_URI.fullmatch(value):
            raise ConfigError(
                f"SEGUE_ARTIFACTS: '{value}' is not a folder as `fit --out` makes it, nor s3://bucket/prefix or"
                " gs://bucket/prefix"
            )
        return value
    if value:
        return Path(value)
    return BUNDLED_ARTIFACTS if BUNDLED_ARTIFACTS.is_dir() else Path("artifacts")


def _public_url(environ: Mapping[str, str]) -> str | None:
    value = environ.get("SEGUE_PUBLIC_URL", "").rstrip("/")
    if value and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
        raise ConfigError(f"SEGUE_PUBLIC_URL: '{value}' is not an address such as https://songs.example.org/api")
    return value or None


def _forwarded_headers(environ: Mapping[str, str]) -> tuple[str, ...]:
    value = environ.get("SEGUE_TRUST_FORWARDED", "")
    if not value:
        return PLATFORM_HEADERS if any(name in environ for name in PLATFORM_VARIABLES) else ()
    if value in ("0", "1"):
        return FORWARDED_HEADERS if value == "1" else ()
    names = tuple(name.strip().capitalize() for name in value.split(","))
    if not set(names) <= set(FORWARDED_HEADERS):
        raise ConfigError(f"SEGUE_TRUST_FORWARDED: '{value}' is neither 0, 1 nor a list of proto, port, host, prefix")
    return names


def _max_waiting(threads: str) -> float:
    return max(1, int(threads) * 4 // 5) if threads.isdecimal() else math.inf


def read_boolean(environ: Mapping[str, str], name: str) -> bool:
    """A variable that is 1 or 0, by default 0."""
    value = environ.get(name, "")
    if value not in ("", "0", "1"):
        raise ConfigError(f"{name}: '{value}' is neither 0 nor 1")
    return value == "1"


def _one_of(environ: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    value = environ.get(name, "") or choices[0]
    if value not in choices:
        raise ConfigError(f"{name}: '{value}' is none of {', '.join(choices)}")
    return value


def _number(environ: Mapping[str, str], name: str, low: float, high: float, default: float) -> float:
    value = environ.get(name, "")
    if not value:
        return default
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII) or not low <= float(value) <= high:
        raise ConfigError(f"{name}: '{value}' is not a number {low:g}..{high:g}")
    return float(value)
