"""Songs, artists, genres and recommendations as the API writes them: JSON, and lists also as CSV, M3U8, JSPF or URIs.

The parameter ``format`` decides how a list is written, or else the header ``Accept``.
"""

import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from werkzeug.wrappers import Request, Response

from segue.catalog import Catalog
from segue.catalog.lookup.artists import ArtistMatch
from segue.catalog.lookup.exact import artist_id, artist_names, artist_names_by_song, read_song, spotify_url
from segue.catalog.lookup.matching import SongMatch
from segue.catalog.lookup.moods import Description
from segue.catalog.lookup.resolver import Reading
from segue.catalog.normalization import without_version
from segue.dialects import json_response
from segue.engine.recommendation import Answer, Recommendation
from segue.engine.seeds import ResolvedSeed
from segue.errors import Fault, HttpError, InvalidQuery, UnknownSongs
from segue.limits import SERIALIZED, charge
from segue.query.schema import unknown_name_message

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
# at the beginning of a cell, also where a spreadsheet takes semicolons, tabs or line breaks for its end
_FORMULA = re.compile(r"^(?=[\t\r\n])|(?:^|(?<=[;\t\r\n]))(?= *[=+\-@\uff1d\uff0b\uff0d\uff20])")
Body = Mapping[str, Any]


