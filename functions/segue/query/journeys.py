"""What journeys are asked for, as frozen values."""

import math
from dataclasses import dataclass, field

from segue.query.query import Filters, Query, Seed

MOST_SONGS = 200  # on a playlist
USUAL_LENGTH = 3  # minutes of a song, rather too few
FLOWS = ("steady", "rise", "fall", "wave", "harmonic")


@dataclass(frozen=True, slots=True)
class PathQuery:
    """A walk from one song to another.

    start, goal : where it begins and ends
    via : seeds through which it leads, in their order
    length : 3..50 songs, the ends included
    max_per_artist : 1..100 songs that an artist is credited in; None: no cap
    steady_popularity : popularity changes evenly from end to end
    draw : another number gives another walk, the same number the same one
    """

    start: Seed
    goal: Seed
    via: tuple[Seed, ...] = ()
    length: int = 15
    filters: Filters = field(default_factory=Filters)
    max_per_artist: int | None = 1
    steady_popularity: bool = False
    draw: int = 0

    @property
    def seeds(self) -> tuple[Seed, ...]:
        """Where the walk leads through, in order."""
        return (self.start, *self.via, self.goal)


@dataclass(frozen=True, slots=True)
class PlaylistQuery:
    """A list to be played from its beginning to its end.

    query : seeds, filters, targets, caps, diversity and draw; without seeds, songs of the cluster
    cluster : number of the cluster to start from; None: the seeds
    flow : one of ``FLOWS``
    songs : how many, 1..200; None: as many as ``minutes`` take
    minutes : how long, 5..600; None: as long as ``songs`` take
    """

    query: Query
    cluster: int | None = None
    flow: str = "steady"
    songs: int | None = 25
    minutes: float | None = None

    @property
    def wanted(self) -> int:
        """How many songs there are to be: for a time, about as many, rather too many."""
        return self.songs or min(MOST_SONGS, math.ceil((self.minutes or 0) / USUAL_LENGTH))


@dataclass(frozen=True, slots=True)
class ContinueQuery:
    """What comes next after songs that were played.

    played, skipped : ids, the newest last
    query : limit, filters, caps, targets, diversity and draw; its seeds are made from what was played
    """

    query: Query
    played: tuple[str, ...]
    skipped: tuple[str, ...] = ()
