"""Reads tables of records: JSON, the libraries and playlists of players in XML, and M3U playlists.

A record is a mapping of names to values, and a table has a column for each name that occurs in any of them. Records
in a playlist have its name in the column ``playlist``.
"""

import itertools
import json
import plistlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

import defusedxml.ElementTree

from segue.errors import SourceError
from segue_build.sources.formats.base import BLOCK_BYTES, Content, Table, iter_chunks, translate_errors
from segue_build.sources.formats.text import detect_encoding, encoding_label

MAX_OBJECT_LENGTH = 1 << 27  # characters of one object
MAX_XML_BYTES = 1 << 29  # bytes of a library that is held in memory
BYTES_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"  # byte order marks, spaces, every second byte of UTF-16
MAX_FIELD_DEPTH = 4  # levels of nested objects whose fields become columns: {"track": {"album": {"name": ..}}}
MAX_SEARCH_DEPTH = 6  # levels of nested objects among which arrays are searched for
EXPECTED_JSON = 'expected one array of objects, [{"name": ..}, ..], or one object per line'
HELD_RECORDS = 20_000  # of a file of more, the records are read twice: which columns it has only its end shows
SAMPLED_VALUES = 20  # values of a file by which the array is found
# Where the songs are in documents that hold more than one array; elsewhere the longest array of objects counts.
JSPF_ARRAY = "playlist.track[]"
JSON_ARRAYS = (
    "playlists[].tracks[]",  # Million Playlist Dataset
    "playlists[].items[]",  # account data of Spotify
    JSPF_ARRAY,
    "payload.listens[]",  # ListenBrainz
    "tracks.items[]",  # a playlist of Spotify's Web API
    "tracks.data[]",  # a playlist of Deezer's API
    "tracks[]",
    "items[]",
    "[].tracks[]",
    "[].items[]",
)
RECORD_KEYS = {"track_metadata", "track_name", "trackName"}  # of an object that is a record, if it is the only one
PLAYLIST = "playlist"
XML_ERRORS = (ParseError, ExpatError, ValueError, LookupError, AttributeError, TypeError)
XSPF_FIELDS = ("title", "creator", "album", "duration", "identifier", "location")
M3U_TAGS = {"#EXTALB": "album", "#EXTART": "artist", "#EXTGENRE": "genre"}
NOTES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
Record = dict[str, Any]
_GAP = re.compile(r"[\s,\[\]\ufeff]*")
# Numbers stay as they are written; NaN and Infinity, which JSON does not have, are missing values.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda _: "")


def read_json(content: Content) -> Table:
    """Read a table of objects; every field of any object is a column, in the order in which they first occur.

    The objects are the items of an array, one per line, or those of an array inside a document, see ``JSON_ARRAYS``.
    Fields of nested objects are columns of their own, ``album.name``. A list is a list of names: of texts, or of
    objects that have a name.

    Raises
    ------
    SourceError
        it is not JSON, or does not hold objects; the message names the line.

    """
    codec = detect_encoding(content)
    path = _find_array(list(itertools.islice(_iter_values(content, codec), SAMPLED_VALUES)), content)

    def records() -> Iterator[Record]:
        values = _iter_objects(content, codec)
        root = values if path.startswith("[]") else next(values)
        for item, playlist in _expand(root, path, _playlist_name(root), Counter()):
            record = dict(_flatten(item, "", MAX_FIELD_DEPTH))
            yield {PLAYLIST: playlist, **record} if playlist else record

    where = "" if path == "[]" else f" ({path.removesuffix('[]')})"
    format_name = f"JSON{where}, {encoding_label(codec)}"
    return _records_table(content, format_name, records, is_playlist=path == JSPF_ARRAY)


