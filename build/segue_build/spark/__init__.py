"""Songs as sorted vectors from Apache Spark, for catalogues that one machine can't hold: ``fit --engine spark``.

The table and the features of songs and artists stay distributed until songs are sorted. What is fitted or computed is
segue_build.model's, on Arrow batches here and, on the driver, on arrays that are mapped from files. It may import
segue_build.artifacts, segue_build.model and segue_build.sources; nothing else imports pyspark.
"""
