"""Names: exact in tiers, close ones, typos as you type, and every name of the real tracks."""

import random
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.catalog import load
from segue.catalog.lookup import fuzzy
from segue.catalog.lookup.artists import resolve_artist
from segue.catalog.lookup.exact import (
    album_id,
    artist_by_id,
    artist_id,
    artist_names,
    popularity,
    popularity_with_artist,
    song_by_id,
    songs_by_album_id,
    songs_by_ids,
)
from segue.catalog.lookup.fuzzy import BATCH_THRESHOLD, LcsSimilarity
from segue.catalog.lookup.resolver import resolve_text, search
from segue.catalog.normalization import (
    KEY_LEVELS,
    case_folded,
    normalized,
    query_words,
    search_key,
    search_text,
    title_artist_splits,
    title_key,
    title_variants,
    without_version,
)
from segue.engine.seeds import resolve
from segue.errors import UnknownSongs
from segue.query.schema import Seed
from segue_build.artifacts import lookup_index
from segue_build.fit import FitOptions, fit
from segue_build.model.works import work_key
from tests.conftest import TRACKS
from tests.support import world
from tests.support.dialects import client_of


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Déjà Vu (feat. X) - Live", ("deja vu (feat. x) - live", "deja vu live", "deja vu")),
        ("P.Y.T. (Pretty Young Thing)", ("p.y.t. (pretty young thing)", "p y t pretty young thing", "p y t")),
        ("Love feat. Me - Remix", ("love feat. me - remix", "love remix", "love feat me")),
        ("Straße", ("strasse",) * 3),
        ("(???)", ("(???)",) * 3),
        ("???", ("???",) * 3),
        ("With You", ("with you",) * 3),
        ("Feather", ("feather",) * 3),
    ],
)
def test_keys_forget_more_and_more(text, keys):
    assert (case_folded(text), normalized(text), title_key(text)) == keys


@given(st.text(min_size=1).filter(str.strip))
def test_no_key_is_ever_empty(text):
    assert all(key(text) for key in (*KEY_LEVELS, search_key, without_version))
    assert all(title_variants(text))


@pytest.mark.parametrize(
    ("text", "words", "spelling"),
    [
        ("Don't Stop Me Now", "dont stop me now", "dontstopmenow"),
        ("P!nk & AC/DC", "pink and ac dc", "pinkacdc"),
        ("The Beach Boys", "the beach boys", "beachboys"),
        ("Guns N' Roses", "guns n roses", "gunsroses"),
        ("twenty øne piløts", "twenty one pilots", "twentyonepilots"),
        ("R.E.M.", "rem", "rem"),
        ("The The", "the the", "thethe"),
        ("???", "", "???"),
        ("カワキヲアメク", "カワキヲアメク", "カワキヲアメク"),
    ],
)
def test_names_are_compared_as_people_type_them(text, words, spelling):
    assert (search_text(text), search_key(text)) == (words, spelling)


@pytest.mark.parametrize(
    ("title", "spellings"),
    [
        ("Slow Rain", ["slowrain"]),
        ("Déjà Vu (feat. X) - Live", ["dejavu", "dejavulive", "dejavufeatxlive"]),
        ("(Don't Fear) The Reaper", ["reaper", "dontfearreaper"]),
        ("Aguila ft. Ana", ["aguilaftana", "aguila"]),
        ("Feather", ["feather"]),
        ("(???)", ["(???)"]),
    ],
)
def test_a_title_is_found_with_and_without_what_is_apart(title, spellings):
    assert title_variants(title) == spellings


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("yellow", [("yellow", "")]),
        ("Yellow by Coldplay", [
            ("yellowbycoldplay", ""), ("yellow", "coldplay"), ("bycoldplay", "yellow"),
            ("yellowby", "coldplay"), ("coldplay", "yellowby"),
        ]),
        ("a ft. b", [
            ("aftb", ""), ("a", "ftb"), ("ftb", "a"), ("aft", "b"), ("b", "aft"), ("ab", ""), ("a", "b"), ("b", "a"),
        ]),
    ],
)  # fmt: skip
def test_a_text_may_be_a_title_or_be_split_anywhere_into_title_and_artist(text, pairs):
    assert title_artist_splits(query_words(text)) == pairs


def test_a_song_is_known_as_well_as_three_quarters_of_its_artists_best(world_catalog):
    rows = np.array([song_by_id(world_catalog, song) for song in ("piano-2", "piano-1-live", "metal-1")])
    assert popularity(world_catalog, rows).tolist() == [22, 5, 51]
    assert popularity_with_artist(world_catalog, rows).tolist() == [22, 16.5, 51]


