"""What an extended streaming history of gigabytes takes to learn from, and as the songs themselves.

``python -m tests.benchmarks.history --gigabytes 3`` writes invented plays in the form of Spotify's export, fits an
invented catalogue with them as ``--playlists``, then them alone as ``--source``, and prints time and peak memory.
"""

import argparse
import datetime as dt
import json
import random
import sys
import tempfile
from pathlib import Path

from segue_build.progress import bar
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.tracks import load_tracks
from tests.benchmarks.figures import table
from tests.support.costly_files import cost_of_fit

FILE_BYTES = 12_500_000  # of a file, as Spotify writes them
CATALOGUE = "demo:2000"
STRANGERS = 30_000  # songs that the catalogue lacks
UNPLAYED = {"username": None, "platform": "ios", "conn_country": "ZZ", "ip_addr_decrypted": "unknown",
            "user_agent_decrypted": "unknown", "episode_name": None, "episode_show_name": None,
            "spotify_episode_uri": None, "audiobook_title": None, "audiobook_uri": None,
            "audiobook_chapter_title": None, "audiobook_chapter_uri": None, "reason_start": "trackdone",
            "reason_end": "trackdone", "shuffle": True, "offline": False, "offline_timestamp": None,
            "incognito_mode": False}  # fmt: skip


def main() -> None:
    """Print a row for each way to use it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.history", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=3)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "Spotify Extended Streaming History")
        plays = write(folder, int(options.gigabytes * 10**9))
        size = sum(path.stat().st_size for path in folder.iterdir())
        for what, source, more in (
            ("--playlists", CATALOGUE, ["--playlists", str(folder)]),
            ("--source", str(folder), []),
        ):
            cost = cost_of_fit(Path(source), Path(place, "artifacts", what), *more)
            said = "" if cost.code == 0 else cost.said
            rows.append({"as": what, "MB": size / 1e6, "plays": plays, "seconds of a processor": cost.seconds,
                         "peak MB": cost.memory / 1e6, "error": said})  # fmt: skip
            print(rows[-1], file=sys.stderr)
    print(table(rows))


def write(folder: Path, size: int) -> int:
    """Write plays of so many bytes; -> how many."""
    folder.mkdir()
    dice = random.Random(7)
    songs = load_tracks([CATALOGUE], {})[0][["name", "artists", "album"]].fillna("").to_numpy().tolist()
    songs += [[f"Far Song {n}", f"Stranger {n // 9}", f"Record {n // 9}"] for n in range(STRANGERS)]
    at, plays = dt.datetime(2012, 1, 1, tzinfo=dt.UTC), 0
    for number in bar(range(-(-size // FILE_BYTES)), "writing", " files"):
        written = 0
        with Path(folder, f"Streaming_History_Audio_{number}.json").open("w", encoding="utf-8") as file:
            while written < FILE_BYTES:
                number_of_song = int(len(songs) * dice.random() ** 2)
                title, artists, album = songs[number_of_song]
                length = dice.choice((9_000, 150_000, 210_000, 260_000))
                at += dt.timedelta(milliseconds=length + (3 * 3_600_000 if dice.random() < 0.05 else 0))
                play = {
                    "ts": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                    **UNPLAYED,
                    "ms_played": length,
                    "master_metadata_track_name": title,
                    "master_metadata_album_artist_name": artists.partition(SEPARATOR)[0],
                    "master_metadata_album_album_name": album,
                    "spotify_track_uri": f"spotify:track:{number_of_song:022}",
                    "skipped": length < 10_000,
                }
                text = json.dumps(play, ensure_ascii=False, indent=2)
                written += file.write(f"{',' if written else '['}\n{text}")
                plays += 1
            file.write("\n]\n")
    return plays


if __name__ == "__main__":
    main()
