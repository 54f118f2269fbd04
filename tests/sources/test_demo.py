import tracemalloc

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segue.errors import SourceError
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.sources.demo import COLUMNS, demo_chunks

VERSION = r"(?: - Live| \(Acoustic\)| - Radio Edit| - Remastered \d{4})$"
SCRIPTS = {
    "accented": "[\u00e0-\u00ff]",
    "Cyrillic": "[\u0400-\u04ff]",
    "Greek": "[\u0391-\u03c9]",
    "Japanese": "[\u3040-\u9fff]",
}


def whole(*args, **options):
    return pd.concat(demo_chunks(*args, **options), ignore_index=True)


@pytest.fixture(scope="module")
def catalogue():
    return whole(20_000)


@pytest.fixture(scope="module")
def versions(catalogue):
    """Each version beside its original, suffixes _version and _original."""
    again = catalogue["name"].str.contains(VERSION)
    table = catalogue.assign(
        artist=catalogue["artists"].str[0], song=catalogue["name"].str.replace(VERSION, "", regex=True)
    )
    pairs = table[again].merge(table[~again], on=["artist", "song"], suffixes=("_version", "_original"))
    pairs["kind"] = pairs["name_version"].str.extract(f"({VERSION})")
    return pairs


def test_the_same_seed_gives_the_same_catalogue_and_another_seed_another():
    assert_frame_equal(whole(500, seed=7), whole(500, seed=7))
    assert not whole(500, seed=7)["name"].equals(whole(500, seed=8)["name"])


def test_rows_come_in_chunks_of_the_size_asked_for():
    assert [len(chunk) for chunk in demo_chunks(25, rows=10)] == [10, 10, 5]
    assert [len(chunk) for chunk in demo_chunks(30, rows=10)] == [10, 10, 10]
    assert [list(chunk.index) for chunk in demo_chunks(12, rows=10)] == [[*range(10)], [0, 1]]


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr("segue_build.sources.demo.BLOCK_ROWS", 500)


