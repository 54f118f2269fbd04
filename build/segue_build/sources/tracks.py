"""From whatever a user names as sources to one tidy table and an account of it."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from segue_build import progress
from segue_build.sources import demo
from segue_build.sources.account import Account
from segue_build.sources.columns import NEEDED, TEXTS, TIDY, has, recognise
from segue_build.sources.datasets import DATASETS, fetch_named
from segue_build.sources.download import fetch
from segue_build.sources.formats.table import CHUNK, EXPECTED, Table, numbered
from segue_build.sources.merging import merge, merge_rows, with_ids
from segue_build.sources.reading import read
from segue_build.sources.recognised import Recognised
from segue_build.sources.settling import settle
from segue_build.sources.tidy import misread, tidy
from segue.errors import SourceError
from segue.query.attributes import AUDIO

DEMO = "demo"
MOST_DROPPED = 0.10  # of the rows; more than that and the table is not what its owner thinks it is
FEWEST_SONGS = 10


def tracks(
    sources: Sequence[str],
    columns: Mapping[str, str],
    *,
    strict: bool = False,
    accept_checksum: bool = False,
    seed: int = 0,
) -> tuple[pd.DataFrame, Account]:
    """Read and merge sources.

    Parameters
    ----------
    sources : paths, URLs, names of data sets, ``demo`` or ``demo:N``; the first wins a conflict
    columns : tidy name -> header, for tables whose headers say nothing; each must occur in one source at least
    strict : allow no bad row
    seed : of the invented catalogue

    Returns
    -------
    The tidy table (columns ``TIDY``, then the sources' other columns), one row a song, and the account.

    Raises
    ------
    SourceError
        a source can't be read, more than a tenth of its rows is bad, or too little is left to recommend from.

    """
    account = Account()
    read_in = [_table(source, columns, account, accept_checksum, seed) for source in sources]
    _check_given(columns, [header for _, headers in read_in for header in headers], sources)
    check_dropped(account, strict)
    tables = [table for table, _ in read_in]
    before = sum(map(len, tables))
    frame = merge(pd.concat(tables, ignore_index=True)) if len(tables) > 1 else tables[0]
    account.ids_merged += before - len(frame)
    check_possible([str(name) for name in frame if frame.empty or frame[name].notna().any()], sources)
    frame = _named(_complete(frame), account)
    check_dropped(account, strict)
    check_enough(len(frame), account, sources)
    return frame, account


def is_invented(sources: Sequence[str]) -> bool:
    """Whether any song comes from the invented catalogue."""
    return any(_demo_size(source) is not None for source in sources)


def _table(
    source: str, given: Mapping[str, str], account: Account, accept_checksum: bool, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """The songs of one source, and its headers."""
    with progress.stage(f"reading {source}"):
        table = _opened(source, accept_checksum, seed)
        first = next(table.chunks)
        columns = recognise(table.headers, given, table.name)
        columns = columns.without(set(misread(first, columns)) - set(given))
        recognised = Recognised(table.name, table.form, columns)
        chunks = progress.bar(itertools.chain([first], table.chunks), table.name, "chunks")
        tidied = pd.concat([tidy(chunk, recognised, account) for chunk in chunks], ignore_index=True)
        frame = with_ids(settle(tidied, recognised, account))
        del tidied, first
        merged = merge_rows(frame)
    if _demo_size(source) is None:
        recognised.tell()
    account.ids_merged += len(frame) - len(merged)
    return merged, table.headers


def _opened(source: str, accept_checksum: bool, seed: int) -> Table:
    size = _demo_size(source)
    return read(*_local(source, accept_checksum)) if size is None else _invented(source, size, seed)


def _invented(source: str, size: int, seed: int) -> Table:
    chunks = demo.chunks(size, seed, CHUNK)
    first = next(chunks)
    headers = list(first.columns)
    starts = itertools.count(2, CHUNK)
    return Table(source, "invented", headers, map(numbered, itertools.chain([first], chunks), starts))


def _demo_size(source: str) -> int | None:
    name, colon, size = source.partition(":")
    if name != DEMO or Path(source).exists():
        return None
    if colon and not (size.isdecimal() and len(size) < 12):
        raise SourceError(f"'{source}': expected '{DEMO}' or '{DEMO}:N' with the number of songs, as in demo:50000")
    return int(size) if size else demo.SONGS


def _local(source: str, accept_checksum: bool) -> tuple[Path, str | None]:
    """Where a source is on disk, and which of several tables in it is meant: ``archive.zip#songs.csv``."""
    if source in DATASETS:
        return fetch_named(source, accept_new=accept_checksum), None
    if Path(source).exists():
        return Path(source), None
    place, _, part = source.partition("#")
    if place.startswith(("http://", "https://")):
        return fetch(place), part or None
    if not Path(place).exists():
        known = ", ".join(["demo", *DATASETS])
        raise SourceError(f"{source}: no such file, URL or data set ({known}); {EXPECTED}")
    return Path(place), part or None


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    """Every tidy column, in order, missing throughout where no source has it."""
    for name in TIDY:
        if name not in frame:
            frame[name] = pd.Series(None, frame.index, dtype="str" if name in TEXTS else "float64")
    return frame[[*TIDY, *(name for name in frame if name not in TIDY)]]


def _named(frame: pd.DataFrame, account: Account) -> pd.DataFrame:
    nameless = frame["name"].isna()
    if not nameless.any():
        return frame
    examples = [f"id {song}" for song in frame.loc[nameless, "id"].head(3)]
    account.drop("without a name in any source", int(nameless.sum()), examples)
    return frame[~nameless].reset_index(drop=True)


def check_dropped(account: Account, strict: bool) -> None:
    """Refuse a table of which too many rows are bad."""
    if not account.dropped:
        return
    reason, rows = account.dropped.most_common(1)[0]
    example = (account.examples[reason] or [""])[0]
    if strict:
        raise SourceError(f"{account.dropped_rows:,} bad rows, and --strict allows none; {example}")
    if account.dropped_rows > MOST_DROPPED * account.rows:
        share = account.dropped_rows / account.rows
        raise SourceError(f"{share:.0%} of the rows are bad ({rows:,} {reason}), at most 10% may be; {example}")


def _check_given(given: Mapping[str, str], headers: Sequence[str], sources: Sequence[str]) -> None:
    for name, header in given.items():
        if not has(headers, header):
            raise SourceError(
                f"{_names(sources)}, row 1: --columns {name}={header}: no such header;"
                f" there are: {', '.join(dict.fromkeys(headers))}"
            )


def check_possible(known: Sequence[str], sources: Sequence[str]) -> None:
    """A recommendation needs names to show and something to compare.

    known : tidy columns with a value
    """
    compared = ("genres", *(attribute.name for attribute in AUDIO))
    if "name" not in known:
        lacking = "no column holds the songs' names"
    elif not any(name in known for name in compared):
        lacking = "no column holds an audio feature or genres"
    else:
        return
    raise SourceError(f"{_names(sources)}, row 1: {lacking}; needed are {NEEDED}")


def _names(sources: Sequence[str]) -> str:
    return ", ".join(source.rpartition("/")[2] for source in sources)


def check_enough(n_songs: int, account: Account, sources: Sequence[str]) -> None:
    """Refuse a table that leaves too little to recommend from."""
    if n_songs < FEWEST_SONGS:
        raise SourceError(
            f"{_names(sources)}: only {n_songs} songs are left of {account.rows} rows;"
            f" at least {FEWEST_SONGS} are needed"
        )
