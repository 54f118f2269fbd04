"""Opens whatever a person has: files, archives and folders of songs, playlists and plays.

Each table in a source is recognised by its headers. All of them are songs, each distinct song once; tables of
playlists and plays are entries, too, from which a model learns what people play together.
"""

import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from segue.errors import SourceError
from segue_build import progress
from segue_build.sources.column_inference import DURATION_UNITS, PLURAL_HEADER, infer_duration_unit
from segue_build.sources.columns import ColumnMapping
from segue_build.sources.exports import NOT_SONGS, UNKNOWN, Export, Role, recognise
from segue_build.sources.formats.base import Table
from segue_build.sources.formats.detection import open_tables
from segue_build.sources.ingest_report import MAX_EXAMPLES
from segue_build.sources.multivalue import SEPARATOR, infer_credits, join_values, split_artists
from segue_build.sources.normalization import BOOLEANS, plain_ids, plain_isrcs
from segue_build.sources.playlists import CatalogWorks, PlaylistMatcher, Playlists
from segue_build.sources.series import Series, map_distinct, stripped_texts, without_missing
from segue_build.sources.values import parse_duration, parse_numbers, parse_times

ENTRY_COLUMNS = (
    "playlist",
    "id",
    "isrc",
    "name",
    "artists",
    "album",
    "duration_ms",
    "played_at",
    "ms_played",
    "skipped",
)
TEXT_ENTRY_COLUMNS = ENTRY_COLUMNS[:6]
SONG_KEY = ("id", "name", "artists", "album")  # columns by which songs are counted
EXPECTED_ENTRIES = (
    "expected playlists or plays: a table with playlist_id and track_id, or playlist_id, artist and title; or an"
    " export such as Exportify's, account data of Spotify, Last.fm scrobbles, JSPF or M3U8"
)


@dataclass(slots=True)
class ImportedTable:
    """A table of a source, and what it becomes.

    name : the file's, in the archive's or folder's: ``my_data.zip: Playlist1.json``
    format_name : for people
    export : which export it is; its role is what it becomes
    headers : in the table's order
    columns : which of them mean what; None if it is left alone
    entries : column of ``ENTRY_COLUMNS`` that only entries have -> its position
    chunks : rows that are songs, as :class:`segue_build.sources.formats.base.Table` gives them; read once
    counts : what has been read so far: distinct songs, or entries; plays; and rows that are something else
    playlists : the names or ids of those read so far
    """

    name: str
    format_name: str
    export: Export
    reason: str = ""
    headers: list[str] = field(default_factory=list)
    columns: ColumnMapping | None = None
    entries: Mapping[str, int] = field(default_factory=dict)
    chunks: Iterator[pd.DataFrame] = field(default_factory=lambda: iter(()))
    counts: Counter[str] = field(default_factory=Counter)
    playlists: set[str] = field(default_factory=set)

    @property
    def role(self) -> Role:
        """What it becomes."""
        return self.export.role

    @property
    def has_entries(self) -> bool:
        """Whether it holds playlists or plays."""
        return self.role in (Role.PLAYLISTS, Role.HISTORY) or (self.role == Role.SONGS and "playlist" in self.entries)

    def describe(self) -> str:
        """What it became, as a line for people."""
        if self.role == Role.LEFT_ALONE:
            return f"{self.name}: left alone: {self.reason.removeprefix('row 1: ').partition(';')[0]}"
        counted = dict(self.counts)
        became = [f"{what} {counted.pop(what):,}" for what in ("songs", "entries") if what in counted]
        if self.playlists:
            became.append(f"playlists {len(self.playlists):,}")
        if self.role == Role.HISTORY:
            became.append(f"history {counted.pop('plays', 0):,} plays")
        counted.pop("plays", None)
        others = ", ".join(f"{what} {rows:,}" for what, rows in counted.items() if rows)
        known = f" ({self.export.name})" if self.export.name else ""
        return f"{self.name}{known}: {', '.join(became)}{f'; not songs: {others}' if others else ''}"


