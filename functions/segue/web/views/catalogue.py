"""``/songs`` and ``/clusters``: what the catalogue holds."""

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from segue.catalog import Catalog, lookup
from segue.errors import UnknownSong
from segue.query.reader import LONGEST_TEXT, Reader
from segue.responses import json_response
from segue.web import answers, problems
from segue.web.views.call import Call, refuse

TYPICAL = 5  # songs that are shown of a cluster or genre


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
    arguments = call.arguments(("offset", "limit"))
    reader = Reader()
    offset = reader.whole(arguments, "offset", "", 0, 10**9, 0)
    limit = reader.whole(arguments, "limit", "", 1, 100, 20)
    refuse(reader)
    songs = call.catalog()
    entries = songs.manifest["clusters"]
    if cluster >= len(entries):
        return problems.problem(404, "Unknown cluster", f"clusters are numbered 0..{len(entries) - 1}")
    entry = entries[cluster]
    first, last = entry["first"] + offset, entry["first"] + entry["size"]
    page = answers.songs(songs, range(first, min(first + limit, last)))
    return json_response({**_told(songs, entry), "offset": offset, "limit": limit, "songs": page})


def _told(songs: Catalog, entry: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster's size, mean features, typical songs and the clusters near it."""
    clusters, typical = songs.manifest["clusters"], songs.lists("cluster", "songs")[entry["id"]]
    return {
        **{name: entry[name] for name in ("id", "name", "size", "features")},
        "typical": [answers.named(songs, row) for row in typical[:TYPICAL].tolist()],
        "near": [{"id": number, "name": clusters[number]["name"]} for number in entry["near"]],
    }
