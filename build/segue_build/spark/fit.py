"""The offline step on Spark: a folder of parts -> space -> cells -> artifacts."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segue_build.progress import stage
from segue_build.sources.account import Account
from segue_build.sources.columns import TIDY
from segue_build.sources.tracks import check_dropped, check_enough, check_possible
from segue_build.spark.assembly import write
from segue_build.spark.batches import Frame, kept
from segue_build.spark.ordering import ordered
from segue_build.spark.placing import place
from segue_build.spark.reading import read
from segue_build.spark.session import session
from segue.errors import SourceError


@contextlib.contextmanager
def fitted(
    sources: Sequence[str], columns: Mapping[str, str], shares: Mapping[str, float], *, strict: bool, seed: int,
    master: str | None,
) -> Iterator["Distributed"]:  # fmt: skip
    """Fit a folder of parts; files can be written as long as the session lives.

    Parameters are those of :class:`segue_build.fit.Options`.

    Raises
    ------
    SourceError
        the folder can't be used.
    EngineError
        Spark can't be.

    """
    if len(sources) != 1:
        raise SourceError(f"--engine spark reads one --source, a folder of parts, not {len(sources)}")
    (source,) = sources
    account = Account()
    with stage("starting Spark"):
        opened = contextlib.ExitStack()
        spark = opened.enter_context(session(master))
    with opened:
        with stage(f"reading {source}"):
            found = read(spark, source, columns, account)
            songs, n_songs = _songs(found.frame, source, account, strict)
        with stage(f"placing {n_songs:,} songs in the space"):
            placed = place(songs, n_songs, account, seed, shares)
        with stage("clustering and sorting"):
            rows = ordered(placed.space, placed.points, songs, n_songs, seed)
        yield Distributed(account, songs, lambda folder: write(folder, songs, found.others, placed, rows))


class Distributed:
    """A catalogue on Spark.

    write : writes a version's files, and returns what the manifest says of them
    """

    def __init__(self, account: Account, songs: Frame, write: Any):
        self.account = account
        self.write = write
        self._songs = songs

    def fingerprint(self) -> str:
        """A digest of the tidy table, whatever its rows' order."""
        from pyspark.sql import functions as sql

        columns = [name for name in self._songs.columns if name not in ("place", "_rows")]
        hashed = sql.xxhash64(*columns).cast("decimal(38,0)")
        return hashlib.sha256(str(self._songs.agg(sql.sum(hashed)).first()[0]).encode()).hexdigest()


def _songs(frame: Frame, source: str, account: Account, strict: bool) -> tuple[Frame, int]:
    """The songs that have a name, and how many they are."""
    from pyspark.sql import functions as sql

    frame = kept(frame)
    check_dropped(account, strict)
    named = sql.col("name").isNotNull()
    n_rows, n_songs, n_all = frame.agg(sql.sum("_rows"), sql.count_if(named), sql.count("*")).first() or (0, 0, 0)
    account.ids_merged += (n_rows or 0) - n_all
    if n_all > n_songs:
        account.drop("without a name in any source", n_all - n_songs, [])
        check_dropped(account, strict)
    known = frame.agg(*(sql.count(name).alias(name) for name in TIDY)).first()
    check_possible([name for name in TIDY if known[name]], [source])
    check_enough(n_songs, account, [source])
    songs = frame.where(named)
    account.not_analysed = songs.where("tempo = 0").count()
    account.songs, account.works = n_songs, None
    return songs, n_songs
