"""Which songs of several tables are the same, and what songs borrow from a reference that knows more of them.

Two songs are the same by their id, else by their ISRC, else by title and artist: the recording's title, an artist
whom both credit, and durations within ``MAX_DURATION_GAP`` where both have one. Of several that are, it is the best
known.
"""

import itertools
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from segue.catalog.normalization import case_folded, search_key, without_featured
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.arguments import format_table
from segue_build.sources.columns import HEADER_SYNONYMS, find_column
from segue_build.sources.multivalue import SEPARATOR, join_values, parse_list
from segue_build.sources.playlists import credited_names
from segue_build.sources.series import BATCH_ROWS, Series, batch_slices, joined_labels

ID, ISRC, NAME = WAYS = ("id", "ISRC", "title and artist")
MAX_DURATION_GAP = 3_000  # milliseconds
BORROWED_COLUMNS = ("genres", "explicit", *(attribute.name for attribute in NUMERIC_ATTRIBUTES))
ENRICHED_FROM, IN_REFERENCE = "enriched_from", "in_reference"
MADE_ID = re.compile(r"song-[0-9a-f]{20}")  # see :func:`segue_build.sources.tracks.add_missing_ids`
_SAME_RECORDING = re.compile(  # what a title says of an edition, and not of what is heard
    r"(?<!\s)\s*(?:-\s|[(\[])\s*(?:(?:\d{4}\s+)?(?:digital(?:ly)?\s+)?re-?master(?:ed|is[eé]e?|izado)?(?:\s+version)?"
    r"(?:\s+\d{4})?(?:\s+(?:version|edition))?|original mix|album version)\s*[)\]]?\s*$",
    re.IGNORECASE,
)
_ARTIST_ID_HEADERS = ("id", "uri", "artist_id", "artist_uri", "spotify_artist_id", "artist_mbid")  # the last counts
_ID_HEADER = re.compile(r"(?:^|_|\b)(?:ids?|ur[il]s?|isrc|mbid)(?:$|_|\b)", re.IGNORECASE)
MIN_SHARED_IDS = 0.1  # of a table's distinct ids that another table has, from which both number the same things


@dataclass(frozen=True, slots=True)
class Matches:
    """The same songs in another table.

    rows : int64, shape (n_songs,), rows of the other table, -1 where it lacks the song
    ways : shape (n_songs,), which of ``WAYS`` they were found by; empty where none
    """

    rows: np.ndarray
    ways: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Bool, shape (n_songs,)."""
        return self.rows >= 0

    def summary(self) -> str:
        """How many were found in each way."""
        return ", ".join(f"{int((self.ways == way).sum()):,} by {way}" for way in WAYS)


def recording_key(title: str) -> str:
    """What the titles of one recording share, as ``"Hey Jude - Remastered 2015"`` and ``"hey jude"``."""
    spaced = " ".join(title.split())  # several optional spaces in a row would be tried in every division
    return search_key(without_featured(case_folded(_SAME_RECORDING.sub("", spaced) or title)))


def artist_keys(artists: str) -> list[str]:
    """The names of a credit, and those that it may hold, as they are compared; the first artist's first."""
    first = artists.partition(SEPARATOR)[0]
    return list(dict.fromkeys([search_key(first), *map(search_key, credited_names(artists))])) if first else []


def match_songs(songs: pd.DataFrame, others: pd.DataFrame) -> Matches:
    """Find the songs of one table in another; both are canonical, with any of their columns."""
    rows, ways = np.full(len(songs), -1, np.int64), np.full(len(songs), "", dtype=object)
    best_first = others.iloc[np.argsort(-_column(others, "popularity").fillna(-1).to_numpy(), kind="stable")]
    for way, column in ((ID, "id"), (ISRC, "isrc")):
        if column in songs and column in others:
            keyed = best_first[column].dropna().drop_duplicates()
            position = pd.Index(keyed).get_indexer(songs[column].where(songs[column].notna(), ""))
            found = (rows < 0) & (position >= 0)
            rows[found], ways[found] = others.index.get_indexer(keyed.index[position[found]]), way
    if {"name", "artists"} <= set(songs) & set(others):
        missing = np.flatnonzero(rows < 0)
        position = _match_by_name(songs.iloc[missing], best_first)
        found = missing[position >= 0]
        rows[found] = others.index.get_indexer(best_first.index[position[position >= 0]])
        ways[found] = NAME
    return Matches(rows, ways)


def _column(frame: pd.DataFrame, name: str) -> Series:
    return frame[name] if name in frame else pd.Series(np.nan, frame.index)


