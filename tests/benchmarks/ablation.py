"""What each choice of the space is worth: the same fit with one of them changed.

A choice is a constant or a function of the build; :func:`without` replaces it by the alternative.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import pandas as pd

import segue.engine.space
import segue_build.model.artist_features
import segue_build.model.embedding
import segue_build.model.genre_block
import segue_build.model.incidence
import segue_build.model.local_scale
import segue_build.model.title_blocks
import segue_build.model.weights
from segue_build.sources.multivalue import SEPARATOR

Patch = tuple[object, str, object]


def _weighted(weigh: Callable[[str, str, float], float]) -> list[Patch]:
    columns = tuple(
        (name, part, weigh(name, part, weight)) for name, part, weight in segue.engine.space.AUDIO_COLUMNS
    )
    return [(segue.engine.space, "AUDIO_COLUMNS", columns)]


def _first_artist_only(texts: "pd.Series[str]") -> segue_build.model.incidence.Incidence:
    alone = texts.str.split(SEPARATOR).str[0] if texts.name == "artists" else texts
    return segue_build.model.incidence.build_incidence(alone)


def _block_weights(**weights: float) -> list[Patch]:
    return [(segue_build.model.weights.WEIGHTS, name, weight) for name, weight in weights.items()]


CHOICES: dict[str, list[Patch]] = {
    "all choices as they are": [],
    "genre in 12 dimensions, not 24": [(segue_build.model.genre_block, "GENRE_DIMENSIONS", 12)],
    "genre in 48 dimensions": [(segue_build.model.genre_block, "GENRE_DIMENSIONS", 48)],
    "artists of one song not smoothed by their genres": [(segue_build.model.artist_features, "PRIOR_SONGS", 0)],
    "artist's sound smoothed by 10 songs, not 3": [(segue_build.model.artist_features, "PRIOR_SONGS", 10)],
    "no compilations as context": [(segue_build.model.genre_block, "MIN_COMPILATION_ARTISTS", 1 << 30)],
    "first artists only, no collaborations": [(segue_build.model.embedding, "build_incidence", _first_artist_only)],
    "all ranked features weigh the same": _weighted(lambda name, part, weight: 1.0 if weight > 0.2 else weight),
    "no circle of fifths": _weighted(lambda name, part, weight: 0.0 if part.startswith("fifths") else weight),
    "circle of fifths at 0.3, not 0.1": _weighted(
        lambda name, part, weight: 0.3 if part.startswith("fifths") else weight
    ),
    "no tempo octaves": _weighted(lambda name, part, weight: 0.0 if part.startswith("octave") else weight),
    "mode at 0.4, not 0.1": _weighted(lambda name, part, weight: 0.4 if name == "mode" else weight),
    "no local scaling": [(segue_build.model.local_scale, "EXPONENT", 0.0)],
    "half the local scaling": [(segue_build.model.local_scale, "EXPONENT", 0.5)],
    "less sound: 0.25 and artist 0.25, genre 0.45": _block_weights(audio=0.25, artist=0.25, genre=0.45),
    "more genre: 0.45, sound 0.4, artist 0.1": _block_weights(audio=0.4, artist=0.1, genre=0.45),
    "twice the popularity": _block_weights(popularity=0.06),
    "no popularity": _block_weights(popularity=0.0),
    "no joint term": _block_weights(joint=0.0),
    "joint term 0.3, not 0.12": _block_weights(joint=0.3),
    "genre at 1, not 1.4, in the joint term": [(segue_build.model.weights.JOINT_EXPONENTS, "genre", 1.0)],
    "no words": _block_weights(words=0.0),
    "no languages, words alone": [(segue_build.model.title_blocks, "LANGUAGE_WEIGHT", 0.0)],
    "no words in the joint term": [(segue_build.model.weights.JOINT_EXPONENTS, "words", 0.0)],
    "no occasions": _block_weights(occasion=0.0),
    "no explicit block": _block_weights(explicit=0.0),
    "one scale factor for all blocks": [
        (segue_build.model.weights.LOCAL_SCALES, name, 1.0) for name in segue_build.model.weights.LOCAL_SCALES
    ],
}


@contextmanager
def without(choice: str) -> Iterator[None]:
    """The build as it would be without a choice."""
    with ExitStack() as stack:
        for owner, name, value in CHOICES[choice]:
            patch = (
                mock.patch.dict(owner, {name: value})
                if isinstance(owner, dict)
                else mock.patch.object(owner, name, value)
            )
            stack.enter_context(patch)
        yield
