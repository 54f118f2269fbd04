"""Every error that Segue raises on purpose.

SegueError
├── ArtifactsError      the artifacts are missing, damaged or of another format
│   ├── NoArtifacts     a folder holds none
│   └── StoreError      their store can't be read or written
│       ├── MissingFile it has no file of this name
│       └── WriteConflict  somebody else has written the file since it was read
├── ConfigError         an environment variable has a value that can't be used
├── UnknownSong         no song has this id or name
├── UnknownSongs        all unknown songs of one request; carries suggestions
├── InvalidQuery        a request is at fault; carries every fault
├── HttpError           an HTTP request can't be answered; carries the status and headers of the response
│   └── WorkEnded       its time is over, its caller has gone, or too many others wait
├── SourceError         a table can't be read or has too little in it (the offline step)
├── SparkError          Spark is missing, can't be reached or fails (the offline step)
├── ReleaseError        a version is not published or pointed to (the offline step)
└── PackageError        a package can't be made, or is too large for its platform (the offline step)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request.

    pointer : JSON pointer (RFC 6901) to the value at fault, ``""`` for the whole body
    detail : what was wrong and what would have worked
    """

    pointer: str
    detail: str


class SegueError(Exception):
    """The root of all errors below."""


class ArtifactsError(SegueError):
    """The artifacts are missing, damaged or of another format; the message says what to run."""


class NoArtifacts(ArtifactsError):
    """A folder holds no version; the message names it, for logs and the command line."""


class StoreError(ArtifactsError):
    """The artifacts' store can't be read or written; the message names the file, for logs and the command line."""


class MissingFile(StoreError):
    """The store has no file of this name."""


class WriteConflict(StoreError):
    """Somebody else has written the file since it was read."""


class ReleaseError(SegueError):
    """A version is not published or pointed to; the message says why and what would work."""


class SparkError(SegueError):
    """Spark is missing, can't be reached or fails; the message says what to do about it."""


class SourceError(SegueError):
    """A table of tracks can't be used; the message names file, row and column where it can."""


class PackageError(SegueError):
    """A package can't be made; the message says what would have worked."""


class ConfigError(SegueError):
    """An environment variable has a value that can't be used; the message names it."""


class InvalidQuery(SegueError):
    """A request is at fault.

    faults : every fault found, in the order of the request's fields
    """

    def __init__(self, faults: Sequence[Fault]):
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


class HttpError(SegueError):
    """An HTTP request can't be answered; the message tells the caller why.

    status : of the response
    headers : that the response needs
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


class WorkEnded(HttpError):
    """The work for a request ends early: its time is over, its caller has gone, or too many others wait."""


class UnknownSong(SegueError):
    """No song has the id or name that one seed gives.

    pointer : where the seed stands in the request
    name : the name that the seed gives, None if it gives an id
    is_artist : whether it is an artist's
    """

    def __init__(self, message: str, pointer: str, name: str | None = None, *, is_artist: bool = False):
        super().__init__(message)
        self.pointer = pointer
        self.name = name
        self.is_artist = is_artist


class UnknownSongs(SegueError):
    """Seeds of a request that match no song.

    unknown : one error per seed
    suggestions : rows of up to five songs whose names are similar to the first unknown name, most similar first
    artists : rows of up to five artists, where that is an artist's name
    """

    def __init__(self, unknown: Sequence[UnknownSong], suggestions: Sequence[int] = (), artists: Sequence[int] = ()):
        super().__init__("; ".join(map(str, unknown)))
        self.unknown = tuple(unknown)
        self.suggestions = tuple(suggestions)
        self.artists = tuple(artists)
