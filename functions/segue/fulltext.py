"""Names with typos, as you type: SQLite's FTS5 with trigrams finds candidates, difflib orders them."""

import contextlib
import difflib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from segue.catalog import Catalog
from segue.names import folded
from segue.ragged import Texts

FILE = "lookup.sqlite"
CANDIDATES = 200  # songs that are compared letter by letter
RAREST = 8  # trigrams that are looked up: common ones cost most and tell least
SHORTEST = 3  # letters; anything shorter has no trigram
LONGEST = 100  # letters that are compared, of a text or a name
_PREFIX_WORTH = 0.95  # a name of which the query is the beginning, against one that it spells out
_WORD_WORTH = 0.9  # a name of which the query begins a later word


def write(path: Path, songs: Iterable[tuple[int, str, str]]) -> None:
    """Write the index.

    songs : row, name and first artist of every song that can be found
    """
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE VIRTUAL TABLE songs USING fts5(text, content='', tokenize='trigram')")
        database.executemany(
            "INSERT INTO songs (rowid, text) VALUES (?, ?)",
            ((row, _searchable(f"{folded(name)} {folded(artist)}")) for row, name, artist in songs),
        )
        database.execute("INSERT INTO songs (songs) VALUES ('optimize')")
        database.commit()
        database.execute("VACUUM")


def search(catalog: Catalog, text: str, limit: int) -> list[int]:
    """Rows of the songs whose names, or names and artists, are most like a text; best first.

    Equally like ones come by popularity. A text shorter than a trigram finds names that begin with it.
    """
    asked = folded(text)[:LONGEST]
    rows = dict.fromkeys([*_matching(catalog, asked), *_beginning(catalog, asked)])
    names, artists, by = catalog.texts("names"), catalog.texts("artists"), catalog.lists("by", "artists")
    popularity = catalog.attribute("popularity")
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(asked)

    def order(row: int) -> tuple[float, float, int]:
        first = by[row][:1]
        artist = folded(artists[int(first[0])]) if len(first) else ""
        return -_likeness(matcher, asked, folded(names[row])[:LONGEST], artist), -_known(popularity[row]), row

    return sorted(rows, key=order)[:limit]


def _likeness(matcher: "difflib.SequenceMatcher[str]", asked: str, name: str, artist: str) -> float:
    """0..1: how well a text spells a name, its beginning, or name and artist."""
    if name.startswith(asked):
        return _PREFIX_WORTH + (1 - _PREFIX_WORTH) * (len(name) == len(asked))
    if f" {asked}" in name:
        return _WORD_WORTH
    if len(name) > len(asked):
        return round(max(_ratio(matcher, name), _PREFIX_WORTH * _ratio(matcher, name[: len(asked)])), 3)
    with_artist = (_ratio(matcher, f"{name} {artist}"), _ratio(matcher, f"{artist} {name}"))
    return round(max(_ratio(matcher, name), *with_artist), 3)


def _ratio(matcher: "difflib.SequenceMatcher[str]", text: str) -> float:
    matcher.set_seq1(text)
    return matcher.ratio()


def _matching(catalog: Catalog, asked: str) -> list[int]:
    import sqlite3  # only names that are typed need it

    text = _searchable(asked)
    trigrams = {text[start : start + SHORTEST] for start in range(len(text) - SHORTEST + 1)}
    address = (catalog.folder / FILE).resolve().as_uri() + "?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as database:
        database.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, songs, row)")
        marks = ",".join("?" * len(trigrams))
        rarest = database.execute(
            f"SELECT term FROM vocabulary WHERE term IN ({marks}) ORDER BY doc, term LIMIT {RAREST}",  # noqa: S608 # marks
            sorted(trigrams),
        )
        query = " OR ".join('"' + term.replace('"', '""') + '"' for (term,) in rarest)
        if not query:
            return []
        found = database.execute(
            "SELECT rowid FROM songs WHERE songs MATCH ? ORDER BY bm25(songs) LIMIT ?", (query, CANDIDATES)
        )
        return [row for (row,) in found]


def _beginning(catalog: Catalog, asked: str) -> list[int]:
    """The most popular songs whose folded names begin with a text."""
    order, names = catalog.array("title_order"), catalog.texts("names")
    first = _bisect(order, names, asked)
    last = _bisect(order, names, asked + "\U0010ffff")
    rows = np.asarray(order[first:last])
    popularity = np.nan_to_num(catalog.attribute("popularity")[rows])
    return [int(row) for row in rows[np.lexsort((rows, -popularity))[:CANDIDATES]]]


def _bisect(order: np.ndarray, names: Texts, text: str) -> int:
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        if folded(names[order[middle]]) < text:
            low = middle + 1
        else:
            high = middle
    return low


def _known(popularity: float) -> float:
    return float(np.nan_to_num(popularity))


def _searchable(text: str) -> str:
    """SQLite ends a text at a zero byte and refuses halves of surrogate pairs."""
    return text.replace("\0", " ").encode("utf-8", "ignore").decode()
