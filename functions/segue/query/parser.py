"""From the JSON body or URL of a request to a frozen query; past this module no dictionary from outside is seen."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from segue.limits import VALIDATED, charge, checked
from segue.query.schema import (
    ATTRIBUTES_BY_NAME,
    AUDIO_FEATURES,
    FLOWS,
    MAX_PLAYLIST_SONGS,
    Attribute,
    ContinueQuery,
    Filters,
    OrderQuery,
    PathQuery,
    PlaylistQuery,
    Query,
    Seed,
    Validator,
    Vocabulary,
    did_you_mean,
    escape_pointer,
    number_or_text,
    quoted,
    unknown_genre_message,
)

MAX_SEEDS = 100
MAX_FILTER_ENTRIES = 1000  # entries of any list in the filters
MAX_DRAW = 2**31 - 1
# URL parameter -> field of a seed; each may be given several times.
URL_SEED_PARAMETERS = {name: name for name in ("song", "song_id", "artist", "genre")} | {"q": "song", "id": "song_id"}
SEED_FIELDS = ("song", "artist", "song_id", "genre", "cluster", "features", "seeds")
SEED_KINDS = ("id", "song", "genre", "cluster", "features")  # of an object in seeds; an artist alone is one, too
OPTION_FIELDS = ("filters", "targets", "max_per_artist", "fill", "diversity", "exclude_seed_artists", "draw")
MIN_PATH_LENGTH, MAX_PATH_LENGTH = 3, 50  # songs
_DIFFERENCE = re.compile(r"[+-]\d{1,9}(\.\d{1,9})?")
MAX_VIA = 10  # seeds between the ends of a path
MINUTES_RANGE = (5.0, 600.0)  # of a playlist, ends inclusive
MAX_PLAYED = 10_000  # ids; more than anybody hears in a year


def parse_recommend(body: object, vocabulary: Vocabulary) -> Query:
    """Check a decoded JSON body.

    Raises
    ------
    InvalidQuery
        carries every fault with its JSON pointer.

    """
    return RequestParser(vocabulary).query(body)


def parse_recommend_url(arguments: Iterable[tuple[str, str]], vocabulary: Vocabulary) -> Query:
    """Check the simple form in a URL: ``song``, ``artist``, ``genre``, ``limit``, ...

    arguments : names and values in their order; songs, ids, artists and genres are seeds and may be repeated
    """
    converters: dict[str, Callable[[str], object]] = {
        **dict.fromkeys(URL_SEED_PARAMETERS, str),
        "limit": number_or_text,
        "max_per_artist": lambda text: None if text == "null" else number_or_text(text),
        "explain": lambda text: {"true": True, "1": True, "false": False, "0": False}.get(text, text),
        "draw": number_or_text,
    }
    body: dict[str, object] = {}
    seeds: dict[str, list[str]] = {kind: [] for kind in URL_SEED_PARAMETERS.values()}
    parser = RequestParser(vocabulary)
    for name, text in arguments:
        if name not in converters:
            parser.add_unknown_name("parameter", name, f"/{escape_pointer(name)}", list(converters))
        elif name in URL_SEED_PARAMETERS:
            seeds[URL_SEED_PARAMETERS[name]].append(text)
        elif name in body:
            parser.add_fault(f"/{name}", "given more than once")
        else:
            body[name] = converters[name](text)
    return parser.query(body, parser.url_seeds(seeds))


class RequestParser(Validator):
    """Parses a body field by field; faults are collected as in :class:`Validator`."""

    def __init__(self, vocabulary: Vocabulary):
        super().__init__()
        self.vocabulary = vocabulary

    def object_fields(self, value: object, pointer: str, known: Sequence[str]) -> Mapping[str, Any]:
        """As in :class:`Validator`; the work is charged."""
        charge(VALIDATED, len(value) if isinstance(value, Mapping) else 0)
        return super().object_fields(value, pointer, known)

    def entries(self, value: object, pointer: str, min_length: int, max_length: int) -> Iterator[tuple[Any, str]]:
        """Each entry of a list with its pointer; the work is charged."""
        entries = self.array(value, pointer, min_length, max_length)
        charge(VALIDATED, len(entries))
        for index, entry in enumerate(checked(entries)):
            yield entry, f"{pointer}/{index}"

    def query(self, body: object, seeds: tuple[Seed, ...] | None = None) -> Query:
        """The whole body of a recommendation.

        seeds : of a URL; by default those of the body
        """
        fields = self.object_fields(body, "", (*SEED_FIELDS, "limit", *OPTION_FIELDS, "explain", "exact"))
        query = Query(
            seeds=seeds if seeds is not None else self.seeds(fields) if isinstance(body, Mapping) else (),
            limit=self.integer(fields, "limit", "", 1, 100, 10),
            **self.options(fields),
            explain=self.boolean(fields, "explain", "", False),
            exact=self.boolean(fields, "exact", "", False),
        )
        self.raise_faults()
        return query

    def options(self, fields: Mapping[str, Any], default_artist_cap: int = 2) -> dict[str, Any]:
        """Options that all requests for songs share, as keyword arguments of :class:`Query`."""
        targets = self.object_fields(fields.get("targets", {}), "/targets", self.vocabulary.attributes)
        relative = {name: value for name, value in targets.items() if isinstance(value, str)}
        return {
            "filters": self.filters(fields.get("filters", {})),
            "targets": self.attributes({name: targets[name] for name in targets if name not in relative}, "/targets"),
            "relative_targets": {name: self.difference(text, f"/targets/{name}") for name, text in relative.items()},
            "max_per_artist": self.artist_cap(fields, default_artist_cap),
            "fill": self.boolean(fields, "fill", "", False),
            "diversity": self.number(fields, "diversity", "", 0, 1, 0.0),
            "exclude_seed_artists": self.boolean(fields, "exclude_seed_artists", "", False),
            "draw": self.integer(fields, "draw", "", 0, MAX_DRAW, 0),
        }

    def seeds(self, fields: Mapping[str, Any]) -> tuple[Seed, ...]:
        """The seeds: one of ``song``, with or without ``artist``, or another field of ``SEED_FIELDS``."""
        others = [name for name in SEED_FIELDS if name != "artist" and name in fields]
        kind = self.exactly_one(fields, [name for name in SEED_FIELDS if name != "artist" or not others])
        if kind is None:
            return ()
        if "artist" in fields and kind not in ("song", "artist"):
            self.add_fault("/artist", "is a seed alone, or goes with 'song'")
        if kind == "seeds":
            return tuple(self.seed(*entry) for entry in self.entries(fields["seeds"], "/seeds", 1, MAX_SEEDS))
        if kind == "song_id":
            return (self.id_seed(fields["song_id"], "/song_id"),)
        given = {name: fields[name] for name in (kind, "artist") if name in fields}
        return (self.seed_of_kind(kind, given, "", 1.0),)

    def url_seeds(self, values: Mapping[str, list[str]]) -> tuple[Seed, ...]:
        """All seeds of a URL; if it has one song and one artist, they name one song."""
        songs, artists = values["song"], values["artist"]
        if not 1 <= sum(map(len, values.values())) <= MAX_SEEDS:
            self.add_fault("", f"expected 1..{MAX_SEEDS} of {', '.join(map(repr, values))}")
            return ()
        if songs and artists and len(songs) + len(artists) > 2:
            self.add_fault("/artist", "goes with one song; of several songs write each as TITLE by ARTIST")
            return ()
        artist_of_song = {"artist": artists[0]} if songs and artists else {}
        return (
            *(self.song_seed({"song": song, **artist_of_song}, "") for song in songs),
            *(self.id_seed(identity, "/song_id") for identity in values["song_id"]),
            *(self.artist_seed({"artist": artist}, "") for artist in artists if not artist_of_song),
            *(Seed("/genre", {"genre": genre}, genre=self.genre(genre, "/genre")) for genre in values["genre"]),
        )

    def song_seed(
        self, given: Mapping[str, Any], pointer: str, weight: float = 1.0, *, is_plain: bool = False
    ) -> Seed:
        """A song by its title, and optionally an artist; ``is_plain``: the seed is the title itself, no object."""
        title_pointer = pointer if is_plain else f"{pointer}/song"
        song = self.string(given["song"], title_pointer)
        artist = self.string(given["artist"], f"{pointer}/artist") if "artist" in given else None
        found = self.link(song, title_pointer)
        if found is None:
            return Seed(pointer or title_pointer, given, weight, song=song, artist=artist)
        if found.kind == "artist":
            return Seed(pointer or title_pointer, given, weight, artist=found.id)
        return Seed(pointer or title_pointer, given, weight, id=found.id)

    def id_seed(self, identity: object, pointer: str) -> Seed:
        """A song by its id, or a link to it."""
        return Seed(pointer, {"id": identity}, id=self.song_id(identity, pointer))

    def artist_seed(self, given: Mapping[str, Any], pointer: str, weight: float = 1.0) -> Seed:
        """An artist by name, id or link."""
        artist_pointer = f"{pointer}/artist"
        artist = self.string(given["artist"], artist_pointer)
        found = self.link(artist, artist_pointer)
        if found and found.kind == "track":
            self.add_fault(artist_pointer, "leads to a song; expected the name of an artist, or a link to one")
        return Seed(pointer or artist_pointer, given, weight, artist=found.id if found else artist)

    def seed(self, value: object, pointer: str) -> Seed:
        """One seed of any kind."""
        if isinstance(value, str):
            return self.song_seed({"song": value}, pointer, is_plain=True)
        fields = self.object_fields(value, pointer, (*SEED_KINDS, "artist", "weight"))
        weight = self.number(fields, "weight", pointer, -10, 10, 1.0)
        if weight == 0:
            self.add_fault(f"{pointer}/weight", "must not be 0; leave the seed out instead")
        given = {name: value for name, value in fields.items() if name != "weight"}
        kind = self.seed_kind(given, pointer) if isinstance(value, Mapping) else None
        return self.seed_of_kind(kind, given, pointer, weight) if kind else Seed(pointer, given, weight)

    def seed_of_kind(self, kind: str, given: Mapping[str, Any], pointer: str, weight: float) -> Seed:
        """A seed of one of ``SEED_KINDS``, or an artist; the body's own if the pointer is empty."""
        if kind == "song":
            return self.song_seed(given, pointer, weight)
        if kind == "artist":
            return self.artist_seed(given, pointer, weight)
        value, value_pointer = given[kind], f"{pointer}/{kind}"
        own = pointer or value_pointer
        if kind == "id":
            return Seed(own, given, weight, id=self.song_id(value, value_pointer))
        if kind == "genre":
            return Seed(own, given, weight, genre=self.genre(value, value_pointer))
        if kind == "cluster":
            return Seed(own, given, weight, cluster=self.cluster(value, value_pointer))
        return Seed(own, given, weight, features=self.features(value, value_pointer))

    def seed_kind(self, given: Mapping[str, Any], pointer: str) -> str | None:
        """Which kind of seed an object is; None if it is none or several."""
        kinds = [name for name in SEED_KINDS if name in given]
        if "artist" in given and "song" not in given:
            kinds.append("artist")
        if len(kinds) == 1:
            return kinds[0]
        found = f", found {' and '.join(kinds)}" if kinds else ""
        self.add_fault(
            pointer,
            "a seed is one of 'id', 'song' (with 'artist', if known), 'artist', 'genre', 'cluster',"
            f" 'features'{found}",
        )
        return None

    def features(self, value: object, pointer: str) -> Mapping[str, float]:
        """Raw audio features, at least one."""
        known = [attribute.name for attribute in AUDIO_FEATURES if attribute.name in self.vocabulary.attributes]
        fields = self.object_fields(value, pointer, known)
        if isinstance(value, Mapping) and not value:
            self.add_fault(pointer, f"at least one audio feature is needed: {', '.join(known)}")
        return self.attributes(fields, pointer)

    def filters(self, value: object) -> Filters:
        """Conditions that a song must satisfy."""
        numeric = self.vocabulary.attributes
        lists = ("genres", "exclude_genres", "clusters", "exclude_ids", "exclude_artists")
        truths = ("explicit",) if self.vocabulary.has_explicit else ()
        fields = self.object_fields(value, "/filters", (*numeric, *truths, *lists))
        return Filters(
            ranges={
                name: self.value_range(fields[name], ATTRIBUTES_BY_NAME[name]) for name in numeric if name in fields
            },
            explicit=self.boolean(fields, "explicit", "/filters", False) if "explicit" in fields else None,
            genres=self.filter_entries(fields, "genres", self.genre),
            exclude_genres=self.filter_entries(fields, "exclude_genres", self.genre),
            clusters=self.filter_entries(fields, "clusters", self.cluster),
            exclude_ids=self.filter_entries(fields, "exclude_ids", self.song_id),
            exclude_artists=self.filter_entries(fields, "exclude_artists", self.string),
        )

    def filter_entries(
        self, fields: Mapping[str, Any], name: str, read: Callable[[Any, str], Any]
    ) -> tuple[Any, ...]:
        """A list of the filters; ``read`` reads an entry."""
        if name not in fields:
            return ()
        return tuple(read(*entry) for entry in self.entries(fields[name], f"/filters/{name}", 1, MAX_FILTER_ENTRIES))

    def value_range(self, value: object, attribute: Attribute) -> tuple[float, float]:
        """The lowest and the highest value of an attribute, ends inclusive."""
        pointer = f"/filters/{attribute.name}"
        if not isinstance(value, list) or len(value) != 2:
            self.add_fault(pointer, f"expected [lowest, highest] ({attribute.unit}), null where open")
            return -math.inf, math.inf
        low = -math.inf if value[0] is None else self.finite_number(value[0], f"{pointer}/0", -math.inf)
        high = math.inf if value[1] is None else self.finite_number(value[1], f"{pointer}/1", math.inf)
        if low > high:
            self.add_fault(pointer, f"the range is reversed: did you mean [{value[1]}, {value[0]}]?")
        return low, high

    def difference(self, text: str, pointer: str) -> float:
        """By how much more or less than the seeds': ``"+0.2"``, ``"-10"``."""
        if _DIFFERENCE.fullmatch(text):
            return float(text)
        self.add_fault(pointer, 'expected a number, or a difference from the seeds such as "+0.2" or "-0.2"')
        return 0.0

    def attributes(self, fields: Mapping[str, Any], pointer: str) -> Mapping[str, float]:
        """Attribute values within their ranges."""
        known = {name: ATTRIBUTES_BY_NAME[name] for name in fields}
        return {
            name: self.number(fields, name, pointer, attribute.low, attribute.high, 0.0, attribute.unit)
            for name, attribute in known.items()
        }

    def artist_cap(self, fields: Mapping[str, Any], default: int) -> int | None:
        """``max_per_artist``; None for no cap."""
        if "max_per_artist" in fields and fields["max_per_artist"] is None:
            return None
        return self.integer(fields, "max_per_artist", "", 1, 100, default, " or null for no cap")

    def genre(self, value: object, pointer: str) -> str:
        """One of the catalogue's genres, in lower case."""
        text = self.string(value, pointer)
        found = self.vocabulary.find_genre(text)
        if text and found is None:
            message = unknown_genre_message(text, self.vocabulary.genres, can_suggest=self.can_suggest)
            self.add_fault(pointer, message)
        return found or text

    def cluster(self, value: object, pointer: str) -> int:
        """The id of one of the catalogue's clusters."""
        if isinstance(value, int) and not isinstance(value, bool) and value in self.vocabulary.clusters:
            return value
        known = self.vocabulary.clusters
        numbers = f"{known[0]}..{known[-1]}" if len(known) == known[-1] - known[0] + 1 else ", ".join(map(str, known))
        self.add_fault(pointer, f"expected the id of a cluster: {numbers}")
        return known[0]


