"""Published tables that can be asked for by name. Segue ships none of them: the build downloads them."""

import sys
from dataclasses import dataclass
from pathlib import Path

from segue_build.sources.download import fetch
from segue.errors import SourceError

TERMS = "Spotify's terms forbid training on Spotify content; whether your use is allowed is yours to judge"


@dataclass(frozen=True, slots=True)
class NamedDataset:
    """A table of tracks at a public address.

    sha256, size : of the file that Segue was tried on; size in bytes
    licence : what its publisher states, not what Segue vouches for
    about : one line for people
    """

    name: str
    url: str
    sha256: str
    size: int
    licence: str
    about: str


DATASETS = {
    dataset.name: dataset
    for dataset in (
        NamedDataset(
            name="spotify-114k",
            url="https://huggingface.co/datasets/maharshipandya/spotify-tracks-dataset/resolve/main/dataset.csv",
            sha256="b202fa49909b2d5cef71a04b1d21243cfeb36414535f2ca9272aa646721177bd",
            size=20_118_244,
            licence="ODbL 1.0, as its publisher states on Kaggle",
            about="Spotify Tracks Dataset by maharshipandya: 114,000 rows, 89,741 tracks, 114 genres",
        ),
        NamedDataset(
            name="tidytuesday",
            url="https://raw.githubusercontent.com/rfordatascience/tidytuesday/main/data/2020/2020-01-21/spotify_songs.csv",
            sha256="9902920cfe4940f0914ebb6716801a42f7f19ac88fbd6693eaae7e2822b16845",
            size=7_971_379,
            licence="CC0, as its publisher states; unverified",
            about="TidyTuesday 2020-01-21: 32,833 rows, 28,356 tracks, from 471 playlists of six genres",
        ),
    )
}


def fetch_named(name: str, *, cache: Path | None = None, accept_new: bool = False, patience: float = 30.0) -> Path:
    """Return the path of a named data set in the cache, downloading it if need be; print its licence.

    cache, accept_new, patience : as in `segue_build.sources.download.fetch`

    Raises SourceError for an unknown name and whenever `fetch` does.
    """
    dataset = DATASETS.get(name)
    if dataset is None:
        raise SourceError(f"unknown data set {name!r}; known are {', '.join(DATASETS)}")
    print(f"{name}: {dataset.about}\n{name}: licence {dataset.licence}. {TERMS}.", file=sys.stderr)
    return fetch(dataset.url, sha256=dataset.sha256, cache=cache, accept_new=accept_new, patience=patience)
