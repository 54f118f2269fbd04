"""How many songs ``--enrich`` finds by title and artist alone, and how many wrongly: their ids and sound tell.

``python -m tests.benchmarks.enrichment SONGS REFERENCE`` takes songs of one table without their ids and features, and
looks for them in another.
"""

import argparse

import numpy as np
import pandas as pd

from segue_build.sources.joining import match_songs
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.tracks import load_tracks

SONGS = 2_000
TOLERANCE = 0.1  # of features between 0 and 1, within which most are where two ids are of one recording
MIN_NEAR = 4  # of HEARD
HEARD = ("energy", "danceability", "valence", "acousticness", "speechiness", "instrumentalness")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("songs", help="a table that has ids and features")
    parser.add_argument("reference", help="a table that knows some of its songs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    songs, reference = (load_tracks([source], {})[0] for source in (options.songs, options.reference))
    in_both = songs[songs["id"].isin(reference["id"])]
    for whose, table in (("songs", songs), ("songs whose ids are in the reference", in_both)):
        sample = table.sample(min(SONGS, len(table)), random_state=options.seed).reset_index(drop=True)
        print(f"{len(sample):,} {whose}, {int(sample['id'].isin(reference['id']).sum()):,} in the reference by id")
        for what, columns in (("title and artists", []), ("these and the duration", ["duration_ms"])):
            print(f"  by {what}: {judged(sample, reference, columns)}")


def judged(sample: pd.DataFrame, reference: pd.DataFrame, columns: list[str]) -> str:
    """How many were found, and what they were found to be."""
    rows = match_songs(sample[["name", "artists", *columns]], reference).rows
    found = rows >= 0
    own, other = sample[found].reset_index(drop=True), reference.iloc[rows[found]].reset_index(drop=True)
    same_id = (own["id"] == other["id"]).to_numpy()
    near = [(own[name] - other[name]).abs().to_numpy() <= TOLERANCE for name in HEARD]
    same_sound = ~same_id & (np.sum(near, axis=0) >= MIN_NEAR)
    wrong = ~same_id & ~same_sound
    wrongly = own.loc[wrong, ["name", "artists"]].assign(at=np.flatnonzero(wrong))
    for title, artists, at in wrongly.itertuples(index=False):
        print(
            f"    wrong: {title} | {artists} -> {other['name'][at]} | {other['artists'][at]}".replace(SEPARATOR, ", ")
        )
    return (
        f"{int(found.sum()):,} found, {int(same_id.sum()):,} by their own id, {int(same_sound.sum()):,} as the same"
        f" recording of another id, {int(wrong.sum()):,} wrong ({wrong.sum() / max(len(sample), 1):.2%} of all,"
        f" {wrong.mean():.2%} of those found)"
    )


if __name__ == "__main__":
    main()
