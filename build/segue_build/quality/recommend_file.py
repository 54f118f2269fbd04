"""``recommend-file``: a file of seeds answered by the very engine and defaults of the service."""

import contextlib
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from segue import releases
from segue.catalog import Catalog
from segue.catalog.lookup.exact import song_by_id
from segue.engine.recommendation import recommend
from segue.errors import SourceError
from segue.query.parser import MAX_SEEDS
from segue.query.schema import Query, Seed
from segue_build import progress

HEADERS = ("query_id", "seed_track_id")


def recommend_file(artifacts: str | Path, queries: Path, ranked: Path, limit: int, *, exact: bool) -> None:
    """Answer every query of a file.

    queries : CSV ``query_id,seed_track_id``; rows that share a query_id are one query of several seeds
    ranked : receives CSV ``query_id,rank,track_id``, ranks from 1; ``-`` is stdout
    exact : score every song for each query

    Seeds that the catalogue does not hold are reported on stderr and left out.
    """
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
