"""Matches the columns of a table to canonical columns, by one table of header synonyms."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from segue.errors import SourceError
from segue.query.schema import AUDIO_FEATURES
from segue_build.sources.formats.base import list_names

# canonical name: headers that mean it, best first, compared without case, spaces, underscores and punctuation.
# They are those of the Web API, of tables on Kaggle, and of chosic, Exportify, iTunes, MusicBrainz,
# organizeyourmusic, rekordbox, TuneMyMusic and Tunebat.
HEADER_SYNONYMS: dict[str, tuple[str, ...]] = {
    "id": ("track_id", "spotify_id", "spotify_track_id", "track_uri", "song_id", "id", "uri", "track_url",
           "spotify_uri", "recording_mbid", "item_id", "identifier"),
    "name": (
        "track_name", "song_name", "track_title", "song_title", "recording_name", "name", "track", "title", "song",
    ),
    "artists": (
        "artists", "artist", "artist_name", "artist_names", "artist_name(s)", "track_artist", "track_artists",
        "artists_name", "artist(s)_name", "artist_credit_name", "artist_credit", "performer", "author", "creator",
        "artist_name_1",
    ),
    "album": (
        "album", "album_name", "track_album_name", "track_album", "album_title", "release_name", "release_title",
        "release",
    ),
    "genres": (
        "genres", "genre", "track_genre", "track_genres", "top_genre", "playlist_genre", "playlist_subgenre",
        "artist_genres", "artists_genres", "music_genre", "genre_top", "track_genre_top",
    ),
    "isrc": ("isrc", "track_isrc", "isrc_code", "external_ids.isrc", "track.external_ids.isrc",
             "additional_info.isrc"),
    "year": (
        "year", "release_year", "released_year", "album_year", "release_date", "album_release_date",
        "track_album_release_date", "album_date", "first_release_date", "original_release_date", "released",
        "album_date_released", "date_released", "track_year",
    ),
    "explicit": ("explicit", "is_explicit", "track_explicit"),
    "popularity": ("popularity", "track_popularity", "pop"),
    "duration_ms": (
        "duration_ms", "track_duration_ms", "track_duration", "track_duration_(ms)", "duration_(ms)", "duration",
        "duration_s", "duration_sec", "duration_seconds", "duration_min", "duration_minutes", "length",
        "length_(duration)", "length_ms", "track_length", "dur", "total_time", "time",
    ),
    "loudness": ("loudness", "loudness_db", "loudness_(db)", "loud_(db)", "loud", "db"),
    "tempo": ("tempo", "bpm", "beats_per_minute_(bpm)", "beats_per_minute", "average_bpm"),
    "key": (
        "key", "musical_key", "track_key", "initial_key", "key_result", "tonality", "camelot", "camelot_key",
    ),
    "mode": ("mode", "scale"),
    "danceability": ("danceability", "dance", "dnce"),
    "energy": ("energy", "nrgy"),
    "speechiness": ("speechiness", "speech", "spch"),
    "acousticness": ("acousticness", "acoustic", "acous"),
    "instrumentalness": ("instrumentalness", "instrumental"),
    "liveness": ("liveness", "live"),
    "valence": ("valence", "val", "happiness", "happy", "positiveness"),
    "time_signature": ("time_signature",),
}  # fmt: skip
# of nested fields
HEADER_PREFIXES = ("item.", "echonest.", "audio_features.", "features.", "track_metadata.", "mbid_mapping.")
SERVICE_PREFIX = "spotify"  # of headers in tables that hold columns of several services

TEXT_COLUMNS = ("id", "name", "artists", "album", "genres", "isrc")
CANONICAL_COLUMNS = (
    *TEXT_COLUMNS,
    "year",
    "explicit",
    "popularity",
    "duration_ms",
    *(attribute.name for attribute in AUDIO_FEATURES),
)
MULTI_SOURCE_COLUMNS = ("genres", "key")  # several columns of a table may feed these
REQUIRED_COLUMNS = (
    "a song's name (or id, where another --source has the names) and audio features or genres (or --enrich with a"
    " table that has these, or --playlists)"
)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which canonical columns the columns of one table feed.

    positions : canonical name -> positions of the columns that feed it, best first
    extra : name under which any other column is kept -> its position
    headers : the table's own headers
    """

    positions: Mapping[str, tuple[int, ...]]
    extra: Mapping[str, int]
    headers: tuple[str, ...]

    def header(self, column: str) -> str:
        """The header of the (first) column that feeds a canonical column."""
        return self.headers[self.positions[column][0]]

    def without(self, names: Collection[str], added: Mapping[str, tuple[int, ...]] | None = None) -> "ColumnMapping":
        """The same without some canonical columns, whose source columns become extra ones, but with ``added``."""
        kept = {name: indices for name, indices in self.positions.items() if name not in names}
        positions = {**kept, **(added or {})}
        dropped = {index for name in names for index in self.positions.get(name, ())}
        extra = {
            name: index
            for name, index in _extra_columns(self.headers, positions).items()
            if index in dropped or index in self.extra.values()
        }
        return ColumnMapping(positions, extra, self.headers)