@given(st.text(min_size=1), st.text(min_size=1))
def test_what_is_the_same_in_an_early_tier_is_the_same_song(first, second):
    if case_folded(first) == case_folded(second):
        assert work_key("artist", first) == work_key("artist", second)


def named(catalog, song, artist=None):
    match = resolve_text(catalog, song, artist)
    return match and (catalog.texts("ids")[match.row], match.reading.kind)


@pytest.mark.parametrize(
    ("song", "artist", "found"),
    [
        ("Slow Rain", None, ("piano-1", "exact")),
        ("Slow Rain - Live", None, ("piano-1-live", "exact")),
        ("slow rain - LIVE", "ada lindqvist", ("piano-1-live", "exact")),
        ("deja reve", None, ("disco-2", "exact")),
        ("Déjà Rêvé (feat. Nobody)", "Les Ondees", ("disco-2", "close")),
        ("Ada Lindqvist - Grey Window", "Ada Lindqvist", ("piano-2", "exact")),
        ("Paper Moths", "Tomas Vrba", ("piano-4", "exact")),
        ("Neon Waltz", "Dez and Dot", ("disco-4", "exact")),
        ("Neon Waltz", "Dez Dot", ("disco-4", "exact")),
        ("Nigth Furnace", None, ("metal-3", "close")),
        ("Night Furnace", "Halbert", ("metal-3", "close")),
        ("Night Furnace", "Les Ondées", ("metal-3", "title")),
        ("Unheard Études", None, ("piano-5", "exact")),
        ("Something Else Entirely", None, None),
    ],
)
def test_a_name_finds_its_song_in_tiers(world_catalog, song, artist, found):
    assert named(world_catalog, song, artist) == found


def test_the_other_songs_of_a_name_are_alternatives(world_catalog):
    match = resolve_text(world_catalog, "slow rain")
    ids = world_catalog.texts("ids")
    assert [ids[row] for row in (match.row, *(other.row for other in match.alternatives))] == [
        "piano-1",
        "piano-1-live",
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [("slo", "piano-1"), ("sl", "piano-1"), ("s", "piano-1"), ("velvt", "disco-3"), ("mirror flor les", "disco-1"),
     ("skarn", "metal-4"), ("ruin bels skarn", "metal-4"), ("études", "piano-5")],
)  # fmt: skip
def test_search_finds_names_as_you_type_and_forgives_typos(world_catalog, text, first):
    assert world_catalog.texts("ids")[searched(world_catalog, text)[0]] == first


def searched(catalog, text):
    return [reading.row for reading in search(catalog, text, 5).songs]


def test_a_song_that_is_not_found_is_looked_for_once(world_catalog, monkeypatch):
    asked, rows = [], fuzzy.songs_by_trigrams
    monkeypatch.setattr(fuzzy, "songs_by_trigrams", lambda *given: asked.append(given[1]) or rows(*given))
    with pytest.raises(UnknownSongs) as told:
        resolve(world_catalog, [Seed("/song", {}, song="Low Rivers of Nowhere", artist="Nobody")])
    assert asked == ["low rivers of nowhere nobody"]
    assert told.value.suggestions == tuple(searched(world_catalog, "Low Rivers of Nowhere Nobody"))


def test_a_search_shows_songs_that_look_alike_once(tmp_path):
    rows = [*world.rows(), world.rows()[0] | {"id": "again", "popularity": 99}]
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    catalog = load(tmp_path / "artifacts")
    assert [catalog.texts("ids")[row] for row in searched(catalog, "slow rain")] == ["again", "piano-1-live"]


def test_a_search_and_a_seed_mean_the_same_of_artists_who_share_a_name(tmp_path):
    rows = world.rows()
    for row, artist in zip(rows, ("$not", "Snot", "SNOT", "The Snot", "Snot", "Snotty")):
        row["artists"] = artist
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    catalog = load(tmp_path / "artifacts")
    names = catalog.texts("artists")
    for text, expected in {
        "$NOT": ["$not", "Snot", "SNOT", "The Snot"],
        "SNOT": ["SNOT", "Snot", "$not", "The Snot"],
        "snot": ["Snot", "SNOT", "$not", "The Snot"],
        "the snot": ["The Snot", "Snot", "$not", "SNOT"],
    }.items():
        assert [names[row] for row in search(catalog, text, 5).artists][:4] == expected, text
        assert names[resolve_artist(catalog, text)] == expected[0]


@given(st.text(max_size=200))
def test_search_takes_any_text(world_catalog, text):
    assert len(searched(world_catalog, text)) <= 5


