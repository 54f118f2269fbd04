"""The OpenSubsonic API, as far as songs like others go: a dialect of Segue for players and the servers of music.

It asks the same engine the same :class:`segue.query.Query` as every other request, and the web layer imports it with
the first request below ``/rest/``. https://opensubsonic.netlify.app/docs/

Reading order: errors, params, access, envelope, albums, shapes, seeds, search, similar, walk, routes.
"""

from segue.subsonic.routes import handle, refusal

__all__ = ["handle", "refusal"]
