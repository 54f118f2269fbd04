"""Segue recommends songs from a table of tracks.

Seven wings, each of which says what it may import: web (HTTP), spotify and subsonic (its dialects), query (what is
asked for), engine (what is recommended), catalog (the artifacts), releases (where they are kept). errors, config,
keys, notes and responses serve several. To read it in order, begin with catalog, then query, engine and web.
"""

VERSION = "0.1.0"
