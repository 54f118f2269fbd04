"""Requests: JSON or a URL in, a frozen :class:`segue.query.schema.Query` out, with all faults reported at once.

Imports no other package of segue; past the parser no dictionary from outside is seen.
"""
