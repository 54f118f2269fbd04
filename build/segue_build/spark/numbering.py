"""Numbers for works, albums, artists and names: a row's place in an order, however many partitions hold it."""

import itertools

from segue_build.spark.batches import Frame, kept

_PARTITION = 33  # bits below a partition's number in what monotonically_increasing_id counts


def numbered(frame: Frame, *order: object) -> Frame:
    """The rows, sorted, with their places from 0 on in the column ``number``.

    They are kept, for sorting again may part them otherwise.
    """
    from pyspark.sql import functions as sql

    counted = kept(frame.sort(*order).withColumn("_id", sql.monotonically_increasing_id()))
    partition = sql.shiftright("_id", _PARTITION)
    sizes = {
        row["partition"]: row["count"] for row in counted.groupBy(partition.alias("partition")).count().collect()
    }
    known = sorted(sizes)
    firsts = dict(zip(known, itertools.accumulate((sizes[each] for each in known), initial=0)))
    table = [(each, firsts[each]) for each in known]
    starts = sql.broadcast(frame.sparkSession.createDataFrame(table or [(0, 0)], "partition long, start long"))
    within = sql.col("_id") - sql.shiftleft(sql.col("partition"), _PARTITION)
    joined = counted.withColumn("partition", partition).join(starts, "partition")
    return kept(joined.withColumn("number", sql.col("start") + within).drop("_id", "partition", "start"))
