"""Cached downloads, and the published data sets that have a name.

Interrupted downloads are resumed, files are verified by their sha256, and fetched again only if they changed. Each
URL has a folder in the cache: `table.csv` is the finished file, `table.csv.part` what has arrived of a newer one;
their validators and sums are beside them in `.json` files. Segue ships none of the data sets:
`segue fit` downloads them.
"""

import hashlib
import json
import re
import sys
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Self
from urllib.parse import unquote

import platformdirs
import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.exceptions import HTTPError, MaxRetryError, ProtocolError, ReadTimeoutError
from urllib3.util import Retry

from segue.errors import SourceError

RETRYABLE_STATUSES = (429, 500, 502, 503, 504)
RETRY = Retry(  # times in seconds
    5,
    status_forcelist=RETRYABLE_STATUSES,
    raise_on_status=False,
    backoff_factor=0.25,
    backoff_max=4,
    retry_after_max=60,
)
RESUME_HINT = f"still so after {RETRY.total} retries: run again later to resume, or give the path of a copy"
ADDRESS_HINT = "check the address, or give the path of a copy"
TERMS_NOTICE = "Spotify's terms forbid training on Spotify content; whether your use is allowed is yours to judge"


class _UnreachableError(SourceError):
    """The server can't be reached now: a copy in the cache may be used instead."""


