"""The weight of each block in a similarity unless ``fit --shares`` says otherwise.

That of the joint term is its part of the whole, see :mod:`segue.engine.space`; the blocks share the rest. What other
weights are worth is in docs/ablation.md.
"""

WEIGHTS = {
    "audio": 0.62,
    "artist": 0.24,
    "genre": 0.38,
    "popularity": 0.03,
    "year": 0.08,
    "explicit": 0.03,
    "occasion": 0.22,
    "words": 0.07,
    "joint": 0.12,
}
LABEL_WEIGHT = 0.15  # of each block that --labels names
OLD_BLOCK_NAMES = {"fame": "popularity"}  # that ``--shares`` still takes
LOCAL_SCALES = {"audio": 1.6, "artist": 1.6, "genre": 1.4, "popularity": 0.2, "words": 0.5}
"""Factors of the local scale, 1 in other blocks: few songs are as near in sound as many are in popularity."""
JOINT = "joint"
JOINT_EXPONENTS = {"audio": 0.5, "artist": 0.2, "genre": 1.4, "popularity": 0.25, "occasion": 1.0, "words": 0.5}
