"""What a request asks for: JSON or a URL in, a frozen :class:`Query` out, with all faults reported at once.

No other wing is imported here; below the parser nobody sees a dictionary from outside.
"""

from segue.query.query import Filters, Query, Seed, Vocabulary

__all__ = ["Filters", "Query", "Seed", "Vocabulary"]