def open_source(
    source: Path,
    part: str | None = None,
    overrides: Mapping[str, str] | None = None,
    *,
    distinct: bool = False,
) -> Iterator[ImportedTable]:
    """All tables of a file, an archive or a folder; read the chunks of one before you ask for the next.

    part : name of the only one to open, in an archive or a workbook
    overrides : canonical name -> header, as the user says
    distinct : whether of playlists and plays only one of several equal rows of a song is wanted

    Raises
    ------
    SourceError
        there is no file, or the only one can't be read.

    """
    for opened in open_tables(source, part):
        if isinstance(opened, Table):
            yield import_table(opened, overrides or {}, distinct=distinct)
        else:
            name, error = opened
            reason = str(error).removeprefix(name).lstrip(":, ")
            yield ImportedTable(name, "", UNKNOWN, reason)


def iter_entries(source: Path) -> Iterator[pd.DataFrame]:
    """Every entry of a playlist and every play in a source, in chunks.

    Returns
    -------
    Frames with ``ENTRY_COLUMNS``: texts, empty where nothing is known (``playlist`` of plays), several artists joined
    as in the canonical table; ``duration_ms`` and ``ms_played`` in milliseconds; ``played_at`` in UTC; ``skipped``.

    Raises
    ------
    SourceError
        nothing in it is a playlist or a play.

    """
    found: list[ImportedTable] = []
    for table in open_source(source):
        found.append(table)
        if not table.has_entries:
            continue
        for chunk in progress.bar(table.chunks, table.name, " chunks"):
            entries = _entries(chunk, table)
            if len(entries):
                yield entries
    if not any(table.has_entries for table in found):
        what = ", ".join(list(dict.fromkeys(table.reason or table.role for table in found))[:MAX_EXAMPLES])
        raise SourceError(f"{source.name}: no playlists and no plays in it, only {what}; {EXPECTED_ENTRIES}")
    print_summary(table for table in found if table.counts or table.role == Role.LEFT_ALONE)


def load_playlists(source: Path, known: CatalogWorks) -> Playlists:
    """All playlists of a source, and the sessions of its plays, matched to a catalogue.

    Raises
    ------
    SourceError
        it can't be read, holds no playlists and no plays, or no song of the catalogue.

    """
    matcher = PlaylistMatcher(known)
    for entries in iter_entries(source):
        matcher.add(entries)
    return matcher.playlists(source.name)


def print_summary(tables: Iterable[ImportedTable]) -> None:
    """Print to stderr what each table became."""
    lines = [f"  {table.describe()}" for table in tables]
    print("\n".join(["what each file became:", *lines] if lines else []), end="\n" if lines else "", file=sys.stderr)


def import_table(table: Table, overrides: Mapping[str, str], *, distinct: bool = False) -> ImportedTable:
    """Recognise a table; its rows that are no songs are left out and counted when they are read."""
    found = recognise(table.headers, overrides, table.name)
    made = ImportedTable(
        table.name, table.format_name, found.export, found.reason, table.headers, found.columns, found.entries
    )
    made.chunks = table.chunks if found.columns is None else _iter_songs(table.chunks, made, distinct)
    return made


def _iter_songs(chunks: Iterator[pd.DataFrame], table: ImportedTable, distinct: bool) -> Iterator[pd.DataFrame]:
    songs: set[int] = set()
    rows: set[int] = set()
    positions = table.columns.positions if table.columns else {}
    for chunk in chunks:
        kept = chunk[_are_songs(chunk, table)]
        if table.role == Role.HISTORY:
            table.counts["plays"] += len(kept)
        elif "playlist" in table.entries:
            table.playlists.update(stripped_texts(kept[table.entries["playlist"]]).dropna().unique())
        elif table.export.one_playlist:
            table.playlists.add(_file_stem(table.name))
        if distinct and table.has_entries:
            _are_first(kept[[positions[name][0] for name in SONG_KEY if name in positions]], songs)
            kept = kept[_are_first(kept[list(itertools.chain.from_iterable(positions.values()))], rows)]
            table.counts["songs"] = len(songs)
        else:
            table.counts["entries" if table.has_entries else "songs"] += len(kept)
        yield kept.reset_index(drop=True) if len(kept) < len(chunk) else chunk


def _are_first(rows: pd.DataFrame, seen: set[int]) -> Series:
    """Which rows are the first of their kind; ``seen`` receives them."""
    hashes: Series = pd.util.hash_pandas_object(rows.astype("str"), index=False)
    is_first = ~hashes.duplicated()
    is_first[is_first] = [row not in seen for row in hashes[is_first].tolist()]
    seen.update(hashes[is_first].tolist())
    return is_first


