"""The invented catalogue: songs and artists that exist nowhere, for trying Segue without data.

Songs are made in blocks of 50,000, artist by artist, each block from a random stream of its own: memory holds
one block, an artist is always whole, and no row depends on how the catalogue is cut into chunks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray

from segue.errors import SourceError
from segue.query.schema import ATTRIBUTES_BY_NAME
from segue_build.sources import demo_genres as genres
from segue_build.sources.demo_genres import (
    ADJECTIVES,
    FEATURES,
    GIVEN_NAMES,
    NOUNS,
    SURNAMES,
    TITLE_PHRASES,
    Floats,
    Ints,
    Phrase,
)

Texts = NDArray[np.object_]

MIN_SONGS, MAX_SONGS = 10, 10_000_000
DEFAULT_SONGS = 20_000  # of the catalogue unless another size is asked for
BLOCK_ROWS = 50_000
CURRENT_YEAR = 2025
KEY_WEIGHTS = np.array([12, 7, 11, 4, 8, 9, 5, 11, 5, 11, 5, 9])  # C, G, D and A lie well under the hand
COLUMNS = ["id", "name", "artists", "album", "genres", "explicit", *ATTRIBUTES_BY_NAME]

LANGUAGES = list(TITLE_PHRASES)
CYRILLIC = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÅÍabcdefghijklmnopqrstuvwxyzáåëíïóöø",
    "АБКДЕФГХИЙКЛМНОПКРСТУВВКИЗОИабкдефгхийклмнопкрстуввкизаоёииоёё",
)
SOLO_NAMES = Phrase("{} {}", GIVEN_NAMES, SURNAMES)
STRIDE = 2_654_435_761  # a prime: stepping by it around a ring of names meets each once before any again
BAND_NAMES = (
    Phrase("{} {}", ADJECTIVES, NOUNS),
    Phrase("The {} {}s", ADJECTIVES, NOUNS),
    Phrase("{} & the {}s", GIVEN_NAMES, NOUNS),
    Phrase("The {} {}", SURNAMES, "Collective Company Ensemble Project Quartet Trio"),
)


@dataclass(frozen=True, slots=True)
class AlternateVersion:
    """Another recording of an artist's earlier song.

    name, album : what becomes of the song's name and of its album's
    delay : years after the song, from and to
    shifts : feature -> (value, how far the recording goes towards it, 0..1)
    """

    name: str
    album: str
    delay: tuple[int, int]
    shifts: dict[str, tuple[float, float]]


LIVE = AlternateVersion("{} - Live", "{} (Live)", (0, 4), {"liveness": (0.95, 0.75), "popularity": (0, 0.5)})
ACOUSTIC = AlternateVersion("{} (Acoustic)", "{} (Acoustic)", (0, 3), {"acousticness": (1, 0.8), "energy": (0, 0.3)})
EDIT = AlternateVersion("{} - Radio Edit", "{}", (0, 0), {"duration_ms": (195_000, 0.7), "popularity": (0, 0.3)})
REMASTER = AlternateVersion("{} - Remastered {year}", "{} (Remastered)", (8, 30), {"loudness": (-5, 0.3)})
VERSIONS = (LIVE, ACOUSTIC, EDIT, REMASTER)


@dataclass(frozen=True, slots=True)
class Artists:
    """The artists of a block, one element or row each.

    songs : how many they have, 1 or more
    genres : the home genre and two relatives, shape (n_artists, 3)
    language : of many titles, a position in LANGUAGES
    deviations : how far their own sound strays from the genre's, shape (n_artists, n_features)
    """

    names: Texts
    songs: Ints
    genres: Ints
    language: Ints
    deviations: Floats


def demo_chunks(songs: int = DEFAULT_SONGS, seed: int = 0, rows: int = BLOCK_ROWS) -> Iterator[pd.DataFrame]:
    """Invent a catalogue, the same for the same ``songs`` and ``seed``.

    songs : rows in all, 10..10,000,000; another number is a SourceError
    rows : at most so many rows in a frame
    -> frames with the canonical table's columns; artists and genres hold lists, the main one first
    """
    if not MIN_SONGS <= songs <= MAX_SONGS:
        raise SourceError(f"demo:{songs}: an invented catalogue has {MIN_SONGS} to {MAX_SONGS:,} songs")
    return _rechunk(_make_blocks(songs, seed), rows)


def _rechunk(blocks: Iterator[pd.DataFrame], rows: int) -> Iterator[pd.DataFrame]:
    pending = pd.DataFrame()
    for block in blocks:
        pending = pd.concat([pending, block]) if len(pending) else block
        whole = len(pending) // rows * rows
        for start in range(0, whole, rows):
            yield pending[start : start + rows].reset_index(drop=True)
        pending = pending[whole:]
    if len(pending):
        yield pending.reset_index(drop=True)


def _make_blocks(songs: int, seed: int) -> Iterator[pd.DataFrame]:
    name_offset = int(default_rng(seed).integers(2**31))
    artists_before = 0
    for block, first in enumerate(range(0, songs, BLOCK_ROWS)):
        rng = default_rng(SeedSequence(seed, spawn_key=(block,)))
        artists = _make_artists(rng, min(BLOCK_ROWS, songs - first), artists_before, name_offset)
        frame = _make_songs(rng, artists)
        frame["id"] = [f"demo-{number:07}" for number in range(first, first + len(frame))]
        yield frame[COLUMNS]
        artists_before += len(artists.names)


def _make_artists(rng: Generator, songs: int, before: int, name_offset: int) -> Artists:
    n = min(songs, songs // 12 + 4)
    popularity = rng.lognormal(0, 0.8, n)
    home = rng.permutation(n) * len(genres.GENRES) // n
    side = rng.choice([-1, 1], n)
    native = np.array([LANGUAGES.index(language) for language in genres.TITLE_LANGUAGES])[home]
    foreign = np.where(rng.random(n) < 0.06, rng.integers(len(LANGUAGES), size=n), 0)
    language = np.where(rng.random(n) < 0.5, native, foreign)
    return Artists(
        names=_artist_names(before + np.arange(n), name_offset, language == LANGUAGES.index("ru")),
        songs=1 + rng.multinomial(songs - n, popularity / popularity.sum()),
        genres=np.stack([home, home + side, home - side], axis=1) % len(genres.GENRES),
        language=language,
        deviations=genres.sample_deviations(rng, n),
    )


def _artist_names(numbers: Ints, name_offset: int, cyrillic: NDArray[np.bool_]) -> Texts:
    """Name the artists of these numbers, no two alike."""
    names = np.array(SOLO_NAMES.render(numbers * STRIDE + name_offset), object)
    names[cyrillic] = [name.translate(CYRILLIC) for name in names[cyrillic]]
    cycle, kind = np.divmod(numbers, 10)
    for i, band in enumerate(BAND_NAMES):
        named = (kind == i) & (cycle < band.size) & ~cyrillic
        names[named] = band.render(cycle[named] * STRIDE + name_offset)
    return names


def _make_titles(rng: Generator, language: Ints) -> Texts:
    """Invent a title for each song; of those in another language every other one is English all the same."""
    language = np.where(rng.random(len(language)) < 0.5, language, LANGUAGES.index("en"))
    titles = np.empty(len(language), object)
    for i, phrases in enumerate(TITLE_PHRASES.values()):
        weights = np.array([phrase.weight for phrase in phrases])
        kind = rng.choice(len(phrases), len(language), p=weights / weights.sum())
        for j, phrase in enumerate(phrases):
            at = np.flatnonzero((language == i) & (kind == j))
            titles[at] = phrase.render(rng.integers(phrase.size, size=len(at)))
    return titles


def _make_songs(rng: Generator, artists: Artists) -> pd.DataFrame:
    """Lay out the artists' songs one after another, in the order of their albums."""
    artist = np.repeat(np.arange(len(artists.songs)), artists.songs)
    song_number = np.arange(len(artist)) - np.repeat(np.cumsum(artists.songs) - artists.songs, artists.songs)
    genre_rows = artists.genres[artist]
    n_genres = rng.choice([1, 2, 3], len(artist), p=[0.64, 0.27, 0.09])
    deviations = 0.7 * artists.deviations[artist] + np.sqrt(0.51) * genres.sample_deviations(rng, len(artist))
    songs = pd.DataFrame(genres.features(genre_rows, n_genres, deviations), columns=FEATURES)
    songs["genres"] = [[genres.GENRES[g] for g in row[:n]] for row, n in zip(genre_rows.tolist(), n_genres.tolist())]
    songs["artists"] = _credit_artists(rng, artists, artist)
    songs["explicit"] = rng.random(len(artist)) < genres.EXPLICIT_SHARE[genre_rows[:, 0]]
    songs["mode"] = (rng.random(len(artist)) < genres.MAJOR_SHARE[genre_rows[:, 0]]).astype(int)
    songs["key"] = rng.choice(12, len(artist), p=KEY_WEIGHTS / KEY_WEIGHTS.sum())
    songs["time_signature"] = np.where(rng.random(len(artist)) < genres.WALTZ_SHARE[genre_rows[:, 0]], 3, 4)
    songs.loc[rng.random(len(artist)) < 0.01, "time_signature"] = 5
    names = _number_repeated_titles(artist, _make_titles(rng, artists.language[artist]))
    album, year = _assign_albums(rng, artists, artist, song_number, names)
    songs = songs.assign(name=names, album=album, year=year)
    return _round_values(rng, _apply_versions(rng, songs, *_choose_versions(rng, song_number, year)))


