"""``recommend-file``: a file of seeds answered by the very engine and defaults of the service."""

import contextlib
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from segue_build import progress
from segue import releases
from segue.catalog import Catalog, lookup
from segue.engine import recommend
from segue.errors import SourceError
from segue.query import Query, Seed
from segue.query.parser import MOST_SEEDS

HEADERS = ("query_id", "seed_track_id")


def recommend_file(artifacts: str | Path, queries: Path, ranked: Path, limit: int, *, exact: bool) -> None:
    """Answer every query of a file.

    queries : CSV ``query_id,seed_track_id``; rows that share a query_id are one query of several seeds
    ranked : receives CSV ``query_id,rank,track_id``, ranks from 1; ``-`` is stdout
    exact : score every song for each query

    Seeds that the catalogue does not hold are reported on stderr and left out.
    """
    songs = releases.load(artifacts)
    asked = _read(queries)
    known = {
        query: [seed for seed in seeds if lookup.by_id(songs, seed) is not None] for query, seeds in asked.items()
    }
    _report_unknown(asked, known)
    with _writer(ranked) as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["query_id", "rank", "track_id"])
        for query, seeds in progress.bar(known.items(), "recommending", " queries", len(known)):
            if seeds:
                answer = _answer(songs, seeds, limit, exact=exact)
                out.writerows((query, rank, song) for rank, song in enumerate(answer, 1))


def _answer(songs: Catalog, seeds: list[str], limit: int, *, exact: bool) -> list[str]:
    asked = tuple(Seed(f"/seeds/{place}", {"id": seed}, id=seed) for place, seed in enumerate(seeds[:MOST_SEEDS]))
    ids = songs.texts("ids")
    return [ids[found.row] for found in recommend(songs, Query(asked, limit=limit, exact=exact)).recommendations]


def _read(path: Path) -> dict[str, list[str]]:
    """Query -> its seeds, both in the order of the file."""
    asked: dict[str, list[str]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in HEADERS if name not in (rows.fieldnames or [])]
        if missing:
            raise SourceError(f"{path.name}, row 1: no column '{missing[0]}'; expected {','.join(HEADERS)}")
        try:
            for row in rows:
                asked[row["query_id"]].append(row["seed_track_id"] or "")
        except (csv.Error, UnicodeDecodeError) as error:
            raise SourceError(f"{path.name}, line {rows.line_num}: {error}") from error
    return asked


def _report_unknown(asked: dict[str, list[str]], known: dict[str, list[str]]) -> None:
    cut = sum(len(seeds) > MOST_SEEDS for seeds in known.values())
    if cut:
        print(f"{cut:,} queries have more than {MOST_SEEDS} seeds; the first {MOST_SEEDS} count", file=sys.stderr)
    unknown = [seed for query, seeds in asked.items() for seed in seeds if seed not in known[query]]
    left_out = sum(not seeds for seeds in known.values())
    if unknown:
        print(
            f"{len(unknown):,} seeds are not in the catalogue ({', '.join(unknown[:3])}, ...);"
            f" {left_out:,} of {len(asked):,} queries have no other and are left out",
            file=sys.stderr,
        )


@contextlib.contextmanager
def _writer(path: Path) -> Iterator[TextIO]:
    if str(path) == "-":
        yield sys.stdout
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
