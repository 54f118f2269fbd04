"""How often lists for well-known songs hold another recording of the seed.

``python -m tests.benchmarks.covers [--artifacts DIR]`` asks for twenty songs for each of the 1,000 most popular
works, by its id and by its title and artist in one text, and for each of 200 recordings whose titles have a catalogue
number. It prints the share of results that have the seed's title, or its number and movement. Its rules for both are
its own, not those that the service knows.
"""

import argparse
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segue.catalog import Catalog, load
from segue.engine.recommendation import recommend
from segue.query.schema import Query, Seed

SONGS, PIECES, LIMIT = 1_000, 200, 20
NUMBER = re.compile(r"\b(op|opus|bwv|k|kv|d|rv|hwv|woo|l|s)\.? ?(\d+)(?:[,/]? ?n[or]\.? ?(\d+))?")
NUMERAL = re.compile(r"\b(?:[ivx]+|\d+[a-z]?)\b")


def main() -> None:
    """Print a row for each kind of seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.covers", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--show", action="store_true", help="print the recordings that were found")
    options = parser.parse_args()
    catalog = load(options.artifacts)
    names, ids, artists = catalog.texts("names"), catalog.texts("ids"), catalog.lists("song", "artists")
    people, popular = catalog.texts("artists"), most_popular(catalog)
    songs = popular[:SONGS]
    pieces = [row for row in popular if number(names[row])][:PIECES]
    by_text = [f"{names[row]} {people[int(artists[row][0])]}" for row in songs]
    kinds = {
        f"{SONGS:,} songs by id": ([Seed("", {}, id=ids[row]) for row in songs], title),
        f"{SONGS:,} songs by text": ([Seed("", {}, song=text) for text in by_text], title),
        f"{len(pieces)} pieces by id": ([Seed("", {}, id=ids[row]) for row in pieces], number),
    }
    print("| seeds | results | recordings of the seed | share |\n|---|---:|---:|---:|")
    for kind, (seeds, key) in kinds.items():
        found = list(results(catalog, seeds))
        same = [(names[seed], names[row]) for seed, row in found if key(names[seed]) == key(names[row]) != ""]
        print(f"| {kind} | {len(found):,} | {len(same)} | {len(same) / len(found):.3%} |", flush=True)
        if options.show:
            print(*(f"  {seed} -> {other}" for seed, other in same), sep="\n")


def most_popular(catalog: Catalog) -> list[int]:
    """Rows of works, the most popular first."""
    rows = np.flatnonzero(catalog.array("recommendable"))
    popularity = np.nan_to_num(catalog.attribute("popularity")[rows])
    rows = rows[np.lexsort((catalog.array("source_rows")[rows], -popularity))]
    _, first = np.unique(catalog.array("works")[rows], return_index=True)
    return rows[np.sort(first)].tolist()


def results(catalog: Catalog, seeds: list[Seed]) -> Iterator[tuple[int, int]]:
    """Rows of seeds and of what is recommended for them."""
    for seed in seeds:
        answer = recommend(catalog, Query((seed,), limit=LIMIT))
        yield from ((answer.seeds[0].rows[0], song.row) for song in answer.recommendations)


def title(name: str) -> str:
    """A title without accents, case, brackets, guests, version and punctuation."""
    text = "".join(c for c in unicodedata.normalize("NFKD", name).lower() if not unicodedata.combining(c))
    text = re.sub(r"\s-\s.*| (?:feat|ft)\b.*", "", re.sub(r"[(\[].*?[)\]]", "", text))
    return re.sub(r"[\W_]+", "", text)


def number(name: str) -> str:
    """The first catalogue number of a title and those of its movement, nothing where it has none."""
    text = name.lower()
    found = NUMBER.search(text)
    return f"{found.groups()} {NUMERAL.findall(text.rpartition(':')[2])}" if found and ":" in text else ""


if __name__ == "__main__":
    main()
