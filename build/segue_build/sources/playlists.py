"""Playlists and histories that people made, as sets of works, whether the catalogue has these works or not.

A history becomes sessions: plays without ``SESSION_GAP`` of silence between them are one playlist.
"""

import hashlib
import itertools
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from segue.catalog.normalization import core_text, search_key
from segue.errors import SourceError
from segue_build.sources.multivalue import SEPARATOR

FOLDS = 5
MAX_PLAYLIST_WORKS = 1_000  # works of a playlist that are used: learning costs the square of it
SESSION_GAP = np.timedelta64(30, "m")  # without a play, which ends a session
MIN_PLAY_MS = 30_000  # from which a play counts, as services count streams
MAX_PLAY_MS = 24 * 3_600_000  # longer ones are faults of the export
MAX_UNMATCHED_SHOWN = 10
_CREDIT_SEPARATORS = re.compile(
    r"(?:(?<!\s)\s+)?[,;/&+]\s*|(?<!\s)\s+(?:and|x|vs\.?|with|feat\.?|ft\.?|featuring)\s+", re.IGNORECASE
)


Key = tuple[str, str]  # first artist and title, normalized; a song of which either is empty matches by its id alone
KeyFunction = Callable[[str, str], Key]


def plain_key(artist: str, title: str) -> Key:
    """Artist and title without case, accents, brackets and version: evaluation by playlists counts these as one work.

    The model has a rule of its own (:func:`segue_build.model.works.match_key`); a model that is evaluated
    by its own rule can't be compared with others.
    """
    return core_text(artist), core_text(title)


def credited_names(artists: str) -> list[str]:
    """The names by which a song of a credit may be known, most certain first: all of it, each name, each part of one.

    artists : a credit, several names joined by ``SEPARATOR``; ``"A & B"`` and ``"A feat. B"`` may be one name or two
    """
    names = artists.split(SEPARATOR)
    parts = [part for name in names for part in _CREDIT_SEPARATORS.split(name)]
    return list(dict.fromkeys([" & ".join(names), *names, *filter(None, parts)]))


@dataclass(frozen=True, slots=True)
class CatalogWorks:
    """The works of a catalogue that can be recommended, and how entries of playlists are matched to them.

    by_id, by_isrc : song id, ISRC -> work
    by_key : an artist's name and the title's part of the key -> work, for each artist whom a song credits
    rows : shape (n_works,), the row of each work's most popular song
    artists : of each work, the first artist in its key
    key : first artist, title -> key
    """

    by_id: dict[str, int]
    by_key: dict[Key, int]
    rows: np.ndarray
    artists: list[str]
    key: KeyFunction = plain_key
    by_isrc: dict[str, int] = field(default_factory=dict)

    def find(self, artists: str, title: str) -> int | None:
        """The work of a credit and a title, as people write them."""
        keys = (_credit_key(self.key(name, title)) for name in credited_names(artists))
        return next((self.by_key[key] for key in keys if all(key) and key in self.by_key), None)


def _credit_key(key: Key) -> Key:
    """A key in which an artist's name is compared as ``/recommend`` compares it."""
    return search_key(key[0]) if key[0] else "", key[1]


@dataclass
class MatchCounts:
    """How the entries of playlists were matched to a catalogue.

    found : by what an entry was matched -> how many were
    skipped : plays that were skipped or too short to count
    unmatched : title, artist or id of an entry -> how often it was not matched
    """

    found: Counter[str] = field(default_factory=Counter)
    skipped: int = 0
    unmatched: Counter[str] = field(default_factory=Counter)

    def summary(self) -> str:
        """How many entries matched and how many did not."""
        ways = ", ".join(f"{count:,} by {way}" for way, count in self.found.items())
        skipped = f"; {self.skipped:,} plays were skipped or shorter than 30 seconds" if self.skipped else ""
        return (
            f"{self.found.total():,} entries match songs of the catalogue{f' ({ways})' if ways else ''},"
            f" {self.unmatched.total():,} do not{skipped}"
        )

    def examples(self) -> str:
        """Three of the entries that did not match."""
        shown = ", ".join(f"'{text}'" for text, _ in self.unmatched.most_common(3))
        return f": not {shown}" if shown else ""

    def lines(self) -> list[str]:
        """The summary, and the entries that most often did not."""
        return [
            self.summary(),
            *(f"  no match: {text}" for text, _ in self.unmatched.most_common(MAX_UNMATCHED_SHOWN)),
        ]


