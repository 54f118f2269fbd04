"""How good recommendations are by the table alone, and how evenly they spread, without playlists.

============  =====================================================================================
artist@10     lists of ten that hold another song by the seed's artist, of seeds whose artist has one
album@10      the same for the album
genre@10      share of ten songs by other artists that share a genre with the seed
coverage      works in the lists for ``SEEDS`` songs, of all: never more than ten times as many; ``fit`` and
              ``evaluate`` measure by the same songs
never         works in none of the lists, of all that ten songs a seed could reach
hubness       skewness of how often songs are in lists: Radovanović, Nanopoulos and Ivanović, "Hubs in
              space", JMLR 11 (2010); 0 is even
============  =====================================================================================
"""

from collections.abc import Iterable, Sequence

import numpy as np

from segue_build import progress
from segue_build.quality.drawing import Usable
from segue.catalog import Catalog, lookup
from segue.engine import recommend
from segue.query import Filters, Query, Seed

SEEDS = 500


def by_table(songs: Catalog, n_seeds: int = SEEDS) -> dict[str, float]:
    """Figures from a sample of seeds, the same each time; those of which the table knows nothing are left out."""
    rows = _sample(songs, n_seeds)
    artists, albums, genres, shown = [], [], [], []
    for row in progress.bar(rows, "judging by the table", " songs", len(rows)):
        first = lookup.artists_of(songs, row)[:1]
        free = _rows(songs, row, Query(_seed(songs, row), max_per_artist=None))
        artists.append(_hit(_by_first_artist(songs, row), free))
        albums.append(_hit(_on_album(songs, row), free))
        others = _rows(songs, row, Query(_seed(songs, row), filters=Filters(exclude_artists=tuple(first))))
        genres.append(_sharing_genre(songs, row, others))
        shown.append(_rows(songs, row, Query(_seed(songs, row))))
    retrieved = {"artist@10": artists, "album@10": albums, "genre@10": genres}
    means = {name: float(np.nanmean(values)) for name, values in retrieved.items() if not np.isnan(values).all()}
    return {**means, **spread(shown, int(songs.manifest["works"]))}


def _sample(songs: Catalog, n_seeds: int) -> list[int]:
    usable = Usable(songs)
    picks = np.random.default_rng(0).choice(len(usable), min(n_seeds, len(usable)), replace=False)
    return [usable.row(pick) for pick in picks.tolist()]


def _seed(songs: Catalog, row: int) -> tuple[Seed]:
    return (Seed("/song_id", {}, id=songs.texts("ids")[row]),)


def _rows(songs: Catalog, row: int, query: Query) -> list[int]:
    return [found.row for found in recommend(songs, query).recommendations if found.row != row]


def _hit(wanted: set[int], found: Sequence[int]) -> float:
    """1 or 0; NaN where there was nothing to find."""
    return float(bool(wanted & set(found))) if wanted else np.nan


def _by_first_artist(songs: Catalog, row: int) -> set[int]:
    artists = songs.lists("by", "artists")[row]
    theirs = songs.lists("artist", "songs")[int(artists[0])] if len(artists) else ()
    return _other_works(songs, row, theirs)


def _on_album(songs: Catalog, row: int) -> set[int]:
    albums = songs.texts("albums")
    return {other for other in _by_first_artist(songs, row) if albums[row] and albums[other] == albums[row]}


def _other_works(songs: Catalog, row: int, rows: Iterable[int]) -> set[int]:
    """Those rows that may be recommended and are no version of the song."""
    works, usable = songs.array("works"), songs.array("recommendable")
    return {int(other) for other in rows if works[other] != works[row] and usable[other]}


def _sharing_genre(songs: Catalog, row: int, found: Sequence[int]) -> float:
    genres = songs.lists("in", "genres")
    own = set(map(int, genres[row]))
    return float(np.mean([bool(own & set(map(int, genres[other]))) for other in found])) if own and found else np.nan


def spread(shown: Sequence[Sequence[int]], n_works: int) -> dict[str, float]:
    """How evenly lists of ten fall on the catalogue: ``coverage``, ``never`` and ``hubness`` of the table above."""
    slots = sum(map(len, shown))
    rows, counts = np.unique([row for rows in shown for row in rows], return_counts=True)
    mean, never = slots / n_works, n_works - len(rows)
    second, third = ((((counts - mean) ** power).sum() + never * (-mean) ** power) / n_works for power in (2, 3))
    skewness = float(third / max(second, 1e-12) ** 1.5)
    return {
        "coverage": len(rows) / n_works,
        "never": 1 - len(rows) / min(n_works, max(slots, 1)),
        "hubness": skewness,
    }
