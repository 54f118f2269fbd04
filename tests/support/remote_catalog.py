"""A catalogue served by pieces, for the tests of that: a store of a folder, and what is asked of it."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from segue.catalog import Catalog
from segue.catalog.remote import RemoteCatalog
from segue.releases.store import LocalStore

Range = Callable[[str, int, int], bytes]


def ranged(
    songs: Catalog, root: Path, limit: int = 10**8, through: Callable[[Range], Range] = lambda same: same
) -> RemoteCatalog:
    """A version that was published to a folder; ``through`` stands between it and the store's ranges."""
    store = LocalStore(root)

    def range_of(name: str, start: int, stop: int) -> bytes:
        return store.read_range(f"versions/{songs.version}/{name}", start, stop)

    folder = root / "versions" / songs.version
    return RemoteCatalog(folder, songs.manifest, lambda name: folder / name, through(range_of), limit)


def requests(songs: Catalog, count: int, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests of all kinds, drawn at random: path and body."""
    dice = random.Random(seed)
    ids, names, artists = (songs.texts(name) for name in ("ids", "names", "artists"))
    by = songs.lists("song", "artists")
    for number in range(count):
        row, other = dice.randrange(len(songs)), dice.randrange(len(songs))
        name, artist = names[row], artists[int(by[row][0])]
        genre = dice.choice(songs.manifest["genres"])
        kinds = [
            ("/recommend", {"song_id": ids[row]}),
            ("/recommend", {"song": name, "artist": artist, "explain": True}),
            ("/recommend", {"song": f"{name} {artist}", "limit": 30}),
            ("/recommend", {"song": f"{name[:-2]}x", "diversity": 0.5}),
            ("/recommend", {"seeds": [{"id": ids[row]}, {"id": ids[other], "weight": -1}, {"artist": artist}]}),
            ("/recommend", {"seeds": [{"genre": genre}], "filters": {"tempo": [90, 150]}}),
            ("/recommend", {"seeds": [{"features": {"energy": dice.random(), "tempo": 120}}], "limit": 50}),
            ("/recommend", {"song_id": ids[row], "targets": {"energy": 0.9}, "draw": 3, "explain": True}),
            (
                "/recommend",
                {"song_id": ids[row], "filters": {"exclude_ids": [ids[other]], "exclude_genres": [genre]}},
            ),
            ("/recommend", {"song_id": ids[row], "filters": {"exclude_artists": [artist]}, "exact": True}),
            ("/playlist", {"song_id": ids[row], "songs": 8}),
            ("/path", {"from": {"id": ids[row]}, "to": {"id": ids[other]}, "length": 6}),
            ("/order", {"songs": [{"id": ids[row]}, {"song": name, "artist": artist}, {"id": ids[other]}]}),
            ("/continue", {"played": [ids[row], ids[other]], "limit": 5}),
        ]
        yield kinds[number % len(kinds)]
