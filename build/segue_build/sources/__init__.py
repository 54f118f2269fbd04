"""From files, URLs and named data sets to one tidy table of songs, and from a file of playlists to what they hold.

Errors name file, row and column; what was read and dropped is in the :class:`~segue_build.sources.account.Account`.
The wing imports no other one.
"""
