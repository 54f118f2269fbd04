"""The OpenSubsonic API for players and music servers, as far as search and similar songs go.

It gives the engine the same :class:`segue.query.Query` as every other request; the web layer imports it with the
first request below ``/rest/``. https://opensubsonic.netlify.app/docs/

Reading order: errors, params, access, envelope, albums, shapes, seeds, search, similar, walk, routes.
"""

from segue.subsonic.routes import handle, refusal

__all__ = ["handle", "refusal"]
