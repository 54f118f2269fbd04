"""Requests: JSON or a URL in, a frozen :class:`Query` out, with all faults reported at once.

Imports no other package of segue; past the parser no dictionary from outside is seen.
"""

from segue.query.schema import Filters, Query, Seed, Vocabulary

__all__ = ["Filters", "Query", "Seed", "Vocabulary"]
