"""``/path``, ``/playlist``, ``/order`` and ``/continue``: lists of songs in an order to listen to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from segue import log_context
from segue.catalog.catalog import Catalog
from segue.journeys import flows, paths, playlists, radio
from segue.query.parser import parse_continue, parse_order, parse_path, parse_playlist
from segue.query.schema import ContinueQuery, OrderQuery, PathQuery, PlaylistQuery
from segue.web import serializers
from segue.web.request_context import LARGE_LIMITS, Operation

DECIMALS = 4  # of distances and shares


def _execute_path(catalog: Catalog, query: PathQuery) -> dict[str, Any]:
    with log_context.timed("search"):
        found = paths.path(catalog, query)
    steps = found.steps.round(DECIMALS).tolist()
    return {
        "seeds": serializers.seed_entries(catalog, found.seeds),
        "songs": _song_entries(catalog, found.rows, [{"step": step} for step in (None, *steps)]),
        "steps": {"median": round(float(np.median(found.steps)), DECIMALS), "largest": max(steps)},
        "duration_ms": _total_duration(catalog, found.rows),
        "pool": {"catalogue": int(catalog.manifest["recommendable"]), "after_filters": found.after_filters},
        "model": catalog.version,
    }


def _execute_playlist(catalog: Catalog, query: PlaylistQuery) -> dict[str, Any]:
    with log_context.timed("search"):
        found = playlists.playlist(catalog, query)
    return {
        "seeds": serializers.seed_entries(catalog, found.seeds),
        "songs": _song_entries(catalog, found.rows, _flow_entries(catalog, found)),
        "flow": _flow_summary(query.flow, found.flow_quality),
        "duration_ms": _total_duration(catalog, found.rows),
        "pool": found.pool._asdict(),
        "model": catalog.version,
    }


def _execute_order(catalog: Catalog, query: OrderQuery) -> dict[str, Any]:
    with log_context.timed("search"):
        found = playlists.order(catalog, query)
    given = [{"given": place, "match": match.kind} for place, match in zip(found.places, found.matches)]
    facts = [{**both[0], **both[1]} for both in zip(given, _flow_entries(catalog, found))]
    return {
        "songs": _song_entries(catalog, found.rows, facts),
        "unknown": [{"given": place, "asked": dict(query.songs[place].given)} for place in found.unknown],
        "flow": _flow_summary(query.flow, found.flow_quality),
        "duration_ms": _total_duration(catalog, found.rows),
        "model": catalog.version,
    }


def _execute_continue(catalog: Catalog, query: ContinueQuery) -> dict[str, Any]:
    with log_context.timed("search"):
        found = radio.continue_radio(catalog, query)
    songs = found.answer.recommendations
    rows = [song.row for song in songs]
    return {
        "seeds": [
            {**serializers.song_reference(catalog, seed.rows[0]), "weight": round(seed.seed.weight, DECIMALS)}
            for seed in found.answer.seeds
        ],
        "songs": _song_entries(catalog, rows, [{"score": song.score} for song in songs]),
        "unknown": found.unknown,
        "duration_ms": _total_duration(catalog, rows),
        "pool": found.answer.pool._asdict(),
        "model": catalog.version,
    }


def _song_entries(catalog: Catalog, rows: Sequence[int], facts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    summaries = serializers.song_summaries(catalog, rows)
    return [serializers.list_entry("position", number, *both) for number, both in enumerate(zip(summaries, facts), 1)]


def _flow_summary(flow: str, quality: playlists.FlowQuality) -> dict[str, Any]:
    return {
        "asked": flow,
        "correlation": None if quality.correlation is None else round(quality.correlation, DECIMALS),
        "harmonic": round(quality.harmonic, DECIMALS),
        "change": round(quality.energy_change, DECIMALS),
    }


def _flow_entries(catalog: Catalog, found: playlists.Playlist | playlists.OrderedList) -> list[dict[str, Any]]:
    """The features of each song that a flow is made of; null where the table has none."""
    rows = list(found.rows)
    energy, tempo, key, mode = (
        catalog.attribute(name, rows).astype(np.float64) for name in ("energy", "tempo", "key", "mode")
    )
    columns = {
        "energy": _rounded_or_none(energy),
        "tempo": _rounded_or_none(tempo),
        "key": flows.camelot_names(key, mode),
        "curve": found.curve or [None] * len(rows),
    }
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def _rounded_or_none(values: np.ndarray) -> list[float | None]:
    return [None if value != value else value for value in values.round(DECIMALS).tolist()]


def _total_duration(catalog: Catalog, rows: Sequence[int]) -> int:
    return int(np.nan_to_num(catalog.attribute("duration_ms", rows).astype(np.float64)).sum())


PATH = Operation("path", parse_path, _execute_path)
PLAYLIST = Operation("playlist", parse_playlist, _execute_playlist)
ORDER = Operation("order", parse_order, _execute_order)
CONTINUE = Operation("continued", parse_continue, _execute_continue, LARGE_LIMITS)
