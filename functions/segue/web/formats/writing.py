"""An answer's songs as the text of a file; each function takes the answer as JSON has it."""

import csv as tables
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

LISTS = ("songs", "recommendations")  # fields that hold an answer's songs
COLUMNS = (
    "position", "rank", "row", "id", "name", "artists", "album", "x", "y", "score", "step", "energy", "tempo", "key",
    "curve", "match", "cluster", "genres", "popularity", "explicit", "duration_ms", "uri", "link",
)  # fmt: skip
ALWAYS = ("id", "name", "artists", "album", "cluster", "genres", "popularity", "explicit", "duration_ms", "uri")
NAMED = 3  # seeds in a title
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")

Body = Mapping[str, Any]


def csv(body: Body) -> str:
    """A table (RFC 4180); several artists or genres have semicolons between.

    What a spreadsheet could take for a formula begins with an apostrophe.
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    songs = list(_songs(body))
    columns = [name for name in COLUMNS if name in ALWAYS or any(name in song for song in songs)]
    text = io.StringIO()
    rows = tables.writer(text)
    rows.writerow(columns)
    rows.writerows([_cell(song.get(name)) for name in columns] for song in songs)
    return text.getvalue()


def m3u8(body: Body) -> str:
    """A playlist for players, in UTF-8; lengths are in seconds, -1 where unknown."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_on_one_line(_title(body))}"]
    for song in _songs(body):
        seconds = -1 if song["duration_ms"] is None else round(song["duration_ms"] / 1000)
        said = " - ".join(part for part in (", ".join(song["artists"]), song["name"]) if part)
        lines += [f"#EXTINF:{seconds},{_on_one_line(said)}", song["uri"]]
    return "\n".join([*lines, ""])


def jspf(body: Body) -> str:
    """A playlist as JSON; durations are in milliseconds."""
    playlist = {"title": _title(body), "track": [_track(song) for song in _songs(body)]}
    return json.dumps({"playlist": playlist}, ensure_ascii=False, separators=(",", ":"))


def uris(body: Body) -> str:
    """Spotify's URIs, one a line, which Spotify's own programs take as they are pasted."""
    return "".join(f"{song['uri']}\r\n" for song in _songs(body))


def _songs(body: Body) -> Iterator[dict[str, Any]]:
    for song in next(body[name] for name in LISTS if name in body):
        if song:  # an id that was asked for may name none
            yield {**song, "uri": f"spotify:track:{song['id']}"}


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        value = ";".join(value)
    if isinstance(value, dict):
        value = value["name"]
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _track(song: Mapping[str, Any]) -> dict[str, Any]:
    facts = {
        "identifier": [song["uri"]],
        "location": [song["link"]] if "link" in song else None,
        "title": song["name"],
        "creator": ", ".join(song["artists"]),
        "album": song["album"],
        "duration": song["duration_ms"],
    }
    return {name: value for name, value in facts.items() if value is not None}


def _title(body: Body) -> str:
    """What a list is called after: its seeds, or the artist or cluster whose songs it holds."""
    if "seeds" not in body:
        return str(body.get("name", "Songs"))
    named = [_seed(seed) for seed in body["seeds"]]
    return ", ".join(named[:NAMED]) + (" ..." if len(named) > NAMED else "")


def _seed(seed: Mapping[str, Any]) -> str:
    if "name" in seed:
        return str(seed["name"])
    kind, value = next(iter(seed["asked"].items()))
    return f"cluster {value}" if kind == "cluster" else str(value) if isinstance(value, str) else "a sound"


def _on_one_line(text: str) -> str:
    return _CONTROLS.sub(" ", text)
