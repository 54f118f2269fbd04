"""Loads and merges all sources of a user into one table with canonical columns and one row per song."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from segue import releases
from segue.catalog.schema import TABLE_FILE
from segue.catalog.version_files import POINTER
from segue.config import BUCKET_URI
from segue.errors import SourceError
from segue.query.schema import AUDIO_FEATURES
from segue_build import progress
from segue_build.sources import demo
from segue_build.sources.column_inference import infer_and_apply
from segue_build.sources.columns import CANONICAL_COLUMNS, REQUIRED_COLUMNS, TEXT_COLUMNS, find_column, has_header
from segue_build.sources.download import DATASETS, fetch, fetch_dataset
from segue_build.sources.exports import Role
from segue_build.sources.formats.base import (
    CHUNK_ROWS,
    EXPECTED_TABLE,
    Table,
    add_row_numbers,
    list_names,
)
from segue_build.sources.importer import ImportedTable, import_table, open_source, print_summary
from segue_build.sources.ingest_report import MAX_EXAMPLES, IngestReport, TableInterpretation
from segue_build.sources.joining import (
    ArtistTable,
    SourceTable,
    add_artist_genres,
    enrich,
    join_tables,
    merge_by_id,
    merge_duplicate_rows,
    read_artists,
)
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.normalization import LEFT_UNREAD, normalize, plausible_columns
from segue_build.sources.series import joined_labels

DEMO, INVENTED = "demo", "invented"
MAX_DROPPED_SHARE = 0.10  # of the rows; beyond that the table is probably not what its owner thinks it is
MIN_SONGS = 10
GENRES_FROM = "genres="  # before a column of labels that fills the genres
NAMELESS = "without a name in any source"


@dataclass
class _Loading:
    """What the sources of one fit have in common, and what is found in them besides songs.

    found : all tables, those that are left alone as well
    headers : those of tables that hold songs
    artists : tables of artists
    """

    report: IngestReport
    overrides: Mapping[str, str]
    accept_checksum: bool = False
    seed: int = 0
    found: list[ImportedTable] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    artists: list[ArtistTable] = field(default_factory=list)


def load_tracks(
    sources: Sequence[str],
    columns: Mapping[str, str],
    *,
    strict: bool = False,
    accept_checksum: bool = False,
    seed: int = 0,
    references: Sequence[str] = (),
    labels: Sequence[str] = (),
    has_playlists: bool = False,
) -> tuple[pd.DataFrame, IngestReport]:
    """Read and merge sources.

    Parameters
    ----------
    sources : paths, URLs, names of data sets, ``demo`` or ``demo:N``; the first wins a conflict
    columns : canonical name -> header, for headers without a synonym; each must occur in at least one source
    strict : whether to reject a table with any bad row
    seed : of the invented catalogue
    references : sources that songs borrow from what they lack; they add no songs
    labels : columns that become blocks, ``genres=COLUMN``: those that fill what songs lack of genres
    has_playlists : whether there are playlists to compare songs by

    Returns
    -------
    The canonical table (``CANONICAL_COLUMNS``, then the sources' other columns), one row per song, and the report.

    Raises
    ------
    SourceError
        a source can't be read, more than a tenth of its rows are bad, or too few songs are left.

    """
    loading = _Loading(IngestReport(), columns, accept_checksum, seed)
    report = loading.report
    tables = [table for source in sources for table in _load_source(source, loading)]
    print_summary(table for table in loading.found if table.format_name != INVENTED)
    _check_overrides(columns, loading.headers, sources)
    check_dropped_share(report, strict)
    if not tables:
        raise _nothing_to_load(loading.found)
    before = sum(len(table.frame) for table in tables)
    frame = merge_by_id(join_tables(tables)) if len(tables) > 1 else tables[0].frame
    report.ids_merged += before - len(frame)
    for artists in loading.artists:
        frame = add_artist_genres(frame, artists)
    for reference in references:
        frame, made = enrich(frame, _load_reference(reference, accept_checksum), _label_headers(labels))
        report.enriched_from.append(made.to_manifest())
    frame = _use_labels(frame, labels, sources)
    known = [str(name) for name in frame if frame.empty or frame[name].notna().any()]
    check_columns(known, sources, report, has_playlists=has_playlists or bool(report.playlist_sources))
    frame = _drop_nameless(_with_all_columns(frame), report)
    check_dropped_share(report, strict)
    check_song_count(len(frame), report, sources)
    return frame, report


def _label_headers(labels: Sequence[str]) -> list[str]:
    return [label.removeprefix(GENRES_FROM) for label in labels]


def _use_labels(frame: pd.DataFrame, labels: Sequence[str], sources: Sequence[str]) -> pd.DataFrame:
    """Check that songs have the columns of labels, and fill their genres from those that are for that."""
    for label, header in zip(labels, _label_headers(labels)):
        others = [str(name) for name in frame if name not in CANONICAL_COLUMNS]
        column = find_column(others, header)
        if column is None:
            raise SourceError(
                f"{_source_names(sources)}, row 1: --labels {label}: no column '{header}' beside those that are read;"
                f" there are: {list_names(others) or 'none'}"
            )
        if label.startswith(GENRES_FROM):
            missing = pd.Series(None, frame.index, dtype="str")
            frame = frame.assign(genres=frame.get("genres", missing).fillna(joined_labels(frame[column])))
    return frame


def _load_reference(source: str, accept_checksum: bool) -> SourceTable:
    """All tables of a reference as one; rows that can't be used are left out."""
    if _demo_size(source) is not None:
        raise SourceError(
            f"--enrich {source}: invented songs have nothing that others could borrow; {EXPECTED_TABLE}"
        )
    tables = _load_source(source, _Loading(IngestReport(), {}, accept_checksum))
    frame = merge_by_id(join_tables(tables)) if len(tables) > 1 else tables[0].frame
    return SourceTable(source_name(source), frame)


def source_name(source: str) -> str:
    """A source without the folders that it lies in, which are nobody else's business."""
    return source.rstrip("/").rpartition("/")[2] or source


def uses_demo(sources: Sequence[str]) -> bool:
    """Whether any song is from the invented catalogue."""
    return any(_demo_size(source) is not None for source in sources)


def _load_source(source: str, loading: _Loading) -> list[SourceTable]:
    """The songs of each table of a source; tables with the same headers are one."""
    loaded: list[SourceTable] = []
    first = len(loading.found)
    with progress.stage(f"reading {source}"):
        for table in _open_source(source, loading):
            loading.found.append(table)
            loaded += _load_table(table, loading)
    found = loading.found[first:]
    if not loaded and not any(artists.name == table.name for artists in loading.artists for table in found):
        raise _nothing_to_load(found)
    if any(table.role in (Role.PLAYLISTS, Role.HISTORY) for table in found):
        loading.report.playlist_sources.append(_resolve_path(source, loading.accept_checksum)[0])
    return loaded


def _load_table(table: ImportedTable, loading: _Loading) -> Iterator[SourceTable]:
    """The songs of a table; nothing if it is left alone."""
    report, overrides = loading.report, loading.overrides
    if table.columns is None:
        artists = read_artists(table.name, table.headers, table.chunks)
        loading.artists += [artists] if artists else []
        return
    head = next(table.chunks)
    columns = plausible_columns(head, table.columns, overrides, report)
    interpretation = TableInterpretation(table.archive or table.name, table.format_name, columns)
    bar = progress.bar(itertools.chain([head], table.chunks), table.name, "chunks")
    normalized = pd.concat([normalize(chunk, interpretation, report) for chunk in bar], ignore_index=True)
    frame = add_missing_ids(infer_and_apply(normalized, interpretation, report))
    del normalized, head
    merged = merge_duplicate_rows(frame)
    interpretation.table = table.files_name
    if table.format_name != INVENTED:
        interpretation.print_summary()
    report.ids_merged += len(frame) - len(merged)
    loading.headers += table.headers
    yield SourceTable(table.files_name, merged)


def _nothing_to_load(found: list[ImportedTable]) -> SourceError:
    if len(found) == 1:
        name, reason = found[0].name, found[0].reason
        return SourceError(
            f"{name}, {reason}" if reason.startswith("row ") else f"{name}: {reason}; {EXPECTED_TABLE}"
        )
    lines = [line for table in found for line in table.describe()]
    reasons = "; ".join(lines[:MAX_EXAMPLES])
    return SourceError(f"none of the {len(lines)} files holds songs ({reasons}); {EXPECTED_TABLE}")


def _open_source(source: str, loading: _Loading) -> Iterator[ImportedTable]:
    size = _demo_size(source)
    if size is not None:
        yield import_table(_demo_table(source, size, loading.seed), loading.overrides)
    else:
        yield from open_source(*_resolve_path(source, loading.accept_checksum), loading.overrides, distinct=True)


def _demo_table(source: str, size: int, seed: int) -> Table:
    chunks = demo.demo_chunks(size, seed, CHUNK_ROWS)
    first = next(chunks)
    headers = list(first.columns)
    starts = itertools.count(2, CHUNK_ROWS)
    return Table(source, INVENTED, headers, map(add_row_numbers, itertools.chain([first], chunks), starts))


def _demo_size(source: str) -> int | None:
    name, colon, size = source.partition(":")
    if name != DEMO or Path(source).exists():
        return None
    if colon and not (size.isdecimal() and len(size) < 12):
        raise SourceError(f"'{source}': expected '{DEMO}' or '{DEMO}:N' with the number of songs, as in demo:50000")
    return int(size) if size else demo.DEFAULT_SONGS


def _resolve_path(source: str, accept_checksum: bool) -> tuple[Path, str | None]:
    """The path of a source on disk, and the name of the table in it, as in ``archive.zip#songs.csv``."""
    if source in DATASETS:
        return fetch_dataset(source, accept_new=accept_checksum), None
    if BUCKET_URI.fullmatch(source) or (Path(source) / POINTER).exists():
        return releases.load(source).path(TABLE_FILE), None
    if Path(source).exists():
        return Path(source), None
    path_or_url, _, part = source.partition("#")
    if path_or_url.startswith(("http://", "https://")):
        return fetch(path_or_url), part or None
    if not Path(path_or_url).exists():
        known = ", ".join(["demo", *DATASETS])
        raise SourceError(f"{source}: no such file, URL or data set ({known}); {EXPECTED_TABLE}")
    return Path(path_or_url), part or None


def _with_all_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Every canonical column in order; those that no source has are missing values throughout."""
    for name in CANONICAL_COLUMNS:
        if name not in frame:
            frame[name] = pd.Series(None, frame.index, dtype="str" if name in TEXT_COLUMNS else "float64")
    return frame[[*CANONICAL_COLUMNS, *(name for name in frame if name not in CANONICAL_COLUMNS)]]


def _drop_nameless(frame: pd.DataFrame, report: IngestReport) -> pd.DataFrame:
    nameless = frame["name"].isna()
    if not nameless.any():
        return frame
    examples = [f"id {song}" for song in frame.loc[nameless, "id"].head(MAX_EXAMPLES)]
    report.count_dropped(NAMELESS, int(nameless.sum()), examples)
    return frame[~nameless].reset_index(drop=True)


def check_dropped_share(report: IngestReport, strict: bool) -> None:
    """Reject a table with too many bad rows."""
    if not report.dropped:
        return
    reason, rows = report.dropped.most_common(1)[0]
    example = (report.examples[reason] or [""])[0]
    if strict:
        raise SourceError(f"{report.dropped_rows:,} bad rows, and --strict allows none; {example}")
    bad = report.dropped_rows - report.dropped[NAMELESS]  # what only other songs' tables know is not bad
    if bad > MAX_DROPPED_SHARE * report.rows:
        share = bad / report.rows
        raise SourceError(f"{share:.0%} of the rows are bad ({rows:,} {reason}), at most 10% may be; {example}")


def _check_overrides(overrides: Mapping[str, str], headers: Sequence[str], sources: Sequence[str]) -> None:
    for name, header in overrides.items():
        if not has_header(headers, header):
            raise SourceError(
                f"{_source_names(sources)}, row 1: --columns {name}={header}: no such header;"
                f" there are: {list_names(list(dict.fromkeys(headers)))}"
            )


def check_columns(
    known: Sequence[str], sources: Sequence[str], report: IngestReport, *, has_playlists: bool = False
) -> None:
    """Reject a table without names to show or anything to compare.

    known : canonical columns that hold any value
    report : says which columns were left unread
    has_playlists : whether there are playlists, which show what belongs together
    """
    comparable = ("genres", *(attribute.name for attribute in AUDIO_FEATURES))
    if "name" not in known:
        problem = "no column holds the songs' names"
    elif not has_playlists and not any(name in known for name in comparable):
        problem = "no column holds an audio feature or genres"
    else:
        return
    unread = "".join(f" ({note})" for note in report.notes if LEFT_UNREAD in note)
    raise SourceError(f"{_source_names(sources)}, row 1: {problem}{unread}; required: {REQUIRED_COLUMNS}")


def _source_names(sources: Sequence[str]) -> str:
    return ", ".join(source.rpartition("/")[2] for source in sources)


def check_song_count(n_songs: int, report: IngestReport, sources: Sequence[str]) -> None:
    """Reject a table that leaves too few songs."""
    if n_songs < MIN_SONGS:
        raise SourceError(
            f"{_source_names(sources)}: only {n_songs} songs are left of {report.rows} rows;"
            f" at least {MIN_SONGS} are needed"
        )


def add_missing_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Give songs without an id a stable one, made from artists, title and album."""
    ids = frame["id"] if "id" in frame else pd.Series(pd.NA, frame.index, dtype="str")
    missing = ids.isna()
    if "id" in frame and not missing.any():
        return frame
    # A missing column counts as empty, so that the id is the same with a column of empty albums and with none.
    parts = frame.loc[missing].reindex(columns=["artists", "name", "album"]).astype("str").fillna("")
    new_ids = [_content_id(artists, name, album) for artists, name, album in parts.itertuples(index=False)]
    return frame.assign(id=ids.mask(missing, pd.Series(new_ids, frame.index[missing], dtype="str")))


def _content_id(*parts: str) -> str:
    digest = hashlib.blake2b(SEPARATOR.join(parts).encode(), digest_size=10).hexdigest()
    return f"song-{digest}"
