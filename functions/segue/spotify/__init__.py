"""The Spotify Web API as it was before November 2024, answered from the user's own table.

Everything specific to Spotify is in this package. It asks the same engine the same :class:`segue.query.Query` as
every other request; the web layer imports it with the first request below ``/v1/`` or to ``/api/token``.
"""

from segue.spotify.routes import handle

__all__ = ["handle"]
