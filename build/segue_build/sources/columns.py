"""Which column of a table is which: one table of header synonyms."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from segue.errors import SourceError
from segue.query.attributes import AUDIO

# tidy name: headers that mean it, best first. Compared without case, spaces, underscores and punctuation. They are
# those of the Web API, of tables on Kaggle, and of chosic, Exportify, iTunes, MusicBrainz, organizeyourmusic,
# rekordbox, TuneMyMusic and Tunebat.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "id": ("track_id", "spotify_id", "spotify_track_id", "track_uri", "song_id", "id", "uri", "track_url",
           "spotify_uri", "recording_mbid"),
    "name": (
        "track_name", "song_name", "track_title", "song_title", "recording_name", "name", "track", "title", "song",
    ),
    "artists": (
        "artists", "artist", "artist_name", "artist_names", "artist_name(s)", "track_artist", "track_artists",
        "artists_name", "artist(s)_name", "artist_credit_name", "artist_credit", "performer",
    ),
    "album": (
        "album", "album_name", "track_album_name", "album_title", "release_name", "release_title", "release",
    ),
    "genres": (
        "genres", "genre", "track_genre", "track_genres", "top_genre", "playlist_genre", "playlist_subgenre",
        "artist_genres", "music_genre",
    ),
    "year": (
        "year", "release_year", "released_year", "album_year", "release_date", "album_release_date",
        "track_album_release_date", "album_date", "first_release_date", "original_release_date", "released",
    ),
    "explicit": ("explicit", "is_explicit", "track_explicit"),
    "popularity": ("popularity", "track_popularity", "pop"),
    "duration_ms": (
        "duration_ms", "track_duration_ms", "track_duration", "track_duration_(ms)", "duration_(ms)", "duration",
        "duration_s", "duration_sec", "duration_seconds", "duration_min", "duration_minutes", "length",
        "length_(duration)", "length_ms", "track_length", "dur", "time",
    ),
    "loudness": ("loudness", "loudness_db", "loudness_(db)", "loud_(db)", "loud", "db"),
    "tempo": ("tempo", "bpm", "beats_per_minute_(bpm)", "beats_per_minute"),
    "key": ("key", "musical_key", "track_key", "initial_key", "camelot", "camelot_key"),
    "danceability": ("danceability", "dance", "dnce"),
    "energy": ("energy", "nrgy"),
    "speechiness": ("speechiness", "speech", "spch"),
    "acousticness": ("acousticness", "acoustic", "acous"),
    "instrumentalness": ("instrumentalness", "instrumental"),
    "liveness": ("liveness", "live"),
    "valence": ("valence", "val", "happiness", "happy", "positiveness"),
} | {name: (name,) for name in ("mode", "time_signature")}  # fmt: skip
PREFIXES = ("audio_features.", "features.")  # of fields within fields

TEXTS = ("id", "name", "artists", "album", "genres")
TIDY = (*TEXTS, "year", "explicit", "popularity", "duration_ms", *(attribute.name for attribute in AUDIO))
SEVERAL = ("genres", "key")  # more than one column of a table may feed these
NEEDED = "a song's name (or id, where another --source has the names) and audio features or genres"


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of one table are.

    tidy : tidy name -> positions of the columns that feed it, best first
    other : name under which a further column is kept -> its position
    headers : the table's own headers
    """

    tidy: Mapping[str, tuple[int, ...]]
    other: Mapping[str, int]
    headers: tuple[str, ...]

    def header(self, tidy: str) -> str:
        """The header of the (first) column that feeds a tidy column."""
        return self.headers[self.tidy[tidy][0]]

    def by_another_name(self, tidy: str) -> bool:
        """Whether the header that feeds a tidy column is only a synonym of its name."""
        return tidy in self.tidy and _key(self.header(tidy)) != _key(tidy)

    def without(self, names: Collection[str]) -> "Columns":
        """The same but for some tidy columns, whose source is left unread."""
        tidy = {name: places for name, places in self.tidy.items() if name not in names}
        return Columns(tidy, _others(self.headers, tidy), self.headers)


def recognise(headers: Sequence[str], given: Mapping[str, str], table: str) -> Columns:
    """Tell what each column is.

    Parameters
    ----------
    headers : the table's headers in their order
    given : tidy name -> header, the user's own word (``--columns``), stronger than any synonym; a header that
        this table lacks may be another source's
    table : the table's name, for messages

    Raises
    ------
    SourceError
        a header that matters occurs twice, or the table can't be one of tracks.

    """
    claimed = {name: _given(header, headers, table) for name, header in given.items() if has(headers, header)}
    keys = ["" if place in claimed.values() else _key(header) for place, header in enumerate(headers)]
    found = {name: (claimed[name],) if name in claimed else _meant(name, keys, headers, table) for name in TIDY}
    tidy = {name: places for name, places in found.items() if places}
    _check_possible(tidy, headers, table)
    return Columns(tidy, _others(headers, tidy), tuple(headers))


def has(headers: Sequence[str], header: str) -> bool:
    """Whether a header occurs, compared as synonyms are."""
    return _key(header) in map(_key, headers)


def _given(header: str, headers: Sequence[str], table: str) -> int:
    """The place of the user's header: as it is written, else the only one that is written much like it."""
    if list(headers).count(header) == 1:
        return headers.index(header)
    return _only(_key(header), [_key(other) for other in headers], headers, table)


def _meant(name: str, keys: list[str], headers: Sequence[str], table: str) -> tuple[int, ...]:
    synonyms = dict.fromkeys(map(_key, SYNONYMS[name]))
    best_first = [key for key in synonyms if key in keys]
    wanted = best_first if name in SEVERAL else best_first[:1]
    return tuple(_only(key, keys, headers, table) for key in wanted)


def _only(key: str, keys: list[str], headers: Sequence[str], table: str) -> int:
    places = [place for place, other in enumerate(keys) if other == key]
    if len(places) > 1:
        first, second = places[:2]
        raise SourceError(
            f"{table}, row 1: columns {first + 1} '{headers[first]}' and {second + 1} '{headers[second]}' mean the"
            f" same: expected one of them, or --columns to say which is which"
        )
    return places[0]


def _check_possible(tidy: Mapping[str, tuple[int, ...]], headers: Sequence[str], table: str) -> None:
    if "id" in tidy or "name" in tidy:
        return
    raise SourceError(
        f"{table}, row 1: no column holds a song's id or name, so these are no tracks (a table of aggregates?);"
        f" there are: {', '.join(headers)}; needed are {NEEDED}; name yours with --columns name=HEADER,..."
    )


def _others(headers: Sequence[str], tidy: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """The columns that the tidy table does not hold in full: unknown ones, dates, genres of several columns."""
    whole = {places[0] for name, places in tidy.items() if len(places) == 1 and name != "year"}
    whole |= {places[0] for name, places in tidy.items() if name == "year" and "year" in headers[places[0]].lower()}
    other: dict[str, int] = {}
    for place, header in enumerate(headers):
        if place not in whole:
            other[_free_name(header or "unnamed", other)] = place
    return other


def _free_name(header: str, taken: Mapping[str, int]) -> str:
    """``source_`` before a name that the tidy table or the artifacts use; ``_2`` after one met before."""
    name = f"source_{header}" if header in (*TIDY, "cluster", "cell") else header
    number = 2
    while name in taken:
        name = f"{name.removesuffix(f'_{number - 1}')}_{number}"
        number += 1
    return name


def _key(header: str) -> str:
    header = header.lower().removesuffix("(s)")
    for prefix in PREFIXES:
        header = header.removeprefix(prefix)
    return re.sub(r"[\W_]+", "", header)
