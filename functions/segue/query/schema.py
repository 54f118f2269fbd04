"""The schema of requests: a song's numeric attributes, frozen dataclasses of requests, and the validator of values.

Ranges and units of attributes are those that the Spotify Web API documents. Songs and artists may also be named by
Spotify's URIs and share links: ``spotify:track:ID``, ``https://open.spotify.com/track/ID?si=...``, and the same for
artists. https://developer.spotify.com/documentation/web-api/concepts/spotify-uris-ids
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from segue.errors import Fault, InvalidQuery

MAX_PLAYLIST_SONGS = 200
TYPICAL_SONG_MINUTES = 3  # minutes; on the short side, so that a playlist's songs are rather overestimated
FLOWS = ("steady", "rise", "fall", "wave", "harmonic")
MAX_FAULTS = 100  # reported for a request; the rest of it is not read
MAX_SUGGESTIONS = 20  # faults that are reported with similar known names
MAX_GENRE_EXAMPLES = 12  # in the error for an unknown genre
MAX_TEXT_LENGTH = 600  # characters; the longest name seen in a real table has 511
MAX_BOUND = 1e15  # of a filter's range, either sign
ID_PATTERN = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_INVALID_CHARACTERS = re.compile(r"[\x00\ud800-\udfff]")
EXPECTED_LINK = "expected spotify:track:ID or https://open.spotify.com/track/ID, or the same with 'artist'"
NO_SPOTIFY_LINK = "does not say which song it leads to: write its title and artist"
_SPOTIFY_HOST = r"(?:https?://)?(?:open|play)\.spotify\.com/"
_LINK_PREFIX = re.compile(rf"spotify:\S|{_SPOTIFY_HOST}", re.IGNORECASE)
_OTHER_LINK = re.compile(
    r"https?://\S+|(?:[\w-]+\.)*(?:youtube\.com|youtu\.be|apple\.com|deezer\.com|tidal\.com|soundcloud\.com)/\S+",
    re.IGNORECASE,
)
_LINK_PATTERN = re.compile(
    rf"(?:spotify:|{_SPOTIFY_HOST}(?:intl-[\w-]+/|embed/)?)(track|artist)[:/]([\w.-]{{1,64}})/?(?:[?#]\S*)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A numeric attribute of a song.

    low, high : the valid range, ends inclusive
    is_integer : only whole numbers occur
    unit : its meaning in words, for error messages and the API's documentation
    """

    name: str
    low: float
    high: float
    is_integer: bool
    unit: str


AUDIO_FEATURES = (
    Attribute("danceability", 0, 1, False, "0 least danceable, 1 most"),
    Attribute("energy", 0, 1, False, "0 calm, 1 fast, loud and noisy"),
    Attribute("key", -1, 11, True, "pitch class: 0 = C, 1 = C sharp, ...; -1 = none found"),
    Attribute("loudness", -100, 10, False, "decibels, mean over the song"),
    Attribute("mode", 0, 1, True, "0 minor, 1 major"),
    Attribute("speechiness", 0, 1, False, "0 no spoken words, 1 speech"),
    Attribute("acousticness", 0, 1, False, "0 not acoustic, 1 acoustic"),
    Attribute("instrumentalness", 0, 1, False, "0 vocals, 1 no vocals"),
    Attribute("liveness", 0, 1, False, "0 studio, 1 an audience is heard"),
    Attribute("valence", 0, 1, False, "0 sad or angry, 1 happy"),
    Attribute("tempo", 0, 300, False, "beats per minute; 0 = not analysed"),
    Attribute("time_signature", 0, 12, True, "beats in a bar"),
)


OTHER_ATTRIBUTES = (
    Attribute("year", 1000, 2999, True, "year of release"),
    Attribute("popularity", 0, 100, True, "0 unknown, 100 most popular"),
    Attribute("duration_ms", 0, 2**31 - 1, True, "milliseconds"),
)


NUMERIC_ATTRIBUTES = AUDIO_FEATURES + OTHER_ATTRIBUTES