@dataclass(frozen=True, slots=True)
class Playlists:
    """Playlists as sets of works.

    names : playlist ids, in the order of the file
    members : the works of each playlist in its order, without repeats; those from ``n_known`` on are not in the
        catalogue
    artists : first artist in the key of each work; works of the catalogue come first
    n_known : number of works in the catalogue
    """

    names: list[str]
    members: list[list[int]]
    artists: list[str]
    n_known: int
    matches: MatchCounts = field(default_factory=MatchCounts)

    def split(self, part: str, fold: int) -> "Playlists":
        """A part of the playlists: ``valid``, a fifth, by a hash of their ids; ``train``, the rest; ``all``, both."""
        kept = [k for k, name in enumerate(self.names) if part in ("all", _fold_part(name, fold))]
        members = [self.members[k] for k in kept]
        return Playlists([self.names[k] for k in kept], members, self.artists, self.n_known, self.matches)


def number_works(
    ids: Sequence[str],
    titles: Sequence[str],
    artists: Sequence[str],
    popularity: np.ndarray,
    usable: np.ndarray,
    key: KeyFunction = plain_key,
    works: np.ndarray | None = None,
    isrcs: Sequence[str] = (),
) -> CatalogWorks:
    """Number the works of songs that can be recommended; each is represented by its (first) most popular song.

    Parameters
    ----------
    artists : names of each song's artists, joined by ``SEPARATOR``
    usable : bool, shape (n_songs,), songs that can be recommended
    works : shape (n_songs,), equal numbers for versions of one work; None: songs with equal keys are one work
    isrcs : of the songs, empty where unknown; none at all if no song has one

    """
    numbers: dict[object, int] = {}
    by_id: dict[str, int] = {}
    by_key: dict[Key, int] = {}
    by_isrc: dict[str, int] = {}
    rows: list[int] = []
    first_artists: list[str] = []
    featured: list[tuple[Key, int]] = []
    for row in map(int, np.flatnonzero(usable)):
        first, *others = artists[row].split(SEPARATOR)
        song_key = key(first, titles[row])
        if not all(song_key):
            song_key = ("", ids[row])
        work = numbers.setdefault(song_key if works is None else int(works[row]), len(numbers))
        by_id[ids[row]] = work
        by_key.setdefault(_credit_key(song_key), work)
        featured += [(_credit_key(key(name, titles[row])), work) for name in others if song_key[0]]
        if isrcs and isrcs[row]:
            by_isrc.setdefault(isrcs[row], work)
        if work == len(rows):
            rows.append(row)
            first_artists.append(song_key[0])
        elif popularity[row] > popularity[rows[work]]:
            rows[work] = row
    for credit_key, work in featured:  # an artist's own song of a title comes before those with the artist in them
        by_key.setdefault(credit_key, work)
    return CatalogWorks(by_id, by_key, np.array(rows, np.int64), first_artists, key, by_isrc)


def catalog_works(frame: pd.DataFrame, key: KeyFunction = plain_key, works: np.ndarray | None = None) -> CatalogWorks:
    """The works of a canonical table or of ``catalog.parquet``, see :func:`number_works`; rows are the frame's."""
    usable = ((frame["tempo"] != 0) & ~(frame["duration_ms"] <= 0)).to_numpy(bool)
    popularity = frame["popularity"].fillna(-1).to_numpy(np.float64)
    titles, artists = frame["name"].tolist(), frame["artists"].fillna("").tolist()
    has_isrcs = "isrc" in frame and frame["isrc"].notna().any()
    isrcs = frame["isrc"].fillna("").tolist() if has_isrcs else ()
    return number_works(frame["id"].tolist(), titles, artists, popularity, usable, key, works, isrcs)


class PlaylistMatcher:
    """Matches the songs of playlists and histories to a catalogue: by id, else by ISRC, else by artist and title."""

    def __init__(self, known: CatalogWorks):
        self.known = known
        self._matcher = _EntryMatcher(known)
        self._members: dict[str, dict[int, None]] = {}
        self._plays = _Plays()

    def add(self, entries: pd.DataFrame) -> None:
        """Match some: a frame with ``ENTRY_COLUMNS`` of :mod:`segue_build.sources.importer`."""
        is_play = entries["played_at"].notna() & (entries["playlist"] == "")
        for entries_of_kind in (entries[is_play], entries[entries["playlist"] != ""]):
            works = self._matcher.match(entries_of_kind)
            if entries_of_kind["playlist"].any():
                _add_members(self._members, entries_of_kind["playlist"], works)
            elif len(works):
                self._plays.add(entries_of_kind, works)

    def playlists(self, source: str) -> Playlists:
        """All that were added.

        source : their name, for messages

        Raises
        ------
        SourceError
            none of them is a song of the catalogue.

        """
        counts, known = self._matcher.counts, self.known
        if not counts.found:
            raise SourceError(
                f"{source}: no song of these playlists is in the catalogue, by id or by artist and title"
                f"{counts.examples()}"
            )
        artists = known.artists + self._matcher.unknown_artists
        numbers = list(range(len(artists)))  # one object a work, for all of the millions of entries of a history
        held = {name: [numbers[work] for work in works] for name, works in self._members.items()}
        for session, works in self._plays.sessions():
            distinct = dict.fromkeys(works[works != UNUSED].tolist())
            if distinct:
                held[session] = [numbers[work] for work in itertools.islice(distinct, MAX_PLAYLIST_WORKS)]
        return Playlists(list(held), list(held.values()), artists, len(known.rows), counts)


