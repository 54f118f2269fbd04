"""What journeys are asked for, as frozen values."""

from dataclasses import dataclass, field

from segue.query.query import Filters, Seed


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