def _are_songs(chunk: pd.DataFrame, table: ImportedTable) -> Series:
    """Rows that are songs; others are counted by what they are."""
    others: Series = pd.Series(None, chunk.index, dtype="object")
    for header, what in table.export.not_songs.items():
        if header in table.headers:
            cells = stripped_texts(chunk[table.headers.index(header)])
            others = others.mask(others.isna() & cells.notna(), what)
    if table.export.kinds in table.headers:
        cells = stripped_texts(chunk[table.headers.index(table.export.kinds)])
        others = others.fillna(cells.str.lower().map(NOT_SONGS).astype("object"))
    if table.role != Role.SONGS and table.columns is not None:
        named = [stripped_texts(chunk[table.columns.positions[name][0]]).notna() for name in ("id", "name")
                 if name in table.columns.positions]  # fmt: skip
        others = others.mask(others.isna() & ~np.logical_or.reduce(named), "rows without a title")
    table.counts.update(others.dropna())
    return others.isna()


def _entries(chunk: pd.DataFrame, table: ImportedTable) -> pd.DataFrame:
    """The rows of a chunk as entries."""
    columns = table.columns
    assert columns is not None, table.name  # noqa: S101 # only tables that are left alone have none
    texts = {
        name: stripped_texts(chunk[position]) for name, position in _text_positions(columns, table.entries).items()
    }
    missing = pd.Series("", chunk.index, dtype="str")
    frame = pd.DataFrame({name: texts.get(name, missing).fillna("") for name in TEXT_ENTRY_COLUMNS}, chunk.index)
    if "id" in columns.positions:
        frame["id"] = plain_ids(chunk[columns.positions["id"][0]]).fillna("")
    if "isrc" in columns.positions:
        frame["isrc"] = plain_isrcs(chunk[columns.positions["isrc"][0]]).fillna("")
    if table.role == Role.HISTORY:
        frame["playlist"] = ""
    elif "playlist" not in texts:
        frame["playlist"] = _file_stem(table.name)
    if "artists" in columns.positions:
        frame["artists"] = _joined_artists(chunk[columns.positions["artists"][0]], columns.header("artists"))
    frame["duration_ms"] = _durations(chunk, columns)
    entries = {name: stripped_texts(chunk[position]) for name, position in table.entries.items()}
    frame["played_at"] = parse_times(entries.get("played_at", missing))
    frame["ms_played"] = pd.to_numeric(entries.get("ms_played", missing), errors="coerce").astype("float64")
    frame["skipped"] = entries.get("skipped", missing).str.lower().map(BOOLEANS).astype("boolean")
    return frame[(frame["playlist"] != "") | (table.role == Role.HISTORY)].reset_index(drop=True)


def _text_positions(columns: ColumnMapping, entries: Mapping[str, int]) -> dict[str, int]:
    songs = {name: places[0] for name, places in columns.positions.items() if name in TEXT_ENTRY_COLUMNS}
    return songs | {name: place for name, place in entries.items() if name in TEXT_ENTRY_COLUMNS}


def _joined_artists(cells: Series, header: str) -> Series:
    """Artists as in the canonical table, by what the cells of this chunk show."""
    joined = map_distinct(cells, lambda cell: join_values(split_artists(cell)))
    names = [cell for cell in joined.dropna().unique() if SEPARATOR not in cell]
    are_delimited = len(names) < joined.nunique()
    found = {} if are_delimited else infer_credits(names, bool(PLURAL_HEADER.search(header))).names
    splits = {cell: join_values(parts) for cell, parts in found.items()}
    return joined.map(lambda cell: splits.get(cell, cell), na_action="ignore").astype("str").fillna("")


def _durations(chunk: pd.DataFrame, columns: ColumnMapping) -> Series:
    if "duration_ms" not in columns.positions:
        return pd.Series(np.nan, chunk.index)
    texts = without_missing(stripped_texts(chunk[columns.positions["duration_ms"][0]]))
    plain, _ = parse_numbers(texts, integers=True)
    unit, _ = infer_duration_unit(columns.header("duration_ms"), plain[plain > 0].to_numpy())
    return (plain * DURATION_UNITS[unit]).fillna(map_distinct(texts[plain.isna()], parse_duration, "float64"))


def _file_stem(name: str) -> str:
    """The name of a playlist that is a file: ``road_trip`` of ``my.zip: road_trip.csv``."""
    return Path(name.rpartition(": ")[2]).stem
