"""From a query to recommendations: the space, the search, the score, re-ranking and explanations.

It takes and gives values and knows nothing of HTTP. It may import segue.query and segue.catalog.
"""

from segue.engine.recommendation import Answer, Pool, Recommendation, recommend, similarity_function
from segue.engine.search import retain_freed_memory

__all__ = ["Answer", "Pool", "Recommendation", "recommend", "retain_freed_memory", "similarity_function"]
