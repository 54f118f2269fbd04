"""What finds a song by its id, its name, its artist or a few letters: sorted digests and an index of trigrams."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from segue_build.progress import bar
from segue_build.sources import runs
from segue_build.sources.listed import SEPARATOR
from segue.catalog import names
from segue.catalog.lookup import trigrams
from segue.catalog.lookup.beginnings import alphabetical
from segue.catalog.lookup.rows import by_spelling
from segue.catalog.names import digest
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
    _save_sorted(folder, "artist_hashes", "artist_rows", *_artist_keys(artists))
    _save(folder, "artist_order", _sorted([pa.array(map(alphabetical, artists), pa.large_string())]))
    entries = _write_titles(folder, frame, best_first)
    _save(folder, "entry_songs", entries)
    _write_trigrams(folder, frame, entries)


def _write_titles(folder: Path, frame: pd.DataFrame, best_first: np.ndarray) -> np.ndarray:
    """Write digests of titles, and their order.

    Returns
    -------
    The most popular song of each distinct name, as it is typed, and first artist, the most popular first; int32.

    """
    entries, titles, ordered = np.empty(len(frame), np.uint64), [], []
    columns = runs.slices(len(frame)), runs.texts(frame["name"]), runs.firsts(frame["artists"])
    for rows, songs, by in bar(zip(*columns), "digesting names", " runs", len(columns[0])):
        plain = list(map(alphabetical, songs))
        titles.append(_title_keys(songs, rows.start))
        entries[rows] = _digested(map("{}\x1f{}".format, plain, by), len(songs))
        ordered.append(pa.array(plain, pa.large_string()))
    _save(folder, "title_order", _sorted(ordered))
    digests, songs_of = (np.concatenate(parts) for parts in zip(*titles))
    _save_titles(folder, digests, songs_of, best_first)
    _, firsts = np.unique(entries[best_first], return_index=True)
    return best_first[np.sort(firsts)].astype(np.int32)


def _sorted(texts: list[pa.Array]) -> np.ndarray:
    """The alphabetical order of texts; UTF-8 sorts as the characters do."""
    order: np.ndarray = pc.sort_indices(pa.chunked_array(texts, pa.large_string())).to_numpy()
    return order.astype(np.int32)


def _title_keys(songs: list[str], first: int) -> tuple[np.ndarray, np.ndarray]:
    """Digests of all forms of titles, and the rows that have them; rows count from ``first``."""
    spellings = list(map(names.forms, songs))
    owners = np.repeat(np.arange(first, first + len(songs)), list(map(len, spellings)))
    return _digested(itertools.chain.from_iterable(spellings), len(owners)), owners


def _artist_keys(artists: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Digests of artists' title keys and, apart from these, of their names as they are spelt; and whose they are."""
    by_key = _digested(map(names.title_key, artists), len(artists))
    spelt = _digested((by_spelling(names.spelt(artist)) for artist in artists), len(artists))
    return np.concatenate([by_key, spelt]), np.tile(np.arange(len(artists)), 2)


def _save_titles(folder: Path, digests: np.ndarray, rows: np.ndarray, best_first: np.ndarray) -> None:
    """Equal digests in the order of the best songs."""
    places = np.empty(len(best_first), np.int64)
    places[best_first] = np.arange(len(best_first))
    order = np.lexsort((places[rows], digests))
    _save(folder, "title_hashes", digests[order])
    _save(folder, "title_songs", rows[order].astype(np.int32))


def _write_trigrams(folder: Path, frame: pd.DataFrame, entries: np.ndarray) -> None:
    keys, counts, numbers = inverted(_searched(frame, entries), len(entries))
    _save(folder, "trigram_keys", keys)
    _save(folder, "trigram_offsets", offsets_of(counts))
    _save(folder, "trigram_entries", numbers)


def _searched(frame: pd.DataFrame, entries: np.ndarray) -> Iterator[list[str]]:
    """Names and artists of the entries as they are typed, a run at a time."""
    for run in runs.slices(len(entries)):
        some = frame[["name", "artists"]].take(entries[run])
        (songs,), (by,) = runs.texts(some["name"]), runs.texts(some["artists"])
        yield [trigrams.searched(song, artists.split(SEPARATOR)) for song, artists in zip(songs, by)]


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
