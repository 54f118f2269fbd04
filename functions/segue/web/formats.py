"""Lists of songs as JSON, CSV, M3U8, JSPF or URIs: which format a request wants, and how each is written.

The parameter ``format`` decides, or else the header ``Accept``.
"""

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from segue.dialects import json_response
from segue.errors import Fault, HttpError, InvalidQuery
from segue.query.validation import unknown_name_message

FORMAT_PARAMETER = "format"
SONG_FIELDS = ("songs", "recommendations")  # fields that hold an answer's songs
CSV_COLUMNS = (
    "position", "rank", "row", "id", "name", "artists", "album", "x", "y", "score", "step", "energy", "tempo", "key",
    "curve", "match", "cluster", "genres", "popularity", "explicit", "duration_ms", "uri", "link",
)  # fmt: skip
REQUIRED_COLUMNS = (
    "id", "name", "artists", "album", "cluster", "genres", "popularity", "explicit", "duration_ms", "uri",
)  # fmt: skip
MAX_SEEDS_IN_TITLE = 3
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of lists.

    name : in a URL
    mimetype : of the responses
    aliases : further types that are accepted in ``Accept``
    suffix : of file names
    write : the text of a file; None for JSON
    """

    name: str
    mimetype: str
    aliases: tuple[str, ...] = ()
    suffix: str = ""
    write: Callable[[Body], str] | None = None


def requested_format(request: Request) -> Format:
    """The format that a request asks for.

    Raises
    ------
    InvalidQuery
        the URL names an unknown format.
    HttpError
        the header accepts none of them.

    """
    named = request.args.getlist(FORMAT_PARAMETER)
    if not named:
        return _negotiated(request)
    by_name = {known.name: known for known in FORMATS}
    if len(named) > 1:
        raise InvalidQuery([Fault(f"/{FORMAT_PARAMETER}", "given more than once")])
    if named[0] not in by_name:
        raise InvalidQuery(
            [Fault(f"/{FORMAT_PARAMETER}", unknown_name_message(FORMAT_PARAMETER, named[0], list(by_name)))]
        )
    return by_name[named[0]]


def _negotiated(request: Request) -> Format:
    """The format that ``Accept`` prefers; of equals the first of ours (RFC 9110, section 12.5.1)."""
    accepted = request.accept_mimetypes
    if not accepted:
        return JSON
    best = max(FORMATS, key=lambda known: max(map(accepted.quality, (known.mimetype, *known.aliases))))
    if not any(map(accepted.quality, (best.mimetype, *best.aliases))):
        available = ", ".join(f"{known.mimetype} (?{FORMAT_PARAMETER}={known.name})" for known in FORMATS)
        raise HttpError(406, f"lists of songs come as {available}")
    return best


def list_response(wanted: Format, body: Mapping[str, Any]) -> Response:
    """A response that holds a list of songs, in a format."""
    if wanted.write is None:
        response = json_response(body)
    else:
        content = wanted.write(body).encode("utf-8", "replace")
        disposition = {"Content-Disposition": f'attachment; filename="segue.{wanted.suffix}"'}
        response = Response(content, headers=disposition, mimetype=wanted.mimetype)
    response.headers.add("Vary", "Accept")
    return response


def write_csv(body: Body) -> str:
    """A table (RFC 4180); several artists or genres are separated by semicolons.

    An apostrophe precedes what a spreadsheet could take for a formula.
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    import csv  # few callers need it

    songs = list(_songs(body))
    columns = [name for name in CSV_COLUMNS if name in REQUIRED_COLUMNS or any(name in song for song in songs)]
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(columns)
    rows.writerows([_csv_value(song.get(name)) for name in columns] for song in songs)
    return text.getvalue()


def write_m3u8(body: Body) -> str:
    """A playlist for players, in UTF-8; lengths are in seconds, -1 where unknown."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_single_line(_list_title(body))}"]
    for song in _songs(body):
        seconds = -1 if song["duration_ms"] is None else round(song["duration_ms"] / 1000)
        label = " - ".join(part for part in (", ".join(song["artists"]), song["name"]) if part)
        lines += [f"#EXTINF:{seconds},{_single_line(label)}", song["uri"]]
    return "\n".join([*lines, ""])


def write_jspf(body: Body) -> str:
    """A playlist as JSON; durations are in milliseconds."""
    playlist = {"title": _list_title(body), "track": [_jspf_track(song) for song in _songs(body)]}
    return json.dumps({"playlist": playlist}, ensure_ascii=False, separators=(",", ":"))


def write_uris(body: Body) -> str:
    """Spotify's URIs, one per line, which can be pasted into Spotify's own apps."""
    return "".join(f"{song['uri']}\r\n" for song in _songs(body))


def _songs(body: Body) -> Iterator[dict[str, Any]]:
    for song in next(body[name] for name in SONG_FIELDS if name in body):
        if song:  # null stands for an unknown id
            yield {**song, "uri": f"spotify:track:{song['id']}"}


def _csv_value(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        value = ";".join(value)
    if isinstance(value, dict):
        value = value["name"]
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _jspf_track(song: Mapping[str, Any]) -> dict[str, Any]:
    facts = {
        "identifier": [song["uri"]],
        "location": [song["link"]] if "link" in song else None,
        "title": song["name"],
        "creator": ", ".join(song["artists"]),
        "album": song["album"],
        "duration": song["duration_ms"],
    }
    return {name: value for name, value in facts.items() if value is not None}


def _list_title(body: Body) -> str:
    """The title of a list: its seeds, or the artist or cluster whose songs it holds."""
    if "seeds" not in body:
        return str(body.get("name", "Songs"))
    titles = [_seed_title(seed) for seed in body["seeds"]]
    return ", ".join(titles[:MAX_SEEDS_IN_TITLE]) + (" ..." if len(titles) > MAX_SEEDS_IN_TITLE else "")


def _seed_title(seed: Mapping[str, Any]) -> str:
    if "name" in seed:
        return str(seed["name"])
    kind, value = next(iter(seed["asked"].items()))
    return f"cluster {value}" if kind == "cluster" else str(value) if isinstance(value, str) else "a sound"


def _single_line(text: str) -> str:
    return _CONTROLS.sub(" ", text)


JSON = Format("json", "application/json")
FORMATS = (
    JSON,
    Format("csv", "text/csv", (), "csv", write_csv),  # RFC 4180
    Format(
        "m3u8",
        "application/vnd.apple.mpegurl",  # RFC 8216, section 4
        ("audio/mpegurl", "audio/x-mpegurl", "application/x-mpegurl", "application/mpegurl"),
        "m3u8",
        write_m3u8,
    ),
    Format("jspf", "application/jspf+json", (), "jspf", write_jspf),  # https://www.xspf.org/jspf
    Format("uris", "text/uri-list", ("text/plain",), "txt", write_uris),  # RFC 2483, section 5
)
