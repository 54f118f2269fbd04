"""Opens whatever a person has: files, archives and folders of songs, playlists and plays.

Each table in a source is recognised by its headers. All of them are songs, each distinct song once; tables of
playlists and plays are entries, too, from which a model learns what people play together.

Files with the same headers are read as one table: a person has playlists by the hundred, and each step of reading
costs the same for three rows as for thousands.
"""

import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from segue.errors import SourceError
from segue_build import progress
from segue_build.sources.column_inference import DURATION_UNITS, PLURAL_HEADER, infer_duration_unit
from segue_build.sources.columns import ColumnMapping
from segue_build.sources.exports import NOT_SONGS, UNKNOWN, Export, Role, recognise
from segue_build.sources.formats.base import CHUNK_CELLS, CHUNK_ROWS, ROW_NUMBER, Table
from segue_build.sources.formats.detection import open_tables
from segue_build.sources.ingest_report import MAX_EXAMPLES
from segue_build.sources.joining import holds_artists
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
FILE = "_file"  # column of chunks: which of the table's files a row is of
MAX_LAYOUTS = 100  # of a source: joining tables takes time for each
SONG_KEY = ("id", "name", "artists", "album")  # columns by which songs are counted
EXPECTED_ENTRIES = (
    "expected playlists or plays: a table with playlist_id and track_id, or playlist_id, artist and title; or an"
    " export such as Exportify's, account data of Spotify, Last.fm scrobbles, JSPF or M3U8"
)


@dataclass(slots=True)
class ImportedFile:
    """A file of a source.

    name : in the archive or folder, as in ``my_data.zip: Playlist1.json``
    counts : what has been read so far: distinct songs, or entries; plays; and rows that are something else
    playlists : the names or ids of those read so far
    """

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    playlists: set[str] = field(default_factory=set)


@dataclass(slots=True)
class ImportedTable:
    """A table of a source, and what it becomes.

    files : those with the table's rows, of which more may follow while its chunks are read
    format_name : for people
    export : which export it is; its role is what it becomes
    headers : in the table's order
    columns : which of them mean what; None if it is left alone
    entries : column of ``ENTRY_COLUMNS`` that only entries have -> its position
    chunks : rows that are songs, as :class:`segue_build.sources.formats.base.Table` gives them, and ``FILE``; the
        rows of an archive or a folder are numbered with the names of their files; read once
    """

    files: list[ImportedFile]
    format_name: str
    export: Export
    reason: str = ""
    headers: list[str] = field(default_factory=list)
    columns: ColumnMapping | None = None
    entries: Mapping[str, int] = field(default_factory=dict)
    chunks: Iterator[pd.DataFrame] = field(default_factory=lambda: iter(()))

    @property
    def name(self) -> str:
        """The first file's."""
        return self.files[0].name

    @property
    def files_name(self) -> str:
        """The first file's name, and how many more there were when all chunks have been read."""
        others = len(self.files) - 1
        return f"{self.name} and {others:,} more" if others else self.name

    @property
    def archive(self) -> str:
        """The archive or folder that it is in; empty if it is in none."""
        return self.name.rpartition(": ")[0]

    @property
    def role(self) -> Role:
        """What it becomes."""
        return self.export.role

    @property
    def has_entries(self) -> bool:
        """Whether it holds playlists or plays."""
        return self.role in (Role.PLAYLISTS, Role.HISTORY) or (self.role == Role.SONGS and "playlist" in self.entries)

    @property
    def layout(self) -> tuple[object, ...]:
        """What tables share that are read as one."""
        return self.export, tuple(self.headers), self.archive

    def describe(self) -> list[str]:
        """What each file became, as a line for people."""
        return [self._describe(file) for file in self.files]

    def _describe(self, file: ImportedFile) -> str:
        if self.role == Role.LEFT_ALONE:
            return f"{file.name}: left alone: {self.reason.removeprefix('row 1: ').partition(';')[0]}"
        counted = dict(file.counts)
        became = [f"{what} {counted.pop(what):,}" for what in ("songs", "entries") if what in counted]
        if file.playlists:
            became.append(f"playlists {len(file.playlists):,}")
        if self.role == Role.HISTORY:
            became.append(f"history {counted.pop('plays', 0):,} plays")
        counted.pop("plays", None)
        others = ", ".join(f"{what} {rows:,}" for what, rows in counted.items() if rows)
        known = f" ({self.export.name})" if self.export.name else ""
        return f"{file.name}{known}: {', '.join(became)}{f'; not songs: {others}' if others else ''}"


