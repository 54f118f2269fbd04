"""Ids as Spotify writes them: 22 base62 characters. Songs have the table's own, artists and albums get theirs here.

Tables name artists and albums, they don't number them, so an id is made from two digests of the name: eleven
characters for each. It is the same in every version of every table, and an artist is found by it in the arrays that
find artists by name.
"""

import re
from collections.abc import Sequence

from segue.catalog import Catalog, lookup
from segue.catalog.names import bare, digest, title_key
from segue.query.reader import shown
from segue.spotify.errors import Refused

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
HALF = 11  # characters that hold 64 bits: 62**11 > 2**64
_WELL_FORMED = re.compile(r"[0-9A-Za-z]{22}")


def artist_id(name: str) -> str:
    """The id of an artist, the same for all spellings that differ in case, accents and punctuation only.

    The first half is the digest by which artists are looked up, the second separates those who share it.
    """
    return _half(digest(title_key(name))) + _half(digest(f"artist {bare(name)}"))


def album_id(name: str, artist: str) -> str:
    """The id of an album by its name and first artist."""
    return _half(digest(f"album {bare(name)}")) + _half(digest(f"album by {bare(artist)}"))


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
    row = artist_by_id(catalog, asked)
    if row is None and asked.strip():
        row = lookup.artist(catalog, asked)
    if row is None:
        _check(asked, "artist of this table is called so")
    return row


def artist_by_id(catalog: Catalog, asked: str) -> int | None:
    """Of all spellings that share an id the one with most songs."""
    if not _WELL_FORMED.fullmatch(asked) or (key := _number(asked[:HALF])) >= 2**64:
        return None
    names, sung = catalog.texts("artists"), catalog.lists("artist", "songs")
    found = [row for row in lookup.artists_at(catalog, key) if artist_id(names[row]) == asked]
    return min(found, key=lambda row: (-len(sung[row]), row), default=None)


def _check(asked: str, known: str) -> None:
    if not _WELL_FORMED.fullmatch(asked):
        raise Refused(400, f"Invalid base62 id: {shown(asked)} has not 22 letters and digits, and no {known}")


def _half(number: int) -> str:
    digits = ""
    for _ in range(HALF):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def _number(half: str) -> int:
    number = 0
    for character in half:
        number = number * len(ALPHABET) + ALPHABET.index(character)
    return number
