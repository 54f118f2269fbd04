"""Songs and recommendations as the JSON of the API."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from werkzeug.wrappers import Response

from segue import lookup, records
from segue.catalog import Catalog
from segue.engine import Answer, Recommendation
from segue.explain import Why
from segue.seeds import Resolved

_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")


def json_response(
    body: object,
    status: int = 200,
    mimetype: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A JSON answer; no number in it may be NaN or infinite, and halves of surrogate pairs become ``?``."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
    return Response(
        text.encode("utf-8", "replace"),
        status,
        {"X-Content-Type-Options": "nosniff", **(headers or {})},
        mimetype=mimetype,
    )


def song(catalog: Catalog, row: int) -> dict[str, Any]:
    """What lists say of a song; null where the table says nothing."""
    identity = catalog.texts("ids")[row]
    brief = {
        "id": identity,
        "name": catalog.texts("names")[row],
        "artists": lookup.artists_of(catalog, row),
        "album": catalog.texts("albums")[row] or None,
        "cluster": cluster(catalog, row),
        "genres": genres(catalog, row),
        "popularity": _number(catalog, "popularity", row),
        "explicit": _explicit(catalog, row),
        "duration_ms": _number(catalog, "duration_ms", row),
    }
    address = link(catalog, identity)
    return {**brief, "link": address} if address else brief


def link(catalog: Catalog, identity: str) -> str | None:
    """Where Spotify plays a song, if its id is Spotify's."""
    known = _SPOTIFY_ID.fullmatch(identity) and not catalog.manifest["invented"]
    return f"https://open.spotify.com/track/{identity}" if known else None


def record(catalog: Catalog, row: int) -> dict[str, Any]:
    """Everything that is known of a song; a date of the source reads as its text, an infinite number as null."""
    known = {name: _finite(value) for name, value in records.song(catalog, row).items()}
    lists = {name: known[name] or [] for name in ("artists", "genres")}
    return {**known, **lists, "cluster": cluster(catalog, row)}


def genres(catalog: Catalog, row: int) -> list[str]:
    """A song's genres."""
    names = catalog.manifest["genres"]
    return [names[int(genre)] for genre in catalog.lists("in", "genres")[row]]


def cluster(catalog: Catalog, row: int) -> dict[str, Any]:
    """Id and name of a song's cluster."""
    cell = int(np.searchsorted(catalog.array("cell_offsets"), row, side="right")) - 1
    entry = catalog.manifest["clusters"][int(catalog.array("cell_clusters")[cell])]
    return {"id": entry["id"], "name": entry["name"]}


def answer(catalog: Catalog, found: Answer) -> dict[str, Any]:
    """The answer to ``/recommend``."""
    return {
        "seeds": [_seed(catalog, seed) for seed in found.seeds],
        "recommendations": [
            _recommendation(catalog, rank, entry) for rank, entry in enumerate(found.recommendations, 1)
        ],
        "pool": {
            "catalogue": found.pool.catalogue,
            "after_filters": found.pool.after_filters,
            "dropped_versions": found.pool.dropped_versions,
            "dropped_artist_cap": found.pool.dropped_artist_cap,
        },
        "model": catalog.version,
    }


def why(said: Why) -> dict[str, Any]:
    """The reasons for a recommendation."""
    return {
        "closest_seed": said.closest_seed,
        "reasons": list(said.reasons),
        "farthest": said.farthest,
        "parts": {name: round(part, 9) for name, part in said.parts.items()},
    }


def _recommendation(catalog: Catalog, rank: int, found: Recommendation) -> dict[str, Any]:
    about = song(catalog, found.row)
    entry = {"rank": rank, **{name: about.pop(name) for name in ("id", "name", "artists", "album")}}
    entry |= {"score": found.score, **about}
    if found.why:
        entry["why"] = why(found.why)
    return entry


def _seed(catalog: Catalog, seed: Resolved) -> dict[str, Any]:
    if seed.match is None:
        return {"asked": dict(seed.seed.asked), "songs": len(seed.rows)}
    names, ids = catalog.texts("names"), catalog.texts("ids")
    return {
        "asked": dict(seed.seed.asked),
        "id": ids[seed.match.row],
        "name": names[seed.match.row],
        "artists": lookup.artists_of(catalog, seed.match.row),
        "match": seed.match.how,
        "alternatives": [
            {"id": ids[row], "name": names[row], "artists": lookup.artists_of(catalog, row)}
            for row in seed.match.alternatives
        ],
    }


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(catalog: Catalog, name: str, row: int) -> int | None:
    value = float(catalog.attribute(name)[row])
    return None if math.isnan(value) else round(value)


def _explicit(catalog: Catalog, row: int) -> bool | None:
    value = float(catalog.attribute("explicit")[row])
    return None if math.isnan(value) else bool(value)