def open_source(
    source: Path,
    part: str | None = None,
    overrides: Mapping[str, str] | None = None,
    *,
    distinct: bool = False,
) -> Iterator[ImportedTable]:
    """All tables of a file, an archive or a folder; read the chunks of one before you ask for the next.

    Files with the same headers that follow each other are one table; what is left alone between them comes after it.

    part : name of the only one to open, in an archive or a workbook
    overrides : canonical name -> header, as the user says
    distinct : whether of playlists and plays only one of several equal rows of a song is wanted

    Raises
    ------
    SourceError
        there is no file, the only one can't be read, or the headers change too often.

    """
    opened = (_import_opened(table, overrides or {}) for table in open_tables(source, part))
    for number, (_, tables) in enumerate(itertools.groupby(_with_layouts(opened), lambda pair: pair[0])):
        if number == MAX_LAYOUTS:
            raise SourceError(
                f"{source.name}: headers change more than {MAX_LAYOUTS} times from one file to the next; put files"
                " with the same headers into a folder of their own"
            )
        yield from _as_one((table for _, table in tables), distinct)


def _import_opened(opened: Table | tuple[str, SourceError], overrides: Mapping[str, str]) -> ImportedTable:
    if isinstance(opened, Table):
        return import_table(opened, overrides)
    name, error = opened
    return ImportedTable([ImportedFile(name)], "", UNKNOWN, str(error).removeprefix(name).lstrip(":, "))


def import_table(table: Table, overrides: Mapping[str, str]) -> ImportedTable:
    """Recognise a table."""
    found = recognise(table.headers, overrides, table.name)
    return ImportedTable(
        [ImportedFile(table.name)], table.format_name, found.export, found.reason, table.headers, found.columns,
        found.entries, table.chunks,
    )  # fmt: skip


def _with_layouts(tables: Iterable[ImportedTable]) -> Iterator[tuple[object, ImportedTable]]:
    """Each with its layout; what nobody reads has that of the table before."""
    layout: object = None
    for table in tables:
        if table.columns is not None or holds_artists(table.headers):
            layout = table.layout
        else:
            table.chunks = iter(())  # which closes the file
        yield layout, table


def _as_one(tables: Iterator[ImportedTable], distinct: bool) -> Iterator[ImportedTable]:
    """The tables of one layout as one, and after it those that are left alone."""
    first = next(tables)
    if first.columns is None:
        yield from itertools.chain([first], tables)
        return
    table, left_alone = replace(first), list[ImportedTable]()
    parts = itertools.chain([first], _without_left_alone(tables, left_alone))
    table.chunks = _iter_songs(_merged(parts, table), table, distinct)
    yield table
    left_alone += [other for other in tables if other.columns is None]
    yield from left_alone


def _without_left_alone(tables: Iterable[ImportedTable], left_alone: list[ImportedTable]) -> Iterator[ImportedTable]:
    for table in tables:
        if table.columns is None:
            left_alone.append(table)
        else:
            yield table


