"""``/mcp``, the Model Context Protocol by which assistants ask: the API's operations as tools.

Stateless streamable HTTP: each request holds all that it needs and gets one answer in JSON. Both eras of the protocol
are spoken: that of 2026-07-28, without sessions, and the one before it, whose handshake needs none either.
https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http

Reading order: schemas, tools, messages, methods, view.
"""

from segue.web.views.mcp.view import mcp

__all__ = ["mcp"]
