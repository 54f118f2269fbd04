"""Downloads that are kept: resumed when cut, checked by sum, fetched again only when they changed.

Each URL has a folder in the cache: `table.csv` is the finished file, `table.csv.part` what has arrived of
the next one; what is known of either stands beside it in `.json`.
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

BUSY = (429, 500, 502, 503, 504)
RETRY = Retry(  # times in seconds
    5, status_forcelist=BUSY, raise_on_status=False, backoff_factor=0.25, backoff_max=4, retry_after_max=60
)
LATER = f"still so after {RETRY.total} retries: run again later to resume, or give the path of a copy"
ELSEWHERE = "check the address, or give the path of a copy"


class _UnreachableError(SourceError):
    """The server can't be had now: a copy in the cache may stand in for it."""


@dataclass(frozen=True, slots=True)
class _Record:
    """What is known of a file: its validators (RFC 9110, section 8.8) and the sum of its bytes."""

    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, response: requests.Response) -> Self:
        return cls(response.headers.get("ETag"), response.headers.get("Last-Modified"))

    def save(self, path: Path) -> None:
        _beside(path, ".json").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        try:
            return cls(**json.loads(_beside(path, ".json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()


def fetch(
    url: str,
    *,
    sha256: str | None = None,
    cache: Path | None = None,
    accept_new: bool = False,
    patience: float = 30.0,
    limit: int = 8 * 2**30,
) -> Path:
    """Return the path of a URL's file in the cache, downloading what is missing of it.

    The file keeps the URL's last segment as its name and the bytes as they were sent. A copy with the known
    sum is used without network; without a known sum the server is asked whether the copy is current, and the
    copy stands in for a server that can't be reached.

    sha256 : the sum that the file must have, 64 lower-case hexadecimal digits; None takes any
    cache : folder of all downloads; by default in the user's cache folder
    accept_new : take a file with another sum, too, and print that sum
    patience : seconds without a byte after which the server counts as stalled, > 0
    limit : largest file accepted, bytes

    Raises SourceError when the file can't be had or kept, has another sum, is too large or is a web page.
    """
    place = _place(url, cache or platformdirs.user_cache_path("segue") / "downloads")
    wanted = None if accept_new else sha256
    try:
        kept = _kept(place)
        if kept and kept.sha256 == sha256:
            _say(f"{place.name}: from the cache, {place}")
            return place
        kept = None if wanted else kept  # a copy with another sum is of no use, current or not
        known = _update(url, place, kept, wanted, patience, limit)
    except OSError as error:
        raise SourceError(f"{place}: {error.strerror or error}; it must be in a writable folder") from error
    if sha256 not in (None, known.sha256):
        _say(f"{place.name}: accepted sha256 {known.sha256} in place of {sha256}")
    return place


def _update(url: str, place: Path, kept: _Record | None, wanted: str | None, patience: float, limit: int) -> _Record:
    """Bring the file up to date and return its record: `kept` itself where that is the best to be had."""
    part = _beside(place, ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    shown = re.sub(r"//[^/]*@", "//", url)  # passwords stay out of messages
    try:
        if not _download(url, part, kept, patience, limit) and kept:
            _say(f"{place.name}: unchanged on the server, from the cache, {place}")
            return kept
        return _finish(part, place, wanted)
    except _UnreachableError as error:
        if kept is None:
            raise SourceError(f"{shown}: {error}; {LATER}") from error
        _say(f"{shown}: {error}; using the copy in the cache, {place}")
        return kept
    except SourceError as error:
        part.unlink(missing_ok=True)
        raise SourceError(f"{shown}: {error}") from error


def _download(url: str, part: Path, kept: _Record | None, patience: float, limit: int) -> bool:
    """Complete the part file; False when the kept copy is current and nothing was downloaded."""
    retry = RETRY
    try:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=RETRY))
            while True:
                asked = _headers(part, kept)
                try:
                    with session.get(url, headers=asked, timeout=patience, stream=True) as response:
                        if response.status_code == 304 and kept:
                            return False
                        _receive(response, part, limit)
                        return True
                except HTTPError as error:
                    # The adapter retries until a body begins; a body that is cut is for us to resume.
                    retry = retry.increment("GET", url, error=error)
                    retry.sleep()
    except (requests.ConnectionError, requests.Timeout, MaxRetryError) as error:
        raise _UnreachableError(_reason(error, patience)) from error
    except requests.RequestException as error:
        raise SourceError(f"{error}; {ELSEWHERE}") from error


def _headers(part: Path, kept: _Record | None) -> dict[str, str | None]:
    """Ask for the file as it is stored, if it is not the kept one, from where the part ends."""
    headers: dict[str, str | None] = {"Accept-Encoding": "identity", "User-Agent": "segue"}
    if kept:
        headers |= {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    begun, size = _Record.load(part), part.stat().st_size if part.exists() else 0
    validator = begun.etag or begun.last_modified
    # A weak tag does not promise equal bytes: RFC 9110, section 13.1.5 keeps it out of If-Range.
    if size and validator and not validator.startswith("W/"):
        headers |= {"Range": f"bytes={size}-", "If-Range": validator}
    return headers


def _receive(response: requests.Response, part: Path, limit: int) -> None:
    """Append the body to the part file, or begin the file anew, as the answer says."""
    start, total = _extent(response, part)
    if total and total > limit:
        raise SourceError(f"its {total} bytes are more than {limit}; give a smaller table")
    if not start:
        part.unlink(missing_ok=True)
        _Record.of(response).save(part)
    size = tqdm.format_sizeof(total, "B") if total else "size unknown"
    _say(f"{part.stem}: downloading, {size}" + (f", resumed at byte {start}" if start else ""))
    bar = tqdm(initial=start, total=total, unit="B", unit_scale=True, leave=False, disable=None)
    with bar, part.open("ab") as file:
        # Undecoded: sums, lengths and ranges are of the bytes as sent.
        for chunk in response.raw.stream(decode_content=False):
            bar.update(file.write(chunk))
            if file.tell() > limit:
                raise SourceError(f"sends more than {limit} bytes; give a smaller table")
    if total not in (None, part.stat().st_size):
        raise ProtocolError("the body's length is not the promised one")


def _extent(response: requests.Response, part: Path) -> tuple[int, int | None]:
    """Tell where an answer's body begins in the file, and the file's size if it is known, in bytes."""
    if response.status_code == 200:
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise SourceError("answers a web page, not a table; give the address of the file itself")
        return 0, response.raw.length_remaining
    if response.status_code in (206, 416) and "Range" in response.request.headers:
        ranged = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        # Some servers heed Range but not If-Range: the validators show whether the file is the same.
        validators = zip(astuple(_Record.of(response)), astuple(_Record.load(part)))
        same = all(new in (None, old) for new, old in validators)
        if ranged and same and int(ranged[1]) == part.stat().st_size:
            return int(ranged[1]), int(ranged[2])
        part.unlink()
        raise ProtocolError("the server does not continue the partial file")
    answer = f"the server answers {response.status_code} {response.reason}"
    raise _UnreachableError(answer) if response.status_code in BUSY else SourceError(f"{answer}; {ELSEWHERE}")


def _reason(error: Exception, patience: float) -> str:
    """Find what went wrong within the wrappings of requests and urllib3."""
    cause = error.args[0] if isinstance(error, requests.RequestException) and error.args else error
    cause = getattr(cause, "reason", cause)
    if isinstance(cause, ReadTimeoutError):
        return f"the server sent nothing for {patience:g} seconds"
    return str(cause.args[0] if isinstance(cause, ProtocolError) else cause).rsplit("): ", 1)[-1]


def _finish(part: Path, place: Path, wanted: str | None) -> _Record:
    """Put the part file in its place; killed at any moment, no record stands beside another file."""
    known = replace(_Record.load(part), sha256=_sum(part))
    if wanted not in (None, known.sha256):
        sums = f"{place.name} should have sha256 {wanted}, but has {known.sha256}"
        raise SourceError(f"{sums}; if you trust the new file, --accept-checksum takes it")
    _beside(place, ".json").unlink(missing_ok=True)
    part.replace(place)
    known.save(place)
    _beside(part, ".json").unlink(missing_ok=True)
    _say(f"{place.name}: downloaded, sha256 {known.sha256}, {place}")
    return known


def _kept(place: Path) -> _Record | None:
    """Return the finished file's record, None when there is no such file or its bytes were altered."""
    if not place.is_file():
        return None
    known, found = _Record.load(place), _sum(place)
    return replace(known, sha256=found) if known.sha256 in (None, found) else None


def _place(url: str, cache: Path) -> Path:
    """Tell where a URL's file is kept, under a name that every file system allows."""
    parts = re.match(r"https?://[^/?#]+([^?#]*)", url, re.IGNORECASE)
    if parts is None:
        raise SourceError(f"'{url}' is not a web address; expected https://host/path/table.csv")
    name = re.sub(r"[^\w.-]+", "_", unquote(PurePosixPath(parts[1]).name), flags=re.ASCII)
    return cache / hashlib.sha256(url.encode()).hexdigest()[:16] / (name[-100:].lstrip(".") or "table")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