@pytest.mark.parametrize("songs", [25, 1_007])
def test_the_chunk_size_changes_no_row(small_blocks, songs):
    assert_frame_equal(whole(songs, rows=songs // 3), next(demo_chunks(songs, rows=songs)))


def test_a_catalogue_of_several_blocks_repeats_no_id_and_no_artist(small_blocks):
    blocks = list(demo_chunks(1_500, rows=500))
    assert [block["id"].iloc[0] for block in blocks] == ["demo-0000000", "demo-0000500", "demo-0001000"]
    artists = [set(block["artists"].str[0]) for block in blocks]
    assert len(set.union(*artists)) == sum(map(len, artists))


def peak_memory(songs):
    tracemalloc.start()
    for _ in demo_chunks(songs, rows=500):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_is_bounded_by_the_block_not_by_the_catalogue(small_blocks):
    assert peak_memory(5_000) < 1.5 * peak_memory(1_000)


@pytest.mark.parametrize("songs", [-1, 0, 9, 10_000_001])
def test_a_size_out_of_range_is_refused_before_any_row_is_made(songs):
    with pytest.raises(SourceError) as caught:
        demo_chunks(songs)
    assert str(caught.value) == f"demo:{songs}: an invented catalogue has 10 to 10,000,000 songs"


def test_the_smallest_catalogue_has_several_artists_and_genres():
    smallest = whole(10)
    assert len(smallest) == 10
    assert smallest["artists"].str[0].nunique() == 4
    assert smallest["genres"].str[0].nunique() == 4


def test_columns_have_the_tidy_names_and_types(catalogue):
    assert list(catalogue.columns) == COLUMNS
    for attribute in NUMERIC_ATTRIBUTES:
        assert catalogue[attribute.name].dtype == ("int64" if attribute.is_integer else "float64")
    assert catalogue["explicit"].dtype == bool
    assert all(type(name) is str and name for name in [*catalogue["name"], *catalogue["album"]])
    for column in ("artists", "genres"):
        assert all(type(values) is list and all(values) for values in catalogue[column])


@pytest.mark.parametrize("attribute", NUMERIC_ATTRIBUTES, ids=lambda attribute: attribute.name)
def test_every_number_is_believable(catalogue, attribute):
    assert catalogue[attribute.name].between(attribute.low, attribute.high).all()


def test_numbers_lie_where_music_lies(catalogue):
    assert catalogue["loudness"].between(-36, 0.5).all()
    assert catalogue["tempo"][catalogue["tempo"] > 0].between(54, 211).all()
    assert catalogue["year"].between(1955, 2025).all()
    assert catalogue["duration_ms"].between(45_000, 1_200_000).all()
    assert set(catalogue["key"]) == set(range(12))
    assert set(catalogue["mode"]) == {0, 1}
    assert set(catalogue["time_signature"]) == {3, 4, 5}


def test_ids_are_unique_well_formed_and_never_a_spotify_id(catalogue):
    assert catalogue["id"].is_unique
    assert catalogue["id"].str.fullmatch(r"demo-\d{7}").all()


def test_hits_are_few_and_made_by_the_same_artists(catalogue):
    popularity = catalogue["popularity"]
    assert (popularity > 80).mean() < 0.05
    assert popularity.mean() > popularity.median()
    by_artist = popularity.groupby(catalogue["artists"].str[0]).transform("mean")
    assert by_artist.corr(popularity) > 0.5


def test_one_song_in_a_thousand_was_not_analysed(catalogue):
    unknown = catalogue["tempo"] == 0
    assert 5 <= unknown.sum() <= 50
    assert (catalogue["danceability"][unknown] == 0).all()


def test_artists_have_a_home_genre_and_unequal_numbers_of_songs(catalogue):
    artist = catalogue["artists"].str[0]
    songs = artist.value_counts()
    assert len(songs) == 20_000 // 12 + 4
    assert songs.iloc[: len(songs) // 10].sum() > 0.25 * len(catalogue)
    assert (catalogue["genres"].str[0].groupby(artist).nunique() == 1).all()


def test_an_artist_has_a_sound_of_its_own_within_the_genre(catalogue):
    home = catalogue["energy"].groupby(catalogue["genres"].str[0])
    own = catalogue["energy"].groupby(catalogue["artists"].str[0])
    assert own.std().mean() < 0.9 * home.std().mean()


def test_the_years_of_an_artists_albums_rise(catalogue):
    original = catalogue[~catalogue["name"].str.contains(VERSION)]
    artist = original["artists"].str[0]
    assert (original["year"].groupby(artist).diff().dropna() >= 0).all()
    assert (original["album"].groupby(artist).nunique() > 2).mean() > 0.1


def test_some_songs_have_a_second_artist(catalogue):
    assert set(catalogue["artists"].str.len()) == {1, 2}
    assert 0.06 < (catalogue["artists"].str.len() == 2).mean() < 0.10
    assert all(len(set(artists)) == len(artists) for artists in catalogue["artists"])


def test_a_third_of_the_songs_have_several_genres(catalogue):
    assert set(catalogue["genres"].str.len()) == {1, 2, 3}
    assert 0.3 < (catalogue["genres"].str.len() > 1).mean() < 0.4
    assert catalogue["genres"].str[0].nunique() >= 35


def test_several_genres_are_relatives(catalogue):
    means = catalogue.groupby(catalogue["genres"].str[0])["energy"].mean()
    pairs = catalogue["genres"][catalogue["genres"].str.len() > 1]
    first, second = (means[pairs.str[i]].to_numpy() for i in (0, 1))
    anyone = means[pairs.str[1].sample(frac=1, random_state=0)].to_numpy()
    assert abs(first - second).mean() < 0.7 * abs(first - anyone).mean()


@pytest.mark.parametrize(
    ("feature", "low", "high", "gap"),
    [
        ("energy", "classical", "death metal", 0.5),
        ("loudness", "drone", "metal", 10),
        ("acousticness", "techno", "folk", 0.5),
        ("instrumentalness", "country", "techno", 0.4),
        ("tempo", "reggae", "drum and bass", 50),
        ("valence", "drone", "salsa", 0.4),
        ("speechiness", "ambient", "hip hop", 0.1),
    ],
)
def test_genres_sound_apart(catalogue, feature, low, high, gap):
    means = catalogue.groupby(catalogue["genres"].str[0])[feature].mean()
    assert means[high] - means[low] > gap


def test_six_songs_in_a_hundred_are_versions_of_another(catalogue, versions):
    again = catalogue["name"].str.contains(VERSION)
    assert 0.05 < again.mean() < 0.07
    assert len(versions) == again.sum()
    assert versions["kind"].str.replace(r" \d+", "", regex=True).nunique() == 4


def test_a_version_sounds_like_its_original(versions):
    analysed = versions[(versions["tempo_version"] > 0) & (versions["tempo_original"] > 0)]
    for feature in ("danceability", "valence", "tempo"):
        ratio = analysed[f"{feature}_version"] / analysed[f"{feature}_original"]
        assert ratio.between(0.94, 1.06).all()
    for column in ("key", "mode", "genres", "artists", "explicit"):
        assert (versions[f"{column}_version"] == versions[f"{column}_original"]).all()
    assert (versions["year_version"] >= versions["year_original"]).all()


@pytest.mark.parametrize(
    ("kind", "feature", "direction"),
    [(" - Live", "liveness", 1), (" (Acoustic)", "acousticness", 1), (" - Radio Edit", "popularity", -1)],
)
def test_a_version_differs_where_its_kind_does(versions, kind, feature, direction):
    of_kind = versions[versions["kind"] == kind]
    change = of_kind[f"{feature}_version"].mean() - of_kind[f"{feature}_original"].mean()
    assert direction * change > (4 if feature == "popularity" else 0.2)


def test_a_remaster_names_the_year_it_came_out(versions):
    remastered = versions[versions["kind"].str.contains("Remastered")]
    assert (remastered["kind"].str[-4:].astype(int) == remastered["year_version"]).all()
    assert (remastered["year_version"] - remastered["year_original"] >= 8).all()


def test_artist_and_title_name_one_song_and_titles_are_seldom_shared(catalogue):
    names = pd.DataFrame({"artist": catalogue["artists"].str[0], "name": catalogue["name"]})
    assert not names.duplicated().any()
    shared = names["name"].duplicated(keep=False).mean()
    assert 0.01 < shared < 0.1


@pytest.mark.parametrize("script", SCRIPTS)
def test_some_titles_are_accented_or_in_another_script(catalogue, script):
    assert 0 < catalogue["name"].str.contains(SCRIPTS[script]).mean() < 0.1


def test_some_artists_write_their_names_in_cyrillic(catalogue):
    artists = catalogue["artists"].str[0]
    cyrillic = artists[artists.str.contains(SCRIPTS["Cyrillic"])]
    assert len(cyrillic)
    assert not cyrillic.str.contains("[A-Za-z]").any()