def song_summaries(catalog: Catalog, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Songs as lists show them, null for values that the table lacks; each column is read once."""
    charge(SERIALIZED, len(rows))
    indices = np.asarray(rows, np.int64)
    columns: dict[str, Iterable[object]] = {
        "id": catalog.texts("ids").take(indices),
        "name": catalog.texts("names").take(indices),
        "artists": artist_names_by_song(catalog, indices),
        "album": (album or None for album in catalog.texts("albums").take(indices)),
        "cluster": _cluster_references(catalog, indices),
        "genres": _genre_names(catalog, indices),
        "popularity": _whole_numbers(catalog, "popularity", indices),
        "explicit": (
            None if value is None else bool(value) for value in _whole_numbers(catalog, "explicit", indices)
        ),
        "duration_ms": _whole_numbers(catalog, "duration_ms", indices),
    }
    summaries = [dict(zip(columns, values)) for values in zip(*columns.values())]
    return [with_link(catalog, summary) for summary in summaries]


def with_link(catalog: Catalog, song: dict[str, Any]) -> dict[str, Any]:
    """A song with its address at Spotify, if its id is Spotify's."""
    link = spotify_url(catalog, song["id"])
    return {**song, "link": link} if link else song


def song_record(catalog: Catalog, row: int) -> dict[str, Any]:
    """All that is known about a song; dates of the source become texts, infinite numbers null."""
    known = {name: _finite_or_none(value) for name, value in read_song(catalog, row).items()}
    lists = {name: known[name] or [] for name in ("artists", "genres")}
    return {**known, **lists, "cluster": next(_cluster_references(catalog, np.array([row])))}


def _genre_names(catalog: Catalog, rows: np.ndarray) -> Iterator[list[str]]:
    names = catalog.manifest["genres"]
    return ([names[genre] for genre in genres] for genres in catalog.lists("song", "genres").take(rows))


def _cluster_references(catalog: Catalog, rows: np.ndarray) -> Iterator[dict[str, Any]]:
    """Ids and names of songs' clusters."""
    return ({"id": entry["id"], "name": entry["name"]} for entry in catalog.clusters_of(rows))


def recommendations(catalog: Catalog, found: Answer) -> dict[str, Any]:
    """The answer to ``/recommend``."""
    return {
        "seeds": seed_entries(catalog, found.seeds),
        "recommendations": _recommendation_entries(catalog, found.recommendations),
        "pool": found.pool._asdict(),
        "model": catalog.version,
    }


def _recommendation_entries(catalog: Catalog, found: Sequence[Recommendation]) -> list[dict[str, Any]]:
    summaries = song_summaries(catalog, [entry.row for entry in found])
    return [_recommendation_entry(rank, *both) for rank, both in enumerate(zip(found, summaries), 1)]


def _recommendation_entry(rank: int, found: Recommendation, summary: dict[str, Any]) -> dict[str, Any]:
    entry = list_entry("rank", rank, summary, {"score": found.score})
    if found.why:
        entry["why"] = found.why.as_json()
    return entry


def list_entry(name: str, number: int, summary: dict[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """A song in a list: its number, id, name, artists and album, then the facts, then the rest of its summary."""
    return {
        name: number,
        "id": summary["id"],
        "name": summary["name"],
        "artists": summary["artists"],
        "album": summary["album"],
        **facts,
        **summary,
    }


def seed_entries(catalog: Catalog, found: Sequence[ResolvedSeed]) -> list[dict[str, Any]]:
    """Seeds as they were understood."""
    return [_seed_entry(catalog, seed) for seed in found]


def _seed_entry(catalog: Catalog, seed: ResolvedSeed) -> dict[str, Any]:
    entry, match = {"asked": dict(seed.seed.given)}, seed.match
    if match is None:
        return {**entry, "songs": len(seed.rows)}
    return {
        **entry,
        **(song_reference(catalog, match.row) if match.row is not None else {}),
        **({"artist": catalog.texts("artists")[match.artist]} if match.artist is not None else {}),
        **({"songs": len(seed.rows)} if match.row is None else {}),
        "match": match.reading.kind,
        "understood": understood_as(catalog, match.reading),
        "ambiguous": match.ambiguous,
        "alternatives": [entry for reading in match.alternatives for entry in _alternatives(catalog, reading)],
    }


def _alternatives(catalog: Catalog, reading: Reading) -> list[dict[str, Any]]:
    """What else a text may mean: a song, an artist, or the genres that it describes."""
    if isinstance(reading, SongMatch):
        return [song_reference(catalog, reading.row)]
    if isinstance(reading, ArtistMatch):
        return [artist_summary(catalog, reading.artist)]
    return [genre_summary(catalog, catalog.manifest["genres"].index(genre)) for genre in reading.genres[:1]]


def song_reference(catalog: Catalog, row: int) -> dict[str, Any]:
    """A song's id, name and artists."""
    names, ids = catalog.texts("names"), catalog.texts("ids")
    return {"id": ids[row], "name": names[row], "artists": artist_names(catalog, row)}


def suggestions(catalog: Catalog, unknown: UnknownSongs) -> list[dict[str, Any]]:
    """The songs and artists that an unknown name may mean."""
    songs = [song_reference(catalog, row) for row in unknown.suggestions]
    return [*songs, *(artist_summary(catalog, row) for row in unknown.artists)]


def understood_as(catalog: Catalog, reading: Reading) -> dict[str, Any]:
    """The title and the artist that a text names, as the catalogue spells them, null if it names none.

    Of a description also its genres, the values of features and the years that songs should have.
    """
    artists = catalog.texts("artists")
    if isinstance(reading, Description):
        described = {"genres": list(reading.genres), "targets": dict(reading.targets), "years": reading.years}
        return {"song": None, "artist": None, **{name: value for name, value in described.items() if value}}
    title = (
        without_version(catalog.texts("names")[reading.row])
        if isinstance(reading, SongMatch) and reading.names_title
        else None
    )
    return {"song": title, "artist": None if reading.artist is None else artists[reading.artist]}


def artist_reference(catalog: Catalog, artist: int) -> dict[str, str]:
    """An artist's id and name."""
    name = catalog.texts("artists")[artist]
    return {"id": artist_id(name), "name": name}


def artist_summary(catalog: Catalog, row: int) -> dict[str, Any]:
    """An artist as lists show it."""
    return {**artist_reference(catalog, row), "songs": catalog.lists("artist", "songs").length(row)}


def genre_summary(catalog: Catalog, number: int) -> dict[str, Any]:
    """A genre as lists show it."""
    genres = catalog.manifest["genres"]
    sizes = catalog.cached("genre sizes", lambda: np.bincount(catalog.array("song_genres"), minlength=len(genres)))
    return {"name": genres[number], "songs": int(sizes[number])}


def genre_counts(catalog: Catalog, rows: Sequence[int]) -> list[dict[str, Any]]:
    """The genres of some songs and how many of the songs each has, the most frequent first."""
    found, _ = catalog.lists("song", "genres").gather(np.asarray(rows, np.int64))
    counts = np.bincount(found)
    order = np.lexsort((np.arange(len(counts)), -counts))
    return [
        {"name": catalog.manifest["genres"][number], "songs": int(counts[number])}
        for number in order[counts[order] > 0]
    ]


def _finite_or_none(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _whole_numbers(catalog: Catalog, name: str, rows: np.ndarray) -> list[int | None]:
    return [round(value) if value == value else None for value in catalog.attribute(name, rows).tolist()]


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
    return _FORMULA.sub("'", value) if isinstance(value, str) else value


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
