"""From the model to a version's files: arrays, look-ups and ``catalog.parquet``.

:mod:`segue.catalog.schema` says what each array holds. It may import segue_build.model and segue_build.sources.
"""
