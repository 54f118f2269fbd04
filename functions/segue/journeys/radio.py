"""What to play next, after songs that were played; nothing is kept between requests.

Seeds are the newest songs that were played, the very newest weighing most, and the first ones, which together weigh
as much: so the radio follows what it plays and does not drift away from where it began. Skipped songs are
negative seeds. Nothing is played again, nor another version of it, and artists of the newest songs pause.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artist_names, songs_by_ids
from segue.engine.recommendation import Answer, recommend
from segue.errors import UnknownSong, UnknownSongs
from segue.journeys.candidate_pool import ArtistCaps
from segue.limits import EXCLUDED, charge, checkpoint
from segue.query.schema import ContinueQuery, Query, Seed

N_NEWEST = 5  # played songs that are seeds, the most recent
RECENCY_DECAY = 0.7  # weight of a song relative to the next newer one
N_FIRST = 5  # played songs that are seeds as well, the first of the radio
N_SKIPPED = 10  # skipped songs that are negative seeds, the most recent
SKIP_WEIGHT = 0.5  # of all negative seeds, relative to all positive ones
ARTIST_PAUSE = 10  # songs before an artist may return


@dataclass(frozen=True, slots=True)
class Radio:
    """The next songs of a radio.

    answer : of the engine; its seeds are those made from what was played and skipped
    unknown : how many of the played and skipped ids are not in the catalogue
    """

    answer: Answer
    unknown: int


def continue_radio(catalog: Catalog, query: ContinueQuery) -> Radio:
    """Recommend the next songs.

    Raises
    ------
    UnknownSongs
        none of the songs that were played is in the catalogue.

    """
    ids = list(dict.fromkeys((*query.played, *query.skipped)))
    checkpoint()
    charge(EXCLUDED, len(ids))
    known = {song: row for song, row in zip(ids, songs_by_ids(catalog, ids)) if row is not None}
    if not any(song in known for song in query.played):
        raise UnknownSongs([UnknownSong("none of the songs that were played is in the catalogue", "/played")])
    played, skipped = ([song for song in songs if song in known] for songs in (query.played, query.skipped))
    filters = replace(query.query.filters, exclude_ids=(*query.query.filters.exclude_ids, *known))
    seeded_query = replace(query.query, seeds=_seeds(played, skipped), filters=filters)
    newest = list(dict.fromkeys(reversed(played)))[:ARTIST_PAUSE]
    paused = [name for song in newest for name in artist_names(catalog, known[song])]
    return Radio(_recommend_with_pause(catalog, seeded_query, paused), len(ids) - len(known))


def _seeds(played: Sequence[str], skipped: Sequence[str]) -> tuple[Seed, ...]:
    """Weighted seeds. If every song was skipped, the first ones are positive seeds nevertheless."""
    skipped_ids = set(skipped)
    liked = [song for song in played if song not in skipped_ids] or list(dict.fromkeys(played))[:N_FIRST]
    newest, first = list(dict.fromkeys(reversed(liked)))[:N_NEWEST], list(dict.fromkeys(liked))[:N_FIRST]
    weights: dict[str, float] = dict.fromkeys((*newest, *first), 0.0)
    for song, weight in (*_decayed_weights(newest, RECENCY_DECAY), *_decayed_weights(first, 1.0)):
        weights[song] += weight / 2
    disliked = [song for song in dict.fromkeys(reversed(skipped)) if song not in weights][:N_SKIPPED]
    negative_seeds = [(song, -SKIP_WEIGHT * weight) for song, weight in _decayed_weights(disliked, RECENCY_DECAY)]
    return tuple(
        Seed("/played", {"id": song}, weight, id=song) for song, weight in (*weights.items(), *negative_seeds)
    )


def _decayed_weights(songs: Sequence[str], decay: float) -> list[tuple[str, float]]:
    """Weights that sum to 1, each ``decay`` times the previous one."""
    weights = [decay**index for index in range(len(songs))]
    return [(song, weight / sum(weights)) for song, weight in zip(songs, weights)]


def _recommend_with_pause(catalog: Catalog, query: Query, paused: Sequence[str]) -> Answer:
    """Recommend without the paused artists; if too few songs are left, theirs come last."""
    filters = replace(query.filters, exclude_artists=(*query.filters.exclude_artists, *dict.fromkeys(paused)))
    answer = recommend(catalog, replace(query, filters=filters))
    if len(answer.recommendations) == query.limit:
        return answer
    others = recommend(catalog, query)
    songs = (*answer.recommendations, *others.recommendations)
    artist_caps = ArtistCaps(catalog, np.array([song.row for song in songs], np.int64), query.max_per_artist)
    selected = [song for index, song in enumerate(songs) if artist_caps.try_add(index)]
    return replace(others, recommendations=tuple(selected[: query.limit]))
