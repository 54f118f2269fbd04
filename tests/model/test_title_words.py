"""The words of titles and albums: languages that stand apart, and what says too little for that."""

import numpy as np
import pandas as pd
import pytest

from segue_build.model import title_blocks as module
from segue_build.model.incidence import build_incidence, row_means
from segue_build.model.title_blocks import WordEmbedding, add_artists

SYLLABLES = {"coast": ["ban", "tor", "mil", "ked", "sun", "far"], "hills": ["çõa", "ñei", "ãoz", "iêl", "ôux", "éça"]}


def titles(language: str, dice: np.random.Generator, count: int = 120) -> list[str]:
    """Titles of invented words, of which each is said once."""
    return [" ".join("".join(dice.choice(SYLLABLES[language], 3)) for _ in range(3)) for _ in range(count)]


def frame(names: list[str], artists: list[str | None] | None = None) -> pd.DataFrame:
    table = {"name": names, "artists": artists or [None] * len(names), "album": [None] * len(names)}
    return pd.DataFrame(table, dtype="str")


def placed(table: pd.DataFrame) -> np.ndarray:
    own, song_artists = WordEmbedding(table, 0).transform(table), build_incidence(table["artists"]).matrix
    return add_artists(own, row_means(song_artists) @ (row_means(song_artists.T.tocsr()) @ own))


@pytest.fixture(scope="module")
def languages() -> list[str]:
    """Titles in one language, then as many in another."""
    dice = np.random.default_rng(0)
    return titles("coast", dice) + titles("hills", dice)


def nearest(block: np.ndarray, song: int) -> np.ndarray:
    """Other songs, the most alike first."""
    order = np.argsort(-(block @ block[song]), kind="stable")
    return order[order != song]


def test_titles_in_one_language_are_near_to_each_other(languages):
    block = placed(frame(languages))
    assert block.shape == (240, module.WORD_DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(block, axis=1), 1)
    assert all(nearest(block, song)[:50].max() < 120 for song in range(0, 120, 10))
    assert all(nearest(block, song)[:50].min() >= 120 for song in range(120, 240, 10))


def test_a_title_that_tells_nothing_is_placed_by_its_artists_others(languages):
    artists = ["Ada"] * 120 + ["Bo"] * 120 + ["Bo"]
    block = placed(frame([*languages, "17"], artists))
    assert nearest(block, 240)[:50].min() >= 120


def test_titles_without_words_are_unknown(languages):
    block = placed(frame([*languages, "???"]))
    assert np.isnan(block[-1]).all()
    assert not np.isnan(block[:-1]).any()


@pytest.mark.parametrize("names", [["!", "?"], ["Harbour at Dusk", "Harbour"], ["日本", "日の出"]])
def test_few_titles_place_nothing(names):
    assert np.isnan(placed(frame(names))).all()


def test_a_title_of_any_length_is_read_in_its_first_characters_alone(languages):
    long = "".join(np.random.default_rng(1).choice(SYLLABLES["hills"], 4_000))
    block = placed(frame([*languages, languages[0].ljust(module.MAX_CHARACTERS) + long]))
    assert nearest(block, 240)[0] == 0
