"""``recommend``: songs like one that a text names, as a table or as the JSON that the service answers."""

import json
from collections.abc import Sequence
from pathlib import Path

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.artists import ArtistMatch
from segue.catalog.lookup.exact import artist_names
from segue.catalog.lookup.matching import SongMatch
from segue.catalog.lookup.resolver import Reading
from segue.engine.recommendation import Answer, recommend
from segue.engine.seeds import ResolvedSeed
from segue.errors import InvalidQuery, SegueError, UnknownSongs
from segue.query.parser import parse_recommend
from segue.query.schema import Vocabulary
from segue.releases.serving import load
from segue_build.arguments import format_table, one_line, shorten

MAX_TITLE_WIDTH, MAX_ARTISTS_WIDTH = 44, 32  # columns of a terminal
MAX_SUGGESTIONS = 3  # songs
MATCH_KINDS = {"id": "by its id", "exact": "exact match", "close": "closest spelling", "parts": "matches some words",
    "title": "this title by another artist", "guess": "a guess"}  # fmt: skip
# A single song's request names no genre, attribute or cluster.
NO_VOCABULARY = Vocabulary((), (), False, lambda _: None, ())


def print_recommendations(artifacts: str | Path, text: str, limit: int, *, explain: bool, as_json: bool) -> None:
    """Print songs like the one that a text names: a title, title and artist, an id or a link.

    Raises
    ------
    SegueError
        the text names no song; the message suggests some.

    """
    catalog = load(artifacts)
    try:
        query = parse_recommend({"song": text, "limit": limit, "explain": explain}, NO_VOCABULARY)
        found = recommend(catalog, query)
    except InvalidQuery as error:
        raise SegueError("; ".join(f"SONG: {fault.detail}" for fault in error.faults)) from None
    except UnknownSongs as error:
        raise SegueError(_unknown_message(catalog, text, error.suggestions)) from None
    if as_json:
        from segue.web import serializers

        print(json.dumps(serializers.recommendations(catalog, found), ensure_ascii=False))
    else:
        print("\n".join([*_describe_seed(catalog, text, found.seeds[0]), "", *_table(catalog, found)]))


def _unknown_message(catalog: Catalog, text: str, suggestions: Sequence[int]) -> str:
    names = "; ".join(_describe_song(catalog, row) for row in suggestions[:MAX_SUGGESTIONS])
    return f"no song is called '{text}'" + (f"; did you mean: {names}?" if names else "")


def _describe_seed(catalog: Catalog, text: str, seed: ResolvedSeed) -> list[str]:
    """What the text was understood to mean."""
    match = seed.match
    if match is None or match.row is None:
        what = "the artist of" if match is None else "artist" if match.artist is not None else "description"
        name = text if match is None or match.artist is None else catalog.texts("artists")[match.artist]
        lines = [f"Songs like the {len(seed.rows)} that stand for the {what} {one_line(name)}:"]
    else:
        lines = [f"{_describe_song(catalog, match.row)} ({MATCH_KINDS[match.reading.kind]}), and songs like it:"]
    others = [_describe_reading(catalog, reading) for reading in match.alternatives] if match else []
    if match and match.ambiguous and others:
        lines.insert(0, f"It may also mean: {'; '.join(filter(None, others))}")
    return lines


def _describe_reading(catalog: Catalog, reading: Reading) -> str:
    if isinstance(reading, SongMatch):
        return _describe_song(catalog, reading.row)
    if isinstance(reading, ArtistMatch):
        return f"the artist {one_line(catalog.texts('artists')[reading.artist])}"
    return f"the genre {', '.join(reading.genres)}" if reading.genres else ""


def _describe_song(catalog: Catalog, row: int) -> str:
    return f'"{_title(catalog, row)}" by {_artists(catalog, row)}'


def _table(catalog: Catalog, found: Answer) -> list[str]:
    if not found.recommendations:
        return ["No other song is like it."]
    rows = [
        (
            str(rank),
            shorten(_title(catalog, song.row), MAX_TITLE_WIDTH),
            shorten(_artists(catalog, song.row), MAX_ARTISTS_WIDTH),
            f"{song.score:.3f}",
            "; ".join(song.why.reasons) if song.why else "",
        )
        for rank, song in enumerate(found.recommendations, 1)
    ]
    explained = found.recommendations[0].why is not None
    return format_table([("rank", "title", "artists", "score", "why" if explained else ""), *rows], right=(0, 3))


def _title(catalog: Catalog, row: int) -> str:
    return one_line(catalog.texts("names")[row])


def _artists(catalog: Catalog, row: int) -> str:
    return one_line(", ".join(artist_names(catalog, row)))
