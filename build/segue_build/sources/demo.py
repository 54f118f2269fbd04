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

from segue_build.sources import demo_genres as genres
from segue_build.sources.demo_genres import ADJECTIVES, FEATURES, GIVEN, NOUNS, SURNAMES, TITLES, Floats, Ints, Phrase
from segue.errors import SourceError
from segue.query.attributes import BY_NAME

Texts = NDArray[np.object_]

FEWEST, MOST = 10, 10_000_000
SONGS = 20_000  # of the catalogue unless another size is asked for
BLOCK = 50_000
NOW = 2025
KEYS = np.array([12, 7, 11, 4, 8, 9, 5, 11, 5, 11, 5, 9])  # C, G, D and A lie well under the hand
COLUMNS = ["id", "name", "artists", "album", "genres", "explicit", *BY_NAME]

LANGUAGES = list(TITLES)
CYRILLIC = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÅÍabcdefghijklmnopqrstuvwxyzáåëíïóöø",
    "АБКДЕФГХИЙКЛМНОПКРСТУВВКИЗОИабкдефгхийклмнопкрстуввкизаоёииоёё",
)
SOLO = Phrase("{} {}", GIVEN, SURNAMES)
STRIDE = 2_654_435_761  # a prime: stepping by it around a ring of names meets each once before any again
BANDS = (
    Phrase("{} {}", ADJECTIVES, NOUNS),
    Phrase("The {} {}s", ADJECTIVES, NOUNS),
    Phrase("{} & the {}s", GIVEN, NOUNS),
    Phrase("The {} {}", SURNAMES, "Collective Company Ensemble Project Quartet Trio"),
)


@dataclass(frozen=True, slots=True)
class Version:
    """Another recording of an artist's earlier song.

    name, album : what becomes of the song's name and of its album's
    delay : years after the song, from and to
    pulls : feature -> (value, how far the recording goes towards it, 0..1)
    """

    name: str
    album: str
    delay: tuple[int, int]
    pulls: dict[str, tuple[float, float]]


LIVE = Version("{} - Live", "{} (Live)", (0, 4), {"liveness": (0.95, 0.75), "popularity": (0, 0.5)})
ACOUSTIC = Version("{} (Acoustic)", "{} (Acoustic)", (0, 3), {"acousticness": (1, 0.8), "energy": (0, 0.3)})
EDIT = Version("{} - Radio Edit", "{}", (0, 0), {"duration_ms": (195_000, 0.7), "popularity": (0, 0.3)})
REMASTER = Version("{} - Remastered {year}", "{} (Remastered)", (8, 30), {"loudness": (-5, 0.3)})
VERSIONS = (LIVE, ACOUSTIC, EDIT, REMASTER)


@dataclass(frozen=True, slots=True)
class Artists:
    """The artists of a block, one element or row each.

    songs : how many they have, 1 or more
    genres : the home genre and two relatives, shape (n_artists, 3)
    language : of many titles, a position in LANGUAGES
    temperament : how far their own sound strays from the genre's, shape (n_artists, n_features)
    """

    names: Texts
    songs: Ints
    genres: Ints
    language: Ints
    temperament: Floats


def chunks(songs: int = SONGS, seed: int = 0, rows: int = BLOCK) -> Iterator[pd.DataFrame]:
    """Invent a catalogue, the same for the same ``songs`` and ``seed``.

    songs : rows in all, 10..10,000,000; another number is a SourceError
    rows : at most so many rows in a frame
    -> frames with the tidy table's columns; artists and genres hold lists, the main one first
    """
    if not FEWEST <= songs <= MOST:
        raise SourceError(f"demo:{songs}: an invented catalogue has {FEWEST} to {MOST:,} songs")
    return _cut(_blocks(songs, seed), rows)


def _cut(blocks: Iterator[pd.DataFrame], rows: int) -> Iterator[pd.DataFrame]:
    held = pd.DataFrame()
    for block in blocks:
        held = pd.concat([held, block]) if len(held) else block
        whole = len(held) // rows * rows
        for start in range(0, whole, rows):
            yield held[start : start + rows].reset_index(drop=True)
        held = held[whole:]
    if len(held):
        yield held.reset_index(drop=True)