def _add_members(members: dict[str, dict[int, None]], playlists: Iterable[str], works: np.ndarray) -> None:
    for playlist, work in zip(playlists, works.tolist()):
        if playlist and work != UNUSED:
            held = members.setdefault(playlist, {})
            if len(held) < MAX_PLAYLIST_WORKS:
                held[work] = None


class _Plays:
    """The plays of a history in 16 bytes each, for there are millions.

    Exports that know how long a play was have the time of its end, others that of its beginning.
    """

    def __init__(self) -> None:
        self._times = array("q")  # milliseconds since 1970; arrays grow in their place
        self._lengths = array("i")  # milliseconds, 0 where unknown
        self._works = array("i")  # UNUSED where a play does not count

    def add(self, entries: pd.DataFrame, works: np.ndarray) -> None:
        """Add some, and the work of each."""
        lengths = entries["ms_played"].fillna(0).clip(0, MAX_PLAY_MS)
        self._times.frombytes(entries["played_at"].to_numpy("datetime64[ms]").tobytes())
        self._lengths.frombytes(lengths.to_numpy(np.int32).tobytes())
        self._works.frombytes(works.astype(np.int32).tobytes())

    def sessions(self) -> Iterator[tuple[str, np.ndarray]]:
        """The works of each session, which is named by the time of its first play."""
        order = np.argsort(np.frombuffer(self._times, np.int64), kind="stable")
        times = np.frombuffer(self._times, "datetime64[ms]")[order]
        silences = np.diff(times)
        silences -= np.frombuffer(self._lengths, np.int32)[order[1:]].astype("timedelta64[ms]")
        starts = np.flatnonzero(np.append(True, silences >= SESSION_GAP)[: len(times)])
        works = np.frombuffer(self._works, np.int32)[order]
        del order, silences
        for start, stop in itertools.pairwise([*starts.tolist(), len(times)]):
            yield f"{np.datetime_as_string(times[start], 's')}Z", works[start:stop]


UNUSED = -1  # the work of an entry that does not count


class _EntryMatcher:
    """Matches entries to works, and numbers the works that the catalogue lacks.

    unknown_artists : first artist in the key of each of these
    """

    def __init__(self, known: CatalogWorks):
        self.counts = MatchCounts()
        self._known = known
        self._by_text: dict[tuple[str, str], int | None] = {}
        self._unknown_works: dict[Key, int] = {}

    @property
    def unknown_artists(self) -> list[str]:
        return [artist for artist, _ in self._unknown_works]

    def match(self, entries: pd.DataFrame) -> np.ndarray:
        """The work of each entry, ``UNUSED`` for those that don't count and those that have no key."""
        skipped = entries["skipped"].astype("boolean").fillna(False).astype(bool)
        counts = ~(skipped | (entries["ms_played"] < MIN_PLAY_MS))
        self.counts.skipped += int((~counts).sum())
        columns = (entries[name].tolist() for name in ("id", "isrc", "artists", "name"))
        works = [self._work(*cells) if counted else UNUSED for counted, *cells in zip(counts.tolist(), *columns)]
        return np.array(works, np.int64)

    def _work(self, song: str, isrc: str, artists: str, title: str) -> int:
        known = self._known
        for way, work in (("id", known.by_id.get(song)), ("ISRC", known.by_isrc.get(isrc))):
            if work is not None:
                self.counts.found[way] += 1
                return work
        if (artists, title) not in self._by_text:
            self._by_text[artists, title] = known.find(artists, title)
        work = self._by_text[artists, title]
        if work is not None:
            self.counts.found["artist and title"] += 1
            return work
        self.counts.unmatched[" by ".join(filter(None, (title, artists.replace(SEPARATOR, ", ")))) or song] += 1
        key = known.key(artists.partition(SEPARATOR)[0], title)
        if not all(key):
            return UNUSED
        return self._unknown_works.setdefault(key, len(known.rows) + len(self._unknown_works))


def _fold_part(name: str, fold: int) -> str:
    return "valid" if hashlib.sha256(f"part:{name}".encode()).digest()[0] % FOLDS == fold else "train"


def playlist_frequencies(playlists: Playlists) -> np.ndarray:
    """How many playlists hold each work, shape (n_works,), including works outside the catalogue."""
    held = pd.Series(list(itertools.chain.from_iterable(playlists.members)), dtype="int64")
    return np.bincount(held, minlength=len(playlists.artists))
