"""From the model to a version's files: arrays, look-ups and ``catalog.parquet``.

:mod:`segue.catalog.catalog` says what each file holds. It may import segue_build.model and segue_build.sources.
"""
