"""Whether playlists teach the same in any form: as CSV, as Exportify's zip, as JSPF, as Spotify's account data.

``python -m tests.benchmarks.playlist_formats SOURCE PLAYLISTS.csv`` writes the playlists in each form, with and
without ids, and compares what is read: the works on each list. ``--fit`` also learns from all but a fifth of those
that differ from the CSV, and judges by that fifth.
"""

import argparse
import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from segue_build.fit import FitOptions
from segue_build.model import works
from segue_build.quality.evaluate import evaluate_playlists
from segue_build.sources.importer import load_playlists
from segue_build.sources.playlists import catalog_works
from segue_build.sources.tracks import load_tracks
from tests.benchmarks.figures import Row, table
from tests.benchmarks.quality import made

FIGURES = ("HR@10", "xHR@10")


def main() -> None:
    """Print a row for each form."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.playlist_formats", description=__doc__)
    parser.add_argument("source")
    parser.add_argument("playlists", type=Path, help="playlist_id, track_id, artist_name, track_name")
    parser.add_argument("--fit", action="store_true", help="and what each teaches")
    options = parser.parse_args()
    frame, _ = load_tracks([options.source], {})
    known = catalog_works(frame, works.match_key, works.work_numbers(frame))
    entries = pd.read_csv(options.playlists, dtype=str, keep_default_na=False)
    plain = load_playlists(options.playlists, known)
    lists = dict(zip(plain.names, map(set, plain.members)))
    rows = [{"form": "CSV"} | (taught(options, options.playlists) if options.fit else {})]
    with tempfile.TemporaryDirectory() as folder:
        for what, given in (("", entries), (" without ids", entries.assign(track_id=""))):
            for form, write in FORMS.items():
                path = write(Path(folder), given)
                rows.append({"form": form + what} | compared(load_playlists(path, known), lists, plain.n_known))
                if options.fit and rows[-1]["same lists"] < 1:
                    rows[-1] |= taught(options, path)
    print(table(rows))


def compared(read: object, lists: dict[str, set[int]], n_known: int) -> Row:
    """How much of what the CSV says of works of the catalogue is there, and how many lists are the same."""
    found = {name: {w for w in members if w < n_known} for name, members in zip(read.names, read.members)}  # type: ignore[attr-defined]
    expected = {name: {work for work in members if work < n_known} for name, members in lists.items()}
    same = sum(found.get(name, set()) == members for name, members in expected.items())
    n_same = sum(len(found.get(name, set()) & members) for name, members in expected.items())
    return {
        "works found": sum(map(len, found.values())),
        "of the CSV's": n_same / sum(map(len, expected.values())),
        "same lists": same / len(expected),
    }


def taught(options: argparse.Namespace, playlists: Path) -> Row:
    """What a fifth of the playlists says of a catalogue that the others taught in one form."""
    with made(FitOptions([options.source], playlists=playlists, fold=0)) as songs:
        _, figures, _ = evaluate_playlists(songs, options.playlists, "valid", 0)
    return {name: figures[name][0] for name in FIGURES}


def write_exportify(folder: Path, entries: pd.DataFrame) -> Path:
    """A zip of a CSV for each playlist."""
    headers = ["Track URI", "Track Name", "Album Name", "Artist Name(s)", "Release Date", "Duration (ms)", "Added At"]
    with zipfile.ZipFile(folder / "exportify.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in entries.groupby("playlist_id", sort=False):
            text = io.StringIO()
            writer = csv.writer(text)
            writer.writerow(headers)
            for song, title, artist in rows[["track_id", "track_name", "artist_name"]].itertuples(index=False):
                writer.writerow([f"spotify:track:{song}" if song else "", title, "", artist, "", "", "2026-01-01"])
            archive.writestr(f"{name}.csv", text.getvalue())
    return folder / "exportify.zip"


def write_jspf(folder: Path, entries: pd.DataFrame) -> Path:
    """A zip of a JSPF file for each playlist."""
    with zipfile.ZipFile(folder / "jspf.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in entries.groupby("playlist_id", sort=False):
            tracks = [
                {"title": title, "creator": artist} | ({"identifier": [f"spotify:track:{song}"]} if song else {})
                for song, title, artist in rows[["track_id", "track_name", "artist_name"]].itertuples(index=False)
            ]
            archive.writestr(f"{name}.jspf", json.dumps({"playlist": {"title": name, "track": tracks}}))
    return folder / "jspf.zip"


def write_account_data(folder: Path, entries: pd.DataFrame) -> Path:
    """The Playlist1.json of Spotify's account data."""
    playlists = [
        {
            "name": name,
            "lastModifiedDate": "2026-01-01",
            "items": [
                {
                    "track": {
                        "trackName": title,
                        "artistName": artist,
                        "albumName": "",
                        "trackUri": f"spotify:track:{song}" if song else "",
                    },
                    "episode": None,
                    "localTrack": None,
                    "addedDate": "2026-01-01",
                }
                for song, title, artist in rows[["track_id", "track_name", "artist_name"]].itertuples(index=False)
            ],
        }
        for name, rows in entries.groupby("playlist_id", sort=False)
    ]
    (folder / "Playlist1.json").write_text(json.dumps({"playlists": playlists}), encoding="utf-8")
    return folder / "Playlist1.json"


FORMS: dict[str, Callable[[Path, pd.DataFrame], Path]] = {
    "Exportify": write_exportify,
    "JSPF": write_jspf,
    "account data": write_account_data,
}


if __name__ == "__main__":
    main()
