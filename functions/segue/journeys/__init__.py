"""Ordered lists of songs: a path between two songs, a playlist with a flow, a radio that continues what was played.

Each is a function of a catalogue and a frozen query of :mod:`segue.query`, and knows nothing of HTTP. It builds
on the engine::

    >>> path(catalog.load(Path("artifacts")), PathQuery(Seed("", {}, song="Anchor"), Seed("", {}, song="Orbit")))
"""

from segue.journeys.paths import Path, path
from segue.journeys.playlists import Playlist, playlist
from segue.journeys.radio import Radio, continue_radio

__all__ = ["Path", "Playlist", "Radio", "continue_radio", "path", "playlist"]
