"""Songs, artists, genres and recommendations as the JSON of the API."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from segue.catalog import Catalog, song_table
from segue.catalog.lookup.exact import artist_id, artist_names, artist_names_by_song
from segue.catalog.lookup.matching import SongMatch
from segue.catalog.normalization import without_version
from segue.engine.recommendation import Answer, Recommendation
from segue.engine.seeds import ResolvedSeed


def song_summary(catalog: Catalog, row: int) -> dict[str, Any]:
    """A song as lists show it; null for values that the table lacks."""
    return song_summaries(catalog, [row])[0]


def song_summaries(catalog: Catalog, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Several songs as lists show them; each column is read once."""
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
    for summary in summaries:
        link = song_table.spotify_url(catalog, summary["id"])
        if link:
            summary["link"] = link
    return summaries


def song_record(catalog: Catalog, row: int) -> dict[str, Any]:
    """All that is known about a song; dates of the source become texts, infinite numbers null."""
    known = {name: _finite_or_none(value) for name, value in song_table.read_song(catalog, row).items()}
    lists = {name: known[name] or [] for name in ("artists", "genres")}
    return {**known, **lists, "cluster": next(_cluster_references(catalog, np.array([row])))}


def _genre_names(catalog: Catalog, rows: np.ndarray) -> Iterator[list[str]]:
    names = catalog.manifest["genres"]
    return ([names[genre] for genre in genres] for genres in catalog.lists("song", "genres").take(rows))


def _cluster_references(catalog: Catalog, rows: np.ndarray) -> Iterator[dict[str, Any]]:
    """Ids and names of songs' clusters."""
    cells = catalog.array("cell_offsets").searchsorted(rows, side="right") - 1
    entries = catalog.manifest["clusters"]
    for number in catalog.array("cell_clusters").take(cells).tolist():
        yield {"id": entries[number]["id"], "name": entries[number]["name"]}


def recommendations(catalog: Catalog, found: Answer) -> dict[str, Any]:
    """The answer to ``/recommend``."""
    return {
        "seeds": seed_entries(catalog, found.seeds),
        "recommendations": _recommendation_entries(catalog, found.recommendations),
        "pool": dataclasses.asdict(found.pool),
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
    reference = {name: summary[name] for name in ("id", "name", "artists", "album")}
    return {name: number, **reference, **facts, **summary}


def seed_entries(catalog: Catalog, found: Sequence[ResolvedSeed]) -> list[dict[str, Any]]:
    """Seeds as they were understood."""
    return [_seed_entry(catalog, seed) for seed in found]


def _seed_entry(catalog: Catalog, seed: ResolvedSeed) -> dict[str, Any]:
    if seed.match is None:
        return {"asked": dict(seed.seed.given), "songs": len(seed.rows)}
    match = seed.match
    return {
        "asked": dict(seed.seed.given),
        **song_reference(catalog, match.row),
        "match": match.match.kind,
        "understood": understood_as(catalog, match.match),
        "ambiguous": match.ambiguous,
        "alternatives": [song_reference(catalog, row) for row in match.alternatives],
    }


def song_reference(catalog: Catalog, row: int) -> dict[str, Any]:
    """A song's id, name and artists."""
    names, ids = catalog.texts("names"), catalog.texts("ids")
    return {"id": ids[row], "name": names[row], "artists": artist_names(catalog, row)}


def understood_as(catalog: Catalog, match: SongMatch) -> dict[str, Any]:
    """The title and the artist that a text names, as the catalogue spells them; null if it names none."""
    title = without_version(catalog.texts("names")[match.row]) if match.names_title else None
    return {"song": title, "artist": None if match.artist is None else catalog.texts("artists")[match.artist]}


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
    return [None if math.isnan(value) else round(value) for value in catalog.attribute(name, rows).tolist()]
