"""The Spotify Web API as it was before November 2024, spoken from the user's own table: a dialect of Segue.

Everything Spotify-shaped is in this room; it asks the same engine the same :class:`segue.query.Query` as every other
request, and the web layer imports it with the first request below ``/v1/`` or to ``/api/token``.

Reading order: errors, ids, genres, params, shapes, seeds, recommendations, terms, performers, finding, search,
artists, token, routes.
"""

from segue.spotify.routes import handle

__all__ = ["handle"]
