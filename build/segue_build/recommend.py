"""``recommend`` and ``recommend-file``: songs like one that a text names, and for every query of a file.

Both use the very engine and defaults of the service.
"""

import contextlib
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from segue import releases
from segue.catalog.catalog import Catalog
from segue.catalog.lookup.artists import ArtistMatch
from segue.catalog.lookup.exact import artist_names, song_by_id
from segue.catalog.lookup.matching import SongMatch
from segue.catalog.lookup.resolver import Reading
from segue.engine.recommendation import Answer, recommend
from segue.engine.seeds import ResolvedSeed
from segue.errors import InvalidQuery, SegueError, SourceError, UnknownSongs
from segue.query.parser import MAX_SEEDS, parse_recommend
from segue.query.schema import Query, Seed, Vocabulary
from segue_build import progress
from segue_build.arguments import check_output_file, format_table, one_line, shorten

MAX_TITLE_WIDTH, MAX_ARTISTS_WIDTH = 44, 32  # columns of a terminal
MAX_SUGGESTIONS = 3  # songs
MATCH_KINDS = {"id": "by its id", "exact": "exact match", "close": "closest spelling", "parts": "matches some words",
    "title": "this title by another artist", "guess": "a guess"}  # fmt: skip
HEADERS = ("query_id", "seed_track_id")  # of a file of queries
# A single song's request names no genre, attribute or cluster.
NO_VOCABULARY = Vocabulary((), (), False, lambda _: None, ())


def print_recommendations(artifacts: str | Path, text: str, limit: int, *, explain: bool, as_json: bool) -> None:
    """Print songs like the one that a text names: a title, title and artist, an id or a link.

    Raises
    ------
    SegueError
        the text names no song; the message suggests some.

    """
    catalog = releases.load(artifacts)
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


def recommend_file(artifacts: str | Path, queries: Path, ranked: Path, limit: int, *, exact: bool) -> None:
    """Answer every query of a file.

    queries : CSV ``query_id,seed_track_id``; rows that share a query_id are one query of several seeds
    ranked : receives CSV ``query_id,rank,track_id``, ranks from 1; ``-`` is stdout
    exact : score every song for each query

    Seeds that the catalogue does not hold are reported on stderr and left out.
    """
    if str(ranked) != "-":
        check_output_file(ranked)
    songs = releases.load(artifacts)
    queries_by_id = _read_queries(queries)
    known_seeds = {
        query: [seed for seed in seeds if song_by_id(songs, seed) is not None]
        for query, seeds in queries_by_id.items()
    }
    _report_unknown_seeds(queries_by_id, known_seeds)
    with _open_output(ranked) as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["query_id", "rank", "track_id"])
        for query, seeds in progress.bar(known_seeds.items(), "recommending", " queries", len(known_seeds)):
            if seeds:
                answer = _recommended_ids(songs, seeds, limit, exact=exact)
                out.writerows((query, rank, song) for rank, song in enumerate(answer, 1))


def _recommended_ids(songs: Catalog, seeds: list[str], limit: int, *, exact: bool) -> list[str]:
    query_seeds = tuple(
        Seed(f"/seeds/{position}", {"id": seed}, id=seed) for position, seed in enumerate(seeds[:MAX_SEEDS])
    )
    ids = songs.texts("ids")
    return [
        ids[found.row] for found in recommend(songs, Query(query_seeds, limit=limit, exact=exact)).recommendations
    ]


def _read_queries(path: Path) -> dict[str, list[str]]:
    """Query -> its seeds, both in the order of the file."""
    queries_by_id: dict[str, list[str]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in HEADERS if name not in (rows.fieldnames or [])]
        if missing:
            raise SourceError(f"{path.name}, row 1: no column '{missing[0]}'; expected {','.join(HEADERS)}")
        try:
            for row in rows:
                queries_by_id[row["query_id"]].append(row["seed_track_id"] or "")
        except (csv.Error, UnicodeDecodeError) as error:
            raise SourceError(f"{path.name}, line {rows.line_num}: {error}") from error
    return queries_by_id


def _report_unknown_seeds(queries_by_id: dict[str, list[str]], known: dict[str, list[str]]) -> None:
    cut = sum(len(seeds) > MAX_SEEDS for seeds in known.values())
    if cut:
        print(f"{cut:,} queries have more than {MAX_SEEDS} seeds; the first {MAX_SEEDS} count", file=sys.stderr)
    unknown = [seed for query, seeds in queries_by_id.items() for seed in seeds if seed not in known[query]]
    left_out = sum(not seeds for seeds in known.values())
    if unknown:
        print(
            f"{len(unknown):,} seeds are not in the catalogue ({', '.join(unknown[:3])}, ...);"
            f" {left_out:,} of {len(queries_by_id):,} queries have no other and are left out",
            file=sys.stderr,
        )


@contextlib.contextmanager
def _open_output(path: Path) -> Iterator[TextIO]:
    if str(path) == "-":
        yield sys.stdout
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
