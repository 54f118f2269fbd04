"""Which songs are one work, as :mod:`segue_build.model.works` has it, from keys that stay distributed."""

from segue_build.model.works import shared
from segue_build.spark.batches import Frame


def with_works(keys: Frame) -> Frame:
    """The same with works of one name as one.

    keys : columns ``work_key``, ``name_key`` and ``movement``, and any others
    """
    from pyspark.sql import functions as sql

    renamed = _renamed(keys.select("work_key", "name_key", "movement"))
    work = sql.coalesce("renamed", "work_key").alias("work_key")
    others = [name for name in keys.columns if name not in ("work_key", "name_key", "movement")]
    return keys.join(renamed, "work_key", "left").select(work, *others)


def _renamed(keys: Frame) -> Frame:
    """Columns ``work_key`` and ``renamed``: the names of works that others are known by, too."""
    from pyspark.sql import functions as sql

    named = keys.where("name_key <> work_key").distinct()
    counts = sql.count_if(~sql.col("movement")).alias("pieces"), sql.count_if("movement").alias("movements")
    names = named.groupBy("name_key").agg(*counts)
    works = keys.select(sql.col("work_key").alias("name_key"))
    titles = works.join(names, "name_key", "left_semi").distinct().withColumn("title", sql.lit(True))
    known = named.join(names.join(titles, "name_key", "left").fillna(False, ["title"]), "name_key")
    one = known.where(shared(*map(sql.col, ("pieces", "movements", "movement", "title"))))
    return one.groupBy("work_key").agg(sql.max("name_key").alias("renamed"))
