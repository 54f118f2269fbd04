"""The parameters of a URL, checked, and the songs, artists and genres that they name.

All faults of a request are reported at once. Songs have the table's own ids, artists have ids made from their names;
genres have the names of Spotify's seeds: ``r&b`` is ``r-n-b``, ``Hip Hop`` is ``hip-hop``.
"""

import functools
import re
from collections.abc import Mapping, Sequence

from werkzeug.datastructures import MultiDict

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.artists import resolve_artist
from segue.catalog.lookup.exact import artist_by_id, songs_by_ids
from segue.catalog.lookup.moods import genre_key
from segue.errors import HttpError
from segue.query.schema import MAX_BOUND, quoted

# The tunable attributes and their ranges, as the Spotify Web API documents them; where it gives none, any number.
UNIT, ANY = (0, 1), (-MAX_BOUND, MAX_BOUND)
TUNABLE_ATTRIBUTES: Mapping[str, tuple[float, float]] = {
    "acousticness": UNIT, "danceability": UNIT, "duration_ms": ANY, "energy": UNIT, "instrumentalness": UNIT,
    "key": (0, 11), "liveness": UNIT, "loudness": ANY, "mode": (0, 1), "popularity": (0, 100), "speechiness": UNIT,
    "tempo": ANY, "time_signature": ANY, "valence": UNIT,
}  # fmt: skip
MAX_FAULTS = 10  # in one message
_INTEGER = re.compile(r"[-+]?\d{1,10}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_BASE62_ID = re.compile(r"[0-9A-Za-z]{22}")
_GENRE_SEEDS_TEXT = """
acoustic afrobeat alt-rock alternative ambient anime black-metal bluegrass blues bossanova brazil breakbeat british
cantopop chicago-house children chill classical club comedy country dance dancehall death-metal deep-house
detroit-techno disco disney drum-and-bass dub dubstep edm electro electronic emo folk forro french funk garage german
gospel goth grindcore groove grunge guitar happy hard-rock hardcore hardstyle heavy-metal hip-hop holidays honky-tonk
house idm indian indie indie-pop industrial iranian j-dance j-idol j-pop j-rock jazz k-pop kids latin latino malay
mandopop metal metal-misc metalcore minimal-techno movies mpb new-age new-release opera pagode party philippines-opm
piano pop pop-film post-dubstep power-pop progressive-house psych-rock punk punk-rock r-n-b rainy-day reggae reggaeton
road-trip rock rock-n-roll rockabilly romance sad salsa samba sertanejo show-tunes singer-songwriter ska sleep
songwriter soul soundtracks spanish study summer swedish synth-pop tango techno trance trip-hop turkish work-out
world-music
"""  # available-genre-seeds, as it answered until November 2024
GENRE_SEEDS = frozenset(_GENRE_SEEDS_TEXT.split())
_SEEDS_BY_KEY = {genre_key(seed): seed for seed in GENRE_SEEDS}


class ApiError(HttpError):
    """An error in the request; the message says what was wrong and what would have worked."""


class QueryParams:
    """A URL's parameters. Of repeated ones the first counts; unknown ones are ignored.

    An invalid value reads as its default until :meth:`raise_faults` rejects the request.
    """

    def __init__(self, arguments: MultiDict[str, str]):
        self._arguments = arguments
        self._faults: list[str] = []

    def raise_faults(self) -> None:
        """Raise one error with all faults found so far, if there are any."""
        if self._faults:
            raise ApiError(400, "; ".join(self._faults[:MAX_FAULTS]))

    def add_fault(self, message: str) -> None:
        """Record a fault."""
        self._faults.append(message)

    def text(self, name: str, max_length: int) -> str:
        """A text that is not blank."""
        value = self._arguments.get(name, "").strip()
        if not value or len(value) > max_length:
            self.add_fault(f"{name}: expected a text of 1..{max_length} characters")
        return value[:max_length]

    def integer(self, name: str, low: int, high: int, default: int) -> int:
        """An integer, both bounds inclusive."""
        text = self._arguments.get(name)
        if text is None:
            return default
        if _INTEGER.fullmatch(text) and low <= int(text) <= high:
            return int(text)
        self.add_fault(f"Invalid {name}: expected a whole number {low}..{high}, found {quoted(text)}")
        return default

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number, both bounds inclusive; None if it is not given."""
        text = self._arguments.get(name)
        if text is None:
            return None
        if _NUMBER.fullmatch(text) and low <= float(text) <= high:
            return float(text)
        self.add_fault(f"Invalid {name}: expected a number {low:g}..{high:g}, found {quoted(text)}")
        return None

    def boolean(self, name: str) -> bool:
        """A boolean, false by default."""
        text = self._arguments.get(name, "false")
        if text.lower() not in _BOOLEANS:
            self.add_fault(f"Invalid {name}: expected true or false, found {quoted(text)}")
        return _BOOLEANS.get(text.lower(), False)

    def max_per_artist(self, default: int | None) -> int | None:
        """``max_per_artist``: songs by one artist, ``null`` for no cap."""
        if self._arguments.get("max_per_artist") == "null":
            return None
        return self.integer("max_per_artist", 1, 100, -1 if default is None else default)

    def comma_separated(self, name: str, max_entries: int) -> tuple[str, ...]:
        """Entries separated by commas; blank ones are ignored."""
        entries = tuple(entry.strip() for entry in self._arguments.get(name, "").split(",") if entry.strip())
        if len(entries) > max_entries:
            self.add_fault(f"Invalid {name}: expected at most {max_entries} entries, found {len(entries)}")
        return entries[:max_entries]

    def ids(self, max_ids: int) -> tuple[str, ...]:
        """The ids of a batch, in order, with repetitions."""
        text = self._arguments.get("ids", "")
        ids = tuple(text.split(","))
        if not text:
            raise ApiError(400, f"ids: expected 1..{max_ids} ids, separated by commas")
        if len(ids) > max_ids:
            raise ApiError(400, f"Too many ids requested: expected at most {max_ids}, found {len(ids)}")
        return ids

    def check_market(self) -> None:
        """Check the country code and ignore it: tables have no markets."""
        market = self._arguments.get("market") or self._arguments.get("country") or "from_token"
        if market != "from_token" and not re.fullmatch("[A-Za-z]{2}", market):
            self.add_fault(f"Invalid market code: {quoted(market)}")

    def tunables(self, prefix: str) -> dict[str, float]:
        """The tunable attributes given with one prefix: ``min``, ``max`` or ``target``."""
        values = {name: self.number(f"{prefix}_{name}", *TUNABLE_ATTRIBUTES[name]) for name in TUNABLE_ATTRIBUTES}
        return {name: value for name, value in values.items() if value is not None}


def find_song(catalog: Catalog, song_id: str) -> int | None:
    """The row of a song; None if the id is well formed but not in the catalogue.

    Raises
    ------
    ApiError
        the id is neither in the catalogue nor well formed.

    """
    return find_songs(catalog, [song_id])[0]


def find_songs(catalog: Catalog, song_ids: Sequence[str]) -> list[int | None]:
    """The rows of several songs, each as :func:`find_song`."""
    rows = songs_by_ids(catalog, song_ids)
    for row, song_id in zip(rows, song_ids):
        if row is None:
            _check_well_formed(song_id, "no song of this table has it")
    return rows


def find_artist(catalog: Catalog, id_or_name: str) -> int | None:
    """The row of an artist by id or by name, else as :func:`find_song`."""
    row = artist_by_id(catalog, id_or_name)
    if row is None and id_or_name.strip():
        row = resolve_artist(catalog, id_or_name)
    if row is None:
        _check_well_formed(id_or_name, "no artist of this table is called so")
    return row


def _check_well_formed(identity: str, unknown: str) -> None:
    if not _BASE62_ID.fullmatch(identity):
        raise ApiError(400, f"Invalid base62 id: {quoted(identity)} has not 22 letters and digits, and {unknown}")


def genres_by_seed(genres: Sequence[str]) -> Mapping[str, str]:
    """Seed name -> the table's genre. A genre that Spotify lacks keeps its name without commas.

    If two genres map to the same seed, the one spelled like the seed wins.
    """
    found = {
        _SEEDS_BY_KEY.get(key, genre.replace(",", " ")): genre for key, genre in _genres_by_key(tuple(genres)).items()
    }
    return dict(sorted(found.items()))


def find_genre(genres: Sequence[str], name: str) -> str | None:
    """The table's genre of this name, in any spelling."""
    return _genres_by_key(tuple(genres)).get(genre_key(name))


@functools.lru_cache(maxsize=4)
def _genres_by_key(genres: tuple[str, ...]) -> Mapping[str, str]:
    return {genre_key(genre): genre for genre in sorted(genres, key=lambda genre: (genre in GENRE_SEEDS, genre))}
