"""Segue recommends songs from a table of tracks.

Eight wings, each of which says what it may import: web (HTTP), spotify and subsonic (its dialects), journeys (paths,
playlists, radio), engine (what is recommended), query (what is asked for), catalog (the artifacts), releases (where
they are kept). errors, config, auth, log_context and responses serve several.
To read it in order, begin with catalog, then query, engine and web.
"""

VERSION = "0.1.0"