@dataclass(frozen=True, slots=True)
class _FileRecord:
    """The validators (RFC 9110, section 8.8) and the sha256 of a file."""

    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None

    @classmethod
    def from_response(cls, response: requests.Response) -> Self:
        return cls(response.headers.get("ETag"), response.headers.get("Last-Modified"))

    def save(self, path: Path) -> None:
        _with_suffix(path, ".json").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        try:
            return cls(**json.loads(_with_suffix(path, ".json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()


def fetch(
    url: str,
    *,
    sha256: str | None = None,
    cache: Path | None = None,
    accept_new: bool = False,
    timeout: float = 30.0,
    max_bytes: int = 8 * 2**30,
) -> Path:
    """Return the path of a URL's file in the cache, downloading what is missing.

    The file is named by the last segment of the URL and holds the bytes as they were sent. With ``sha256``, a copy
    that has it is used without the network. Otherwise the server is asked whether the copy is current; if it can't be
    reached, the copy is used.

    sha256 : of the expected file, 64 lower-case hexadecimal digits; None accepts any file
    cache : folder of all downloads; by default in the user's cache folder
    accept_new : whether to accept a file with another sha256, which is printed
    timeout : seconds without a byte after which the server counts as stalled, > 0
    max_bytes : largest file accepted

    Raises SourceError if the file can't be downloaded or stored, has another sha256, is too large or is a web page.
    """
    path = _cache_path(url, cache or platformdirs.user_cache_path("segue") / "downloads")
    expected = None if accept_new else sha256
    try:
        cached = _cached_record(path)
        if cached and cached.sha256 == sha256:
            _log(f"{path.name}: from the cache, {path}")
            return path
        cached = None if expected else cached  # a copy with another sum is of no use, current or not
        record = _refresh(url, path, cached, expected, timeout, max_bytes)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}; it must be in a writable folder") from error
    if sha256 not in (None, record.sha256):
        _log(f"{path.name}: accepted sha256 {record.sha256} in place of {sha256}")
    return path


def _refresh(
    url: str, path: Path, cached: _FileRecord | None, expected: str | None, timeout: float, max_bytes: int
) -> _FileRecord:
    """Update the file and return its record; `cached` if it is current or the server can't be reached."""
    part = _with_suffix(path, ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    safe_url = re.sub(r"//[^/]*@", "//", url)  # passwords stay out of messages
    try:
        if not _download(url, part, cached, timeout, max_bytes) and cached:
            _log(f"{path.name}: unchanged on the server, from the cache, {path}")
            return cached
        return _commit(part, path, expected)
    except _UnreachableError as error:
        if cached is None:
            raise SourceError(f"{safe_url}: {error}; {RESUME_HINT}") from error
        _log(f"{safe_url}: {error}; using the copy in the cache, {path}")
        return cached
    except SourceError as error:
        part.unlink(missing_ok=True)
        raise SourceError(f"{safe_url}: {error}") from error


def _download(url: str, part: Path, cached: _FileRecord | None, timeout: float, max_bytes: int) -> bool:
    """Complete the part file; False if the cached copy is current and nothing was downloaded."""
    retry = RETRY
    try:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=RETRY))
            while True:
                headers = _request_headers(part, cached)
                try:
                    with session.get(url, headers=headers, timeout=timeout, stream=True) as response:
                        if response.status_code == 304 and cached:
                            return False
                        _save_body(response, part, max_bytes)
                        return True
                except HTTPError as error:
                    # The adapter retries until a body begins; an interrupted body is resumed here.
                    retry = retry.increment("GET", url, error=error)
                    retry.sleep()
    except (requests.ConnectionError, requests.Timeout, MaxRetryError) as error:
        raise _UnreachableError(_failure_reason(error, timeout)) from error
    except requests.RequestException as error:
        raise SourceError(f"{error}; {ADDRESS_HINT}") from error


def _request_headers(part: Path, cached: _FileRecord | None) -> dict[str, str | None]:
    """Headers that request the rest of the part file, or the file if it is newer than the cached copy."""
    headers: dict[str, str | None] = {"Accept-Encoding": "identity", "User-Agent": "segue"}
    if cached:
        headers |= {"If-None-Match": cached.etag, "If-Modified-Since": cached.last_modified}
    partial, size = _FileRecord.load(part), part.stat().st_size if part.exists() else 0
    validator = partial.etag or partial.last_modified
    # A weak tag does not promise equal bytes: RFC 9110, section 13.1.5 keeps it out of If-Range.
    if size and validator and not validator.startswith("W/"):
        headers |= {"Range": f"bytes={size}-", "If-Range": validator}
    return headers


def _save_body(response: requests.Response, part: Path, max_bytes: int) -> None:
    """Append the body to the part file, or start that file again, as the response says."""
    start, total = _body_range(response, part)
    if total and total > max_bytes:
        raise SourceError(f"its {total} bytes are more than {max_bytes}; give a smaller table")
    if not start:
        part.unlink(missing_ok=True)
        _FileRecord.from_response(response).save(part)
    size = tqdm.format_sizeof(total, "B") if total else "size unknown"
    _log(f"{part.stem}: downloading, {size}" + (f", resumed at byte {start}" if start else ""))
    bar = tqdm(initial=start, total=total, unit="B", unit_scale=True, leave=False, disable=None)
    with bar, part.open("ab") as file:
        # Undecoded: sums, lengths and ranges are of the bytes as sent.
        for chunk in response.raw.stream(decode_content=False):
            bar.update(file.write(chunk))
            if file.tell() > max_bytes:
                raise SourceError(f"sends more than {max_bytes} bytes; give a smaller table")
    if total not in (None, part.stat().st_size):
        raise ProtocolError("the body has another length than announced")


def _body_range(response: requests.Response, part: Path) -> tuple[int, int | None]:
    """The position of a response's body in the file, and the file's size if it is known, in bytes."""
    if response.status_code == 200:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise SourceError("the server sent a web page, not a table; give the address of the file itself")
        return 0, response.raw.length_remaining
    if response.status_code in (206, 416) and "Range" in response.request.headers:
        content_range = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        # Some servers support Range but not If-Range: the validators show whether the file is the same.
        validators = zip(astuple(_FileRecord.from_response(response)), astuple(_FileRecord.load(part)))
        same = all(new in (None, old) for new, old in validators)
        if content_range and same and int(content_range[1]) == part.stat().st_size:
            return int(content_range[1]), int(content_range[2])
        part.unlink()
        raise ProtocolError("the server does not continue the partial file")
    status = f"the server answers {response.status_code} {response.reason}"
    raise (
        _UnreachableError(status)
        if response.status_code in RETRYABLE_STATUSES
        else SourceError(f"{status}; {ADDRESS_HINT}")
    )


def _failure_reason(error: Exception, timeout: float) -> str:
    """The innermost reason of an exception of requests and urllib3."""
    cause = error.args[0] if isinstance(error, requests.RequestException) and error.args else error
    cause = getattr(cause, "reason", cause)
    if isinstance(cause, ReadTimeoutError):
        return f"the server sent nothing for {timeout:g} seconds"
    return str(cause.args[0] if isinstance(cause, ProtocolError) else cause).rsplit("): ", 1)[-1]


def _commit(part: Path, path: Path, expected: str | None) -> _FileRecord:
    """Move the part file into place; even if killed at any moment, no record is left beside another file."""
    record = replace(_FileRecord.load(part), sha256=_sha256_of(part))
    if expected not in (None, record.sha256):
        mismatch = f"{path.name} should have sha256 {expected}, but has {record.sha256}"
        raise SourceError(f"{mismatch}; if you trust the new file, --accept-checksum takes it")
    _with_suffix(path, ".json").unlink(missing_ok=True)
    part.replace(path)
    record.save(path)
    _with_suffix(part, ".json").unlink(missing_ok=True)
    _log(f"{path.name}: downloaded, sha256 {record.sha256}, {path}")
    return record


def _cached_record(path: Path) -> _FileRecord | None:
    """The record of the finished file; None if there is no such file or its bytes were altered."""
    if not path.is_file():
        return None
    record, digest = _FileRecord.load(path), _sha256_of(path)
    return replace(record, sha256=digest) if record.sha256 in (None, digest) else None


def _cache_path(url: str, cache: Path) -> Path:
    """The path of a URL's file, with a name that every file system allows."""
    parts = re.match(r"https?://[^/?#]+([^?#]*)", url, re.IGNORECASE)
    if parts is None:
        raise SourceError(f"'{url}' is not a web address; expected https://host/path/table.csv")
    name = re.sub(r"[^\w.-]+", "_", unquote(PurePosixPath(parts[1]).name), flags=re.ASCII)
    return cache / hashlib.sha256(url.encode()).hexdigest()[:16] / (name[-100:].lstrip(".") or "table")


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class NamedDataset:
    """A table of tracks at a public address.

    sha256, size : of the file that Segue was tested with; size in bytes
    licence : as its publisher states it; Segue does not vouch for it
    about : one line for people
    """

    name: str
    url: str
    sha256: str
    size: int
    licence: str
    about: str


DATASETS = {
    dataset.name: dataset
    for dataset in (
        NamedDataset(
            name="spotify-114k",
            url="https://huggingface.co/datasets/maharshipandya/spotify-tracks-dataset/resolve/main/dataset.csv",
            sha256="b202fa49909b2d5cef71a04b1d21243cfeb36414535f2ca9272aa646721177bd",
            size=20_118_244,
            licence="ODbL 1.0, as its publisher states on Kaggle",
            about="Spotify Tracks Dataset by maharshipandya: 114,000 rows, 89,741 tracks, 114 genres",
        ),
        NamedDataset(
            name="tidytuesday",
            url="https://raw.githubusercontent.com/rfordatascience/tidytuesday/main/data/2020/2020-01-21/spotify_songs.csv",
            sha256="9902920cfe4940f0914ebb6716801a42f7f19ac88fbd6693eaae7e2822b16845",
            size=7_971_379,
            licence="CC0, as its publisher states; unverified",
            about="TidyTuesday 2020-01-21: 32,833 rows, 28,356 tracks, from 471 playlists of six genres",
        ),
    )
}


def fetch_dataset(name: str, *, cache: Path | None = None, accept_new: bool = False, timeout: float = 30.0) -> Path:
    """Return the path of a named data set in the cache, downloading it if necessary; print its licence.

    cache, accept_new, timeout : as in `segue_build.sources.download.fetch`

    Raises SourceError for an unknown name, and as `fetch` does.
    """
    dataset = DATASETS.get(name)
    if dataset is None:
        raise SourceError(f"unknown data set {name!r}; known are {', '.join(DATASETS)}")
    print(f"{name}: {dataset.about}\n{name}: licence {dataset.licence}. {TERMS_NOTICE}.", file=sys.stderr)
    return fetch(dataset.url, sha256=dataset.sha256, cache=cache, accept_new=accept_new, timeout=timeout)
