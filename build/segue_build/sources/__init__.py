"""Read files, URLs and named data sets into one canonical table of songs, and playlist files into sets of works.

Errors name file, row and column; rows read and dropped are counted in an
:class:`~segue_build.sources.ingest_report.IngestReport`. This package imports only :mod:`segue_build.progress`.
"""
