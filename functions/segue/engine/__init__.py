"""From a query to recommendations: the space, the search, the score, the choice and its reasons.

It takes and gives values and knows nothing of HTTP. It may import segue.query and segue.catalog.
"""

from segue.engine.recommendation import Answer, Pool, Recommendation, likeness, recommend
from segue.engine.search import keep_memory

__all__ = ["Answer", "Pool", "Recommendation", "keep_memory", "likeness", "recommend"]
