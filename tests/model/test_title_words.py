"""The words of titles and albums: languages that stand apart, and what says too little for that."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from scipy import sparse

from segue_build.model import title_blocks as module
from segue_build.model.incidence import build_incidence, row_means
from segue_build.model.title_blocks import WORD_DIMENSIONS, WordEmbedding, add_artists, artist_languages

SYLLABLES = {"coast": ["ban", "tor", "mil", "ked", "sun", "far"], "hills": ["çõa", "ñei", "ãoz", "iêl", "ôux", "éça"]}


def titles(language: str, dice: np.random.Generator, count: int = 120) -> list[str]:
    """Titles of invented words, of which each is said once."""
    return [" ".join("".join(dice.choice(SYLLABLES[language], 3)) for _ in range(3)) for _ in range(count)]


def frame(names: list[str], artists: list[str | None] | None = None) -> pd.DataFrame:
    table = {"name": names, "artists": artists or [None] * len(names), "album": [None] * len(names)}
    return pd.DataFrame(table, dtype="str")


def placed(table: pd.DataFrame) -> np.ndarray:
    (embedding, own), song_artists = WordEmbedding.fit(table, 0), build_incidence(table["artists"]).matrix
    np.testing.assert_array_equal(embedding.transform(table), own)
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


SPOKEN = {
    "German": ["Der lange Weg nach Hause", "Wenn die Nacht zu Ende geht", "Ich bleibe noch ein wenig hier"],
    "German, too": ["Zwischen den Häusern", "Nur noch einmal mit dir tanzen", "Was für ein schöner Morgen"],
    "Swedish": ["Jag vill inte gå hem ännu", "En lång väg över havet", "När natten är förbi"],
    "English": ["The Long Way Back Home", "When the Night Is Over", "I Will Stay Here a Little Longer"],
    "Russian": ["Дорога домой", "Когда закончится ночь", "Ещё один танец"],
    "of few words": ["Nr. 7"],
    "of no language": ["Qaxo Bluv 1", "Zzrt Okk 22", "Vrimqo Tzap"],
}


def spoken(titles: list[str | None], albums: list[str | None] | None = None) -> np.ndarray:
    """The vector of an artist's language."""
    members = sparse.csr_matrix(np.ones((1, len(titles)), np.int64))
    columns = (pa.array(column, pa.string()) for column in (titles, albums or [None] * len(titles)))
    return artist_languages(members, *columns, WORD_DIMENSIONS)[0]


def test_artists_of_one_language_have_one_vector_and_others_are_far():
    found = {artist: spoken(titles) for artist, titles in SPOKEN.items()}
    assert np.array_equal(found["German"], found["German, too"])
    known = np.array([found[artist] for artist in ("German", "Swedish", "English", "Russian")])
    np.testing.assert_allclose(np.linalg.norm(known, axis=1), module.LANGUAGE_WEIGHT)
    cosines = known @ known.T / module.LANGUAGE_WEIGHT**2
    assert cosines[~np.eye(4, dtype=bool)].max() < 0.34
    assert not found["of few words"].any()
    assert not found["of no language"].any()


def test_albums_tell_the_language_too_and_neither_order_nor_repeats_matter():
    titles, albums = SPOKEN["German"], ["Wo wir zu Hause sind", None, "Wo wir zu Hause sind"]
    vector = spoken(["7", "8", "9"], albums)
    assert np.array_equal(spoken([*titles, *titles], [*albums, *albums]), spoken(titles[::-1], albums[::-1]))
    assert np.array_equal(vector, spoken(titles))


def test_texts_read_side_by_side_have_the_languages_that_py3langid_finds_one_by_one():
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(module.LANGUAGES)
    texts = ["", "\ud800" * 30, *(". ".join(titles).lower() for titles in SPOKEN.values()), "一番星の下で " * 700]
    texts += [text[:length] for text in texts for length in (20, 25, 40)]
    found = [identifier.classify(text[:4_000]) if len(text) >= 20 else (None, 0) for text in texts]
    expected = [language if confidence >= module.MIN_LANGUAGE_CONFIDENCE else None for language, confidence in found]
    assert {"de", "sv", "en", "ru", "ja", None} <= set(expected)
    assert module._language_classifier().classify(texts) == expected


def test_languages_are_no_part_of_words_that_are_none():
    members = sparse.csr_matrix(np.ones((1, 3), np.int64))
    columns = (pa.array(SPOKEN["German"]), pa.nulls(3, pa.string()))
    assert not artist_languages(members, *columns, 1).any()
    assert artist_languages(sparse.csr_matrix((0, 3), dtype=np.int64), *columns, WORD_DIMENSIONS).shape == (0, 6)
