"""The same artifacts from Apache Spark, for catalogues that one machine can't hold: ``fit --engine spark``.

The table, and all that has a row a song, an artist or a name, stays distributed. The driver holds fitted parameters,
samples of bounded size, and two partitions at a time while files are written. What is fitted or computed from numbers
is build.model's, on Arrow batches. It may import build.artifacts, build.model and build.sources; nothing else imports
pyspark.
"""