def by_hand(first, second):
    """Length of the longest common subsequence, by the table that everybody draws."""
    row = [0] * (len(second) + 1)
    for letter in first:
        above, row = row, [0]
        for place, other in enumerate(second):
            row.append(above[place] + 1 if letter == other else max(above[place + 1], row[place]))
    return row[-1]


@given(st.text("abc é", max_size=70), st.text("abc é", max_size=70))
def test_likeness_counts_the_letters_of_the_longest_common_subsequence(first, second):
    likeness, ratio = LcsSimilarity(first), 2 * by_hand(first, second) / max(len(first) + len(second), 1)
    assert likeness.ratio(second) == ratio


@given(st.text("abc é", max_size=200), st.lists(st.text("abc é", max_size=200), max_size=5))
def test_likeness_to_many_texts_at_once_is_that_to_each(text, others):
    likeness, others = LcsSimilarity(text), others * BATCH_THRESHOLD
    assert likeness.ratios(others).tolist() == [likeness.ratio(other) for other in others]


def test_a_list_of_trigrams_has_every_name_with_its_artists_that_holds_it(demo_catalog):
    keys, entries = demo_catalog.array("trigram_keys"), demo_catalog.lists("trigram", "entries")
    songs, names, artists = (
        demo_catalog.array("entry_songs"),
        demo_catalog.texts("names"),
        demo_catalog.texts("artists"),
    )
    by = demo_catalog.lists("song", "artists")
    texts = [fuzzy.indexed_text(names[row], [artists[artist] for artist in by[row]]) for row in songs]
    holding = {}
    for number, text in enumerate(texts):
        for place in range(len(text) - 2):
            holding.setdefault(text[place : place + 3], set()).add(number)
    assert keys.tolist() == sorted(fuzzy.trigram_keys(text)[0] for text in holding)
    for text, numbers in holding.items():
        assert entries[np.searchsorted(keys, fuzzy.trigram_keys(text)[0])].tolist() == sorted(numbers)


def test_entries_are_the_distinct_names_by_a_first_artist_the_most_popular_first(demo_catalog):
    songs, popularity = demo_catalog.array("entry_songs"), demo_catalog.attribute("popularity")
    assert (np.diff(popularity[songs]) <= 0).all()
    names = [(search_text(demo_catalog.texts("names")[row]), artist_names(demo_catalog, row)[0]) for row in songs]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_runs_of_any_length_give_the_same_index(rows):
    texts = [f"{number % 7} rain {number}" for number in range(50)]
    pieces = [texts[first : first + rows] for first in range(0, len(texts), rows)]
    for found, whole in zip(
        lookup_index.inverted_index(pieces, len(texts)), lookup_index.inverted_index([texts], len(texts))
    ):
        np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("limit", [1, 80])
@pytest.mark.parametrize("text", ["paper harbour", "the", "rain and the light of a river", "zzq harbor"])
def test_the_songs_found_by_trigrams_are_those_that_share_most_of_all(demo_catalog, text, limit):
    songs, postings = demo_catalog.array("entry_songs"), demo_catalog.lists("trigram", "entries")
    wanted = np.unique(fuzzy.trigram_keys(f" {text} "))
    lists = [postings[row] for row in np.flatnonzero(np.isin(demo_catalog.array("trigram_keys"), wanted))]
    scores = np.zeros(len(songs), int)
    for entries in lists:
        scores[entries] += int(1 + 16 * np.log2(len(songs) / len(entries)))
    entries = np.flatnonzero(scores * 2 >= scores.max())
    gaps = [abs(len(demo_catalog.texts("names")[row].encode()) - len(text)) for row in songs[entries]]
    expected = songs[entries][np.lexsort((entries, gaps, -scores[entries]))][:limit]
    np.testing.assert_array_equal(fuzzy.songs_by_trigrams(demo_catalog, text, limit), expected)


@pytest.mark.parametrize("budget", [1, 5, 50])
def test_a_search_reads_no_more_than_its_budget(demo_catalog, monkeypatch, budget):
    monkeypatch.setattr("segue.catalog.lookup.fuzzy.MAX_POSTINGS", budget)
    assert 0 < len(fuzzy.songs_by_trigrams(demo_catalog, "the", 200)) <= budget


def test_every_album_is_found_by_its_id_with_all_its_songs(demo_catalog):
    albums, artists = demo_catalog.texts("albums"), demo_catalog.texts("artists")
    songs = {}
    for row in range(len(demo_catalog)):
        name, first = albums[row], artists[int(demo_catalog.lists("song", "artists")[row][0])]
        songs.setdefault(album_id(name, first), set()).add(row)
    assert len(songs) > 50
    for identity, rows in songs.items():
        found = songs_by_album_id(demo_catalog, identity)
        assert set(found) == rows
        known = popularity(demo_catalog, np.array(found)).tolist()
        assert known == sorted(known, reverse=True)


