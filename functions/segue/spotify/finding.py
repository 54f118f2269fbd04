"""What a search finds among the songs and artists, best first.

Typos in free text are forgiven; with fields, words are looked for as they are spelled, but for case, accents and
punctuation, and typos are forgiven where that finds nothing. Without any words the best known come first.
"""

from collections.abc import Iterable

import numpy as np

from segue.catalog import Catalog, lookup, records
from segue.catalog.names import bare
from segue.engine import filtering
from segue.spotify import genres
from segue.spotify.performers import performers
from segue.spotify.terms import Terms

DEEPEST = 1_000  # songs that a search finds; no page lies farther
CONSIDERED = 5_000  # best known songs of those that fields leave, whose names are compared with the words


def tracks(catalog: Catalog, terms: Terms) -> list[int]:
    """Rows of songs."""
    within = _within(catalog, terms)
    if not terms.words:
        return [int(row) for row in _best_known(catalog, within)]
    found = lookup.search(catalog, f"{terms.words} {terms.artist}".strip(), DEEPEST).songs
    if terms == Terms(terms.text):
        return [reading.row for reading in found]
    rows = [reading.row for reading in found] if within.all() else _best_known(catalog, within)[:CONSIDERED]
    near = [reading.row for reading in found if within[reading.row] and reading.how != "parts"]
    return _fitting(catalog, rows, terms) or near


def artists(catalog: Catalog, terms: Terms) -> list[int]:
    """Rows of artists: of the name, else of the songs that are found."""
    named = terms.artist or terms.text
    if terms.track or not named:
        return _artists_of(catalog, tracks(catalog, terms))
    known = performers(catalog)
    found = known.holding(bare(named)).tolist() or lookup.search(catalog, named, 1).artists
    having = known.of(_within(catalog, terms))
    return [row for row in found if having[row]]


def _within(catalog: Catalog, terms: Terms) -> np.ndarray:
    """Songs that the fields leave, but for the name; bool, shape (n_songs,)."""
    within = np.ones(len(catalog), bool)
    if terms.artist:
        known = performers(catalog)
        within[:] = False
        within[known.songs_of(known.holding(bare(terms.artist)))] = True
    if terms.album:
        within &= records.holding(catalog, "album", bare(terms.album))
    if terms.genre:
        genre = genres.find(catalog.manifest["genres"], terms.genre)
        within &= filtering.having(catalog, (genre,)) if genre else False
    if terms.years:
        released = catalog.attribute("year")
        within &= (released >= terms.years[0]) & (released <= terms.years[1])
    return within


def _best_known(catalog: Catalog, within: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(within)
    return rows[np.lexsort((rows, -np.nan_to_num(catalog.attribute("popularity")[rows], nan=-1)))]


def _fitting(catalog: Catalog, rows: Iterable[int], terms: Terms) -> list[int]:
    """Songs whose names hold the title, and the words of the text as well if not their artists' names do."""
    title, words, names = bare(terms.track), bare(terms.text).split(), catalog.texts("names")
    by, artists = catalog.lists("by", "artists"), performers(catalog).names
    found: dict[int, str] = {}
    for row in map(int, rows):
        name = bare(names[row])
        if _holds(name, title):
            everything = " ".join([name, *(artists[artist] for artist in by[row].tolist())]) if words else ""
            if all(_holds(everything, word) for word in words):
                found[row] = name
    return sorted(found, key=lambda row: found[row] != bare(terms.words))


def _artists_of(catalog: Catalog, songs: Iterable[int]) -> list[int]:
    """First artists of songs, in the songs' order."""
    by = catalog.lists("by", "artists")
    return list(dict.fromkeys(int(artist) for song in songs for artist in by[song][:1]))


def _holds(name: str, words: str) -> bool:
    """Whether words, the last one maybe cut short, stand in a name; both bare."""
    return f" {words}" in f" {name}"
