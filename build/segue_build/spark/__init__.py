"""The same artifacts from Apache Spark, for catalogues that one machine can't hold: ``fit --engine spark``.

The table, and all that has a row a song, an artist or a name, stays distributed. The driver holds fitted parameters,
samples of bounded size, and two partitions at a time while files are written. What is fitted or computed from numbers
is segue_build.model's, on Arrow batches. It may import segue_build.artifacts, segue_build.model and
segue_build.sources; nothing else imports pyspark.
"""
