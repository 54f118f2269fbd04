"""The dials of the space: how much each block counts for a similarity unless ``fit --shares`` says otherwise.

What other shares are worth is in docs/ablation.md.
"""

SHARES = {"audio": 0.45, "artist": 0.15, "genre": 0.35, "fame": 0.05, "year": 0.05}
