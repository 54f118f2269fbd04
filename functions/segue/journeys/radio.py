"""What to play next, after songs that were played; nothing is kept between requests.

Seeds are the newest songs that were played, the very newest weighing most, and the first ones, which together weigh
as much: so the radio follows what it plays and does not drift away from where it began. Songs that were skipped are
seeds to be unlike. Nothing is played again, nor another version of it, and artists of the newest songs pause.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue import engine
from segue.catalog import Catalog, lookup
from segue.errors import UnknownSong, UnknownSongs
from segue.journeys.caps import Caps
from segue.query import Query, Seed
from segue.query.journeys import ContinueQuery

NEWEST = 5  # played songs that are seeds
FADING = 0.7  # weight of a played song, of the next newer one's
FIRST = 5  # songs where the radio began, that are seeds as well
AVOIDED = 10  # skipped songs that are seeds to be unlike, the newest
AVERSION = 0.5  # their weight together, of that of all others
PAUSE = 10  # songs before an artist may return


@dataclass(frozen=True, slots=True)
class Radio:
    """What comes next.

    answer : the engine's; its seeds are those that were made of what was played
    unknown : how many of the ids that were played or skipped are not in the catalogue
    """

    answer: engine.Answer
    unknown: int


def continued(catalog: Catalog, query: ContinueQuery) -> Radio:
    """Find what comes next.

    Raises
    ------
    UnknownSongs
        none of the songs that were played is in the catalogue.

    """
    ids = list(dict.fromkeys((*query.played, *query.skipped)))
    known = {song: row for song, row in zip(ids, lookup.by_ids(catalog, ids)) if row is not None}
    if not any(song in known for song in query.played):
        raise UnknownSongs([UnknownSong("none of the songs that were played is in the catalogue", "/played")])
    played, skipped = ([song for song in songs if song in known] for songs in (query.played, query.skipped))
    filters = replace(query.query.filters, exclude_ids=(*query.query.filters.exclude_ids, *known))
    asked = replace(query.query, seeds=_seeds(played, skipped), filters=filters)
    newest = list(dict.fromkeys(reversed(played)))[:PAUSE]
    paused = [name for song in newest for name in lookup.artists_of(catalog, known[song])]
    return Radio(_answer(catalog, asked, paused), len(ids) - len(known))


def _seeds(played: Sequence[str], skipped: Sequence[str]) -> tuple[Seed, ...]:
    """Seeds with their weights. Where every song was skipped, those that the radio began with are all there is."""
    skips = set(skipped)
    liked = [song for song in played if song not in skips] or list(dict.fromkeys(played))[:FIRST]
    newest, first = list(dict.fromkeys(reversed(liked)))[:NEWEST], list(dict.fromkeys(liked))[:FIRST]
    weights: dict[str, float] = dict.fromkeys((*newest, *first), 0.0)
    for song, weight in (*_shared(newest, FADING), *_shared(first, 1.0)):
        weights[song] += weight / 2
    unwanted = [song for song in dict.fromkeys(reversed(skipped)) if song not in weights][:AVOIDED]
    avoided = [(song, -AVERSION * weight) for song, weight in _shared(unwanted, FADING)]
    return tuple(Seed("/played", {"id": song}, weight, id=song) for song, weight in (*weights.items(), *avoided))


def _shared(songs: Sequence[str], fading: float) -> list[tuple[str, float]]:
    """Weights that add up to 1, each ``fading`` times the one before."""
    weights = [fading**place for place in range(len(songs))]
    return [(song, weight / sum(weights)) for song, weight in zip(songs, weights)]


def _answer(catalog: Catalog, query: Query, paused: Sequence[str]) -> engine.Answer:
    """Without the paused artists; where that leaves too few songs, theirs come last."""
    filters = replace(query.filters, exclude_artists=(*query.filters.exclude_artists, *dict.fromkeys(paused)))
    answer = engine.recommend(catalog, replace(query, filters=filters))
    if len(answer.recommendations) == query.limit:
        return answer
    others = engine.recommend(catalog, query)
    songs = (*answer.recommendations, *others.recommendations)
    caps = Caps(catalog, np.array([song.row for song in songs], np.int64), query.max_per_artist)
    kept = [song for place, song in enumerate(songs) if caps.taken(place)]
    return replace(others, recommendations=tuple(kept[: query.limit]))
