"""Ids as Spotify writes them: songs have the table's own, artists ones that are made from their names."""

import re
from collections.abc import Sequence

from segue.catalog import Catalog, lookup
from segue.query.reader import shown
from segue.spotify.errors import Refused

_WELL_FORMED = re.compile(r"[0-9A-Za-z]{22}")


def song(catalog: Catalog, asked: str) -> int | None:
    """The row of a song; None where the id is well formed and not in the catalogue.

    Raises
    ------
    Refused
        the id is neither in the catalogue nor well formed.

    """
    return songs(catalog, [asked])[0]


def songs(catalog: Catalog, asked: Sequence[str]) -> list[int | None]:
    """The rows of several songs, each as :func:`song`."""
    rows = lookup.by_ids(catalog, asked)
    for row, identity in zip(rows, asked):
        if row is None:
            _check(identity, "song of this table has it")
    return rows


def artist(catalog: Catalog, asked: str) -> int | None:
    """The row of an artist by id or by name, else as :func:`song`."""
    row = lookup.artist_by_id(catalog, asked)
    if row is None and asked.strip():
        row = lookup.artist(catalog, asked)
    if row is None:
        _check(asked, "artist of this table is called so")
    return row


def _check(asked: str, known: str) -> None:
    if not _WELL_FORMED.fullmatch(asked):
        raise Refused(400, f"Invalid base62 id: {shown(asked)} has not 22 letters and digits, and no {known}")
