"""The dials of the space: how much each block counts for a similarity unless ``fit --shares`` says otherwise.

What other shares are worth is in docs/ablation.md.
"""

SHARES = {
    "audio": 0.50,
    "artist": 0.15,
    "genre": 0.35,
    "fame": 0.06,
    "year": 0.05,
    "explicit": 0.03,
    "occasion": 0.25,
    "words": 0.06,
}
REACHES = {"audio": 1.6, "artist": 1.6, "genre": 1.4, "fame": 0.2, "words": 0.5}
"""What reaches are multiplied by, 1 in other blocks: few songs are as near in sound as many are in popularity."""
