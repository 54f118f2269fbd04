"""``/songs``, ``/clusters``, ``/genres`` and ``/artists``: what the catalogue holds."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from segue import notes
from segue.catalog import Catalog, lookup
from segue.engine.artists import related
from segue.errors import UnknownSong
from segue.query.parser import Parser
from segue.query.reader import LONGEST_TEXT, Reader, shown
from segue.responses import json_response
from segue.web import answers, formats, problems
from segue.web.views.call import Call, refuse, vocabulary

TYPICAL = 5  # songs that are shown of a cluster
SUGGESTED = 5  # artists, for a name that none has
MOST_OFFSET = 10**9


class Page(NamedTuple):
    """Which songs of many are asked for."""

    offset: int
    limit: int


def song(call: Call, song: str) -> Response:
    """Everything known of a song."""
    call.arguments()
    songs = call.catalog()
    row = lookup.by_id(songs, song) if len(song) <= LONGEST_TEXT else None
    if row is None:
        raise UnknownSong("no song has this id", "/id")
    return json_response(answers.record(songs, row))


def clusters(call: Call) -> Response:
    """The clusters into which the songs fall."""
    call.arguments()
    songs = call.catalog()
    return json_response({"clusters": [_told(songs, entry) for entry in songs.manifest["clusters"]]})


def cluster(call: Call, cluster: int) -> Response:
    """A page of a cluster's songs."""
    wanted, page = formats.wanted(call.request), _page(call)
    songs = call.catalog()
    entries = songs.manifest["clusters"]
    if cluster >= len(entries):
        return problems.problem(404, "Unknown cluster", f"clusters are numbered 0..{len(entries) - 1}")
    entry = entries[cluster]
    rows = range(entry["first"], entry["first"] + entry["size"])
    return formats.response(wanted, {**_told(songs, entry), **_on(songs, page, rows)})


def genres(call: Call) -> Response:
    """All genres, and how many songs each has."""
    call.arguments()
    songs = call.catalog()
    named = [answers.genre(songs, number) for number in range(len(songs.manifest["genres"]))]
    return json_response({"genres": named})


def artist(call: Call, name: str) -> Response:
    """What an artist sings, in which genres, and who is like that."""
    wanted, page = formats.wanted(call.request), _page(call)
    songs = call.catalog()
    reader = Parser(vocabulary(songs))
    asked = reader.artist_seed({"artist": name.removesuffix("/")}, "").artist or ""
    refuse(reader)
    with call.turn:
        found = lookup.artist(songs, asked)
        if found is None:
            return _no_artist(songs, asked)
        with notes.timed("search"):
            similar = related(songs, found)
    rows = songs.lists("artist", "songs")[found].tolist()
    return formats.response(wanted, {
        **answers.called(songs, found),
        "size": len(rows),
        "genres": answers.genres_among(songs, rows),
        "similar": [answers.artist(songs, row) for row in similar],
        **_on(songs, page, rows),
    })  # fmt: skip


def _no_artist(songs: Catalog, asked: str) -> Response:
    near = lookup.search(songs, asked, SUGGESTED).artists[:SUGGESTED]
    suggestions = {"suggestions": [answers.artist(songs, row) for row in near]}
    return problems.problem(404, "Unknown artist", f"no artist is called {shown(asked)}", more=suggestions)


def _page(call: Call) -> Page:
    arguments, reader = call.arguments(("offset", "limit", formats.PARAMETER)), Reader()
    page = Page(
        reader.whole(arguments, "offset", "", 0, MOST_OFFSET, 0), reader.whole(arguments, "limit", "", 1, 100, 20)
    )
    refuse(reader)
    return page


def _on(songs: Catalog, page: Page, rows: Sequence[int]) -> dict[str, Any]:
    """Those of some songs that are on a page."""
    return {**page._asdict(), "songs": answers.songs(songs, rows[page.offset : page.offset + page.limit])}


def _told(songs: Catalog, entry: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster's size, mean features, typical songs and the clusters near it."""
    clusters, typical = songs.manifest["clusters"], songs.lists("cluster", "songs")[entry["id"]]
    return {
        **{name: entry[name] for name in ("id", "name", "size", "features")},
        "typical": [answers.named(songs, row) for row in typical[:TYPICAL].tolist()],
        "near": [{"id": number, "name": clusters[number]["name"]} for number in entry["near"]],
    }
