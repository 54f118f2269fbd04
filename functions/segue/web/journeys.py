"""Journeys as the JSON of the API."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from segue.catalog import Catalog
from segue.journeys import camelot
from segue.journeys.paths import Path
from segue.journeys.playlists import Playlist
from segue.journeys.radio import Radio
from segue.web import answers

DIGITS = 4  # of distances and shares


def path(catalog: Catalog, found: Path) -> dict[str, Any]:
    """The answer to ``/path``."""
    steps = found.steps.round(DIGITS).tolist()
    return {
        "seeds": answers.seeds(catalog, found.seeds),
        "songs": _listed(catalog, found.rows, [{"step": step} for step in (None, *steps)]),
        "steps": {"median": round(float(np.median(found.steps)), DIGITS), "largest": max(steps)},
        "duration_ms": _duration(catalog, found.rows),
        "pool": {"catalogue": int(catalog.manifest["recommendable"]), "after_filters": found.after_filters},
        "model": catalog.version,
    }


def playlist(catalog: Catalog, found: Playlist, flow: str) -> dict[str, Any]:
    """The answer to ``/playlist``."""
    correlation = found.flowing.correlation
    return {
        "seeds": answers.seeds(catalog, found.seeds),
        "songs": _listed(catalog, found.rows, _flowing(catalog, found)),
        "flow": {
            "asked": flow,
            "correlation": None if correlation is None else round(correlation, DIGITS),
            "harmonic": round(found.flowing.harmonic, DIGITS),
            "change": round(found.flowing.change, DIGITS),
        },
        "duration_ms": _duration(catalog, found.rows),
        "pool": answers.pool(found.pool),
        "model": catalog.version,
    }


def continued(catalog: Catalog, found: Radio) -> dict[str, Any]:
    """The answer to ``/continue``."""
    songs = found.answer.recommendations
    rows = [song.row for song in songs]
    return {
        "seeds": [
            {**answers.named(catalog, seed.rows[0]), "weight": round(seed.seed.weight, DIGITS)}
            for seed in found.answer.seeds
        ],
        "songs": _listed(catalog, rows, [{"score": song.score} for song in songs]),
        "unknown": found.unknown,
        "duration_ms": _duration(catalog, rows),
        "pool": answers.pool(found.answer.pool),
        "model": catalog.version,
    }


def _listed(catalog: Catalog, rows: Sequence[int], facts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    briefs = answers.songs(catalog, rows)
    return [answers.placed("position", number, *both) for number, both in enumerate(zip(briefs, facts), 1)]


def _flowing(catalog: Catalog, found: Playlist) -> list[dict[str, Any]]:
    """What a flow goes by, song by song; null where the table says nothing."""
    rows = list(found.rows)
    energy, tempo, key, mode = (
        catalog.attribute(name)[rows].astype(np.float64) for name in ("energy", "tempo", "key", "mode")
    )
    columns = {
        "energy": _known(energy),
        "tempo": _known(tempo),
        "key": camelot.names(key, mode),
        "curve": found.curve or [None] * len(rows),
    }
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def _known(values: np.ndarray) -> list[float | None]:
    return [None if value != value else value for value in values.round(DIGITS).tolist()]


def _duration(catalog: Catalog, rows: Sequence[int]) -> int:
    return int(np.nan_to_num(catalog.attribute("duration_ms")[list(rows)].astype(np.float64)).sum())