ATTRIBUTES_BY_NAME = {attribute.name: attribute for attribute in NUMERIC_ATTRIBUTES}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a request may use with a catalogue.

    genres : all genres of the catalogue
    attributes : numeric attributes that at least one song has, in documentation order
    has_explicit : whether any song has an explicit flag
    find_genre : the genre of a name, regardless of spelling variants; None if there is none
    clusters : ids of the clusters, rising
    """

    genres: Sequence[str]
    attributes: Sequence[str]
    has_explicit: bool
    find_genre: Callable[[str], str | None]
    clusters: Sequence[int]


@dataclass(frozen=True, slots=True)
class Seed:
    """What a recommendation starts from; exactly one of the six kinds.

    pointer : its JSON pointer in the request, for error messages
    given : the seed as it stands in the request, without its weight
    weight : -10..10, not 0; negative: less like this
    """

    pointer: str
    given: Mapping[str, Any]
    weight: float = 1.0
    id: str | None = None
    song: str | None = None
    artist: str | None = None
    genre: str | None = None
    features: Mapping[str, float] | None = None
    cluster: int | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a song must satisfy to be recommended.

    ranges : attribute -> lowest and highest value, ends inclusive, infinite where open
    genres, exclude_genres : a song needs one of the first and none of the second
    clusters : ids; a song needs to be in one of them
    exclude_artists : names; matched without case, accents and punctuation, any artist of a song
    """

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    explicit: bool | None = None
    genres: tuple[str, ...] = ()
    exclude_genres: tuple[str, ...] = ()
    clusters: tuple[int, ...] = ()
    exclude_ids: tuple[str, ...] = ()
    exclude_artists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A request for recommendations, checked.

    limit : 1..100 songs
    targets : attribute -> the value that results should be near
    relative_targets : attribute -> by how much more or less that value is than the mean of the seeds'
    max_per_artist : 1..100 songs by one artist, alone or with others; None: no cap
    fill : lift the cap rather than return fewer songs
    diversity : 0 (by score alone) .. 1
    exclude_seed_artists : recommend no song that an artist of the seeds takes part in
    draw : random seed of the selection; the same number gives the same one
    exact : score every song that passes the filters rather than the most promising
    """

    seeds: tuple[Seed, ...]
    limit: int = 10
    filters: Filters = Filters()
    targets: Mapping[str, float] = field(default_factory=dict)
    relative_targets: Mapping[str, float] = field(default_factory=dict)
    max_per_artist: int | None = 2
    fill: bool = False
    diversity: float = 0.0
    exclude_seed_artists: bool = False
    explain: bool = False
    draw: int = 0
    exact: bool = False


@dataclass(frozen=True, slots=True)
class PathQuery:
    """A path from one song to another, a song for each step.

    start, goal : seeds at which it begins and ends
    via : waypoints, seeds that it passes through in their order
    length : 3..50 songs, the ends included
    max_per_artist : 1..100 songs that an artist is credited in; None: no cap
    steady_popularity : popularity changes evenly from end to end
    draw : random seed; another number gives another path
    """

    start: Seed
    goal: Seed
    via: tuple[Seed, ...] = ()
    length: int = 15
    filters: Filters = field(default_factory=Filters)
    max_per_artist: int | None = 1
    steady_popularity: bool = False
    draw: int = 0

    @property
    def seeds(self) -> tuple[Seed, ...]:
        """All seeds of the path in order, both ends included."""
        return (self.start, *self.via, self.goal)


@dataclass(frozen=True, slots=True)
class PlaylistQuery:
    """A playlist: songs in an order to be played in.

    query : seeds, filters, targets, caps, diversity and draw
    flow : one of ``FLOWS``
    songs : number of songs, 1..200; None: as many as ``minutes`` take
    minutes : total duration, 5..600; None: as long as ``songs`` take
    """

    query: Query
    flow: str = "steady"
    songs: int | None = 25
    minutes: float | None = None

    @property
    def estimated_songs(self) -> int:
        """The number of songs to look for: ``songs``, or an upper estimate of what ``minutes`` take."""
        return self.songs or min(MAX_PLAYLIST_SONGS, math.ceil((self.minutes or 0) / TYPICAL_SONG_MINUTES))


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """A given list of songs, to be put into an order.

    songs : 1..200 seeds of songs, each with an id, a title, or both: then the id counts if a song has it
    flow : one of ``FLOWS``
    """

    songs: tuple[Seed, ...]
    flow: str = "steady"


@dataclass(frozen=True, slots=True)
class ContinueQuery:
    """What comes next after songs that were played.

    played, skipped : ids, the newest last
    query : limit, filters, caps, targets, diversity and draw; its seeds are made from what was played
    """

    query: Query
    played: tuple[str, ...]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpotifyLink:
    """A Spotify URI or URL, parsed.

    kind : ``"track"`` or ``"artist"``; empty for any other kind and for a malformed link
    id : of the song or artist
    """

    kind: str
    id: str


class Validator:
    """Checks values and collects faults, up to ``MAX_FAULTS``; an invalid value is read as its default.

    Each method takes a value, or the fields of an object and a name, with its JSON pointer.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def song_id(self, value: object, pointer: str) -> str:
        """A song's id, or the id in a link to a song."""
        found = self.link(value, pointer) if isinstance(value, str) else None
        if found:
            if found.kind == "artist":
                self.add_fault(pointer, "leads to an artist; expected a song's id, or a link to a song")
            return found.id
        if isinstance(value, str) and ID_PATTERN.fullmatch(value):
            return value
        self.add_fault(pointer, "expected an id: 1..64 characters of A-Z a-z 0-9 _ . : -")
        return ""

    def link(self, text: str, pointer: str) -> SpotifyLink | None:
        """A link to a song or an artist; None if the text is no link."""
        found = parse_link(text)
        if found and not found.kind:
            what = "leads to no song and no artist" if _LINK_PREFIX.match(text.strip()) else NO_SPOTIFY_LINK
            self.add_fault(pointer, f"{quoted(text)} {what}; {EXPECTED_LINK}")
        return found

    def string(self, value: object, pointer: str, max_length: int = MAX_TEXT_LENGTH) -> str:
        """A string that is not blank."""
        if not isinstance(value, str) or not value.strip() or len(value) > max_length:
            self.add_fault(pointer, f"expected a text of 1..{max_length} characters")
            return ""
        if _INVALID_CHARACTERS.search(value):
            self.add_fault(pointer, "holds a zero character or broken Unicode")
            return ""
        return value

    def array(self, value: object, pointer: str, min_length: int, max_length: int) -> list[Any]:
        """A list of ``min_length`` to ``max_length`` entries."""
        if isinstance(value, list) and min_length <= len(value) <= max_length:
            return value
        found = f", found {len(value)}" if isinstance(value, list) else ""
        self.add_fault(pointer, f"expected a list of {min_length}..{max_length} entries{found}")
        return []

    def object_fields(self, value: object, pointer: str, known: Sequence[str]) -> Mapping[str, Any]:
        """The known fields of an object; any other field is a fault."""
        if not isinstance(value, Mapping):
            self.add_fault(pointer, f"expected an object with {', '.join(known)}")
            return {}
        for name in value:
            if name not in known:
                self.add_unknown_name(
                    "filter" if pointer == "/filters" else "field", name, f"{pointer}/{escape_pointer(name)}", known
                )
        return {name: entry for name, entry in value.items() if name in known}

    def exactly_one(self, fields: Mapping[str, Any], names: Sequence[str]) -> str | None:
        """The one of several fields that is given; a fault, and None, if it is none or more than one."""
        given = [name for name in names if name in fields]
        if len(given) == 1:
            return given[0]
        expected = f"{', '.join(map(repr, names[:-1]))} and {names[-1]!r}"
        self.add_fault("", f"exactly one of {expected} is needed, found {' and '.join(given) or 'none'}")
        return None

    def boolean(self, fields: Mapping[str, Any], name: str, pointer: str, default: bool) -> bool:
        """True or false."""
        value = fields.get(name, default)
        if isinstance(value, bool):
            return value
        self.add_fault(f"{pointer}/{name}", "expected true or false")
        return default

    def integer(
        self,
        fields: Mapping[str, Any],
        name: str,
        pointer: str,
        low: int,
        high: int,
        default: int,
        suffix: str = "",
    ) -> int:
        """An integer within ``low`` and ``high``, ends inclusive."""
        value = fields.get(name, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.add_fault(f"{pointer}/{name}", f"expected a whole number {low}..{high}{suffix}")
        return default

    def number(
        self,
        fields: Mapping[str, Any],
        name: str,
        pointer: str,
        low: float,
        high: float,
        default: float,
        unit: str = "",
    ) -> float:
        """A number within ``low`` and ``high``, ends inclusive; ``unit`` is for the message."""
        value = fields.get(name, default)
        if _is_number(value) and low <= value <= high:
            return float(value)
        self.add_fault(f"{pointer}/{name}", f"expected a number {low:g}..{high:g}" + (f" ({unit})" if unit else ""))
        return default

    def finite_number(self, value: object, pointer: str, default: float) -> float:
        """A finite number of at most ``MAX_BOUND``, either sign."""
        if _is_number(value) and -MAX_BOUND <= value <= MAX_BOUND:  # type: ignore[operator]  # checked by _is_number
            return float(value)  # type: ignore[arg-type]
        self.add_fault(pointer, f"expected a number {-MAX_BOUND:g}..{MAX_BOUND:g} or null")
        return default

    @property
    def can_suggest(self) -> bool:
        """Whether to look for similar names for one more fault: that takes time, so only the first faults get it."""
        return len(self.faults) < MAX_SUGGESTIONS

    def add_unknown_name(self, kind: str, name: str, pointer: str, known: Sequence[str]) -> None:
        """Add the fault that a name is unknown."""
        self.add_fault(
            pointer, unknown_name_message(kind, name, known) if self.can_suggest else f"unknown {kind} {quoted(name)}"
        )

    def add_fault(self, pointer: str, detail: str) -> None:
        """Add a fault; raise at ``MAX_FAULTS``, without reading the rest of the request."""
        self.faults.append(Fault(pointer, detail))
        if len(self.faults) == MAX_FAULTS:
            self.raise_faults()

    def raise_faults(self) -> None:
        """Raise one error with all faults found so far, if there are any."""
        if self.faults:
            raise InvalidQuery(self.faults)


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """``"; did you mean 'indie-pop', 'indie'?"``, or an empty string if no name is similar."""
    matches = difflib.get_close_matches(name[:64].lower(), known, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(map(repr, matches))}?" if matches else ""


def unknown_genre_message(name: str, known: Sequence[str], *, can_suggest: bool = True) -> str:
    """An error message for an unknown genre, with the most similar known genres, or else some of them."""
    suggestion = did_you_mean(name, known) if can_suggest else ""
    return f"unknown genre {quoted(name)}" + (
        suggestion or f"; some known are: {', '.join(known[:MAX_GENRE_EXAMPLES])}"
    )


def unknown_name_message(kind: str, name: str, known: Sequence[str]) -> str:
    """An error message for an unknown name, with the most similar known names, or else all of them."""
    known_are = f"; known are: {', '.join(known)}" if known else "; none is known here"
    return f"unknown {kind} {quoted(name)}{did_you_mean(name, known) or known_are}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def number_or_text(text: str) -> object:
    """The integer in a URL parameter, or the text itself, for which the validator then reports what it expected."""
    return int(text) if re.fullmatch(r"-?\d{1,10}", text, re.ASCII) else text


def quoted(text: str) -> str:
    """A text in quotes, truncated to 40 characters."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def escape_pointer(name: str) -> str:
    """A key as a token of a JSON pointer (RFC 6901)."""
    return name[:64].replace("~", "~0").replace("/", "~1")


def parse_link(text: str) -> SpotifyLink | None:
    """Parse a link, maybe of another service; None if the text does not begin like one."""
    text = text.strip()
    if _OTHER_LINK.fullmatch(text) and not _LINK_PREFIX.match(text):
        return SpotifyLink("", "")
    if not _LINK_PREFIX.match(text):
        return None
    found = _LINK_PATTERN.fullmatch(text)
    return SpotifyLink(found[1].lower(), found[2]) if found else SpotifyLink("", "")
