"""``/mcp``, the Model Context Protocol: operations of the API as tools for assistants.

Stateless streamable HTTP: each request holds all that it needs and gets one answer in JSON. Supported are the version
of 2026-07-28, which has no sessions, and the two before it, whose handshake needs none either.
https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http

Reading order: schemas, tools, messages, methods, view.
"""

from segue.web.views.mcp.view import mcp

__all__ = ["mcp"]
