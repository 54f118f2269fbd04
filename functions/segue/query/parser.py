"""From a request's JSON or URL to a :class:`Query`; below this module no dictionary from outside is ever seen."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from segue.errors import InvalidQuery
from segue.query import Filters, Query, Seed, Vocabulary
from segue.query.attributes import AUDIO, BY_NAME, Attribute
from segue.query.reader import Reader, escaped, nearest, number, shown

MOST_SEEDS = 100
MOST_LISTED = 1000  # entries of any list in the filters
LARGEST_DRAW = 2**31 - 1
# A URL's parameter -> what it names; each may be given several times.
SEEDS_IN_URLS = {name: name for name in ("song", "song_id", "artist", "genre")} | {"q": "song", "id": "song_id"}
STARTS = ("song", "artist", "song_id", "seeds")
WISHES = ("filters", "targets", "max_per_artist", "fill", "diversity", "exclude_seed_artists", "draw")


def parse(body: object, vocabulary: Vocabulary) -> Query:
    """Check a decoded JSON body.

    Raises
    ------
    InvalidQuery
        carries every fault with its JSON pointer.

    """
    return Parser(vocabulary).query(body)


def from_url(arguments: Iterable[tuple[str, str]], vocabulary: Vocabulary) -> Query:
    """Check the simple form in a URL: ``song``, ``artist``, ``genre``, ``limit``, ...

    arguments : names and values in their order; songs, ids, artists and genres may be several, and are seeds
    """
    readers: dict[str, Callable[[str], object]] = {
        **dict.fromkeys(SEEDS_IN_URLS, str),
        "limit": number,
        "max_per_artist": lambda text: None if text == "null" else number(text),
        "explain": lambda text: {"true": True, "1": True, "false": False, "0": False}.get(text, text),
        "draw": number,
    }
    body: dict[str, object] = {}
    asked: dict[str, list[str]] = {kind: [] for kind in SEEDS_IN_URLS.values()}
    parser = Parser(vocabulary)
    for name, text in arguments:
        if name not in readers:
            parser.unknown("parameter", name, f"/{escaped(name)}", list(readers))
        elif name in SEEDS_IN_URLS:
            asked[SEEDS_IN_URLS[name]].append(text)
        elif name in body:
            parser.fault(f"/{name}", "given more than once")
        else:
            body[name] = readers[name](text)
    return parser.query(body, parser.seeds_of_url(asked))


class Parser(Reader):
    """Reads a body field by field; what is wrong is kept, as :class:`Reader` keeps it."""

    def __init__(self, vocabulary: Vocabulary):
        super().__init__()
        self.vocabulary = vocabulary

    def query(self, body: object, seeds: tuple[Seed, ...] | None = None) -> Query:
        """The whole body of a recommendation.

        seeds : those that have been read already; by default the body holds them
        """
        fields = self.record(body, "", (*STARTS, "limit", *WISHES, "explain", "exact"))
        query = Query(
            seeds=seeds if seeds is not None else self.seeds(fields) if isinstance(body, Mapping) else (),
            limit=self.whole(fields, "limit", "", 1, 100, 10),
            **self.wishes(fields),
            explain=self.truth(fields, "explain", "", False),
            exact=self.truth(fields, "exact", "", False),
        )
        if self.faults:
            raise InvalidQuery(self.faults)
        return query

    def wishes(self, fields: Mapping[str, Any], max_per_artist: int = 2) -> dict[str, Any]:
        """What all lists of songs may ask for besides seeds and length; with the cap where none is asked for."""
        return {
            "filters": self.filters(fields.get("filters", {})),
            "targets": self.targets(fields.get("targets", {})),
            "max_per_artist": self.cap(fields, max_per_artist),
            "fill": self.truth(fields, "fill", "", False),
            "diversity": self.real(fields, "diversity", "", 0, 1, 0.0),
            "exclude_seed_artists": self.truth(fields, "exclude_seed_artists", "", False),
            "draw": self.whole(fields, "draw", "", 0, LARGEST_DRAW, 0),
        }

    def seeds(self, fields: Mapping[str, Any]) -> tuple[Seed, ...]:
        """What a recommendation starts from: exactly one of ``song``, ``song_id`` and ``seeds``."""
        given = [name for name in ("song", "song_id", "seeds") if name in fields]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found none"
            self.fault("", f"exactly one of 'song', 'song_id' and 'seeds' is needed, {found}")
            return ()
        if "artist" in fields and given != ["song"]:
            self.fault("/artist", "goes with 'song' only")
        if given == ["song"]:
            return (self.song_seed({name: fields[name] for name in ("song", "artist") if name in fields}, ""),)
        if given == ["song_id"]:
            return (self.id_seed(fields["song_id"], "/song_id"),)
        return tuple(
            self.seed(seed, f"/seeds/{place}")
            for place, seed in enumerate(self.listed(fields["seeds"], "/seeds", 1, MOST_SEEDS))
        )

    def seeds_of_url(self, asked: Mapping[str, list[str]]) -> tuple[Seed, ...]:
        """All that a URL asks for; where it has one song and one artist, the song is the artist's."""
        songs, artists = asked["song"], asked["artist"]
        if not 1 <= sum(map(len, asked.values())) <= MOST_SEEDS:
            self.fault("", f"expected 1..{MOST_SEEDS} of {', '.join(map(repr, asked))}")
            return ()
        if songs and artists and len(songs) + len(artists) > 2:
            self.fault("/artist", "goes with one song; of several songs write each as TITLE by ARTIST")
            return ()
        by = {"artist": artists[0]} if songs and artists else {}
        return (
            *(self.song_seed({"song": song, **by}, "") for song in songs),
            *(self.id_seed(identity, "/song_id") for identity in asked["song_id"]),
            *(self.artist_seed({"artist": artist}, "") for artist in artists if not by),
            *(Seed("/genre", {"genre": genre}, genre=self.genre(genre, "/genre")) for genre in asked["genre"]),
        )

    def song_seed(self, asked: Mapping[str, Any], pointer: str, weight: float = 1.0, *, plain: bool = False) -> Seed:
        """A song by its title, and maybe an artist; ``plain`` where the title stands at the pointer itself."""
        at = pointer if plain else f"{pointer}/song"
        song = self.text(asked["song"], at)
        artist = self.text(asked["artist"], f"{pointer}/artist") if "artist" in asked else None
        found = self.link(song, at)
        if found is None:
            return Seed(pointer or at, asked, weight, song=song, artist=artist)
        if found.kind == "artist":
            return Seed(pointer or at, asked, weight, artist=found.id)
        return Seed(pointer or at, asked, weight, id=found.id)

    def id_seed(self, identity: object, pointer: str) -> Seed:
        """A song by its id, or a link to it."""
        return Seed(pointer, {"id": identity}, id=self.identifier(identity, pointer))

    def artist_seed(self, asked: Mapping[str, Any], pointer: str, weight: float = 1.0) -> Seed:
        """An artist by name, id or link."""
        at = f"{pointer}/artist"
        artist = self.text(asked["artist"], at)
        found = self.link(artist, at)
        if found and found.kind == "track":
            self.fault(at, "leads to a song; expected the name of an artist, or a link to one")
        return Seed(pointer or at, asked, weight, artist=found.id if found else artist)

    def seed(self, value: object, pointer: str) -> Seed:
        """One seed of any kind."""
        if isinstance(value, str):
            return self.song_seed({"song": value}, pointer, plain=True)
        fields = self.record(value, pointer, ("id", "song", "artist", "genre", "features", "weight"))
        weight = self.real(fields, "weight", pointer, -10, 10, 1.0)
        if weight == 0:
            self.fault(f"{pointer}/weight", "must not be 0; leave the seed out instead")
        asked = {name: value for name, value in fields.items() if name != "weight"}
        kind = self.kind(asked, pointer) if isinstance(value, Mapping) else None
        if kind == "song":
            return self.song_seed(asked, pointer, weight)
        if kind == "id":
            return Seed(pointer, asked, weight, id=self.identifier(fields["id"], f"{pointer}/id"))
        if kind == "artist":
            return self.artist_seed(asked, pointer, weight)
        if kind == "genre":
            return Seed(pointer, asked, weight, genre=self.genre(fields["genre"], f"{pointer}/genre"))
        if kind == "features":
            return Seed(pointer, asked, weight, features=self.features(fields["features"], f"{pointer}/features"))
        return Seed(pointer, asked, weight)

    def kind(self, asked: Mapping[str, Any], pointer: str) -> str | None:
        """Which kind of seed an object asks for, None where it is none or several."""
        kinds = [name for name in ("id", "song", "genre", "features") if name in asked]
        if "artist" in asked and "song" not in asked:
            kinds.append("artist")
        if len(kinds) == 1:
            return kinds[0]
        found = f", found {' and '.join(kinds)}" if kinds else ""
        self.fault(
            pointer,
            f"a seed is one of 'id', 'song' (with 'artist', if known), 'artist', 'genre', 'features'{found}",
        )
        return None

    def features(self, value: object, pointer: str) -> Mapping[str, float]:
        """Raw audio features, one at the least."""
        known = [attribute.name for attribute in AUDIO if attribute.name in self.vocabulary.attributes]
        fields = self.record(value, pointer, known)
        if isinstance(value, Mapping) and not value:
            self.fault(pointer, f"at least one audio feature is needed: {', '.join(known)}")
        return self.attributes(fields, pointer)

    def filters(self, value: object) -> Filters:
        """What a song must satisfy."""
        numeric = self.vocabulary.attributes
        lists = ("genres", "exclude_genres", "exclude_ids", "exclude_artists")
        truths = ("explicit",) if self.vocabulary.has_explicit else ()
        fields = self.record(value, "/filters", (*numeric, *truths, *lists))
        return Filters(
            ranges={name: self.bounds(fields[name], BY_NAME[name]) for name in numeric if name in fields},
            explicit=self.truth(fields, "explicit", "/filters", False) if "explicit" in fields else None,
            genres=self.each(fields, "genres", self.genre),
            exclude_genres=self.each(fields, "exclude_genres", self.genre),
            exclude_ids=self.each(fields, "exclude_ids", self.identifier),
            exclude_artists=self.each(fields, "exclude_artists", self.text),
        )

    def each(self, fields: Mapping[str, Any], name: str, read: Callable[[Any, str], str]) -> tuple[str, ...]:
        """A list of the filters; ``read`` reads an entry."""
        if name not in fields:
            return ()
        pointer = f"/filters/{name}"
        items = self.listed(fields[name], pointer, 1, MOST_LISTED)
        return tuple(read(item, f"{pointer}/{place}") for place, item in enumerate(items))

    def bounds(self, value: object, attribute: Attribute) -> tuple[float, float]:
        """The lowest and the highest value of an attribute, ends inclusive."""
        pointer = f"/filters/{attribute.name}"
        if not isinstance(value, list) or len(value) != 2:
            self.fault(pointer, f"expected [lowest, highest] ({attribute.unit}), null where open")
            return -math.inf, math.inf
        low = -math.inf if value[0] is None else self.finite(value[0], f"{pointer}/0", -math.inf)
        high = math.inf if value[1] is None else self.finite(value[1], f"{pointer}/1", math.inf)
        if low > high:
            self.fault(pointer, f"the range is reversed: did you mean [{value[1]}, {value[0]}]?")
        return low, high

    def targets(self, value: object) -> Mapping[str, float]:
        """Values that results should be near."""
        return self.attributes(self.record(value, "/targets", self.vocabulary.attributes), "/targets")

    def attributes(self, fields: Mapping[str, Any], pointer: str) -> Mapping[str, float]:
        """Numbers of a song within their ranges."""
        return {
            name: self.real(fields, name, pointer, BY_NAME[name].low, BY_NAME[name].high, 0.0, BY_NAME[name].unit)
            for name in fields
        }

    def cap(self, fields: Mapping[str, Any], default: int) -> int | None:
        """Songs of an artist, None for no cap."""
        if "max_per_artist" in fields and fields["max_per_artist"] is None:
            return None
        return self.whole(fields, "max_per_artist", "", 1, 100, default, " or null for no cap")

    def genre(self, value: object, pointer: str) -> str:
        """One of the catalogue's genres, in lower case."""
        text = self.text(value, pointer)
        found = self.vocabulary.genre(text)
        if text and found is None:
            hint = nearest(text, self.vocabulary.genres) if self.hints_left else ""
            some = ", ".join(self.vocabulary.genres[:12])
            self.fault(pointer, f"unknown genre {shown(text)}{hint or f'; some known are: {some}'}")
        return found or text
