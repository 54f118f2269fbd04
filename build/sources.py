"""From whatever a user names as sources to one tidy table and an account of it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from build import demo, progress
from build.account import Account
from build.columns import NEEDED, TEXTS, TIDY, Columns, recognise
from build.datasets import DATASETS, fetch_named
from build.download import fetch
from build.merging import merge, merge_rows, with_ids
from build.reading import CHUNK, EXPECTED, RAGGED, ROW, read
from build.tidy import tidy
from segue.attributes import AUDIO
from segue.errors import SourceError

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
    columns : tidy name -> header, for tables whose headers say nothing
    strict : stop at the first dropped row
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
    tables = [_table(source, columns, account, accept_checksum, seed) for source in sources]
    _check_dropped(account, strict)
    before = sum(map(len, tables))
    frame = merge(pd.concat(tables, ignore_index=True)) if len(tables) > 1 else tables[0]
    account.ids_merged += before - len(frame)
    frame = _named(_complete(frame), account)
    _check_enough(frame, account, strict)
    return frame, account


def is_invented(sources: Sequence[str]) -> bool:
    """Whether any song comes from the invented catalogue."""
    return any(_demo_size(source) is not None for source in sources)


def _table(
    source: str, columns: Mapping[str, str], account: Account, accept_checksum: bool, seed: int
) -> pd.DataFrame:
    with progress.stage(f"reading {source}"):
        size = _demo_size(source)
        if size is not None:
            chunks = _invented(size, seed)
            table = source
        else:
            path = _local(source, accept_checksum)
            chunks = read(path)
            table = path.name
        frames = list(_tidied(chunks, table, columns, account))
        frame = with_ids(pd.concat(frames, ignore_index=True))
        merged = merge_rows(frame)
    account.ids_merged += len(frame) - len(merged)
    return merged


def _tidied(
    chunks: Iterator[pd.DataFrame], table: str, given: Mapping[str, str], account: Account
) -> Iterator[pd.DataFrame]:
    recognised: Columns | None = None
    for chunk in progress.bar(chunks, table, "chunks"):
        if recognised is None:
            recognised = recognise(chunk.attrs["headers"], given, table)
        yield tidy(chunk, recognised, table, account)


def _invented(size: int, seed: int) -> Iterator[pd.DataFrame]:
    first = 2
    for chunk in demo.chunks(size, seed, CHUNK):
        headers = list(chunk.columns)
        chunk.columns = pd.RangeIndex(len(headers))
        chunk[ROW] = range(first, first + len(chunk))
        chunk[RAGGED] = pd.Series(pd.NA, chunk.index, dtype="Int32")
        chunk.attrs["headers"] = headers
        first += len(chunk)
        yield chunk


def _demo_size(source: str) -> int | None:
    name, _, size = source.partition(":")
    if name != DEMO or Path(source).exists():
        return None
    if size and not size.isdecimal():
        raise SourceError(f"'{source}': expected '{DEMO}' or '{DEMO}:N' with the number of songs, as in demo:50000")
    return int(size) if size else demo.SONGS


def _local(source: str, accept_checksum: bool) -> Path:
    if source in DATASETS:
        return fetch_named(source, accept_new=accept_checksum)
    if source.startswith(("http://", "https://")):
        return fetch(source)
    if not Path(source).is_file():
        known = ", ".join(["demo", *DATASETS])
        raise SourceError(f"{source}: no such file, URL or data set ({known}); {EXPECTED}")
    return Path(source)


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    """Every tidy column, in order, missing throughout where no source has it."""
    if not any(frame[name].notna().any() for name in ("genres", *(a.name for a in AUDIO)) if name in frame):
        raise SourceError(f"no audio features and no genres in any source; needed are {NEEDED}")
    if "name" not in frame:
        raise SourceError(f"no source has the songs' names; needed are {NEEDED}")
    for name in TIDY:
        if name not in frame:
            frame[name] = pd.Series(None, frame.index, dtype="str" if name in TEXTS else "float64")
    return frame[[*TIDY, *(name for name in frame if name not in TIDY)]]


def _named(frame: pd.DataFrame, account: Account) -> pd.DataFrame:
    nameless = frame["name"].isna()
    if nameless.any():
        examples = [f"id {song}" for song in frame.loc[nameless, "id"].head(3)]
        account.drop("without a name in any source", int(nameless.sum()), examples)
    return frame[~nameless].reset_index(drop=True)


def _check_dropped(account: Account, strict: bool) -> None:
    if not account.dropped:
        return
    reason, rows = account.dropped.most_common(1)[0]
    example = (account.examples[reason] or [""])[0]
    if strict:
        raise SourceError(f"{account.dropped_rows:,} bad rows, and --strict allows none; {example}")
    if account.dropped_rows > MOST_DROPPED * account.rows:
        share = account.dropped_rows / account.rows
        raise SourceError(f"{share:.0%} of the rows are bad ({rows:,} {reason}), at most 10% may be; {example}")


def _check_enough(frame: pd.DataFrame, account: Account, strict: bool) -> None:
    _check_dropped(account, strict)
    if len(frame) < FEWEST_SONGS:
        raise SourceError(
            f"only {len(frame)} songs are left of {account.rows} rows; at least {FEWEST_SONGS} are needed"
        )
