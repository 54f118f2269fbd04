"""What finds a song by its id, its name, its artist or a few letters: sorted digests and an index of trigrams."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from build.progress import bar
from build.sources import runs
from segue.catalog import names, trigrams
from segue.catalog.names import digest, folded
from segue.catalog.ragged import offsets_of


def write(folder: Path, frame: pd.DataFrame, artists: list[str], popularity: np.ndarray) -> None:
    """Write the look-up files of :mod:`segue.catalog`.

    frame : the tidy table in the order of the catalogue
    artists : names of all artists, in the catalogue's order
    popularity : shape (n_songs,), unknown as -1
    """
    best_first = np.argsort(-popularity, kind="stable")
    rows = np.arange(len(frame), dtype=np.int32)
    _save_sorted(folder, "id_hashes", "id_songs", _ids(frame["id"]), rows)
    keys = _digested(map(names.title_key, artists), len(artists))
    _save_sorted(folder, "artist_hashes", "artist_rows", keys, np.arange(len(artists)))
    entries = _write_titles(folder, frame, best_first)
    _save(folder, "entry_songs", entries)
    _write_trigrams(folder, frame, entries)


def _write_titles(folder: Path, frame: pd.DataFrame, best_first: np.ndarray) -> np.ndarray:
    """Write digests of titles, and their order.

    Returns
    -------
    The most popular song of each distinct folded name and first artist, the most popular first; int32.

    """
    bare, keys, entries = (np.empty(len(frame), np.uint64) for _ in range(3))
    ordered = []
    columns = runs.slices(len(frame)), runs.texts(frame["name"]), runs.firsts(frame["artists"])
    for rows, songs, by in bar(zip(*columns), "digesting names", " runs", len(columns[0])):
        plain = [folded(song) for song in songs]
        bare[rows] = _digested(map(names.bare, songs), len(songs))
        keys[rows] = _digested(map(names.title_key, songs), len(songs))
        entries[rows] = _digested(map("{}\x1f{}".format, plain, by), len(songs))
        ordered.append(pa.array(plain, pa.large_string()))
    by_title = pc.sort_indices(pa.chunked_array(ordered)).to_numpy()  # UTF-8 sorts as the characters do
    _save(folder, "title_order", by_title.astype(np.int32))
    _save_titles(folder, bare[best_first], keys[best_first], best_first)
    _, firsts = np.unique(entries[best_first], return_index=True)
    return best_first[np.sort(firsts)].astype(np.int32)


def _save_titles(folder: Path, bare: np.ndarray, keys: np.ndarray, songs: np.ndarray) -> None:
    """Both digests of each title, or the one where they are the same; equal ones in the order of the songs."""
    other = np.flatnonzero(keys != bare)
    digests, places = np.concatenate([bare, keys[other]]), np.concatenate([np.arange(len(songs)), other])
    order = np.lexsort((places, digests))
    _save(folder, "title_hashes", digests[order])
    _save(folder, "title_songs", songs[places[order]].astype(np.int32))


def _write_trigrams(folder: Path, frame: pd.DataFrame, entries: np.ndarray) -> None:
    keys, counts, numbers = inverted(_searched(frame, entries), len(entries))
    _save(folder, "trigram_keys", keys)
    _save(folder, "trigram_offsets", offsets_of(counts))
    _save(folder, "trigram_entries", numbers)


def _searched(frame: pd.DataFrame, entries: np.ndarray) -> Iterator[list[str]]:
    """Folded names and first artists of the entries, a run at a time."""
    for run in runs.slices(len(entries)):
        some = frame[["name", "artists"]].take(entries[run])
        (songs,), (by,) = runs.texts(some["name"]), runs.firsts(some["artists"])
        yield [f" {folded(song)} {folded(artist)} " for song, artist in zip(songs, by)]


def inverted(texts: Iterable[list[str]], n_texts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which texts hold which trigrams; texts are numbered over all runs.

    Returns
    -------
    Trigrams, uint64, rising; how many texts hold each; and their numbers, int32, end to end and rising.

    """
    parts, first = [], 0
    for run in bar(texts, "indexing letters", " runs", len(runs.slices(n_texts))):
        parts.append(_inverted(run, first))
        first += len(run)
    keys, places = np.unique(np.concatenate([keys for keys, *_ in parts]), return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, places, np.concatenate([sizes for _, sizes, _ in parts]))
    whole, free = np.empty(counts.sum(), np.int32), np.cumsum(counts) - counts
    for trigrams_of_run, sizes, numbers in parts:
        mine, places = places[: len(trigrams_of_run)], places[len(trigrams_of_run) :]
        shifts = free[mine] - (np.cumsum(sizes) - sizes)
        whole[np.repeat(shifts, sizes) + np.arange(len(numbers))] = numbers
        free[mine] += sizes
    return keys, counts, whole


def _inverted(texts: list[str], first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for one run, whose texts are numbered from ``first``."""
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    found = trigrams.keys("".join(texts))
    within = owners[: len(found)] == owners[len(owners) - len(found) :]
    keys, places = np.unique(found[within], return_inverse=True)
    pairs = np.sort(places * len(texts) + owners[: len(found)][within])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    sizes = np.bincount(pairs // len(texts), minlength=len(keys))
    return keys, sizes, (pairs % len(texts) + first).astype(np.int32)


def _ids(ids: "pd.Series[str]") -> np.ndarray:
    return np.concatenate([_digested(run, len(run)) for run in runs.texts(ids)])


def _digested(texts: Iterable[str], n_texts: int) -> np.ndarray:
    return np.fromiter(map(digest, texts), np.uint64, n_texts)


def _save_sorted(folder: Path, hashes: str, rows: str, digests: np.ndarray, owners: np.ndarray) -> None:
    order = np.argsort(digests, kind="stable")
    _save(folder, hashes, digests[order])
    _save(folder, rows, owners[order].astype(np.int32))


def _save(folder: Path, name: str, array: np.ndarray) -> None:
    np.save(folder / f"{name}.npy", array, allow_pickle=False)