def _credit_artists(rng: Generator, artists: Artists, artist: Ints) -> list[list[str]]:
    """Credit each song to its artist, and some to a second one of the same genre or its relative."""
    order = np.argsort(artists.genres[:, 0], kind="stable")
    rank = np.argsort(order)[artist] + rng.integers(1, 4, len(artist))
    guest = order[rank % len(order)]
    has_guest = (guest != artist) & (rng.random(len(artist)) < 0.08)
    pairs = zip(artists.names[artist], artists.names[guest], has_guest.tolist())
    return [[main, other] if both else [main] for main, other, both in pairs]


def _number_repeated_titles(artist: Ints, titles: Texts) -> Texts:
    """Tell an artist's songs of one title apart: the second becomes its "Pt. 2"."""
    part = 1 + pd.DataFrame({"artist": artist, "title": titles}).groupby(["artist", "title"]).cumcount()
    return np.where(part == 1, titles, titles + ", Pt. " + part.astype(str).to_numpy(object))


def _assign_albums(
    rng: Generator, artists: Artists, artist: Ints, song_number: Ints, names: Texts
) -> tuple[Texts, Ints]:
    """Divide each artist's songs into albums -> per song the album's name and its year."""
    n = len(artists.songs)
    length = rng.integers(5, 15, n)
    last = (artists.songs - 1) // length
    since = genres.EARLIEST_YEARS[artists.genres[:, 0]]
    debut = since + ((CURRENT_YEAR - since) * np.sqrt(rng.random(n))).astype(int)
    career = np.minimum(last * rng.integers(1, 5, n), CURRENT_YEAR - debut)
    year = debut[artist] + career[artist] * (song_number // length[artist]) // np.maximum(last, 1)[artist]
    opens = song_number % length[artist] == 0
    titles = _make_titles(rng, artists.language[artist[opens]])
    titles = np.where(rng.random(len(titles)) < 0.3, names[opens], titles)
    return titles[np.cumsum(opens) - 1], year


def _choose_versions(rng: Generator, song_number: Ints, year: Ints) -> tuple[Ints, Ints]:
    """Choose songs that are versions of an earlier one by their artist.

    -> per song the row of the original (its own for an original) and a position in VERSIONS (-1 for none)
    """
    rows = np.arange(len(song_number))
    is_version = (song_number > 0) & (rng.random(len(song_number)) < 0.067)
    source = np.where(is_version, rows - rng.integers(1, np.maximum(song_number, 1) + 1), rows)
    while (source[source] != source).any():
        source = source[source]
    version = np.where(is_version, rng.integers(len(VERSIONS), size=len(song_number)), -1)
    too_young = year[source] + REMASTER.delay[0] > CURRENT_YEAR
    version[too_young & (version == VERSIONS.index(REMASTER))] = VERSIONS.index(LIVE)
    twice = is_version & pd.DataFrame({"source": source, "version": version}).duplicated().to_numpy()
    return np.where(twice, rows, source), np.where(twice, -1, version)


def _apply_versions(rng: Generator, songs: pd.DataFrame, source: Ints, version: Ints) -> pd.DataFrame:
    """Put versions of the songs in ``source`` in place."""
    songs = songs.iloc[source].reset_index(drop=True)
    for i, kind in enumerate(VERSIONS):
        at = np.flatnonzero(version == i)
        versions = songs.loc[at]
        versions[FEATURES] *= rng.normal(1, 0.01, (len(at), len(FEATURES)))
        for feature, (value, share) in kind.shifts.items():
            versions[feature] += share * (value - versions[feature])
        soonest, latest = np.minimum.outer(kind.delay, CURRENT_YEAR - versions["year"].to_numpy())
        versions["year"] += rng.integers(soonest, latest, endpoint=True)
        versions["name"] = [
            kind.name.format(name, year=year) for name, year in zip(versions["name"], versions["year"])
        ]
        versions["album"] = [kind.album.format(album) for album in versions["album"]]
        songs.loc[at] = versions
    return songs


def _round_values(rng: Generator, songs: pd.DataFrame) -> pd.DataFrame:
    """Round as a service would; one song in a thousand was not analysed and has no tempo."""
    songs[FEATURES] = songs[FEATURES].clip(genres.LOW, genres.HIGH, axis=1).round(4)
    songs.loc[rng.random(len(songs)) < 0.001, ["tempo", "danceability"]] = 0.0
    return songs.round({"popularity": 0, "duration_ms": 0}).astype({"popularity": int, "duration_ms": int})