def _merged(parts: Iterable[ImportedTable], table: ImportedTable) -> Iterator[pd.DataFrame]:
    """The rows of several tables in chunks that are not small, though tables may be.

    table : receives the files of all parts
    """
    size = min(CHUNK_ROWS, CHUNK_CELLS // max(len(table.headers), 1))
    pending: list[pd.DataFrame] = []
    n_rows = 0
    for chunk in _iter_chunks(parts, table):
        if pending and n_rows + len(chunk) > size:
            yield _concatenate(pending, table)
            pending, n_rows = [], 0
        pending.append(chunk)
        n_rows += len(chunk)
    yield _concatenate(pending, table)


def _iter_chunks(parts: Iterable[ImportedTable], table: ImportedTable) -> Iterator[pd.DataFrame]:
    for number, part in enumerate(parts):
        if number:
            table.files += part.files
        for chunk in part.chunks:
            chunk[FILE] = number
            yield chunk


def _concatenate(chunks: Sequence[pd.DataFrame], table: ImportedTable) -> pd.DataFrame:
    """Chunks as one; the row numbers of an archive say which file they are of."""
    rows = pd.concat(chunks, ignore_index=True) if len(chunks) > 1 else chunks[0]
    if table.archive:
        members = [file.name.rpartition(": ")[2] for file in table.files]
        rows[ROW_NUMBER] = [f"{number} of {members[file]}" for number, file in zip(rows[ROW_NUMBER], rows[FILE])]
    return rows


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
    print_summary(found)


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
    """Print to stderr what each file became."""
    lines = [f"  {line}" for table in tables for line in table.describe()]
    print("\n".join(["what each file became:", *lines] if lines else []), end="\n" if lines else "", file=sys.stderr)


def _iter_songs(chunks: Iterator[pd.DataFrame], table: ImportedTable, distinct: bool) -> Iterator[pd.DataFrame]:
    file, songs_of_file, rows = -1, set[int](), set[int]()
    positions = table.columns.positions if table.columns else {}
    song_key = [positions[name][0] for name in SONG_KEY if name in positions]
    for chunk in chunks:
        kept = chunk[_are_songs(chunk, table)]
        _note_playlists(kept, table)
        if distinct and table.has_entries:
            songs = _row_hashes(kept[[*song_key, FILE]])
            _count("songs", kept.loc[_are_first(songs, songs_of_file), FILE], table)
            last = chunk[FILE].max()
            if last != file:  # files come one after the other: a history has too many songs to keep those of all
                file, songs_of_file = last, set(songs[kept[FILE] == last].tolist())
            kept = kept[_are_first(_row_hashes(kept[[*itertools.chain.from_iterable(positions.values())]]), rows)]
        else:
            _count("entries" if table.has_entries else "songs", kept[FILE], table)
        yield kept.reset_index(drop=True) if len(kept) < len(chunk) else chunk


def _count(what: str, files: Series, table: ImportedTable) -> None:
    """Count rows by their files."""
    for number, rows in enumerate(np.bincount(files, minlength=len(table.files)).tolist()):
        table.files[number].counts[what] += rows


def _note_playlists(songs: pd.DataFrame, table: ImportedTable) -> None:
    if table.role == Role.HISTORY:
        _count("plays", songs[FILE], table)
    elif "playlist" in table.entries:
        names = stripped_texts(songs[table.entries["playlist"]]).dropna()
        pairs = pd.DataFrame({"file": songs[FILE], "name": names}).dropna().drop_duplicates()
        for number, name in pairs.itertuples(index=False):
            table.files[number].playlists.add(name)
    elif table.export.one_playlist:
        for file in table.files:
            file.playlists.add(_file_stem(file.name))


def _row_hashes(rows: pd.DataFrame) -> Series:
    return pd.util.hash_pandas_object(rows.astype("str"), index=False)


def _are_first(hashes: Series, seen: set[int]) -> Series:
    """Which rows are the first of their kind; ``seen`` receives them."""
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
    for what in others.dropna().unique():
        _count(what, chunk.loc[others == what, FILE], table)
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
        stems = {number: _file_stem(file.name) for number, file in enumerate(table.files)}
        frame["playlist"] = chunk[FILE].map(stems).astype("str")
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
