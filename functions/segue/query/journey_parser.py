"""From the JSON of a journey to its query; seeds, filters and caps are read as those of a recommendation are."""

from collections.abc import Mapping
from typing import Any

from segue.errors import InvalidQuery
from segue.query import Query, Seed, Vocabulary
from segue.query.journeys import FLOWS, MOST_SONGS, ContinueQuery, PathQuery, PlaylistQuery
from segue.query.parser import LARGEST_DRAW, STARTS, WISHES, Parser
from segue.query.reader import nearest, shown

SHORTEST_PATH, LONGEST_PATH = 3, 50  # songs
MOST_BETWEEN = 10  # seeds between the ends of a path
MINUTES = (5.0, 600.0)  # of a playlist
MOST_CLUSTERS = 10**6
MOST_PLAYED = 10_000  # ids; more than anybody hears in a year


def parse_path(body: object, vocabulary: Vocabulary) -> PathQuery:
    """Check the body of ``POST /path``.

    Raises
    ------
    InvalidQuery
        carries every fault with its JSON pointer.

    """
    return _JourneyParser(vocabulary).path(body)


def parse_playlist(body: object, vocabulary: Vocabulary) -> PlaylistQuery:
    """Check the body of ``POST /playlist``, as :func:`parse_path` does."""
    return _JourneyParser(vocabulary).playlist(body)


def parse_continue(body: object, vocabulary: Vocabulary) -> ContinueQuery:
    """Check the body of ``POST /continue``, as :func:`parse_path` does."""
    return _JourneyParser(vocabulary).continued(body)


class _JourneyParser(Parser):
    """Reads bodies field by field."""

    def refuse(self) -> None:
        if self.faults:
            raise InvalidQuery(self.faults)

    def path(self, body: object) -> PathQuery:
        names = ("from", "to", "via", "length", "filters", "max_per_artist", "steady_popularity", "draw")
        fields = self.record(body, "", names)
        via = tuple(
            self.place(seed, f"/via/{number}")
            for number, seed in enumerate(self.listed(fields.get("via", []), "/via", 0, MOST_BETWEEN))
        )
        query = PathQuery(
            start=self.end(fields, "from", body),
            goal=self.end(fields, "to", body),
            via=via,
            length=self.length(fields, len(via) + 2),
            filters=self.filters(fields.get("filters", {})),
            max_per_artist=self.cap(fields, 1),
            steady_popularity=self.truth(fields, "steady_popularity", "", False),
            draw=self.whole(fields, "draw", "", 0, LARGEST_DRAW, 0),
        )
        self.refuse()
        return query

    def end(self, fields: Mapping[str, Any], name: str, body: object) -> Seed:
        if name in fields:
            return self.place(fields[name], f"/{name}")
        if isinstance(body, Mapping):
            self.fault(f"/{name}", f"is needed: the seed at which the path {'begins' if name == 'from' else 'ends'}")
        return Seed(f"/{name}", {})

    def place(self, value: object, pointer: str) -> Seed:
        if isinstance(value, Mapping) and "weight" in value:
            self.fault(f"{pointer}/weight", "a path leads through a seed or it does not: there is nothing to weigh")
        return self.seed(value, pointer)

    def length(self, fields: Mapping[str, Any], fewest: int) -> int:
        length = self.whole(fields, "length", "", SHORTEST_PATH, LONGEST_PATH, 15)
        if length < fewest:
            self.fault("/length", f"the ends and what lies between are {fewest} songs already")
        return length

    def playlist(self, body: object) -> PlaylistQuery:
        names = (*STARTS, "cluster", "features", "songs", "minutes", "flow", *WISHES)
        fields = self.record(body, "", names)
        seeds = self.start(fields) if isinstance(body, Mapping) else ()
        timed = "minutes" in fields
        if timed and "songs" in fields:
            self.fault("/minutes", "goes without 'songs': a list is as long as one of the two says")
        query = PlaylistQuery(
            query=Query(seeds, **self.wishes(fields)),
            cluster=self.whole(fields, "cluster", "", 0, MOST_CLUSTERS, 0) if "cluster" in fields else None,
            flow=self.flow(fields.get("flow", "steady")),
            songs=None if timed else self.whole(fields, "songs", "", 1, MOST_SONGS, 25),
            minutes=self.real(fields, "minutes", "", *MINUTES, MINUTES[0]) if timed else None,
        )
        self.refuse()
        return query

    def start(self, fields: Mapping[str, Any]) -> tuple[Seed, ...]:
        given = [name for name in ("song", "song_id", "seeds", "cluster", "features") if name in fields]
        if len(given) != 1:
            found = f"found {' and '.join(given)}" if given else "found none"
            self.fault("", f"exactly one of 'song', 'song_id', 'seeds', 'cluster' and 'features' is needed, {found}")
            return ()
        if given == ["features"]:
            features = self.features(fields["features"], "/features")
            return (Seed("/features", {"features": fields["features"]}, features=features),)
        return () if given == ["cluster"] else self.seeds(fields)

    def flow(self, value: object) -> str:
        if isinstance(value, str) and value in FLOWS:
            return value
        asked = f", found {shown(value)}{nearest(value, FLOWS)}" if isinstance(value, str) else ""
        self.fault("/flow", f"expected one of {', '.join(FLOWS)}{asked}")
        return FLOWS[0]

    def continued(self, body: object) -> ContinueQuery:
        fields = self.record(body, "", ("played", "skipped", "limit", *WISHES))
        query = ContinueQuery(
            query=Query((), self.whole(fields, "limit", "", 1, 100, 10), **self.wishes(fields, max_per_artist=1)),
            played=self.ids(fields, "played", 1) if isinstance(body, Mapping) else (),
            skipped=self.ids(fields, "skipped", 0),
        )
        self.refuse()
        return query

    def ids(self, fields: Mapping[str, Any], name: str, fewest: int) -> tuple[str, ...]:
        entries = self.listed(fields.get(name, []), f"/{name}", fewest, MOST_PLAYED)
        return tuple(self.identifier(song, f"/{name}/{place}") for place, song in enumerate(entries))