def _records_table(
    content: Content, format_name: str, records: Callable[[], Iterator[Record]], *, is_playlist: bool = False
) -> Table:
    """A table of records, which are read once for the headers, and again if they are more than are held.

    is_playlist : whether the file is a playlist, which has the file's name if it has none of its own
    """

    def read() -> Iterator[Record]:
        stem = PurePosixPath(content.name.rpartition(": ")[2]).stem
        return ({PLAYLIST: stem, **record} for record in records()) if is_playlist else records()

    reading = read()
    held = list(itertools.islice(reading, HELD_RECORDS))
    is_all = len(held) < HELD_RECORDS
    headers = list(dict.fromkeys(itertools.chain.from_iterable(itertools.chain(held, reading))))
    if not headers:
        raise SourceError(f"{content.name}: no song and no playlist in it; is it the file that you mean?")
    rows = ([_to_cell(record.get(header)) for header in headers] for record in (held if is_all else read()))
    return Table(content.name, format_name, headers, iter_chunks(content, rows, len(headers), 2))


def _find_array(values: Sequence[Any], content: Content) -> str:
    """The path of the array whose objects are the records.

    values : the first of the file; a document is a single one
    """
    is_record = len(values) == 1 and isinstance(values[0], dict) and not RECORD_KEYS.isdisjoint(values[0])
    is_document = len(values) == 1 and not is_record and content.head().lstrip(BYTES_BEFORE_TEXT).startswith(b"{")
    root = values[0] if is_document else [value for value in values if isinstance(value, dict)]
    for path in JSON_ARRAYS:
        if path.startswith("[]") != is_document and next(_expand(root, path, "", Counter()), None):
            return path
    if not is_document:
        return "[]"
    lengths = dict(_array_lengths(root, "", MAX_SEARCH_DEPTH))
    if not lengths:
        raise SourceError(f"{content.name}: only one object in it; {EXPECTED_JSON}")
    return max(lengths, key=lambda path: lengths[path])


def _array_lengths(value: Any, path: str, max_depth: int) -> Iterator[tuple[str, int]]:
    """The arrays of objects in nested objects."""
    for key, inner in value.items():
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            yield f"{path}{key}[]", len(inner)
        elif isinstance(inner, dict) and max_depth > 1:
            yield from _array_lengths(inner, f"{path}{key}.", max_depth - 1)


def _expand(value: Any, path: str, playlist: str, names: Counter[str]) -> Iterator[tuple[Record, str]]:
    """The objects of an array, and the name of the playlist in which each is, if any.

    path : keys that lead to arrays, ``a.b[].c[]``
    names : how often the name of each playlist occurred
    """
    keys, _, further = path.partition("[]")
    for key in filter(None, keys.split(".")):
        value = value.get(key) if isinstance(value, dict) else None
        playlist = _playlist_name(value) or playlist
    for item in value if isinstance(value, Iterable) else ():
        if isinstance(item, dict) and not further:
            yield item, playlist
        elif isinstance(item, dict):
            name = _playlist_name(item)
            names[name] += 1
            number = f" ({names[name]})" if name and names[name] > 1 else ""
            yield from _expand(item, further, f"{name}{number}" or playlist, names)


def _playlist_name(value: Any) -> str:
    found = value if isinstance(value, dict) else {}
    return next((found[key] for key in ("pid", "name", "title") if isinstance(found.get(key), str)), "")


def _iter_objects(content: Content, codec: str) -> Iterator[Record]:
    for number, value in enumerate(_iter_values(content, codec), 1):
        if not isinstance(value, dict):
            raise SourceError(
                f"{content.name}, value {number}: {str(value)[:40]!r} is not an object; {EXPECTED_JSON}"
            )
        yield value


