"""Songs for an occasion: what names them, what the table adds, and what is there by chance."""

import numpy as np
import pandas as pd
import pytest

from segue.catalog import Catalog
from segue.catalog.lookup.resolver import resolve_text
from segue.engine.recommendation import recommend
from segue.query.schema import Query, Seed
from segue_build.fit import FitOptions, fit
from segue_build.model.incidence import build_incidence
from segue_build.model.title_blocks import OCCASIONS, normalized, occasion_block
from segue_build.sources.multivalue import SEPARATOR
from tests.support import tables

CHRISTMAS, SLEEP = list(OCCASIONS).index("christmas"), list(OCCASIONS).index("sleep")
# first artists who sing "Snow Bells", each on an album of their own
SINGERS = [
    (f"Snow Bells - Take {number}", f"Singer {number}", f"Christmas with Singer {number}") for number in range(3)
]
MERRY = [(f"Merry Midnight {number}", f"Choir {number}", f"A Choir's Christmas {number}") for number in range(10)]
HITS = [(f"Hit {number}", f"Star {number}", "Christmas Hits 2031") for number in range(3)]


def frame(songs):
    columns = list(zip(*songs))
    return pd.DataFrame({"name": columns[0], "artists": columns[1], "album": columns[2]}, dtype="str")


def kinds(*songs):
    """The kinds of songs (title, artists, album), each as a set of names, and of which songs they are sure."""
    table = frame(songs)
    found, sure = occasion_block(table, build_incidence(table["artists"]))
    names = np.array(list(OCCASIONS))
    return [set(names[row > 0].tolist()) for row in found], sure.tolist()


@pytest.mark.parametrize(
    ("title", "artist", "album", "found"),
    [
        ("Weihnachtslied", "Ada", "Lieder", {"christmas"}),
        ("Lied", "Ada", "¡NAVIDAD!", {"christmas"}),
        ("ハッピークリスマス", "Ada", "冬", {"christmas"}),
        ("메리 크리스마스", "Ada", "겨울", {"christmas"}),
        ("Joulun tähti", "Ada", "Talvi", {"christmas"}),
        ("Calm (432 Hz)", "Ada", "Calm", {"sleep"}),
        ("Rain", "White Noise Bakery", "Rain", {"sleep"}),
        ("Weißes Rauschen", "Ada", "Meer", {"sleep"}),
        ("Ondas Delta", "Ada", "Mantra para el alma", {"sleep"}),
        ("Mantra", "Reiki Moana", "Mantra", set()),
        ("Harbour (Sped Up)", "Ada", "Harbour", {"altered"}),
        ("Harbour - 8D Audio", "Ada", "Harbour", {"altered"}),
        ("Harbour (Karaoke Version)", "Ada", "Harbour", {"stand-in"}),
        ("Kids' Songs", "Ada", "Nursery Rhymes, Vol. 2", {"children"}),
        ("Christmas Nursery Rhymes", "Ada", "Snow", {"christmas", "children"}),
        ("Harbour", "Ada", "Dusk", set()),
        ("Noel", "Christmastree", "Schertz", set()),
        ("Harbour (feat. Christmas Choir)", "Ada", "Harbour", set()),
        (None, None, None, set()),
        ("!", SEPARATOR.join(["Ada", "Bo"]), "?", set()),
    ],
)
def test_a_song_is_of_the_kind_that_its_title_album_or_artist_names(title, artist, album, found):
    assert kinds((title, artist, album)) == ([found], [True])


def test_a_phrase_that_mostly_names_a_kind_tells_it():
    found, sure = kinds(*MERRY, ("Merry Midnight", "Ada", "Winter"), ("Midnight", "Bo", "Winter"))
    assert found == [{"christmas"}] * 11 + [set()]
    assert all(sure)


def test_a_phrase_that_other_titles_say_as_often_tells_nothing():
    others = [(f"Merry Midnight {number}", "Ada", "Winter") for number in range(10, 20)]
    assert kinds(*MERRY, *others)[0] == [{"christmas"}] * 10 + [set()] * 10


def test_a_title_that_several_artists_sing_on_albums_of_a_kind_is_of_it():
    found, sure = kinds(
        *[("Snow Bells", artist, album) for _, artist, album in SINGERS], ("Snow Bells", "Ada", "Winter")
    )
    assert found == [{"christmas"}] * 4
    assert all(sure)


def test_a_title_that_one_artist_sings_is_not_of_the_kind_of_a_compilation():
    assert kinds(*HITS, ("Hit 0", "Star 0", "Star"))[0][-1] == set()


def test_a_song_on_an_album_of_many_artists_is_of_its_kind_but_not_surely():
    assert kinds(*HITS) == ([{"christmas"}] * 3, [False] * 3)


def test_songs_without_an_album_have_nothing_in_common():
    titles = [f"Christmas {number}" for number in range(6)]
    found, _ = kinds(*[(title, f"Singer {title}", None) for title in titles], ("Harbour", "Ada", None))
    assert found == [{"christmas"}] * 6 + [set()]


def test_a_title_of_any_length_is_read_in_its_first_characters_alone():
    long = "a " * 5_000 + "christmas"
    assert len(normalized(long)) <= 200
    assert kinds((long, "Ada", "Dusk"))[0] == [set()]


@pytest.fixture(scope="module")
def year_round(tmp_path_factory) -> Catalog:
    """Songs that differ a little in energy; every tenth is on an album for Christmas."""
    folder = tmp_path_factory.mktemp("seasonal")
    table = [
        tables.song(number, album_name=f"{'Album' if number % 10 else 'Christmas'} {number}", energy=number / 60)
        for number in range(60)
    ]
    return fit(FitOptions([tables.write(folder / "songs.csv", table)]), folder / "out")


def albums(catalog: Catalog, song: str) -> list[str]:
    found = recommend(catalog, Query((Seed("", {}, id=song),), limit=5)).recommendations
    return [catalog.texts("albums")[entry.row].split()[0] for entry in found]


def test_songs_for_an_occasion_are_recommended_to_their_like(year_round):
    assert albums(year_round, "song30") == ["Christmas"] * 5
    assert albums(year_round, "song21") == ["Album"] * 5


def test_a_version_on_a_compilation_for_an_occasion_does_not_stand_for_its_original(tmp_path):
    seasons = [f"{'Christmas' if number % 4 in (0, 3) else 'Album'} {number}" for number in range(100)]
    table = [
        tables.song(
            number,
            track_name=f"Song {number // 2}",
            artists=f"Artist {number // 2}",
            album_name=album,
            popularity=number // 2 + 1 if album.startswith("Album") else 0,
        )
        for number, album in enumerate(seasons)
    ]
    catalog = fit(FitOptions([tables.write(tmp_path / "songs.csv", table)]), tmp_path / "out")
    firsts = catalog.lists("work", "songs").first_items(np.arange(50))
    assert {catalog.texts("albums")[row].split()[0] for row in firsts} == {"Album"}
    found = [resolve_text(catalog, f"Song {number}", f"Artist {number}").row for number in range(50)]
    assert sorted(found) == sorted(firsts)
