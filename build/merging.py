"""Several rows of one song become one: within a table (one row a genre) and over tables."""

import hashlib

import pandas as pd

from build.tidy import SEPARATOR


def merge_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Merge the rows of one table that share an id; where they differ, the most popular row is right."""
    if "popularity" not in frame:
        return merge(frame)
    ranked = frame.assign(_place=range(len(frame))).sort_values("popularity", ascending=False, kind="stable")
    first_met = ranked.groupby("id", sort=False)["_place"].transform("min")
    merged = merge(ranked.assign(_place=first_met))
    return merged.sort_values("_place", kind="stable").drop(columns="_place").reset_index(drop=True)


def merge(frame: pd.DataFrame) -> pd.DataFrame:
    """Merge rows that share an id: the first known value of each column, all genres together.

    Rows keep the order in which their ids first come.
    """
    repeated = frame["id"].duplicated(keep=False)
    if not repeated.any():
        return frame.reset_index(drop=True)
    groups = frame[repeated].groupby("id", sort=False)
    merged = groups.first()
    if "genres" in frame:
        merged["genres"] = groups["genres"].agg(_union)
    alone = frame[~repeated].set_index("id")
    order = frame["id"].drop_duplicates()
    return pd.concat([alone, merged]).loc[order].reset_index()[list(frame.columns)]


def with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Give songs without an id a stable one, made from first artist, title and album."""
    ids = frame["id"] if "id" in frame else pd.Series(pd.NA, frame.index, dtype="str")
    missing = ids.isna()
    if not missing.any():
        return frame
    parts = [frame.loc[missing, name] if name in frame else None for name in ("artists", "name", "album")]
    columns = [["" if pd.isna(cell) else str(cell) for cell in part] if part is not None else None for part in parts]
    given = [column for column in columns if column is not None]
    made = [_made_id(cells) for cells in zip(*given)]
    return frame.assign(id=ids.mask(missing, pd.Series(made, frame.index[missing], dtype="str")))


def _made_id(cells: tuple[str, ...]) -> str:
    digest = hashlib.blake2b(SEPARATOR.join(cells).encode(), digest_size=10).hexdigest()
    return f"song-{digest}"


def _union(genres: "pd.Series[str]") -> str | None:
    known = {genre for text in genres.dropna() for genre in text.split(SEPARATOR)}
    return SEPARATOR.join(sorted(known)) or None
