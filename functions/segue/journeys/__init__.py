"""Lists in which the order counts: a path between songs, a playlist with a curve, a radio that goes on.

It takes frozen queries of :mod:`segue.query.journeys`, gives values, and knows nothing of HTTP. It may import the
engine, whose space, seeds, filters and recommendations it builds on::

    >>> path(catalog.load(Path("artifacts")), PathQuery(Seed("", {}, song="Anchor"), Seed("", {}, song="Orbit")))
"""

from segue.journeys.paths import Path, path
from segue.journeys.playlists import Playlist, playlist
from segue.journeys.radio import Radio, continued

__all__ = ["Path", "Playlist", "Radio", "continued", "path", "playlist"]
