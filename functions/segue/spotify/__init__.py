"""The Spotify Web API as it was before November 2024, answered from the user's own table.

Everything specific to Spotify is in this package. It sends the engine the same :class:`segue.query.schema.Query` as
every other request; :mod:`segue.spotify.routes` is imported with the first request below ``/v1/`` or to
``/api/token``.
"""
