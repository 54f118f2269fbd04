"""Seeds as Spotify's requests name them: up to five ids of artists and songs, and names of genres."""

from dataclasses import dataclass

from segue.catalog import Catalog, lookup
from segue.query import Seed
from segue.query.reader import nearest, shown
from segue.spotify import genres, ids
from segue.spotify.errors import Refused
from segue.spotify.params import Params

MOST = 5  # over all kinds; POST /recommend takes a hundred


@dataclass(frozen=True, slots=True)
class Asked:
    """A seed that was asked for.

    kind : ``artist``, ``track`` or ``genre``
    id : as the answer shows it
    seed : what the engine gets, None for a well-formed id of nothing in the catalogue
    """

    kind: str
    id: str
    seed: Seed | None


def read(params: Params, catalog: Catalog) -> tuple[Asked, ...]:
    """All seeds of a request; what is wrong with them becomes a fault of the parameters."""
    asked = [
        (kind, name) for kind in ("artist", "track", "genre") for name in params.listed(f"seed_{kind}s", MOST * MOST)
    ]
    if not 1 <= len(asked) <= MOST:
        params.fault(
            f"expected 1..{MOST} seeds over seed_artists, seed_tracks and seed_genres, found {len(asked)}"
            + ("; POST /recommend takes a hundred" if asked else "")
        )
        return ()
    return tuple(found for kind, name in asked if (found := _read(params, catalog, kind, name)))


def _read(params: Params, catalog: Catalog, kind: str, name: str) -> Asked | None:
    try:
        return {"artist": _artist, "track": _track, "genre": _genre}[kind](catalog, name)
    except Refused as error:
        params.fault(str(error))
        return None


def _artist(catalog: Catalog, name: str) -> Asked:
    row = ids.artist(catalog, name)
    if row is None:
        return Asked("artist", name, None)
    found = catalog.texts("artists")[row]
    return Asked("artist", lookup.artist_id(found), Seed("/seed_artists", {"artist": found}, artist=found))


def _track(catalog: Catalog, name: str) -> Asked:
    known = ids.song(catalog, name) is not None
    return Asked("track", name, Seed("/seed_tracks", {"id": name}, id=name) if known else None)


def _genre(catalog: Catalog, name: str) -> Asked:
    table = catalog.manifest["genres"]
    found = genres.find(table, name)
    if found is None:
        known = list(genres.named(table))
        hint = nearest(name, known) or f"; some known are: {', '.join(known[:12])}"
        raise Refused(400, f"unknown genre {shown(name)}{hint}")
    return Asked("genre", name, Seed("/seed_genres", {"genre": found}, genre=found))
