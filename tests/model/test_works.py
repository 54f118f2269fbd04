"""Which songs are one work: other spellings of a composition, and movements that are not one."""

import numpy as np
import pandas as pd
import pytest

from segue_build.model.works import known_popularity, work_key, work_numbers

MOONLIGHT = "Piano Sonata No. 14 in C-Sharp Minor, Op. 27 No. 2"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("Ada", "Harbour (feat. Bo) - Live"), ("ADA", "Harbour")),
        (("The Ada Brook Quartet", "Take Six"), ("Ada Brook", "Take Six")),
        (("Ada Brook and her Orchestra", "Take Six"), ("Ada Brook", "Take Six - Mono")),
        (("Beethoven", "Für Elise, WoO 59"), ("Beethoven", 'Bagatelle No. 25 in A Minor, WoO 59 "Für Elise"')),
        (("Beethoven", f"{MOONLIGHT}: I. Adagio"), ("Beethoven", "Sonata, Op. 27, No. 2: 1. Adagio sostenuto")),
        (("Mozart", "Requiem, K.626: 3. Sequentia: Lacrimosa"), ("Mozart", "Requiem, K. 626: III. Lauda: Lacrimosa")),
        (
            ("Debussy", "2 Arabesques, L. 66: I. Andantino"),
            ("Debussy", "Deux Arabesques, L66: No. 1, Andantino in E"),
        ),
        (
            ("Schubert", "4 Impromptus, D. 899: III. Andante"),
            ("Schubert", "Impromptus, D.899: No. 3 in G-Flat: Andante"),
        ),
        (("Satie", "3 Gymnopédies: No. 1 Lent"), ("Satie", "Gymnopédie No. 1")),
        (("Satie", "Three Gymnopédies: III. Grave"), ("Satie", "Gymnopédie No.3 - Live")),
        (("Holst", "Suite, Op. 28 No. 2, H. 106: I. March"), ("Holst", "Suite in F, Op. 28 No. 2: 1. March")),
    ],
)
def test_songs_are_one_work(first, second):
    assert work_key(*first).work == work_key(*second).work


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("Ada", "Harbour"), ("Bo", "Harbour")),
        (("The Band", "Harbour"), ("The Orchestra", "Harbour")),
        (("Beethoven", f"{MOONLIGHT}: I. Adagio"), ("Beethoven", f"{MOONLIGHT}: II. Allegretto")),
        (("Beethoven", MOONLIGHT), ("Beethoven", MOONLIGHT.replace("No. 2", "No. 1"))),
        (
            ("Mozart", "Requiem, K.626: 3. Sequentia: Lacrimosa"),
            ("Mozart", "Requiem, K.626: 3. Sequentia: Dies irae"),
        ),
        (("Mozart", "Sonata, K. 331: I. Variation 1"), ("Mozart", "Sonata, K. 331: I. Variation 2")),
        (("Holst", "Suite, Op. 28, H. 106: I. March"), ("Holst", "Suite, Op. 28, H. 106: II. Song")),
        (
            ("Puccini", 'Turandot, SC 91 / Act 3: "Nessun dorma"'),
            ("Puccini", 'Turandot, SC 91 / Act 3: "Tu che di gel"'),
        ),
        (("Tchaikovsky", "Nutcracker, Op. 71a: IIf. Reeds"), ("Tchaikovsky", "Nutcracker, Op. 71a: IIb. Sugar")),
        (("Satie", "3 Gymnopédies: No. 1 Lent"), ("Satie", "3 Gymnopédies: No. 2 Lent")),
        (("Handel", "Messiah, HWV 56 / Pt. 1: 12. Child"), ("Handel", "Messiah, HWV 56 / Pt. 1: III. Valley")),
    ],
)
def test_songs_are_two_works(first, second):
    assert work_key(*first).work != work_key(*second).work


