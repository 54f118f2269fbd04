"""What a table is, by its headers: one entry an export, and what its rows become.

A table that is none of these is one of songs if a header means a song's id or name, and one of playlists if another
one means a playlist's.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from segue.errors import SourceError
from segue_build.sources.columns import ColumnMapping, has_header, match_headers, normalize_header


class Role(enum.StrEnum):
    """What becomes of a table."""

    SONGS = "songs"
    PLAYLISTS = "playlists"
    HISTORY = "history"
    LEFT_ALONE = "left alone"


# a column of playlists and plays: headers that mean it, best first
ENTRY_SYNONYMS: dict[str, tuple[str, ...]] = {
    "playlist": ("playlist_id", "pid", "playlist", "playlist_name"),
    "played_at": ("ts", "played_at", "listened_at", "endTime", "uts", "utc_time"),
    "ms_played": ("ms_played", "msPlayed"),
    "skipped": ("skipped",),
}
FEATURES = ("danceability", "energy", "valence", "acousticness", "tempo", "loudness")  # one of them: a table of songs


@dataclass(frozen=True, slots=True)
class Export:
    """An export.

    name : for people
    role : what it becomes
    headers : all of them are there
    lacks : none of them is
    columns : canonical column or one of ``ENTRY_SYNONYMS`` -> the header that means it, where synonyms do not say so
    not_songs : header -> what a row with a cell in it is, if that is no song
    kinds : header whose cells in ``NOT_SONGS`` are no songs
    one_playlist : whether the file is one playlist, named as the file
    file : a part of the file's name
    reason : why it is left alone
    """

    name: str
    role: Role
    headers: Sequence[str]
    lacks: Sequence[str] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    not_songs: Mapping[str, str] = field(default_factory=dict)
    kinds: str = ""
    one_playlist: bool = False
    file: str = ""
    reason: str = ""


# kinds of entries of playlists and libraries -> what they are called
NOT_SONGS = {
    "artist": "artists",
    "album": "albums",
    "episode": "podcast episodes",
    "podcast": "podcasts",
    "show": "podcasts",
    "audiobook": "audiobooks",
    "video": "videos",
    "music video": "videos",
    "station": "radio stations",
}
_TITLE = ("track_id", "track_name", "song_id", "song_name", "title", "song", "track", "uri", "id", "name")
_SONG = ("artist", "artists", "artist_name", "album", "album_name", "duration_ms", *FEATURES)
ARTISTS = "its rows are artists, not songs"
ALBUMS = "its rows are albums, not songs"
EXPORTS = (
    Export(
        "Spotify extended streaming history",
        Role.HISTORY,
        ("ts", "ms_played", "master_metadata_track_name"),
        columns={
            "id": "spotify_track_uri",
            "name": "master_metadata_track_name",
            "artists": "master_metadata_album_artist_name",
            "album": "master_metadata_album_album_name",
        },
        not_songs={"episode_name": "podcast episodes", "audiobook_title": "audiobooks"},
    ),
    Export("Spotify streaming history", Role.HISTORY, ("endTime", "artistName", "trackName", "msPlayed")),
    Export(
        "ListenBrainz listens",
        Role.HISTORY,
        ("listened_at", "track_metadata.track_name"),
        columns={
            "artists": "track_metadata.artist_name",
            "duration_ms": "track_metadata.additional_info.duration_ms",
        },
    ),
    Export("Last.fm scrobbles", Role.HISTORY, ("uts", "artist", "track")),
    Export("Last.fm scrobbles", Role.HISTORY, ("artist", "track", "utc_time")),
    Export("Last.fm scrobbles", Role.HISTORY, ("artist", "name", "date.uts"), columns={"played_at": "date.uts"}),
    Export("Last.fm scrobbles", Role.HISTORY, ("artist", "track", "AlbumId"), columns={"played_at": "Date"}),
    Export("Deezer", Role.HISTORY, ("Song Title", "Listening Time", "Date"), columns={"played_at": "Date"}),
    Export(
        "Apple Music",
        Role.HISTORY,
        ("Song Name", "Event Start Timestamp", "Play Duration Milliseconds"),
        columns={"played_at": "Event Start Timestamp", "ms_played": "Play Duration Milliseconds"},
    ),
    Export(
        "YouTube",
        Role.LEFT_ALONE,
        ("header", "title", "titleUrl", "time"),
        reason="it does not say which of its videos are songs",
    ),
    Export("plays", Role.HISTORY, ("played_at", "track_name")),
    Export("plays of users", Role.PLAYLISTS, ("user_id", "track_id", "playcount"), columns={"playlist": "user_id"}),
    Export("plays of users", Role.PLAYLISTS, ("user_id", "song_id", "listen_count"), columns={"playlist": "user_id"}),
    Export(
        "TuneMyMusic",
        Role.PLAYLISTS,
        ("Track name", "Playlist name", "Type"),
        columns={"playlist": "Playlist name", "id": "Spotify - id"},
        kinds="Type",
    ),
    Export("Soundiiz", Role.PLAYLISTS, ("title", "artist", "addedDate"), columns={"id": "url"}, one_playlist=True),
    Export("Exportify", Role.PLAYLISTS, ("Track URI", "Artist Name(s)", "Added At"), one_playlist=True),
    Export("Spotify Web API", Role.PLAYLISTS, ("added_at", "track.artists"), kinds="track.type", one_playlist=True),
    Export(
        "Spotify Web API",
        Role.PLAYLISTS,
        ("added_at", "item.artists", "item.type"),
        kinds="item.type",
        one_playlist=True,
    ),
    Export("ReccoBeats", Role.SONGS, ("id", "href"), lacks=("uri",), columns={"id": "href"}),
    Export(
        "URIs of Spotify",
        Role.PLAYLISTS,
        ("track_uri",),
        lacks=("track_name", "name", "title", *FEATURES),
        one_playlist=True,
    ),
    Export("playlist", Role.PLAYLISTS, ("added_at",), lacks=("playlist_id", "playlist_name"), one_playlist=True),
    Export("rekordbox", Role.PLAYLISTS, ("Track Title", "Date Added"), one_playlist=True),
    Export("Apple Music", Role.PLAYLISTS, ("Name", "Artist", "Date Modified", "Plays"), one_playlist=True),
    Export(
        "account data of Spotify",
        Role.PLAYLISTS,
        ("track.trackName", "track.artistName"),
        columns={
            "id": "track.trackUri",
            "name": "track.trackName",
            "artists": "track.artistName",
            "album": "track.albumName",
        },
        not_songs={"episode.episodeName": "podcast episodes", "audiobook.audiobookName": "audiobooks"},
    ),
    Export(
        "iTunes or Music",
        Role.PLAYLISTS,
        ("Name", "Total Time"),
        lacks=("AverageBpm", "Tonality", "Track ID"),
        not_songs={
            "Podcast": "podcasts",
            "Audiobook": "audiobooks",
            "Movie": "videos",
            "TV Show": "videos",
            "Has Video": "videos",
        },
    ),
    Export("artists", Role.LEFT_ALONE, ("name", "followers"), lacks=_SONG, reason=ARTISTS),
    Export("artists", Role.LEFT_ALONE, ("name", "followers.total"), lacks=_SONG, reason=ARTISTS),
    Export("artists", Role.LEFT_ALONE, ("artist_id", "artist_name"), lacks=_TITLE, reason=ARTISTS),
    Export("artists", Role.LEFT_ALONE, ("name",), lacks=_SONG, file="artist", reason=ARTISTS),
    Export("albums", Role.LEFT_ALONE, ("name", "total_tracks"), lacks=FEATURES, reason=ALBUMS),
    Export("albums", Role.LEFT_ALONE, ("name",), lacks=FEATURES, file="albums", reason=ALBUMS),
    Export(
        "genres",
        Role.LEFT_ALONE,
        ("genre_id", "title"),
        lacks=("track_id", "artist", "artists", "artist_name"),
        reason="its rows are genres, not songs",
    ),
    Export("podcasts", Role.LEFT_ALONE, ("podcastName", "episodeName"), reason="podcasts are not songs"),
)
SONGS, PLAYLISTS, UNKNOWN = (
    Export("", role, ()) for role in (Role.SONGS, Role.PLAYLISTS, Role.LEFT_ALONE)
)  # of tables that are no known export


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a table is.

    export : which export
    columns : which headers mean what; None if it is left alone
    entries : of the columns in ``ENTRY_SYNONYMS``, those that it has -> their positions
    reason : why it is left alone
    """

    export: Export
    columns: ColumnMapping | None
    entries: Mapping[str, int]
    reason: str