def _match_by_name(songs: pd.DataFrame, others: pd.DataFrame) -> np.ndarray:
    """The row of ``others`` for each song, -1 where there is none; of several an artist's own, then the first."""
    wanted: dict[str, list[int]] = defaultdict(list)
    for row, (title, artists) in enumerate(zip(songs["name"].fillna(""), songs["artists"].fillna(""))):
        if title and artists:
            wanted[recording_key(title)].append(row)
    candidates: dict[int, list[int]] = defaultdict(list)
    for rows in batch_slices(len(others), BATCH_ROWS):
        for row, title in enumerate(others["name"].iloc[rows].fillna(""), rows.start):
            for song in wanted.get(recording_key(title), ()) if title else ():
                candidates[song].append(row)
    lengths, other_lengths = (_column(frame, "duration_ms").to_numpy(np.float64) for frame in (songs, others))
    own_credits, other_credits = songs["artists"].tolist(), others["artists"].fillna("").tolist()
    found = np.full(len(songs), -1, np.int64)
    for song, rows_of_title in candidates.items():
        keys = artist_keys(own_credits[song])
        near = [row for row in rows_of_title if not abs(lengths[song] - other_lengths[row]) > MAX_DURATION_GAP]
        ranks = {row: _credit_rank(keys, artist_keys(other_credits[row])) for row in near}
        found[song] = min(
            (row for row in near if ranks[row] is not None), key=lambda row: (ranks[row], row), default=-1
        )
    return found


def _credit_rank(keys: Sequence[str], other_keys: Sequence[str]) -> int | None:
    """0 where the first artist is the same, 1 where another one is; None where none is."""
    if not keys or not other_keys or not set(keys) & set(other_keys):
        return None
    return 0 if keys[0] == other_keys[0] else 1


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of a source.

    name : for people
    frame : canonical columns and others, ids unique
    id_header : the header of the column of ids; empty if the ids were made
    """

    name: str
    frame: pd.DataFrame
    id_header: str = ""

    @property
    def has_names(self) -> bool:
        """Whether it says what songs are called."""
        return "name" in self.frame and bool(self.frame["name"].notna().any())


def join_tables(tables: Sequence[SourceTable]) -> pd.DataFrame:
    """The rows of all tables in their order; rows of one song have one id, that of the first table with its name.

    A table is joined on the column of ids that it shares with those before, whatever the column is called. An id that
    was made for a song without one gives way to an id that another table has.
    """
    order = sorted(range(len(tables)), key=lambda number: not tables[number].has_names)
    songs, frames, renamed = tables[order[0]].frame, {order[0]: tables[order[0]].frame}, dict[str, str]()
    for number in order[1:]:
        table = tables[number]
        frame = with_shared_ids(table.frame, songs)
        matches = match_songs(frame, songs)
        print(_describe_origin(table, matches), file=sys.stderr)
        frame = frame.assign(id=_known_ids(frame["id"], songs["id"], matches, renamed))
        songs = merge_by_id(pd.concat([songs, frame], ignore_index=True)) if table.has_names else songs
        frames[number] = frame
    joined = pd.concat([frames[number] for number in range(len(tables))], ignore_index=True)
    return joined.assign(id=joined["id"].map(lambda song: renamed.get(song, song)).astype("str"))


def _known_ids(ids: Series, other_ids: Series, matches: Matches, renamed: dict[str, str]) -> Series:
    """The ids that songs have in another table, where it has them.

    renamed : receives ids that were made, and those that replace them
    """
    known = ids.mask(matches.found, pd.Series(other_ids.take(np.maximum(matches.rows, 0)).to_numpy(), ids.index))
    for own, other in zip(ids[matches.found], known[matches.found]):
        if MADE_ID.fullmatch(other) and not MADE_ID.fullmatch(own):
            renamed.setdefault(other, own)
    return known


def _describe_origin(table: SourceTable, matches: Matches) -> str:
    n_found, n_songs = int(matches.found.sum()), len(matches.rows)
    others = "new" if table.has_names else "left out, because no source names them"
    return (
        f"{table.name}: {n_songs:,} songs, {n_found:,} of them in the sources before ({matches.summary()}),"
        f" {n_songs - n_found:,} {others}"
    )


def with_shared_ids(frame: pd.DataFrame, songs: pd.DataFrame) -> pd.DataFrame:
    """A table with the ids of another one, where both share a column of ids, but not the one called ``id``."""
    if _shared(frame["id"], songs["id"]) >= MIN_SHARED_IDS:
        return frame
    pairs = [(own, other) for own in _id_columns(frame) for other in _id_columns(songs)]
    shares = {(own, other): _shared(frame[own], songs[other]) for own, other in pairs}
    best = max(shares, key=lambda pair: shares[pair])
    if shares[best] < MIN_SHARED_IDS:
        return frame
    own, other = best
    keyed = songs.dropna(subset=[other]).drop_duplicates(other)
    known = frame[own].astype("str").map(dict(zip(keyed[other].astype("str"), keyed["id"])))
    return frame.assign(id=known.fillna(frame["id"]).astype("str"))


def _id_columns(frame: pd.DataFrame) -> list[str]:
    return ["id", *(str(name) for name in frame if name != "id" and _ID_HEADER.search(str(name)))]


def _shared(ids: Series, others: Series) -> float:
    """The share of the distinct ids that are among others."""
    distinct = ids.dropna().astype("str").drop_duplicates()  # np.isin compares each text with each
    return float(distinct.isin(others.dropna().astype("str")).mean()) if len(distinct) else 0.0


@dataclass(frozen=True, slots=True)
class ArtistTable:
    """A table of artists, not of songs.

    name : for people
    genres : id of an artist -> genres, joined
    """

    name: str
    genres: Mapping[str, str]


def read_artists(name: str, headers: Sequence[str], chunks: Iterable[pd.DataFrame]) -> ArtistTable | None:
    """A table of artists' ids and genres; None if it is something else."""
    if not holds_artists(headers):
        return None
    known = _artist_columns(headers)
    genres, ids = known[0], known[-1]
    pairs = pd.concat([chunk[[ids, genres]] for chunk in chunks], ignore_index=True)
    joined = pd.Series(joined_labels(pairs[genres]).to_numpy(), pairs[ids].map(_artist_ids).str[0]).dropna()
    return ArtistTable(name, {str(artist): genre for artist, genre in joined.items() if artist == artist})