@given(st.one_of(st.text(), st.text(string.ascii_letters + string.digits, min_size=22, max_size=22)))
def test_what_is_no_id_of_an_album_or_artist_names_none(world_catalog, text):
    assert songs_by_album_id(world_catalog, text) == []
    assert artist_by_id(world_catalog, text) is None


def test_an_album_has_one_id_however_it_is_spelt(world_catalog):
    ids = {album_id(*names) for names in (("Live", "Halberd"), ("LIVE!", "halberd"), (" live ", "HALBERD."))}
    others = {album_id("Live", "Skarn"), album_id("Alive", "Halberd"), artist_id("Halberd")}
    assert (len(ids), len(others - ids)) == (1, 3)


def test_every_id_of_the_catalogue_is_found(demo_catalog):
    ids = demo_catalog.texts("ids")
    assert [song_by_id(demo_catalog, ids[row]) for row in range(len(ids))] == list(range(len(demo_catalog)))
    assert song_by_id(demo_catalog, "demo-9999999") is None


def edited(name, dice):
    """A name with one letter inserted, deleted, swapped with the next or replaced."""
    place, letter = dice.randrange(len(name) - 1), dice.choice(string.ascii_lowercase)
    before, at, after = name[:place], name[place], name[place + 1 :]
    return dice.choice([before + letter + at + after, before + after, before + after[0] + at + after[1:],
                        before + letter + after])  # fmt: skip


@pytest.mark.slow
def test_every_name_and_first_artist_of_the_real_tracks_finds_its_song(real_artifacts):
    catalog = load(real_artifacts)
    tracks = pd.read_csv(TRACKS, keep_default_na=False)
    tracks["first"] = tracks["artists"].str.split(";").str[0].str.strip()
    pairs = tracks[tracks["track_name"] != ""].drop_duplicates(["track_name", "first"])
    missed = []
    for song, artist in zip(pairs["track_name"], pairs["first"]):
        found = resolve_text(catalog, song, artist)
        named = found and (catalog.texts("names")[found.row], artist_names(catalog, found.row)[0])
        if named != (song.strip(), artist):
            missed.append((song, artist, named))
    assert missed == []


@pytest.mark.slow
def test_names_with_one_edit_are_among_the_first_five(real_artifacts):
    catalog = load(real_artifacts)
    names, dice = catalog.texts("names"), random.Random(3)
    long_names = sorted({name for name in map(names.__getitem__, range(len(catalog))) if len(name) >= 6})
    asked = dice.sample(long_names, 2000)
    found = sum(name in {names[row] for row in searched(catalog, edited(name, dice))} for name in asked)
    assert found >= 0.98 * len(asked)


def test_several_ids_are_found_in_their_order_and_the_unknown_are_none(world_catalog):
    asked = ["piano-1", "nobody", "metal-2", "piano-1"]
    assert songs_by_ids(world_catalog, asked) == [song_by_id(world_catalog, song) for song in asked]
    assert songs_by_ids(world_catalog, asked)[1] is None


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("artist_ids", "['{}']"),
        ("id_artists", "['{}']"),
        ("track_artist_id", "{}"),
        ("Artist URI(s)", "spotify:artist:{}"),
    ],
)
def test_an_artist_is_found_by_the_id_that_the_table_has(tmp_path, header, form):
    ids = {name: f"Spotify{number:015}" for number, name in enumerate({row["artists"] for row in world.rows()})}
    rows = [row | {header: form.format(ids[row["artists"]])} for row in world.rows()]
    pd.DataFrame(rows).to_csv(tmp_path / "world.csv", index=False)
    fit(FitOptions([str(tmp_path / "world.csv")]), tmp_path / "artifacts")
    catalog = load(tmp_path / "artifacts")
    client, ada = client_of(tmp_path / "artifacts"), ids["Ada Lindqvist"]
    assert catalog.texts("artists")[artist_by_id(catalog, ada)] == "Ada Lindqvist"
    for seed_of in ({"song": f"spotify:artist:{ada}"}, {"artist": f"https://open.spotify.com/artist/{ada}?si=x"}):
        (seed,) = client.get("/recommend", query_string=seed_of).json["seeds"]
        assert (seed["artist"], seed["match"], seed["ambiguous"]) == ("Ada Lindqvist", "id", False)
    assert client.get("/v1/recommendations", query_string={"seed_artists": ada}).json["tracks"]
    unknown = client.get("/v1/recommendations", query_string={"seed_artists": "0" * 22})
    assert (unknown.status_code, unknown.json["error"]["status"]) == (404, 404)
