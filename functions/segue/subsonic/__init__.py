"""The part of the OpenSubsonic API that searches songs and finds similar ones, for players and music servers.

It sends the engine the same :class:`segue.query.schema.Query` as every other request; :mod:`segue.subsonic.routes` is
imported with the first request below ``/rest/``. https://opensubsonic.netlify.app/docs/
"""
