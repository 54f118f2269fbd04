"""The part of the OpenSubsonic API that searches songs and finds similar ones, for players and music servers.

It asks the same engine the same :class:`segue.query.Query` as every other request; the web layer imports it with the
first request below ``/rest/``. https://opensubsonic.netlify.app/docs/
"""

from segue.subsonic.routes import authentication_error, handle

__all__ = ["authentication_error", "handle"]
