"""How well several songs answer to a text: by their letters in a row, else by their words."""

from collections.abc import Sequence

import numpy as np

from segue.catalog.lookup.likeness import Likeness
from segue.catalog.lookup.readings import CLOSE, Reading, unmarked
from segue.catalog.lookup.rows import artists_of_each, fame, popularity
from segue.catalog.lookup.spellings import Song, Spelling
from segue.catalog.names import joined
from segue.catalog.version import Catalog

LONGEST = 100  # letters that are compared, of a text or a name
LEAST = 0.7  # worth of a reading below which nothing is meant
FAME = 0.0015  # of a reading's worth, for each point of fame
_HALF = 0.6  # likeness that title and artist of one spelling need each
_BEGUN = 0.9  # worth of a spelling that the text begins, against one that it ends


def readings(catalog: Catalog, words: Sequence[str], rows: np.ndarray, *, typing: bool) -> list[Reading]:
    """How a text reads as each of several songs, of those as which it does.

    words : typed
    typing : whether the text may be the beginning of what is meant
    """
    words = unmarked(words)
    if catalog.far:  # all of them in a few round trips
        catalog.texts("names").several(rows)
        artists_of_each(catalog, rows)
    songs = [Song(catalog, row) for row in rows.tolist()]
    found = _by_letters(joined(words), songs, typing=typing)
    for place, song in enumerate(songs):
        if place not in found or found[place].worth < CLOSE:
            reading = song.by_words(words, typing=typing)
            if reading and (place not in found or found[place].worth < reading.worth):
                found[place] = reading
    return list(found.values())


def ranked(catalog: Catalog, found: Sequence[Reading]) -> list[Reading]:
    """Readings by what they and the songs' fame are worth together, then the most popular first."""
    rows = np.array([reading.row for reading in found], np.int64)
    worths = np.array([reading.worth for reading in found]) + FAME * fame(catalog, rows).astype(np.float64)
    order = np.lexsort((rows, -popularity(catalog, rows), -worths.round(6)))
    return [found[place] for place in order.tolist()]


def _by_letters(asked: str, songs: Sequence[Song], *, typing: bool) -> dict[int, Reading]:
    """The best spelling of each song that the text is like, by the song's place."""
    spellings = [
        spelling
        for place, song in enumerate(songs)
        for spelling in song.spellings(place)
        if _may_be(asked, spelling.text, typing=typing)
    ]
    worths = _worths(asked[:LONGEST], [spelling.text[:LONGEST] for spelling in spellings], typing=typing)
    found: dict[int, Reading] = {}
    for number in np.argsort(-worths, kind="stable").tolist():
        spelling, worth = spellings[number], float(worths[number])
        if worth < (LEAST if typing else CLOSE):
            break
        if spelling.place not in found and _halves_agree(asked, spelling):
            row, titled = songs[spelling.place].row, _is_titled(asked, spelling)
            found[spelling.place] = Reading(row, _how(asked, spelling.text), round(worth, 3), spelling.artist, titled)
    return found


def _worths(asked: str, texts: Sequence[str], *, typing: bool) -> np.ndarray:
    """Likeness of each text, or to its beginning where the one that is asked for may be no more than that."""
    likeness = Likeness(asked)
    if not typing:
        return likeness.ratios(texts)
    longer = [place for place, text in enumerate(texts) if len(text) > len(asked)]
    ratios = likeness.ratios([*texts, *(texts[place][: len(asked)] for place in longer)])
    worths, begun = ratios[: len(texts)], _BEGUN * ratios[len(texts) :]
    worths[longer] = np.maximum(worths[longer], begun)
    return worths


def _how(asked: str, text: str) -> str:
    return "exact" if text == asked else "close" if Likeness(asked).ratio(text) >= CLOSE else "parts"


def _is_titled(asked: str, spelling: Spelling) -> bool:
    """Whether a text goes on where the name of an artist ends."""
    begins = bool(spelling.singer) and spelling.text.startswith(spelling.singer)
    return not begins or len(asked) > len(spelling.singer)


def _may_be(asked: str, text: str, *, typing: bool) -> bool:
    """Whether the lengths allow the least likeness."""
    size = min(len(text), len(asked)) if typing else len(text)
    return 2 * min(size, len(asked)) >= LEAST * (size + len(asked))


def _halves_agree(asked: str, spelling: Spelling) -> bool:
    """Whether both title and artist are like their part of the text: one that is long must not outweigh the other."""
    if not spelling.singer:
        return True
    first, second = spelling.title, spelling.singer
    if not spelling.text.startswith(first):
        first, second = second, first
    begun, rest = asked[: len(first)], asked[len(first) :]
    return _are_like(begun, first) and (not rest or _are_like(rest, second[: len(rest)]))


def _are_like(part: str, name: str) -> bool:
    return Likeness(part).ratio(name) >= _HALF
