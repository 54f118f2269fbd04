"""The look-up index: sorted digests of ids, titles and artists, and an inverted index of trigrams."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from segue.catalog import normalization
from segue.catalog.lookup import fuzzy
from segue.catalog.lookup.exact import artist_search_key
from segue.catalog.normalization import hash64, sort_key
from segue_build.artifacts.array_files import save_array, save_lists
from segue_build.progress import bar
from segue_build.sources import series
from segue_build.sources.multivalue import SEPARATOR


def write(folder: Path, frame: pd.DataFrame, artists: list[str], popularity: np.ndarray) -> None:
    """Write the look-up files of :mod:`segue.catalog`.

    frame : the canonical table in the order of the catalogue
    artists : names of all artists, in the catalogue's order
    popularity : shape (n_songs,), unknown as -1
    """
    best_first = np.argsort(-popularity, kind="stable")
    rows = np.arange(len(frame), dtype=np.int32)
    _save_sorted(folder, "id_hashes", "id_songs", _id_digests(frame["id"]), rows)
    _save_sorted(folder, "artist_hashes", "artist_rows", *_artist_digests(artists))
    save_array(folder, "artist_order", _alphabetical_order([pa.array(map(sort_key, artists), pa.large_string())]))
    entries = _write_titles(folder, frame, best_first)
    save_array(folder, "entry_songs", entries)
    _write_trigrams(folder, frame, entries)


def _write_titles(folder: Path, frame: pd.DataFrame, best_first: np.ndarray) -> np.ndarray:
    """Write digests of titles, and their order.

    Returns
    -------
    The most popular song of each distinct name, as it is typed, and first artist, the most popular first; int32.

    """
    entries, titles, ordered = np.empty(len(frame), np.uint64), [], []
    columns = (
        series.batch_slices(len(frame)),
        series.iter_text_batches(frame["name"]),
        series.iter_first_values(frame["artists"]),
    )
    for rows, songs, by in bar(zip(*columns), "digesting names", " runs", len(columns[0])):
        plain = list(map(sort_key, songs))
        titles.append(_title_digests(songs, rows.start))
        entries[rows] = _digests(map("{}\x1f{}".format, plain, by), len(songs))
        ordered.append(pa.array(plain, pa.large_string()))
    save_array(folder, "title_order", _alphabetical_order(ordered))
    digests, songs_of = (np.concatenate(parts) for parts in zip(*titles))
    _save_titles(folder, digests, songs_of, best_first)
    _, firsts = np.unique(entries[best_first], return_index=True)
    return best_first[np.sort(firsts)].astype(np.int32)


def _alphabetical_order(texts: list[pa.Array]) -> np.ndarray:
    """The alphabetical order of texts; UTF-8 sorts as the characters do."""
    order: np.ndarray = pc.sort_indices(pa.chunked_array(texts, pa.large_string())).to_numpy()
    return order.astype(np.int32)


def _title_digests(songs: list[str], first: int) -> tuple[np.ndarray, np.ndarray]:
    """Digests of all forms of titles, and the rows that have them; rows count from ``first``."""
    spellings = list(map(normalization.title_variants, songs))
    owners = np.repeat(np.arange(first, first + len(songs)), list(map(len, spellings)))
    return _digests(itertools.chain.from_iterable(spellings), len(owners)), owners


def _artist_digests(artists: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Digests of artists' title keys and, apart from these, of their names as they are spelt; and whose they are."""
    by_key = _digests(map(normalization.title_key, artists), len(artists))
    spelt = _digests((artist_search_key(normalization.search_key(artist)) for artist in artists), len(artists))
    return np.concatenate([by_key, spelt]), np.tile(np.arange(len(artists)), 2)


def _save_titles(folder: Path, digests: np.ndarray, rows: np.ndarray, best_first: np.ndarray) -> None:
    """Equal digests in the order of the best songs."""
    rank = np.empty(len(best_first), np.int64)
    rank[best_first] = np.arange(len(best_first))
    order = np.lexsort((rank[rows], digests))
    save_array(folder, "title_hashes", digests[order])
    save_array(folder, "title_songs", rows[order])


def _write_trigrams(folder: Path, frame: pd.DataFrame, entries: np.ndarray) -> None:
    keys, counts, numbers = inverted_index(_searchable_texts(frame, entries), len(entries))
    save_array(folder, "trigram_keys", keys)
    save_lists(folder, "trigram", "entries", counts, numbers)


def _searchable_texts(frame: pd.DataFrame, entries: np.ndarray) -> Iterator[list[str]]:
    """Names and artists of the entries as they are typed, a run at a time."""
    for chunk in series.batch_slices(len(entries)):
        columns = frame[["name", "artists"]].take(entries[chunk])
        (songs,), (by,) = series.iter_text_batches(columns["name"]), series.iter_text_batches(columns["artists"])
        yield [fuzzy.indexed_text(song, artists.split(SEPARATOR)) for song, artists in zip(songs, by)]


def inverted_index(texts: Iterable[list[str]], n_texts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which texts hold which trigrams; texts are numbered over all runs.

    Returns
    -------
    Trigrams, uint64, rising; how many texts hold each; and their numbers, int32, end to end and rising.

    """
    parts, first = [], 0
    for chunk in bar(texts, "indexing letters", " runs", len(series.batch_slices(n_texts))):
        parts.append(_inverted_chunk(chunk, first))
        first += len(chunk)
    keys, positions = np.unique(np.concatenate([keys for keys, *_ in parts]), return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, positions, np.concatenate([sizes for _, sizes, _ in parts]))
    postings, next_free = np.empty(counts.sum(), np.int32), np.cumsum(counts) - counts
    for trigrams_of_run, sizes, numbers in parts:
        own, positions = positions[: len(trigrams_of_run)], positions[len(trigrams_of_run) :]
        shifts = next_free[own] - (np.cumsum(sizes) - sizes)
        postings[np.repeat(shifts, sizes) + np.arange(len(numbers))] = numbers
        next_free[own] += sizes
    return keys, counts, postings


def _inverted_chunk(texts: list[str], first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for one run, whose texts are numbered from ``first``."""
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    keys_of_letters = fuzzy.trigram_keys("".join(texts))
    within = owners[: len(keys_of_letters)] == owners[len(owners) - len(keys_of_letters) :]
    keys, positions = np.unique(keys_of_letters[within], return_inverse=True)
    pairs = np.sort(positions * len(texts) + owners[: len(keys_of_letters)][within])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    sizes = np.bincount(pairs // len(texts), minlength=len(keys))
    return keys, sizes, (pairs % len(texts) + first).astype(np.int32)


def _id_digests(ids: "pd.Series[str]") -> np.ndarray:
    return np.concatenate([_digests(run, len(run)) for run in series.iter_text_batches(ids)])


def _digests(texts: Iterable[str], n_texts: int) -> np.ndarray:
    return np.fromiter(map(hash64, texts), np.uint64, n_texts)


def _save_sorted(folder: Path, hashes: str, rows: str, digests: np.ndarray, owners: np.ndarray) -> None:
    order = np.argsort(digests, kind="stable")
    save_array(folder, hashes, digests[order])
    save_array(folder, rows, owners[order])