def holds_artists(headers: Sequence[str]) -> bool:
    """Whether a table that holds no songs has artists' ids and genres."""
    return len(_artist_columns(headers)) > 1 and any(find_column(headers, header) for header in _ARTIST_ID_HEADERS)


def _artist_columns(headers: Sequence[str]) -> list[int]:
    """The positions of columns of genres, then of ids."""
    found = [find_column(headers, header) for header in (*HEADER_SYNONYMS["genres"], *_ARTIST_ID_HEADERS)]
    return [headers.index(header) for header in found if header is not None]


def add_artist_genres(songs: pd.DataFrame, artists: ArtistTable) -> pd.DataFrame:
    """Give songs without genres those of their artists, by the column of artists' ids that songs have."""
    columns = [str(name) for name in songs if name != "id" and _ID_HEADER.search(str(name))]
    ids = {name: songs[name].map(_artist_ids, na_action="ignore") for name in columns}
    found = {
        name: int(cells.dropna().map(artists.genres.keys().__and__).astype(bool).sum()) for name, cells in ids.items()
    }
    best = max(found, key=lambda name: found[name], default="")
    if not found.get(best):
        return songs
    known = ids[best].map(lambda of_song: join_values(sorted(_genres_of(of_song, artists))), na_action="ignore")
    print(
        f"{artists.name}: genres of {len(artists.genres):,} artists, for {found[best]:,} songs by '{best}'",
        file=sys.stderr,
    )
    return songs.assign(
        genres=songs.get("genres", pd.Series(None, songs.index, dtype="str")).fillna(known.astype("str"))
    )


def _genres_of(artist_ids: Iterable[str], artists: ArtistTable) -> set[str]:
    return {genre for artist in artist_ids for genre in artists.genres.get(artist, "").split(SEPARATOR) if genre}


def _artist_ids(cell: object) -> tuple[str, ...]:
    """The ids in a cell, without what a URI or URL has before them."""
    items = parse_list(cell)
    return tuple(
        re.split(r"[:/]", item.strip())[-1] for item in (re.split(r"[,;]", str(cell)) if items is None else items)
    )


@dataclass
class Enrichment:
    """What songs borrowed from a reference.

    found : songs that the reference has
    columns : column -> songs that borrowed it
    """

    reference: str
    found: int
    columns: dict[str, int] = field(default_factory=dict)

    def to_manifest(self) -> dict[str, object]:
        """The same for the manifest."""
        return {"reference": self.reference, "found": self.found, "columns": self.columns}


