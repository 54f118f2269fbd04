"""From files, URLs and named data sets to one canonical table of songs, and from playlist files to what they hold.

Errors name file, row and column; what was read and dropped is counted in an
:class:`~segue_build.sources.ingest_report.IngestReport`. This package imports only :mod:`segue_build.progress`.
"""