def table(*songs):
    """A table of songs, each a first artist and a title."""
    artists, names = zip(*songs)
    return pd.DataFrame({"id": [f"song-{row}" for row in range(len(songs))], "name": names, "artists": artists})


@pytest.mark.parametrize(
    "titles",
    [
        ("Clair de Lune, L. 32", "Suite bergamasque, L. 75: III. Clair de lune"),
        ("Clair de Lune, L. 32", "Clair de lune - Live", "Suite bergamasque, L.75: 3. Clair de lune (Arr. for Harp)"),
        ("Für Elise, WoO 59", "Für Elise", 'Bagatelle in A Minor, WoO 59 "Für Elise"'),
        ("The Swan", "Carnival: The Swan", "The Carnival of the Animals, R. 125: XIII. The Swan"),
        (
            "Nessun dorma",
            "Turandot: Nessun dorma! - Live",
            'Turandot, SC 91 / Act III: "Nessun dorma!"',
            "Turandot, SC 91: Nessun dorma",
        ),
    ],
)
def test_a_piece_is_one_work_whatever_numbers_it_has(titles):
    assert work_numbers(table(*(("Composer", title) for title in titles))).tolist() == [0] * len(titles)


@pytest.mark.parametrize(
    "songs",
    [
        (("Debussy", "Clair de Lune, L. 32"), ("Fauré", "Two Songs, Op. 46: II. Clair de lune")),
        (("Chopin", "Prelude, Op. 28 No. 1"), ("Chopin", "Suite, Op. 99: I. Prelude"), ("Chopin", "Prelude")),
        (("Haydn", "Piano Sonata, Op. 1"), ("Haydn", "Piano Sonata, Op. 2"), ("Haydn", "Piano Sonata")),
        (("Mozart", "Sonata, K. 280: I. Allegro assai"), ("Mozart", "Concerto, K. 488: III. Allegro assai")),
        (("Choir", "I Believe (Creed) - Choir: No Other Name"), ("Choir", "No Other Name")),
        (("Ada", "Chapter 1: No Other Name"), ("Ada", "Chapter 2: No Other Name")),
        (("", "Clair de Lune, L. 32"), ("", "Suite bergamasque, L. 75: III. Clair de lune")),
    ],
)
def test_pieces_of_a_name_that_is_no_title_are_works_of_their_own(songs):
    assert work_numbers(table(*songs)).tolist() == list(range(len(songs)))


def test_a_title_of_any_length_has_a_key_soon():
    for title in ("op. 1 " * 2_000, "(" * 10_000, '"' * 9_999, "op. 1: " + "no. " * 3_000, " in a-" * 2_000):
        assert len(work_key("Ada", title).work) <= 20_000


HEAP = [0.0] * 30 + [float(value) for value in range(1, 71)]


def test_a_heap_at_popularity_0_is_unknown_but_for_songs_with_a_better_known_version():
    works = np.arange(100)
    works[:3] = 99, 50, 30  # the first song is another version of the last one
    found = known_popularity(np.array(HEAP), works)
    assert found[:3].tolist() == [69, 20, 1]
    assert np.isnan(found[3:30]).all()
    assert found[30:].tolist() == HEAP[30:]


@pytest.mark.parametrize(
    "popularity",
    [
        [0.0] * 19 + HEAP[30:],  # few songs
        [0.0] * 30 + [1.0] * 16 + HEAP[30:],  # not many more than of another value
        [0.0] * 30 + [50.0] * 2_971,  # a small part of all
        [np.nan] * 40,
    ],
    ids=["few", "no more than others", "a small part", "none known"],
)
def test_popularity_0_is_a_value_where_it_is_no_heap(popularity):
    values = np.array(popularity)
    np.testing.assert_array_equal(known_popularity(values, np.arange(len(values))), values)


def test_a_column_of_zeros_tells_nothing_of_popularity():
    assert np.isnan(known_popularity(np.zeros(40), np.arange(40))).all()