def _iter_values(content: Content, codec: str) -> Iterator[Any]:
    """The values one by one, whether they are items of an array, of its pages, or lines; only one is held as text."""
    buffer, position, line, depth = "", 0, 1, 0
    with content.path.open(encoding=codec) as file:
        while True:
            gap = _GAP.match(buffer, position)[0]  # type: ignore[index] # it matches everywhere
            depth, position = depth + gap.count("[") - gap.count("]"), position + len(gap)
            try:
                value, position = _DECODER.raw_decode(buffer, position)
            except (json.JSONDecodeError, RecursionError) as error:  # unless the value continues in the next block
                line, buffer, position = line + buffer.count("\n", 0, position), buffer[position:], 0
                more = file.read(max(BLOCK_BYTES, len(buffer))) if len(buffer) < MAX_OBJECT_LENGTH else ""
                if not more and (buffer or depth):
                    why = (
                        f"not JSON, or cut off ({error})"
                        if buffer
                        else "the array is not closed: the file is cut off"
                    )
                    raise SourceError(f"{content.name}, line {line}: {why}; {EXPECTED_JSON}") from error
                if not more:
                    return
                buffer += more
            else:
                yield value


def _flatten(found: Record, prefix: str, max_depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if isinstance(value, dict) and max_depth > 1:
            yield from _flatten(value, f"{prefix}{name}.", max_depth - 1)
        elif value is not None:
            yield f"{prefix}{name}", value


def _to_cell(value: Any) -> str | list[str]:
    """A cell as in CSV, except that lists stay lists."""
    if type(value) is str:
        return value
    if isinstance(value, list):
        return [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in value]
    return "" if value is None else str(value)


class Library(NamedTuple):
    """Where a player writes its tracks and playlists, as paths of ElementTree.

    keys : attributes that together are what playlists call a track, any of several; a child's as ``LOCATION.FILE``
    entries : path from a playlist
    fields : attribute of a track or of a child -> column; if there are none, each attribute of a track is a column
    tones : how it writes musical keys -> how people do
    """

    tracks: str
    keys: Sequence[Sequence[str]]
    playlists: str
    entries: str
    fields: Mapping[str, str] = {}
    tones: Mapping[str, str] = {}


REKORDBOX = Library("COLLECTION/TRACK", [["TrackID"], ["Location"]], ".//NODE[@Type='1']", "TRACK")
TRAKTOR = Library(
    "COLLECTION/ENTRY",
    [["LOCATION.VOLUME", "LOCATION.DIR", "LOCATION.FILE"]],
    ".//NODE[@TYPE='PLAYLIST']",
    "PLAYLIST/ENTRY/PRIMARYKEY",
    {
        "TITLE": "title",
        "ARTIST": "artist",
        "ALBUM.TITLE": "album",
        "INFO.GENRE": "genre",
        "INFO.LABEL": "label",
        "INFO.PLAYTIME": "duration_s",
        "INFO.PLAYTIME_FLOAT": "duration_s",
        "INFO.RELEASE_DATE": "release_date",
        "TEMPO.BPM": "bpm",
        "MUSICAL_KEY.VALUE": "key",
    },
    {
        str(number): tone
        for number, tone in enumerate(f"{note} {mode}" for mode in ("major", "minor") for note in NOTES)
    },
)


def read_xml(content: Content) -> Table:
    """Read the library or playlist of a player.

    Raises
    ------
    SourceError
        it is XML of another kind, damaged, or declares entities.

    """
    tag = next((tag for tag in XML_KINDS if f"<{tag}".encode() in content.head()), None)
    if tag is None:
        known = ", ".join(name for name, _ in XML_KINDS.values())
        raise SourceError(f"{content.name}: this is a web page or XML, not a table; of XML, Segue reads: {known}")
    name, read = XML_KINDS[tag]
    with translate_errors(content.name, name, XML_ERRORS), content.path.open("rb") as file:
        records = list(read(file.read(MAX_XML_BYTES)))
    return _records_table(content, name, partial(iter, records), is_playlist=read is _xspf_records)


def _library_records(library: Library, xml: bytes) -> Iterator[Record]:
    """All tracks, then those of each playlist."""
    root, tracks = defusedxml.ElementTree.fromstring(xml), dict[str, Record]()
    for element in root.iterfind(library.tracks):
        values = {f"{child.tag}.{name}": value for child in reversed(element) for name, value in child.items()}
        values |= element.attrib
        fields = library.fields or {name: name for name in element.attrib if [name] not in library.keys}
        record = {column: values[name] for name, column in fields.items() if values.get(name)}
        if library.tones:
            record["key"] = library.tones.get(record.get("key", ""), "")
        tracks |= {"".join(values.get(name, "") for name in names): record for names in library.keys}
        yield record
    for node in root.iterfind(library.playlists):
        entries = [entry.get("Key", entry.get("KEY", "")) for entry in node.iterfind(library.entries)]
        yield from _in_playlist(node.get("Name", node.get("NAME", "")), entries, tracks)


def _itunes_records(xml: bytes) -> Iterator[Record]:
    """A library, without the playlists of the player itself; its numbers of tracks are no ids elsewhere."""
    library = plistlib.loads(xml)
    tracks = {
        number: {name: value for name, value in track.items() if name != "Track ID"}
        for number, track in library["Tracks"].items()
    }
    yield from tracks.values()
    for playlist in library.get("Playlists", ()):
        if not playlist.keys() & {"Master", "Distinguished Kind", "Folder"}:
            numbers = [str(item.get("Track ID")) for item in playlist.get("Playlist Items", ())]
            yield from _in_playlist(playlist.get("Name", ""), numbers, tracks)


def _in_playlist(name: str, entries: Iterable[str], tracks: Mapping[str, Record]) -> Iterator[Record]:
    return ({**tracks[entry], PLAYLIST: name} for entry in entries if entry in tracks)


def _xspf_records(xml: bytes) -> Iterator[Record]:
    root = defusedxml.ElementTree.fromstring(xml)
    for track in root.iterfind("{*}trackList/{*}track"):
        found = {name: track.findtext(f"{{*}}{name}") for name in XSPF_FIELDS} | {PLAYLIST: root.findtext("{*}title")}
        yield {name: value.strip() for name, value in found.items() if value and value.strip()}


XML_KINDS: dict[str, tuple[str, Callable[[bytes], Iterator[Record]]]] = {
    "plist": ("library of iTunes or Music", _itunes_records),
    "DJ_PLAYLISTS": ("rekordbox collection", partial(_library_records, REKORDBOX)),
    "NML": ("Traktor collection", partial(_library_records, TRAKTOR)),
    "playlist": ("XSPF playlist", _xspf_records),
}


def read_m3u(content: Content) -> Table:
    """Read a playlist of lines: what ``#EXTINF`` says of a song, then where it is."""
    codec = detect_encoding(content)
    format_name = f"M3U, {encoding_label(codec)}"
    return _records_table(content, format_name, partial(_iter_m3u_records, content, codec), is_playlist=True)


def _iter_m3u_records(content: Content, codec: str) -> Iterator[Record]:
    song, playlist = Record(), Record()
    with content.path.open(encoding=codec) as lines:
        for line in map(str.strip, lines):
            tag, _, text = line.partition(":")
            if tag == "#EXTINF":
                song["duration_s"], _, song["label"] = text.partition(",")
            elif tag in M3U_TAGS:
                song[M3U_TAGS[tag]] = text.strip()
            elif tag == "#PLAYLIST":
                playlist = {PLAYLIST: text.strip()}
            elif line and not line.startswith("#"):
                yield _m3u_song(line, **song) | playlist
                song = {}


def _m3u_song(place: str, label: str = "", duration_s: str = "", **found: str) -> Record:
    """A song by its label, "Artist - Title", else by the name of its file."""
    artist, dash, title = (label.strip() or PurePosixPath(place.replace("\\", "/")).stem).partition(" - ")
    duration = {"duration_s": duration_s.partition(" ")[0]} if not duration_s.startswith("-") else {}  # unknown
    uri = {"uri": place} if place.startswith(("spotify:", "https://open.spotify.com/")) else {}
    return {"artist": artist if dash else "", "title": title if dash else artist, **duration, **uri, **found}
