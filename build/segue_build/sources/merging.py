"""Several rows of one song become one: within a table (one row a genre) and over tables."""

import hashlib

import numpy as np
import pandas as pd

from segue_build.sources.listed import SEPARATOR


def merge_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Merge the rows of one table that share an id; where they differ, the most popular row is right.

    Songs keep the order of these most popular rows.
    """
    if frame["id"].is_unique:
        return frame
    repeated = frame["id"].duplicated(keep=False).to_numpy()
    rows = frame[repeated].assign(_place=np.flatnonzero(repeated))
    if "popularity" in frame:
        rows = rows.sort_values("popularity", ascending=False, kind="stable")
    merged = merge(rows)
    order = np.argsort(np.concatenate([np.flatnonzero(~repeated), merged.pop("_place")]))
    return pd.concat([frame[~repeated], merged], ignore_index=True).take(order).reset_index(drop=True)


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
        merged["genres"] = _united(frame.loc[repeated, ["id", "genres"]].dropna()).reindex(merged.index)
    alone = frame[~repeated].set_index("id")
    order = frame["id"].drop_duplicates()
    return pd.concat([alone, merged]).loc[order].reset_index()[list(frame.columns)]


def with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Give songs without an id a stable one, made from artists, title and album."""
    ids = frame["id"] if "id" in frame else pd.Series(pd.NA, frame.index, dtype="str")
    missing = ids.isna()
    if not missing.any():
        return frame
    # A column that is not there counts as empty: the id is the same in a table with albums and in one without.
    parts = frame.loc[missing].reindex(columns=["artists", "name", "album"]).astype("str").fillna("")
    made = [_made_id(artists, name, album) for artists, name, album in parts.itertuples(index=False)]
    return frame.assign(id=ids.mask(missing, pd.Series(made, frame.index[missing], dtype="str")))


def _made_id(*parts: str) -> str:
    digest = hashlib.blake2b(SEPARATOR.join(parts).encode(), digest_size=10).hexdigest()
    return f"song-{digest}"


def _united(frame: pd.DataFrame) -> "pd.Series[str]":
    """The genres of all rows of an id, by id."""
    genres = frame["genres"].str.split(SEPARATOR)
    one_a_row = frame.assign(genres=genres).explode("genres").drop_duplicates().sort_values("genres")
    return one_a_row.groupby("id", sort=False)["genres"].agg(SEPARATOR.join)
