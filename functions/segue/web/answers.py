"""Songs and recommendations as the JSON of the API."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from segue.catalog import Catalog, lookup, records
from segue.catalog.names import without_version
from segue.engine import Answer, Pool, Recommendation
from segue.engine.seeds import Resolved


def song(catalog: Catalog, row: int) -> dict[str, Any]:
    """What lists say of a song; null where the table says nothing."""
    return songs(catalog, [row])[0]


def songs(catalog: Catalog, rows: Sequence[int]) -> list[dict[str, Any]]:
    """The same for several songs, for which each column is read once."""
    places = np.asarray(rows, np.int64)
    columns: dict[str, Iterable[object]] = {
        "id": catalog.texts("ids").several(places),
        "name": catalog.texts("names").several(places),
        "artists": lookup.artists_of_each(catalog, places),
        "album": (album or None for album in catalog.texts("albums").several(places)),
        "cluster": _clusters(catalog, places),
        "genres": _genres(catalog, places),
        "popularity": _numbers(catalog, "popularity", places),
        "explicit": (None if value is None else bool(value) for value in _numbers(catalog, "explicit", places)),
        "duration_ms": _numbers(catalog, "duration_ms", places),
    }
    briefs = [dict(zip(columns, values)) for values in zip(*columns.values())]
    for brief in briefs:
        address = records.link(catalog, brief["id"])
        if address:
            brief["link"] = address
    return briefs


def record(catalog: Catalog, row: int) -> dict[str, Any]:
    """Everything that is known of a song; a date of the source reads as its text, an infinite number as null."""
    known = {name: _finite(value) for name, value in records.song(catalog, row).items()}
    lists = {name: known[name] or [] for name in ("artists", "genres")}
    return {**known, **lists, "cluster": next(_clusters(catalog, np.array([row])))}


def genres(catalog: Catalog, row: int) -> list[str]:
    """A song's genres."""
    return next(_genres(catalog, np.array([row])))


def _genres(catalog: Catalog, rows: np.ndarray) -> Iterator[list[str]]:
    names = catalog.manifest["genres"]
    return ([names[genre] for genre in genres] for genres in catalog.lists("in", "genres").several(rows))


def _clusters(catalog: Catalog, rows: np.ndarray) -> Iterator[dict[str, Any]]:
    """Ids and names of songs' clusters."""
    cells = catalog.array("cell_offsets").searchsorted(rows, side="right") - 1
    entries = catalog.manifest["clusters"]
    for number in catalog.array("cell_clusters").take(cells).tolist():
        yield {"id": entries[number]["id"], "name": entries[number]["name"]}


def answer(catalog: Catalog, found: Answer) -> dict[str, Any]:
    """The answer to ``/recommend``."""
    return {
        "seeds": seeds(catalog, found.seeds),
        "recommendations": _recommendations(catalog, found.recommendations),
        "pool": pool(found.pool),
        "model": catalog.version,
    }


def _recommendations(catalog: Catalog, found: Sequence[Recommendation]) -> list[dict[str, Any]]:
    briefs = songs(catalog, [entry.row for entry in found])
    return [_recommendation(rank, *both) for rank, both in enumerate(zip(found, briefs), 1)]


def _recommendation(rank: int, found: Recommendation, about: dict[str, Any]) -> dict[str, Any]:
    entry = placed("rank", rank, about, {"score": found.score})
    if found.why:
        entry["why"] = found.why.as_json()
    return entry


def pool(found: Pool) -> dict[str, int]:
    """How many songs there were to choose from."""
    return dataclasses.asdict(found)


def placed(name: str, number: int, about: dict[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """A song of a list: its number, what it is called, facts of its place, and the rest of what lists say of it."""
    called = {name: about[name] for name in ("id", "name", "artists", "album")}
    return {name: number, **called, **facts, **about}


def seeds(catalog: Catalog, found: Sequence[Resolved]) -> list[dict[str, Any]]:
    """What seeds were understood to mean."""
    return [_seed(catalog, seed) for seed in found]


def _seed(catalog: Catalog, seed: Resolved) -> dict[str, Any]:
    if seed.match is None:
        return {"asked": dict(seed.seed.asked), "songs": len(seed.rows)}
    match = seed.match
    return {
        "asked": dict(seed.seed.asked),
        **named(catalog, match.row),
        "match": match.reading.how,
        "understood": understood(catalog, match.reading),
        "ambiguous": match.ambiguous,
        "alternatives": [named(catalog, row) for row in match.alternatives],
    }


def named(catalog: Catalog, row: int) -> dict[str, Any]:
    """What a song is called."""
    names, ids = catalog.texts("names"), catalog.texts("ids")
    return {"id": ids[row], "name": names[row], "artists": lookup.artists_of(catalog, row)}


def understood(catalog: Catalog, meant: lookup.Reading) -> dict[str, Any]:
    """The title and the artist that a text names, as the catalogue writes them; null where it names none."""
    title = without_version(catalog.texts("names")[meant.row]) if meant.titled else None
    return {"song": title, "artist": None if meant.artist is None else catalog.texts("artists")[meant.artist]}


def called(catalog: Catalog, artist: int) -> dict[str, str]:
    """What an artist is called."""
    name = catalog.texts("artists")[artist]
    return {"id": lookup.artist_id(name), "name": name}


def artist(catalog: Catalog, row: int) -> dict[str, Any]:
    """What lists say of an artist."""
    return {**called(catalog, row), "songs": catalog.lists("artist", "songs").size(row)}


def genre(catalog: Catalog, number: int) -> dict[str, Any]:
    """What lists say of a genre."""
    genres = catalog.manifest["genres"]
    sizes = catalog.derived("genre sizes", lambda: np.bincount(catalog.array("in_genres"), minlength=len(genres)))
    return {"name": genres[number], "songs": int(sizes[number])}


def genres_among(catalog: Catalog, rows: Sequence[int]) -> list[dict[str, Any]]:
    """The genres of songs, and how many of them each has, the most frequent first."""
    found, _ = catalog.lists("in", "genres").of(np.asarray(rows, np.int64))
    counts = np.bincount(found)
    order = np.lexsort((np.arange(len(counts)), -counts))
    return [
        {"name": catalog.manifest["genres"][number], "songs": int(counts[number])}
        for number in order[counts[order] > 0]
    ]


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(catalog: Catalog, name: str, rows: np.ndarray) -> list[int | None]:
    return [None if math.isnan(value) else round(value) for value in catalog.attribute(name).take(rows).tolist()]