def _blocks(songs: int, seed: int) -> Iterator[pd.DataFrame]:
    names_from = int(default_rng(seed).integers(2**31))
    artists_before = 0
    for block, first in enumerate(range(0, songs, BLOCK)):
        rng = default_rng(SeedSequence(seed, spawn_key=(block,)))
        artists = _artists(rng, min(BLOCK, songs - first), artists_before, names_from)
        frame = _songs(rng, artists)
        frame["id"] = [f"demo-{number:07}" for number in range(first, first + len(frame))]
        yield frame[COLUMNS]
        artists_before += len(artists.names)


def _artists(rng: Generator, songs: int, before: int, names_from: int) -> Artists:
    n = min(songs, songs // 12 + 4)
    fame = rng.lognormal(0, 0.8, n)
    home = rng.permutation(n) * len(genres.NAMES) // n
    side = rng.choice([-1, 1], n)
    native = np.array([LANGUAGES.index(language) for language in genres.SUNG])[home]
    foreign = np.where(rng.random(n) < 0.06, rng.integers(len(LANGUAGES), size=n), 0)
    language = np.where(rng.random(n) < 0.5, native, foreign)
    return Artists(
        names=_artist_names(before + np.arange(n), names_from, language == LANGUAGES.index("ru")),
        songs=1 + rng.multinomial(songs - n, fame / fame.sum()),
        genres=np.stack([home, home + side, home - side], axis=1) % len(genres.NAMES),
        language=language,
        temperament=genres.temperaments(rng, n),
    )


def _artist_names(numbers: Ints, names_from: int, cyrillic: NDArray[np.bool_]) -> Texts:
    """Name the artists of these numbers, no two alike."""
    names = np.array(SOLO.spell(numbers * STRIDE + names_from), object)
    names[cyrillic] = [name.translate(CYRILLIC) for name in names[cyrillic]]
    turn, kind = np.divmod(numbers, 10)
    for i, band in enumerate(BANDS):
        named = (kind == i) & (turn < band.size) & ~cyrillic
        names[named] = band.spell(turn[named] * STRIDE + names_from)
    return names


def _titles(rng: Generator, language: Ints) -> Texts:
    """Invent a title for each song; of those in another language every other one is English all the same."""
    language = np.where(rng.random(len(language)) < 0.5, language, LANGUAGES.index("en"))
    titles = np.empty(len(language), object)
    for i, phrases in enumerate(TITLES.values()):
        weights = np.array([phrase.weight for phrase in phrases])
        kind = rng.choice(len(phrases), len(language), p=weights / weights.sum())
        for j, phrase in enumerate(phrases):
            at = np.flatnonzero((language == i) & (kind == j))
            titles[at] = phrase.spell(rng.integers(phrase.size, size=len(at)))
    return titles


def _songs(rng: Generator, artists: Artists) -> pd.DataFrame:
    """Lay out the artists' songs one after another, in the order of their albums."""
    artist = np.repeat(np.arange(len(artists.songs)), artists.songs)
    nth = np.arange(len(artist)) - np.repeat(np.cumsum(artists.songs) - artists.songs, artists.songs)
    of = artists.genres[artist]
    depth = rng.choice([1, 2, 3], len(artist), p=[0.64, 0.27, 0.09])
    temperament = 0.7 * artists.temperament[artist] + np.sqrt(0.51) * genres.temperaments(rng, len(artist))
    songs = pd.DataFrame(genres.features(of, depth, temperament), columns=FEATURES)
    songs["genres"] = [[genres.NAMES[g] for g in row[:n]] for row, n in zip(of.tolist(), depth.tolist())]
    songs["artists"] = _credits(rng, artists, artist)
    songs["explicit"] = rng.random(len(artist)) < genres.EXPLICIT[of[:, 0]]
    songs["mode"] = (rng.random(len(artist)) < genres.MAJOR[of[:, 0]]).astype(int)
    songs["key"] = rng.choice(12, len(artist), p=KEYS / KEYS.sum())
    songs["time_signature"] = np.where(rng.random(len(artist)) < genres.WALTZ[of[:, 0]], 3, 4)
    songs.loc[rng.random(len(artist)) < 0.01, "time_signature"] = 5
    names = _parts(artist, _titles(rng, artists.language[artist]))
    album, year = _albums(rng, artists, artist, nth, names)
    songs = songs.assign(name=names, album=album, year=year)
    return _measured(rng, _retaken(rng, songs, *_sources(rng, nth, year)))


def _credits(rng: Generator, artists: Artists, artist: Ints) -> list[list[str]]:
    """Credit each song to its artist, and some to a second one of the same genre or its relative."""
    order = np.argsort(artists.genres[:, 0], kind="stable")
    rank = np.argsort(order)[artist] + rng.integers(1, 4, len(artist))
    guest = order[rank % len(order)]
    together = (guest != artist) & (rng.random(len(artist)) < 0.08)
    pairs = zip(artists.names[artist], artists.names[guest], together.tolist())
    return [[main, other] if both else [main] for main, other, both in pairs]


def _parts(artist: Ints, titles: Texts) -> Texts:
    """Tell an artist's songs of one title apart: the second becomes its "Pt. 2"."""
    part = 1 + pd.DataFrame({"artist": artist, "title": titles}).groupby(["artist", "title"]).cumcount()
    return np.where(part == 1, titles, titles + ", Pt. " + part.astype(str).to_numpy(object))


def _albums(rng: Generator, artists: Artists, artist: Ints, nth: Ints, names: Texts) -> tuple[Texts, Ints]:
    """Divide each artist's songs into albums -> per song the album's name and its year."""
    n = len(artists.songs)
    length = rng.integers(5, 15, n)
    last = (artists.songs - 1) // length
    since = genres.SINCE[artists.genres[:, 0]]
    debut = since + ((NOW - since) * np.sqrt(rng.random(n))).astype(int)
    career = np.minimum(last * rng.integers(1, 5, n), NOW - debut)
    year = debut[artist] + career[artist] * (nth // length[artist]) // np.maximum(last, 1)[artist]
    opens = nth % length[artist] == 0
    titles = _titles(rng, artists.language[artist[opens]])
    titles = np.where(rng.random(len(titles)) < 0.3, names[opens], titles)
    return titles[np.cumsum(opens) - 1], year


def _sources(rng: Generator, nth: Ints, year: Ints) -> tuple[Ints, Ints]:
    """Choose songs that are versions of an earlier one by their artist.

    -> per song the row of the original (its own for an original) and a position in VERSIONS (-1 for none)
    """
    rows = np.arange(len(nth))
    again = (nth > 0) & (rng.random(len(nth)) < 0.067)
    source = np.where(again, rows - rng.integers(1, np.maximum(nth, 1) + 1), rows)
    while (source[source] != source).any():
        source = source[source]
    version = np.where(again, rng.integers(len(VERSIONS), size=len(nth)), -1)
    too_young = year[source] + REMASTER.delay[0] > NOW
    version[too_young & (version == VERSIONS.index(REMASTER))] = VERSIONS.index(LIVE)
    twice = again & pd.DataFrame({"source": source, "version": version}).duplicated().to_numpy()
    return np.where(twice, rows, source), np.where(twice, -1, version)


def _retaken(rng: Generator, songs: pd.DataFrame, source: Ints, version: Ints) -> pd.DataFrame:
    """Put versions of the songs in ``source`` in place."""
    songs = songs.iloc[source].reset_index(drop=True)
    for i, kind in enumerate(VERSIONS):
        at = np.flatnonzero(version == i)
        take = songs.loc[at]
        take[FEATURES] *= rng.normal(1, 0.01, (len(at), len(FEATURES)))
        for feature, (value, share) in kind.pulls.items():
            take[feature] += share * (value - take[feature])
        soonest, latest = np.minimum.outer(kind.delay, NOW - take["year"].to_numpy())
        take["year"] += rng.integers(soonest, latest, endpoint=True)
        take["name"] = [kind.name.format(name, year=year) for name, year in zip(take["name"], take["year"])]
        take["album"] = [kind.album.format(album) for album in take["album"]]
        songs.loc[at] = take
    return songs


def _measured(rng: Generator, songs: pd.DataFrame) -> pd.DataFrame:
    """Round as a service would; one song in a thousand was not analysed and has no tempo."""
    songs[FEATURES] = songs[FEATURES].clip(genres.LOW, genres.HIGH, axis=1).round(4)
    songs.loc[rng.random(len(songs)) < 0.001, ["tempo", "danceability"]] = 0.0
    return songs.round({"popularity": 0, "duration_ms": 0}).astype({"popularity": int, "duration_ms": int})
