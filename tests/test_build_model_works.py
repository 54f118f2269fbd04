"""Which songs are one work: other spellings of a composition, and movements that are not one."""

import pytest

from build.model.works import work_key

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
        (("Holst", "Suite, Op. 28 No. 2, H. 106: I. March"), ("Holst", "Suite in F, Op. 28 No. 2: 1. March")),
    ],
)
def test_songs_are_one_work(first, second):
    assert work_key(*first) == work_key(*second)


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
        (("Tchaikovsky", "Nutcracker, Op. 71a: IIf. Reeds"), ("Tchaikovsky", "Nutcracker, Op. 71a: IIb. Sugar")),
        (("Handel", "Messiah, HWV 56 / Pt. 1: 12. Child"), ("Handel", "Messiah, HWV 56 / Pt. 1: III. Valley")),
    ],
)
def test_songs_are_two_works(first, second):
    assert work_key(*first) != work_key(*second)


def test_a_title_of_any_length_has_a_key_soon():
    for title in ("op. 1 " * 2_000, "(" * 10_000, '"' * 9_999, "op. 1: " + "no. " * 3_000, " in a-" * 2_000):
        assert len(work_key("Ada", title)) <= 20_000