def enrich(
    songs: pd.DataFrame, reference: SourceTable, labels: Sequence[str] = ()
) -> tuple[pd.DataFrame, Enrichment]:
    """Fill what songs lack with what a reference has of the same songs; adds no songs.

    labels : headers of other columns to borrow

    Returns
    -------
    The songs, with ``ENRICHED_FROM``, which says what each borrowed from where, and ``IN_REFERENCE``, whether any
    reference has it; and a summary, which is also printed.

    """
    others = with_shared_ids(reference.frame, songs)
    matches = match_songs(songs, others)
    others = others.rename(columns={find_column(map(str, others), label) or label: label for label in labels})
    songs = songs.rename(columns={find_column(map(str, songs), label) or label: label for label in labels})
    before = {name: _column(songs, name) for name in (*BORROWED_COLUMNS, *labels)}
    borrowed: dict[str, Series] = {}
    for name in [name for name in before if name in others]:
        values = pd.Series(others[name].take(np.maximum(matches.rows, 0)).array, songs.index).where(matches.found)
        is_borrowed = before[name].isna() & values.notna()
        if is_borrowed.any():
            borrowed[name] = is_borrowed
            kind = "str" if others[name].dtype == "str" else others[name].dtype
            songs = songs.assign(**{name: before[name].astype(kind).where(~is_borrowed, values)})
    made = Enrichment(
        reference.name, int(matches.found.sum()), {name: int(rows.sum()) for name, rows in borrowed.items()}
    )
    after = {name: _column(songs, name) for name in before}
    print("\n".join(_enrichment_lines(made, matches, before, after)), file=sys.stderr)
    return songs.assign(**_marks(songs, reference.name, borrowed, matches.found)), made


def _marks(songs: pd.DataFrame, reference: str, borrowed: dict[str, Series], found: np.ndarray) -> dict[str, Series]:
    """The columns that say what was borrowed, after what earlier references gave."""
    texts = pd.Series("", songs.index, dtype="str")
    for name, rows in borrowed.items():
        texts = texts.mask(rows, texts + (", " + name))
    texts = (reference + ": " + texts.str.removeprefix(", ")).mask(texts == "")
    if ENRICHED_FROM in songs:
        both = songs[ENRICHED_FROM].str.cat(texts, "; ")
        texts = both.fillna(songs[ENRICHED_FROM]).fillna(texts)
        found = found | songs[IN_REFERENCE].to_numpy(bool)
    return {ENRICHED_FROM: texts, IN_REFERENCE: pd.Series(found, songs.index)}


def _enrichment_lines(
    made: Enrichment, matches: Matches, before: dict[str, Series], after: dict[str, Series]
) -> list[str]:
    n_songs = len(matches.rows)
    shares = [
        (f"  {name}", f"{before[name].notna().mean():.0%}", f"{after[name].notna().mean():.0%}")
        for name in before
        if after[name].notna().any()
    ]
    return [
        f"enriched from {made.reference}: {made.found:,} of {n_songs:,} songs found ({matches.summary()})",
        *format_table([("  songs with", "before", "after"), *shares], right=(1, 2)),
    ]


def merge_duplicate_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Merge the rows of one table that share an id; if they differ, the most popular row counts.

    Songs are in the order of their most popular rows.
    """
    if frame["id"].is_unique:
        return frame
    repeated = frame["id"].duplicated(keep=False).to_numpy()
    rows = frame[repeated].assign(_position=np.flatnonzero(repeated))
    if "popularity" in frame:
        rows = rows.sort_values("popularity", ascending=False, kind="stable")
    merged = merge_by_id(rows)
    order = np.argsort(np.concatenate([np.flatnonzero(~repeated), merged.pop("_position")]))
    return pd.concat([frame[~repeated], merged], ignore_index=True).take(order).reset_index(drop=True)


def merge_by_id(frame: pd.DataFrame) -> pd.DataFrame:
    """Merge rows that share an id: the first known value of each column, and the union of genres.

    Rows keep the order in which their ids first occur.
    """
    repeated = frame["id"].duplicated(keep=False)
    if not repeated.any():
        return frame.reset_index(drop=True)
    groups = frame[repeated].groupby("id", sort=False)
    merged = groups.first()
    if "genres" in frame:
        merged["genres"] = _union_genres(frame.loc[repeated, ["id", "genres"]].dropna()).reindex(merged.index)
    unique = frame[~repeated].set_index("id")
    order = frame["id"].drop_duplicates()
    return pd.concat([unique, merged]).loc[order].reset_index()[list(frame.columns)]


def _union_genres(frame: pd.DataFrame) -> "pd.Series[str]":
    """The genres of all rows of an id, by id."""
    genres = frame["genres"].str.split(SEPARATOR)
    one_per_row = frame.assign(genres=genres).explode("genres").drop_duplicates().sort_values(["id", "genres"])
    is_first = ~one_per_row["id"].duplicated().to_numpy()
    bounds = [*np.flatnonzero(is_first).tolist(), len(one_per_row)]
    texts = one_per_row["genres"].tolist()
    joined = [SEPARATOR.join(texts[first:last]) for first, last in itertools.pairwise(bounds)]
    return pd.Series(joined, one_per_row["id"][is_first], dtype="str")
