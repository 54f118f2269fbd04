"""The schema of requests: a song's numeric attributes, and frozen dataclasses of what can be requested.

Ranges and units of attributes are those that the Spotify Web API documents.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_PLAYLIST_SONGS = 200
TYPICAL_SONG_MINUTES = 3  # minutes; on the short side, so that a playlist's songs are rather overestimated
FLOWS = ("steady", "rise", "fall", "wave", "harmonic")


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
    """

    genres: Sequence[str]
    attributes: Sequence[str]
    has_explicit: bool
    find_genre: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Seed:
    """What a recommendation starts from; exactly one of the five kinds.

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


@dataclass(frozen=True, slots=True)
class Filters:
    """What a song must satisfy to be recommended.

    ranges : attribute -> lowest and highest value, ends inclusive, infinite where open
    genres, exclude_genres : a song needs one of the first and none of the second
    exclude_artists : names; matched without case, accents and punctuation, any artist of a song
    """

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    explicit: bool | None = None
    genres: tuple[str, ...] = ()
    exclude_genres: tuple[str, ...] = ()
    exclude_ids: tuple[str, ...] = ()
    exclude_artists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A request for recommendations, checked.

    limit : 1..100 songs
    targets : attribute -> the value that results should be near
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

    query : seeds, filters, targets, caps, diversity and draw; no seeds with a cluster
    cluster : number of the cluster to start from; None: the seeds
    flow : one of ``FLOWS``
    songs : number of songs, 1..200; None: as many as ``minutes`` take
    minutes : total duration, 5..600; None: as long as ``songs`` take
    """

    query: Query
    cluster: int | None = None
    flow: str = "steady"
    songs: int | None = 25
    minutes: float | None = None

    @property
    def estimated_songs(self) -> int:
        """The number of songs to look for: ``songs``, or an upper estimate of what ``minutes`` take."""
        return self.songs or min(MAX_PLAYLIST_SONGS, math.ceil((self.minutes or 0) / TYPICAL_SONG_MINUTES))


@dataclass(frozen=True, slots=True)
class ContinueQuery:
    """What comes next after songs that were played.

    played, skipped : ids, the newest last
    query : limit, filters, caps, targets, diversity and draw; its seeds are made from what was played
    """

    query: Query
    played: tuple[str, ...]
    skipped: tuple[str, ...] = ()
