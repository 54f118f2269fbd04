"""From a query to recommendations: the space, the search, the score, re-ranking and explanations.

It takes and gives values and knows nothing of HTTP. It may import segue.query and segue.catalog.
"""
