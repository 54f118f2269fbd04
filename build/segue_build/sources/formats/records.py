"""Reads tables of records: JSON, the libraries and playlists of players in XML, and M3U playlists.

A record is a mapping of names to values, and a table has a column for each name that occurs in any of them. Records
in a playlist have its name in the column ``playlist``.
"""

import io
import itertools
import json
import plistlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import ExpatError

import defusedxml.ElementTree

from segue.errors import SourceError
from segue_build.sources.formats.base import Content, Table, iter_chunks, translate_errors
from segue_build.sources.formats.text import detect_encoding, encoding_label, iter_decoded

MAX_OBJECT_LENGTH = 1 << 27  # characters of one object
MAX_TEXT = 1 << 20  # characters of one text; an error that is farther from the end of what was read is one
MAX_XML_BYTES = 1 << 29  # bytes of a library that is held in memory
BYTES_BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"  # byte order marks, spaces, every second byte of UTF-16
MAX_FIELD_DEPTH = 4  # levels of nested objects whose fields become columns: {"track": {"album": {"name": ..}}}
MAX_SEARCH_DEPTH = 6  # levels of nested objects among which arrays are searched for
EXPECTED_JSON = 'expected one array of objects, [{"name": ..}, ..], or one object per line'
HELD_RECORDS = 20_000  # of a file of more, the records are read twice: which columns it has only its end shows
SAMPLED_VALUES = 20  # values of a file by which the array is found
# Where the songs are in documents that hold more than one array; elsewhere the longest array of objects counts.
PLAYLIST_ARRAYS = ("playlist.track[]",)  # of files that are one playlist each
JSON_ARRAYS = (
    "playlists[].tracks[]",  # Million Playlist Dataset
    "playlists[].items[]",  # account data of Spotify
    "playlist.track[]",  # JSPF
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
TRAKTOR_KEYS = [f"{note} {mode}" for mode in ("major", "minor") for note in
                ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")]  # fmt: skip
Record = dict[str, Any]
_GAP = re.compile(r"[\s,\ufeff]*")
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
    reading = _iter_values(content, codec)
    sample = list(itertools.islice(reading, SAMPLED_VALUES))
    path, begun = _find_array(sample, content), [itertools.chain(sample, reading)]

    def records() -> Iterator[Record]:
        values = begun.pop() if begun else _iter_values(content, codec)
        root = _check_objects(values, content.name) if path.startswith("[]") else next(values)
        fallback = _stem(content) if path in PLAYLIST_ARRAYS else ""
        for item, playlist in _expand(root, _steps(path), _playlist_name(root) or fallback, Counter()):
            record = dict(_flatten(item, "", MAX_FIELD_DEPTH))
            yield {**record, PLAYLIST: playlist} if playlist and PLAYLIST not in record else record

    where = "" if path == "[]" else f" ({path.removesuffix('[]')})"
    return _records_table(content, f"{'JSON'}{where}, {encoding_label(codec)}", records)


def _records_table(content: Content, format_name: str, records: Callable[[], Iterator[Record]]) -> Table:
    """A table of records, which are read once for the headers, and again if they are more than are held."""
    reading = records()
    held = list(itertools.islice(reading, HELD_RECORDS))
    is_all = len(held) < HELD_RECORDS
    headers = dict.fromkeys(itertools.chain.from_iterable(itertools.chain(held, reading)))
    if not headers:
        raise SourceError(f"{content.name}: no song and no playlist in it; is it the file that you mean?")
    rows = ([_to_cell(record.get(header)) for header in headers] for record in (held if is_all else records()))
    return Table(content.name, format_name, list(headers), iter_chunks(content, rows, len(headers), 2))


def _find_array(values: Sequence[Any], content: Content) -> str:
    """The path of the array whose objects are the records.

    values : the first of the file; a document is a single one
    """
    is_record = len(values) == 1 and isinstance(values[0], dict) and not RECORD_KEYS.isdisjoint(values[0])
    is_document = len(values) == 1 and not is_record and content.head().lstrip(BYTES_BEFORE_TEXT).startswith(b"{")
    root = values[0] if is_document else [value for value in values if isinstance(value, dict)]
    for path in JSON_ARRAYS:
        if path.startswith("[]") != is_document and next(_expand(root, _steps(path), "", Counter()), None):
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


def _steps(path: str) -> list[list[str]]:
    """The keys that lead to each array of a path: ``a.b[].c[]`` -> ``[["a", "b"], ["c"]]``."""
    return [[key for key in keys.split(".") if key] for keys in path.removesuffix("[]").split("[]")]


def _expand(
    value: Any, steps: Sequence[Sequence[str]], playlist: str, names: Counter[str]
) -> Iterator[tuple[Record, str]]:
    """The objects of an array, and the name of the playlist in which each is, if any.

    names : how often the name of each playlist occurred
    """
    for key in steps[0]:
        if not isinstance(value, dict):
            return
        value = value.get(key)
        playlist = _playlist_name(value) or playlist
    for item in value if isinstance(value, Iterable) else ():
        if isinstance(item, dict) and len(steps) == 1:
            yield item, playlist
        elif isinstance(item, dict):
            name = _playlist_name(item)
            names[name] += 1
            number = f" ({names[name]})" if name and names[name] > 1 else ""
            yield from _expand(item, steps[1:], f"{name}{number}" or playlist, names)


def _playlist_name(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return next((str(value[key]) for key in ("pid", "name", "title") if isinstance(value.get(key), str)), "")


def _check_objects(values: Iterable[Any], table: str) -> Iterator[Record]:
    """The values, which must be objects, or arrays of them, as pages of an API."""
    for number, page in enumerate(values, 1):
        for value in page if isinstance(page, list) else [page]:
            if not isinstance(value, dict):
                found = repr(str(value)[:40])
                raise SourceError(f"{table}, value {number}: {found} is not an object; {EXPECTED_JSON}")
            yield value


def _iter_values(content: Content, codec: str) -> Iterator[Any]:
    """The values one by one; only the text of the current one is held in memory."""
    buffer, line, in_array, closed, enough = "", 1, False, False, 0
    for block in itertools.chain(iter_decoded(content, codec), [None]):
        buffer += block or ""
        if block is not None and len(buffer) < enough:
            continue  # doubling the text before a value is tried again keeps long ones from taking squared time
        position = _skip_gap(buffer, 0)
        if line == 1 and not in_array and buffer.startswith("[", position):
            in_array, position = True, position + 1
        while (position := _skip_gap(buffer, position)) < len(buffer):
            if in_array and buffer[position] == "]":
                closed, position = True, position + 1
                continue
            try:
                value, position = _DECODER.raw_decode(buffer, position)
            except (json.JSONDecodeError, RecursionError) as error:
                if block is None or _is_final(error, len(buffer) - position, len(buffer)):
                    line_number = line + buffer[:position].count("\n")
                    raise SourceError(
                        f"{content.name}, line {line_number}: not JSON, or cut off ({error}); {EXPECTED_JSON}"
                    ) from error
                break  # the value continues in the next block
            yield value
        line += buffer[:position].count("\n")
        buffer = buffer[position:]
        enough = 2 * len(buffer)
    if in_array and not closed:
        raise SourceError(
            f"{content.name}, line {line}: the array is not closed: the file is cut off; {EXPECTED_JSON}"
        )


def _is_final(error: Exception, length: int, end: int) -> bool:
    """Whether more text would not help: the error is not at the end, or a value is too long."""
    return not isinstance(error, json.JSONDecodeError) or length > MAX_OBJECT_LENGTH or error.pos < end - MAX_TEXT


def _skip_gap(text: str, position: int) -> int:
    return _GAP.match(text, position).end()  # type: ignore[union-attr] # it matches everywhere


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


def read_xml(content: Content) -> Table:
    """Read the library or playlist of a player.

    Raises
    ------
    SourceError
        it is XML of another kind, damaged, or declares entities.

    """
    kind = next((kind for tag, kind in XML_KINDS.items() if f"<{tag}".encode() in content.head()), None)
    if kind is None:
        known = ", ".join(name for name, _ in XML_KINDS.values())
        raise SourceError(f"{content.name}: this is a web page or XML, not a table; of XML, Segue reads: {known}")
    name, read = kind

    def records() -> Iterator[Record]:
        with content.path.open("rb") as file:
            yield from read(file.read(MAX_XML_BYTES))

    make = _playlist_table if read is _xspf_records else _records_table
    with translate_errors(content.name, name, XML_ERRORS):
        return make(content, name, records)


def _library(tracks: Mapping[str, Record], playlists: Iterable[tuple[str, Iterable[str]]]) -> Iterator[Record]:
    """All tracks, then those of each playlist.

    tracks : by what playlists call them
    playlists : names, and what their tracks are called
    """
    yield from tracks.values()
    for name, entries in playlists:
        yield from ({**tracks[entry], PLAYLIST: name} for entry in entries if entry in tracks)


def _itunes_records(data: bytes) -> Iterator[Record]:
    """A library, without the playlists of the player itself; its numbers of tracks are no ids elsewhere."""
    library = plistlib.loads(data)
    playlists = [
        (playlist.get("Name", ""), [str(item.get("Track ID")) for item in playlist.get("Playlist Items", ())])
        for playlist in library.get("Playlists", ())
        if not any(key in playlist for key in ("Master", "Distinguished Kind", "Folder"))
    ]
    tracks = {str(number): _without(track, "Track ID") for number, track in library["Tracks"].items()}
    return _library(tracks, playlists)


def _rekordbox_records(data: bytes) -> Iterator[Record]:
    root = _xml_root(data)
    tracks, numbers = {}, {}
    for element in root.iterfind("COLLECTION/TRACK"):
        number = element.get("TrackID", "")
        is_analysed = float(element.get("AverageBpm") or 0) > 0
        tracks[number] = _without(element.attrib, "TrackID", *([] if is_analysed else ["AverageBpm"]))
        numbers[element.get("Location", "")] = number
    playlists = [
        (node.get("Name", ""), [numbers.get(key, key) for key in (e.get("Key", "") for e in node.iterfind("TRACK"))])
        for node in root.iterfind("PLAYLISTS//NODE[@Type='1']")
    ]
    return _library(tracks, playlists)


def _traktor_records(data: bytes) -> Iterator[Record]:
    root = _xml_root(data)
    tracks = {}
    for entry in root.iterfind("COLLECTION/ENTRY"):
        place = _attributes(entry, "LOCATION")
        tracks["".join(place.get(part, "") for part in ("VOLUME", "DIR", "FILE"))] = _traktor_track(entry)
    playlists = [
        (node.get("NAME", ""), [key.get("KEY", "") for key in node.iterfind("PLAYLIST/ENTRY/PRIMARYKEY")])
        for node in root.iterfind("PLAYLISTS//NODE[@TYPE='PLAYLIST']")
    ]
    return _library(tracks, playlists)


def _traktor_track(entry: Element) -> Record:
    info, key = _attributes(entry, "INFO"), _attributes(entry, "MUSICAL_KEY").get("VALUE", "")
    found = {
        "title": entry.get("TITLE"),
        "artist": entry.get("ARTIST"),
        "album": _attributes(entry, "ALBUM").get("TITLE"),
        "genre": info.get("GENRE"),
        "label": info.get("LABEL"),
        "duration_s": info.get("PLAYTIME_FLOAT") or info.get("PLAYTIME"),
        "release_date": info.get("RELEASE_DATE"),
        "bpm": _attributes(entry, "TEMPO").get("BPM"),
        "key": TRAKTOR_KEYS[int(key)] if key.isdecimal() and int(key) < len(TRAKTOR_KEYS) else None,
    }
    return {name: value for name, value in found.items() if value}


def _without(found: Mapping[str, Any], *names: str) -> Record:
    return {name: value for name, value in found.items() if name not in names}


def _attributes(element: Element, child: str) -> dict[str, str]:
    found = element.find(child)
    return {} if found is None else dict(found.attrib)


def _xspf_records(data: bytes) -> Iterator[Record]:
    root = _xml_root(data)
    playlist = (root.findtext("{*}title") or "").strip()
    for track in root.iterfind("{*}trackList/{*}track"):
        found = {name: (track.findtext(f"{{*}}{name}") or "").strip() for name in XSPF_FIELDS} | {PLAYLIST: playlist}
        yield {name: value for name, value in found.items() if value}


def _xml_root(data: bytes) -> Element:
    return defusedxml.ElementTree.fromstring(data)


def read_m3u(content: Content) -> Table:
    """Read a playlist of lines: what ``#EXTINF`` says of a song, then where it is."""
    codec = detect_encoding(content)
    format_name = f"{'M3U'}, {encoding_label(codec)}"
    return _playlist_table(content, format_name, lambda: _iter_m3u_records(content, codec))


def _playlist_table(content: Content, format_name: str, records: Callable[[], Iterator[Record]]) -> Table:
    """A table of a file that is a playlist, which has the file's name if it has none of its own."""
    return _records_table(
        content, format_name, lambda: ({PLAYLIST: _stem(content), **record} for record in records())
    )


def _stem(content: Content) -> str:
    return PurePosixPath(content.name.rpartition(": ")[2]).stem


def _iter_m3u_records(content: Content, codec: str) -> Iterator[Record]:
    playlist = ""
    song: Record = {}
    for line in io.StringIO("".join(iter_decoded(content, codec))):
        tag, _, text = line.lstrip("\ufeff").strip().partition(":")
        if tag == "#EXTINF":
            seconds, _, label = text.partition(",")
            song |= {"duration_s": seconds.split()[0] if seconds.strip() else "", "label": label.strip()}
        elif tag in M3U_TAGS:
            song[M3U_TAGS[tag]] = text.strip()
        elif tag == "#PLAYLIST":
            playlist = text.strip()
        elif line.strip() and not line.startswith("#"):
            yield _m3u_song(song, line.strip()) | ({PLAYLIST: playlist} if playlist else {})
            song = {}


def _m3u_song(song: Record, place: str) -> Record:
    """A song by its label, "Artist - Title", else by the name of its file."""
    label = song.pop("label", "") or PurePosixPath(place.replace("\\", "/")).stem
    artist, dash, title = label.partition(" - ")
    if song.get("duration_s", "").startswith("-"):
        del song["duration_s"]  # unknown
    uri = {"uri": place} if place.startswith(("spotify:", "https://open.spotify.com/")) else {}
    return {"artist": artist if dash else "", "title": title if dash else label, **song, **uri}


XML_KINDS: dict[str, tuple[str, Callable[[bytes], Iterator[Record]]]] = {
    "plist": ("library of iTunes or Music", _itunes_records),
    "DJ_PLAYLISTS": ("rekordbox collection", _rekordbox_records),
    "NML": ("Traktor collection", _traktor_records),
    "playlist": ("XSPF playlist", _xspf_records),
}
