"""Segue recommends songs from a table of tracks.

Eight packages, each of which says what it may import: web (HTTP), spotify and subsonic (dialects of its API),
journeys (paths, playlists, radio), engine (recommendations), query (requests, checked and typed), catalog (the
artifacts) and releases (where they are stored). Several of them use errors, config, auth, log_context and dialects.
To read the code in order, begin with catalog, then query, engine and web.
"""

VERSION = "0.1.0"