def recognise(headers: Sequence[str], overrides: Mapping[str, str], table: str) -> Recognition:
    """Find what a table is.

    overrides : canonical name -> header, as the user says
    table : its name, for messages
    """
    keys = [normalize_header(header) for header in headers]
    export = next((export for export in EXPORTS if _fits(export, keys, table)), None)
    named = {name: header for name, header in export.columns.items() if has_header(headers, header)} if export else {}
    entries = {name: place for name in ENTRY_SYNONYMS if (place := _entry_position(name, keys, named)) is not None}
    if export and export.role == Role.LEFT_ALONE:
        return Recognition(export, None, {}, export.reason)
    songs = {name: header for name, header in named.items() if name not in ENTRY_SYNONYMS}
    try:
        columns = match_headers(headers, {**songs, **overrides}, table)
    except SourceError as error:
        return Recognition(UNKNOWN, None, {}, str(error).removeprefix(f"{table}, "))
    if export and export.role == Role.HISTORY:
        columns = replace(columns, extra={})  # where and when one play of a song was says nothing of the song
    if export is None:
        has_sound = any(name in columns.positions for name in FEATURES)
        export = PLAYLISTS if "playlist" in entries and not has_sound else SONGS
    return Recognition(export, columns, entries, "")


def _fits(export: Export, keys: Sequence[str], table: str) -> bool:
    return (
        all(normalize_header(header) in keys for header in export.headers)
        and not any(normalize_header(header) in keys for header in export.lacks)
        and export.file in table.rpartition(": ")[2].lower()
    )


def _entry_position(name: str, keys: Sequence[str], named: Mapping[str, str]) -> int | None:
    wanted = (named[name],) if name in named else ENTRY_SYNONYMS[name]
    return next((keys.index(key) for key in map(normalize_header, wanted) if key in keys), None)
