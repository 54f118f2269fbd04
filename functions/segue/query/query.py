"""What is asked for, as frozen values: a :class:`Query`, its seeds and its filters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a catalogue lets a request name.

    genres : all genres of the catalogue
    attributes : the numbers that at least one song has, in the order of the documentation
    has_explicit : whether any song says if it is explicit
    genre : finds the genre of a name, however it is spelt; None where there is none
    """

    genres: Sequence[str]
    attributes: Sequence[str]
    has_explicit: bool
    genre: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Seed:
    """What a recommendation starts from; exactly one of the five kinds.

    pointer : where it stands in the request, for messages
    asked : the seed as it was asked for, without its weight
    weight : -10..10, not 0; negative: less like this
    """

    pointer: str
    asked: Mapping[str, Any]
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
    draw : another number gives another, repeatable selection
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