def parse_path(body: object, vocabulary: Vocabulary) -> PathQuery:
    """Check the body of ``POST /path``.

    Raises
    ------
    InvalidQuery
        carries every fault with its JSON pointer.

    """
    return _JourneyParser(vocabulary).path(body)


def parse_playlist(body: object, vocabulary: Vocabulary) -> PlaylistQuery:
    """Check the body of ``POST /playlist``, as :func:`parse_path` does."""
    return _JourneyParser(vocabulary).playlist(body)


def parse_order(body: object, vocabulary: Vocabulary) -> OrderQuery:
    """Check the body of ``POST /order``, as :func:`parse_path` does."""
    return _JourneyParser(vocabulary).order(body)


def parse_continue(body: object, vocabulary: Vocabulary) -> ContinueQuery:
    """Check the body of ``POST /continue``, as :func:`parse_path` does."""
    return _JourneyParser(vocabulary).continued(body)


class _JourneyParser(RequestParser):
    """Parses the bodies of journeys, with seeds, filters and options as in :class:`RequestParser`."""

    def path(self, body: object) -> PathQuery:
        names = ("from", "to", "via", "length", "filters", "max_per_artist", "steady_popularity", "draw")
        fields = self.object_fields(body, "", names)
        via = tuple(self.waypoint(*entry) for entry in self.entries(fields.get("via", []), "/via", 0, MAX_VIA))
        query = PathQuery(
            start=self.endpoint(fields, "from", body),
            goal=self.endpoint(fields, "to", body),
            via=via,
            length=self.length(fields, len(via) + 2),
            filters=self.filters(fields.get("filters", {})),
            max_per_artist=self.artist_cap(fields, 1),
            steady_popularity=self.boolean(fields, "steady_popularity", "", False),
            draw=self.integer(fields, "draw", "", 0, MAX_DRAW, 0),
        )
        self.raise_faults()
        return query

    def endpoint(self, fields: Mapping[str, Any], name: str, body: object) -> Seed:
        if name in fields:
            return self.waypoint(fields[name], f"/{name}")
        if isinstance(body, Mapping):
            self.add_fault(
                f"/{name}", f"is needed: the seed at which the path {'begins' if name == 'from' else 'ends'}"
            )
        return Seed(f"/{name}", {})

    def waypoint(self, value: object, pointer: str) -> Seed:
        if isinstance(value, Mapping) and "weight" in value:
            message = "a path leads through a seed or it does not: there is nothing to weigh"
            self.add_fault(f"{pointer}/weight", message)
        return self.seed(value, pointer)

    def length(self, fields: Mapping[str, Any], min_length: int) -> int:
        length = self.integer(fields, "length", "", MIN_PATH_LENGTH, MAX_PATH_LENGTH, 15)
        if length < min_length:
            self.add_fault("/length", f"the ends and what lies between are {min_length} songs already")
        return length

    def playlist(self, body: object) -> PlaylistQuery:
        fields = self.object_fields(body, "", (*SEED_FIELDS, "songs", "minutes", "flow", *OPTION_FIELDS))
        seeds = self.seeds(fields) if isinstance(body, Mapping) else ()
        has_minutes = "minutes" in fields
        if has_minutes and "songs" in fields:
            self.add_fault("/minutes", "goes without 'songs': a list is as long as one of the two says")
        query = PlaylistQuery(
            query=Query(seeds, **self.options(fields)),
            flow=self.flow(fields.get("flow", "steady")),
            songs=None if has_minutes else self.integer(fields, "songs", "", 1, MAX_PLAYLIST_SONGS, 25),
            minutes=self.number(fields, "minutes", "", *MINUTES_RANGE, MINUTES_RANGE[0]) if has_minutes else None,
        )
        self.raise_faults()
        return query

    def flow(self, value: object) -> str:
        if isinstance(value, str) and value in FLOWS:
            return value
        found = f", found {quoted(value)}{did_you_mean(value, FLOWS)}" if isinstance(value, str) else ""
        self.add_fault("/flow", f"expected one of {', '.join(FLOWS)}{found}")
        return FLOWS[0]

    def order(self, body: object) -> OrderQuery:
        fields = self.object_fields(body, "", ("songs", "flow"))
        songs: tuple[Seed, ...] = ()
        if isinstance(body, Mapping):
            given = self.entries(fields.get("songs"), "/songs", 1, MAX_PLAYLIST_SONGS)
            songs = tuple(self.song_entry(*entry) for entry in given)
        query = OrderQuery(songs, self.flow(fields.get("flow", "steady")))
        self.raise_faults()
        return query

    def song_entry(self, value: object, pointer: str) -> Seed:
        """A seed with an id, a title, or both: then the title counts where no song has the id."""
        if isinstance(value, str):
            return self.song_seed({"song": value}, pointer, is_plain=True)
        fields = self.object_fields(value, pointer, ("id", "song", "artist"))
        if isinstance(value, Mapping) and "song" not in fields and ("id" not in fields or "artist" in fields):
            self.add_fault(pointer, "expected 'id', or 'song' and, if known, 'artist', or all of them")
        named = self.song_seed(fields, pointer) if "song" in fields else Seed(pointer, fields)
        return replace(named, id=self.song_id(fields["id"], f"{pointer}/id")) if "id" in fields else named

    def continued(self, body: object) -> ContinueQuery:
        fields = self.object_fields(body, "", ("played", "skipped", "limit", *OPTION_FIELDS))
        query = ContinueQuery(
            query=Query(
                (), self.integer(fields, "limit", "", 1, 100, 10), **self.options(fields, default_artist_cap=1)
            ),
            played=self.song_ids(fields, "played", 1) if isinstance(body, Mapping) else (),
            skipped=self.song_ids(fields, "skipped", 0),
        )
        self.raise_faults()
        return query

    def song_ids(self, fields: Mapping[str, Any], name: str, min_length: int) -> tuple[str, ...]:
        return tuple(
            self.song_id(*entry) for entry in self.entries(fields.get(name, []), f"/{name}", min_length, MAX_PLAYED)
        )
