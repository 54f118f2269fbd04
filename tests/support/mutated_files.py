"""Files of every format with some bytes changed: each is a table, or an error in one line; nothing else happens.

``python -m tests.support.mutated_files --count 10000 --seed 1`` reads so many, and prints those that something else
became of, with the seeds that make them again.
"""

import argparse
import contextlib
import itertools
import random
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from segue.errors import SourceError
from segue_build.sources.tracks import load_tracks
from tests.support.table_formats import KINDS, ROWS

M3U = "#EXTM3U\n#PLAYLIST:Évening\n" + "".join(
    f"#EXTINF:{200 + n},Artist {n} - Song {n}\nspotify:track:{n:022}\n" for n in range(12)
)
XSPF = (
    '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><title>Mine</title><trackList>'
    + "".join(f"<track><title>Song {n}</title><creator>Artist {n}</creator></track>" for n in range(12))
    + "</trackList></playlist>"
)
REKORDBOX = (
    '<?xml version="1.0"?><DJ_PLAYLISTS Version="1.0.0"><COLLECTION Entries="12">'
    + "".join(
        f'<TRACK TrackID="{n}" Name="Song {n}" Artist="A {n}" AverageBpm="120.0" Tonality="8A" TotalTime="200"/>'
        for n in range(12)
    )
    + '</COLLECTION><PLAYLISTS><NODE Type="0" Name="ROOT"><NODE Name="Set" Type="1" KeyType="0">'
    '<TRACK Key="1"/></NODE></NODE></PLAYLISTS></DJ_PLAYLISTS>'
)
TRAKTOR = (
    '<?xml version="1.0"?><NML VERSION="19"><COLLECTION ENTRIES="12">'
    + "".join(
        f'<ENTRY TITLE="Song {n}" ARTIST="A {n}"><LOCATION DIR="/:" FILE="{n}.mp3" VOLUME="V"/>'
        f'<INFO GENRE="House" PLAYTIME="200"/><TEMPO BPM="124.0"/><MUSICAL_KEY VALUE="{n}"/></ENTRY>'
        for n in range(12)
    )
    + "</COLLECTION></NML>"
)
ITUNES = (
    '<?xml version="1.0"?><plist version="1.0"><dict><key>Tracks</key><dict>'
    + "".join(
        f"<key>{n}</key><dict><key>Track ID</key><integer>{n}</integer><key>Name</key><string>Song {n}</string>"
        f"<key>Artist</key><string>A {n}</string><key>Total Time</key><integer>200000</integer></dict>"
        for n in range(12)
    )
    + "</dict><key>Playlists</key><array><dict><key>Name</key><string>Mine</string><key>Playlist Items</key><array>"
    "<dict><key>Track ID</key><integer>1</integer></dict></array></dict></array></dict></plist>"
)


def sqlite() -> bytes:
    """A database of one table."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        pd.DataFrame(ROWS).to_sql("songs", database, index=False)
        return database.serialize()


def formats() -> dict[str, bytes]:
    """A file of each format."""
    texts = {"M3U": M3U, "XSPF": XSPF, "rekordbox": REKORDBOX, "Traktor": TRAKTOR, "iTunes": ITUNES}
    return KINDS | {"SQLite": sqlite()} | {name: text.encode() for name, text in texts.items()}


def mutated(data: bytes, seed: int) -> bytes:
    """The same with some bytes changed, removed, repeated or inserted."""
    dice, changed = random.Random(seed), bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        place, length = dice.randrange(max(len(changed), 1)), dice.choice((1, 1, 2, 4, 8, 100))
        part = slice(place, place + length)
        kind = dice.randrange(5)
        if kind == 0 and changed:
            changed[place] ^= 1 << dice.randrange(8)
        elif kind == 1:
            changed[part] = dice.randbytes(length)
        elif kind == 2:
            del changed[part]
        elif kind == 3:
            changed[place:place] = changed[part]
        else:
            changed[place : place + 4] = dice.choice((0, 1, 2**31 - 1, 2**32 - 1)).to_bytes(4, "little")
    return bytes(changed)


def attack(count: int, seed: int) -> list[str]:
    """Read mutated files of all formats in turn; what became of those that are neither a table nor one line."""
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table")
        for number, (name, data) in enumerate(itertools.islice(itertools.cycle(formats().items()), count), seed):
            path.write_bytes(mutated(data, number))
            faults += [f"{name}, seed {number}: {fault}" for fault in outcome(path)]
    return faults


def outcome(path: Path) -> Iterator[str]:
    """What is wrong with what a file becomes."""
    try:
        load_tracks([str(path)], {})
    except SourceError as error:
        if "\n" in str(error) or len(str(error)) > MAX_MESSAGE:
            yield f"a long message: {str(error)[:200]!r}"
    except BaseException as error:  # that is what is looked for
        yield f"{type(error).__name__}: {str(error)[:200]!r}"


MAX_MESSAGE = 4_000  # characters


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.mutated_files", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    faults = attack(options.count, options.seed)
    print("\n".join([*faults, f"{options.count:,} files, {len(faults):,} faults"]))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
