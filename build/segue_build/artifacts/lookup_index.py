"""The look-up index: sorted digests of ids, titles and artists, and an inverted index of trigrams."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from segue.catalog import normalization
from segue.catalog.lookup import fuzzy
from segue.catalog.lookup.exact import ISRC_BASE, artist_id_key, artist_search_key
from segue.catalog.normalization import hash64, sort_key
from segue_build.artifacts.array_files import save_array, save_lists
from segue_build.model.incidence import Incidence
from segue_build.progress import bar
from segue_build.sources import series
from segue_build.sources.columns import CANONICAL_COLUMNS
from segue_build.sources.multivalue import SEPARATOR

_ARTIST_ID_HEADER = re.compile(r"artist.*(?:id|uri|url)|(?:id|uri|url).*artist", re.IGNORECASE)
_SPOTIFY_ID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{22}(?![0-9A-Za-z])")
INDEXED_ROWS = 16_384  # texts whose trigrams are sorted at a time: 2.5 KB each


def write(folder: Path, frame: pd.DataFrame, song_artists: Incidence, popularity: np.ndarray) -> None:
    """Write the look-up files of :mod:`segue.catalog`.

    frame : the canonical table in the order of the catalogue
    song_artists : which songs are by which artists
    popularity : shape (n_songs,), unknown as -1
    """
    best_first = np.argsort(-popularity, kind="stable")
    keys, ids, n_artists = artist_keys(song_artists.names), artist_ids(frame, song_artists), len(song_artists.names)
    digests = np.concatenate([keys.titles, keys.spelt, _digests(map(artist_id_key, ids), len(ids))])
    owners = np.concatenate([np.tile(np.arange(n_artists), 2), np.array(list(ids.values()), np.int64)])
    _save_sorted(folder, "artist_hashes", "artist_rows", digests, owners)
    save_array(folder, "artist_order", _alphabetical_order([pa.array(keys.alphabetical, pa.large_string())]))
    _write_isrcs(folder, frame["isrc"], best_first)
    entries = _write_songs(folder, frame, best_first)
    save_array(folder, "entry_songs", entries)
    _write_trigrams(folder, frame, entries)


class SongKeys(NamedTuple):
    """What songs are looked up by.

    ids : uint64, shape (n_songs,), digests of ids
    entries : uint64, shape (n_songs,), digests of names as they are typed and first artists
    title_counts : int64, shape (n_songs,), how many forms each title has
    titles : uint64, digests of these forms, end to end
    alphabetical : by which titles are sorted
    """

    ids: np.ndarray
    entries: np.ndarray
    title_counts: np.ndarray
    titles: np.ndarray
    alphabetical: list[str]


def song_keys(ids: list[str], titles: list[str], first_artists: list[str]) -> SongKeys:
    """The keys of some songs; an artist is empty where a song has none."""
    # All keys of a title before those of the next: what they have in common is then remembered.
    keys = [(sort_key(title), normalization.title_variants(title)) for title in titles]
    plain, forms = [key for key, _ in keys], [variants for _, variants in keys]
    counts = np.fromiter(map(len, forms), np.int64, len(forms))
    return SongKeys(
        _digests(ids, len(ids)),
        _digests(map("{}\x1f{}".format, plain, first_artists), len(titles)),
        counts,
        _digests(itertools.chain.from_iterable(forms), int(counts.sum())),
        plain,
    )


class ArtistKeys(NamedTuple):
    """What artists are looked up by.

    titles, spelt : uint64, shape (n_artists,), digests of title keys and of names as they are spelt
    alphabetical : by which artists are sorted
    """

    titles: np.ndarray
    spelt: np.ndarray
    alphabetical: list[str]


def artist_keys(names: list[str]) -> ArtistKeys:
    """The keys of some artists."""
    keys = [(normalization.title_key(name), normalization.search_key(name), sort_key(name)) for name in names]
    return ArtistKeys(
        _digests((title for title, *_ in keys), len(names)),
        _digests((artist_search_key(spelt) for _, spelt, _ in keys), len(names)),
        [plain for *_, plain in keys],
    )


def _write_isrcs(folder: Path, isrcs: "pd.Series[str]", best_first: np.ndarray) -> None:
    """Write ISRCs as numbers, if any song has one."""
    if isrcs.notna().any():
        numbers = np.fromiter((int(isrc, ISRC_BASE) for isrc in isrcs.fillna("0")), np.uint64, len(isrcs))
        known = best_first[numbers[best_first] > 0]
        save_array(folder, "isrc_of_song", numbers)
        _save_sorted(folder, "isrc_numbers", "isrc_songs", numbers[known], known)


def artist_ids(frame: pd.DataFrame, song_artists: Incidence) -> dict[str, int]:
    """The ids that columns such as ``artist_ids`` have for artists, each with the artist who has it most often.

    A song's ids are those of its artists in their order, or that of the first.
    """
    counts: Counter[tuple[str, int]] = Counter()
    sizes, artists = song_artists.ragged
    offsets = np.cumsum(sizes) - sizes
    columns = [name for name in frame if name not in CANONICAL_COLUMNS and _ARTIST_ID_HEADER.search(str(name))]
    for name in columns:
        for row, cell in enumerate(frame[name].fillna("").astype(str)):
            ids = _SPOTIFY_ID.findall(cell)
            if ids and len(ids) in (1, sizes[row]):
                counts.update(zip(ids, artists[offsets[row] : offsets[row] + sizes[row]].tolist()))
    found: dict[str, int] = {}
    for (identity, artist), _ in counts.most_common():
        found.setdefault(identity, artist)
    return dict(sorted(found.items()))


def _write_songs(folder: Path, frame: pd.DataFrame, best_first: np.ndarray) -> np.ndarray:
    """Write digests of ids and titles, and the order of titles.

    Returns
    -------
    The most popular song of each distinct name, as it is typed, and first artist, the most popular first; int32.

    """
    columns = (
        series.iter_text_batches(frame["id"]),
        series.iter_text_batches(frame["name"]),
        series.iter_first_values(frame["artists"]),
    )
    parts, ordered = [], []
    for batch in bar(zip(*columns), "digesting names", " batches", len(series.batch_slices(len(frame)))):
        keys = song_keys(*batch)
        ordered.append(pa.array(keys.alphabetical, pa.large_string()))
        parts.append(keys[:-1])
    save_array(folder, "title_order", _alphabetical_order(ordered))
    ids, entries, counts, titles = (np.concatenate(part) for part in zip(*parts))
    _save_sorted(folder, "id_hashes", "id_songs", ids, np.arange(len(frame)))
    _save_titles(folder, titles, np.repeat(np.arange(len(frame)), counts), best_first)
    _, firsts = np.unique(entries[best_first], return_index=True)
    return best_first[np.sort(firsts)].astype(np.int32)


def _alphabetical_order(texts: list[pa.Array]) -> np.ndarray:
    """The alphabetical order of texts; UTF-8 sorts as the characters do."""
    order: np.ndarray = pc.sort_indices(pa.chunked_array(texts, pa.large_string())).to_numpy()
    return order.astype(np.int32)


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
    """Names and artists of the entries as they are typed, a batch at a time."""
    for chunk in series.batch_slices(len(entries), INDEXED_ROWS):
        columns = frame[["name", "artists"]].take(entries[chunk])
        (names,), (artists,) = (series.iter_text_batches(columns[name]) for name in ("name", "artists"))
        yield searchable_texts(names, artists)


def searchable_texts(names: Iterable[str], artists: Iterable[str]) -> list[str]:
    """What trigrams are taken from.

    artists : joined, see :data:`segue_build.sources.multivalue.SEPARATOR`
    """
    return [fuzzy.indexed_text(name, joined.split(SEPARATOR)) for name, joined in zip(names, artists)]


def inverted_index(texts: Iterable[list[str]], n_texts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which texts hold which trigrams; texts are numbered over all batches.

    Returns
    -------
    Trigrams, uint64, rising; how many texts hold each; and their numbers, int32, end to end and rising.

    """
    parts, first = [], 0
    for batch in bar(texts, "indexing letters", " batches", len(series.batch_slices(n_texts, INDEXED_ROWS))):
        parts.append(invert_batch(batch, first))
        first += len(batch)
    keys, positions = np.unique(np.concatenate([keys for keys, *_ in parts]), return_inverse=True)
    counts = np.zeros(len(keys), np.int64)
    np.add.at(counts, positions, np.concatenate([sizes for _, sizes, _ in parts]))
    postings, next_free = np.empty(counts.sum(), np.int32), np.cumsum(counts) - counts
    for trigrams_of_batch, sizes, numbers in parts:
        own, positions = positions[: len(trigrams_of_batch)], positions[len(trigrams_of_batch) :]
        shifts = next_free[own] - (np.cumsum(sizes) - sizes)
        postings[np.repeat(shifts, sizes) + np.arange(len(numbers))] = numbers
        next_free[own] += sizes
    return keys, counts, postings


def invert_batch(texts: list[str], first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for one batch, whose texts are numbered from ``first``."""
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    keys_of_letters = fuzzy.trigram_keys("".join(texts))
    within = owners[: len(keys_of_letters)] == owners[len(owners) - len(keys_of_letters) :]
    keys, positions = np.unique(keys_of_letters[within], return_inverse=True)
    pairs = np.sort(positions * len(texts) + owners[: len(keys_of_letters)][within])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    sizes = np.bincount(pairs // len(texts), minlength=len(keys))
    return keys, sizes, (pairs % len(texts) + first).astype(np.int32)


def _digests(texts: Iterable[str], n_texts: int) -> np.ndarray:
    return np.fromiter(map(hash64, texts), np.uint64, n_texts)


def _save_sorted(folder: Path, hashes: str, rows: str, digests: np.ndarray, owners: np.ndarray) -> None:
    order = np.argsort(digests, kind="stable")
    save_array(folder, hashes, digests[order])
    save_array(folder, rows, owners[order])
