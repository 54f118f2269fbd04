"""What a search finds among the songs and artists, best first.

Typos in free text are forgiven; with fields, words are looked for as they are spelled, but for case, accents and
punctuation, and typos are forgiven where that finds nothing. Without any words the best known come first.
"""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

import numpy as np

from segue.catalog import Catalog, fulltext, lookup, records
from segue.catalog.names import bare
from segue.engine import filtering
from segue.spotify import genres
from segue.spotify.performers import performers
from segue.spotify.terms import Terms

DEEPEST = 2 * fulltext.CANDIDATES  # songs of names like the words
CONSIDERED = 5_000  # best known songs of those that fields leave, whose names are compared with the words


def tracks(catalog: Catalog, terms: Terms) -> list[int]:
    """Rows of songs."""
    within = _within(catalog, terms)
    if not terms.words:
        return [int(row) for row in _best_known(catalog, within)]
    alike = fulltext.search(catalog, f"{terms.words} {terms.artist}".strip(), DEEPEST)
    if terms == Terms(terms.text):
        return list(dict.fromkeys([*_called(catalog, bare(terms.text), alike), *alike]))
    rows = alike if within.all() else _best_known(catalog, within)[:CONSIDERED]
    near = (row for row in alike if within[row] and _close(catalog, row, terms.words))
    return _fitting(catalog, rows, terms) or list(near)


def artists(catalog: Catalog, terms: Terms) -> list[int]:
    """Rows of artists: of the name, else of the songs that are found."""
    named = terms.artist or terms.text
    if terms.track or not named:
        return _artists_of(catalog, tracks(catalog, terms))
    known = performers(catalog)
    found = known.holding(bare(named)).tolist() or _artists_like(catalog, named)
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


def _close(catalog: Catalog, row: int, words: str) -> bool:
    """Whether a song's name is spelled about so."""
    return SequenceMatcher(None, bare(words), bare(catalog.texts("names")[row])).ratio() >= lookup.CLOSE


def _called(catalog: Catalog, name: str, similar: Sequence[int]) -> list[int]:
    """The songs that are called so and those of the artists who are, best known first."""
    titles, known = catalog.texts("names"), performers(catalog)
    called = np.zeros(len(catalog), bool)
    called[known.songs_of(known.called(name))] = True
    called[[row for row in similar if bare(titles[row]) == name]] = True
    return [int(row) for row in _best_known(catalog, called)]


def _artists_like(catalog: Catalog, name: str) -> list[int]:
    """Artists of similar songs whose names are spelled about so."""
    rows = _artists_of(catalog, fulltext.search(catalog, name, fulltext.CANDIDATES))
    names, sought = performers(catalog).names, bare(name)[: fulltext.LONGEST]
    like = {row: SequenceMatcher(None, sought, names[row][: fulltext.LONGEST]).ratio() for row in rows}
    return sorted((row for row in rows if like[row] >= lookup.CLOSE), key=lambda row: -like[row])


def _artists_of(catalog: Catalog, songs: Iterable[int]) -> list[int]:
    """First artists of songs, in the songs' order."""
    by = catalog.lists("by", "artists")
    return list(dict.fromkeys(int(artist) for song in songs for artist in by[song][:1]))


def _holds(name: str, words: str) -> bool:
    """Whether words, the last one maybe cut short, stand in a name; both bare."""
    return f" {words}" in f" {name}"