def match_headers(headers: Sequence[str], overrides: Mapping[str, str], table: str) -> ColumnMapping:
    """Match headers to canonical columns.

    Parameters
    ----------
    headers : the table's headers in their order
    overrides : canonical name -> header, as the user says with ``--columns``; goes before any synonym; headers that
        this table lacks may be in another source
    table : the table's name, for messages

    Raises
    ------
    SourceError
        a header that is needed occurs twice, or this can't be a table of tracks.

    """
    overridden = {
        name: _overridden_position(header, headers, table)
        for name, header in overrides.items()
        if has_header(headers, header)
    }
    keys = ["" if index in overridden.values() else normalize_header(header) for index, header in enumerate(headers)]
    found = {
        name: (overridden[name],) if name in overridden else _positions_by_synonym(name, keys, headers, table)
        for name in CANONICAL_COLUMNS
    }
    positions = {name: indices for name, indices in found.items() if indices}
    _check_identifiable(positions, headers, table)
    return ColumnMapping(positions, _extra_columns(headers, positions), tuple(headers))


def has_header(headers: Sequence[str], header: str) -> bool:
    """Whether a header occurs, compared as synonyms are."""
    return normalize_header(header) in map(normalize_header, headers)


def find_column(names: Iterable[str], header: str) -> str | None:
    """The column of a header, compared as synonyms are; None if there is none."""
    return next((name for name in names if normalize_header(name) == normalize_header(header)), None)


def _overridden_position(header: str, headers: Sequence[str], table: str) -> int:
    """The position of the header that the user named: the same spelling, else the only similar one."""
    if list(headers).count(header) == 1:
        return headers.index(header)
    return _single_position(normalize_header(header), [normalize_header(other) for other in headers], headers, table)


def _positions_by_synonym(name: str, keys: list[str], headers: Sequence[str], table: str) -> tuple[int, ...]:
    synonyms = dict.fromkeys(map(normalize_header, HEADER_SYNONYMS[name]))
    best_first = [key for key in synonyms if key in keys]
    if not best_first:
        return _positions_of_parts(name, keys, headers)
    matching = best_first if name in MULTI_SOURCE_COLUMNS else best_first[:1]
    return tuple(_single_position(key, keys, headers, table) for key in matching)


def _positions_of_parts(name: str, keys: list[str], headers: Sequence[str]) -> tuple[int, ...]:
    """The first header that means a column without a service's name, or by the last name of a nested field."""
    parts = [
        {
            key.removeprefix(SERVICE_PREFIX),
            "" if name in TEXT_COLUMNS or not key else normalize_header(header.rpartition(".")[2]),
        }
        for key, header in zip(keys, headers)
    ]
    for synonym in map(normalize_header, HEADER_SYNONYMS[name]):
        positions = [position for position, part in enumerate(parts) if synonym in part]
        if positions:
            return (positions[0],)
    return ()


def _single_position(key: str, keys: list[str], headers: Sequence[str], table: str) -> int:
    positions = [position for position, candidate in enumerate(keys) if candidate == key]
    if len(positions) > 1:
        first, second = positions[:2]
        raise SourceError(
            f"{table}, row 1: columns {first + 1} '{headers[first]}' and {second + 1} '{headers[second]}' mean the"
            f" same: expected one of them, or --columns to say which is which"
        )
    return positions[0]


def _check_identifiable(positions: Mapping[str, tuple[int, ...]], headers: Sequence[str], table: str) -> None:
    if "id" in positions or "name" in positions:
        return
    raise SourceError(
        f"{table}, row 1: no column holds a song's id or name, so this is not a table of tracks (but of aggregates?);"
        f" its columns are: {list_names(headers)}; required: {REQUIRED_COLUMNS};"
        " name yours with --columns name=HEADER,..."
    )


def _extra_columns(headers: Sequence[str], positions: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """The columns that the canonical table does not hold in full: unknown ones, dates, genres of several columns."""
    fully_used = {indices[0] for name, indices in positions.items() if len(indices) == 1 and name != "year"}
    fully_used |= {
        indices[0] for name, indices in positions.items() if name == "year" and "year" in headers[indices[0]].lower()
    }
    extra: dict[str, int] = {}
    for index, header in enumerate(headers):
        if index not in fully_used:
            extra[_unique_name(header or "unnamed", extra)] = index
    return extra


def _unique_name(header: str, taken: Mapping[str, int]) -> str:
    """``source_`` before a name that the canonical table or the artifacts use; ``_2`` after one met before."""
    name = f"source_{header}" if header in (*CANONICAL_COLUMNS, "cluster", "cell") else header
    number = 2
    while name in taken:
        name = f"{name.removesuffix(f'_{number - 1}')}_{number}"
        number += 1
    return name


@lru_cache(maxsize=10_000)  # archives have hundreds of files, each compared with all synonyms
def normalize_header(header: str) -> str:
    """A header without case, spaces, underscores, punctuation and prefixes that say nothing."""
    header = re.sub(r"(?<=.)#.*", "", header.lower()).removesuffix("(s)")  # Last.fm: Date#user, artist.#text
    for prefix in HEADER_PREFIXES:
        header = header.removeprefix(prefix)
    return re.sub(r"[\W_]+", "", header)
