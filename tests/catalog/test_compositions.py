"""Recordings of one piece by others: by what it is called, by its number, and where the line is."""

import pytest

from segue.catalog.compositions import Piece, Pieces

MOONLIGHT = 'Piano Sonata No. 14 in C-Sharp Minor, Op. 27 No. 2 "Moonlight"'
FIRST = f"{MOONLIGHT}: I. Adagio sostenuto"
SUITE = "Cello Suite No. 1 in G Major, BWV 1007"
OTHERS = [Piece(title) for title in ("Paper Harbour", "Nights, Op. 3 No. 9: II. Calm", 'Études, Op. 12 "Owl"')]


def is_same(first, second):
    """Whether a piece is among several that the other is one of."""
    assert Piece(second) not in Pieces(OTHERS)
    return Piece(second) in Pieces([*OTHERS, Piece(first)])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FIRST, "Sonata, Op. 27, No. 2: 1. Adagio"),
        (FIRST, "Moonlight Sonata (First Movement from Piano Sonata No. 14, Op. 27 No. 2)"),
        (FIRST, "Moonlight Sonata"),
        (FIRST, "Sonate Nr. 14 in C-Sharp Minor: I. Adagio sostenuto - Live"),
        (FIRST, MOONLIGHT),
        (f"{SUITE}: I. Prélude", "Suite No. 1 pour violoncelle seul, BWV 1007: Prélude - Ending"),
        (f"{SUITE}: I. Prélude", "Bach: Unaccompanied Cello Suite No. 1, BWV 1007 (Arr. for Guitar): I. Prelude"),
        (f"{SUITE}: I. Prélude", f"{SUITE}: Prelude"),
        ("Serenade No. 13, K. 525: I. Allegro", "Eine kleine Serenade, K.525: 1. Allegro (Live)"),
        ("4 Impromptus, D. 899: III. Andante", "Impromptu Op. 90 No. 3, D. 899: No. 3 in G-Flat"),
        ("Waltz No. 7 in C-Sharp Minor, Op. 64 No. 2", "Waltzes, Op. 64: No. 2 in C-Sharp Minor"),
        ("Clair de Lune", "Suite bergamasque, L. 75: III. Clair de lune"),
        ("Clair de Lune", "Clair de lune, L. 32"),
        ("Gymnopédie No. 1", "3 Gymnopédies: No. 1 Lent et douloureux"),
        ("Lacrimosa", "Requiem in D Minor, K. 626: III. Sequentia: Lacrimosa"),
        ("Prelude in D-Flat, Op. 28 No. 15 \"Raindrop\"", "Raindrop Prelude"),
    ],
)  # fmt: skip
def test_recordings_are_of_one_piece(first, second):
    assert is_same(first, second)
    assert is_same(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FIRST, f"{MOONLIGHT}: II. Allegretto"),
        (FIRST, "Piano Sonata No. 13, Op. 27 No. 1: I. Andante"),
        (FIRST, "Concerto No. 2: I. Adagio sostenuto"),
        (FIRST, "Moonlight Shadow"),
        (MOONLIGHT, "Nocturne No. 8 in D-Flat Major, Op. 27 No. 2"),
        (f"{SUITE}: I. Prélude", f"{SUITE}: II. Allemande"),
        (f"{SUITE}: I. Prélude", "Cello Suite No. 2 in D Minor, BWV 1008: I. Prélude"),
        ("Requiem, K. 626: 3. Sequentia: Lacrimosa", "Requiem, K. 626: 3. Sequentia: Dies irae"),
        ("Sonata, K. 331: I. Variation 1", "Sonata, K. 331: I. Variation 2"),
        ("24 Preludes, Op. 28: No. 4 in E Minor", "24 Preludes, Op. 28: No. 15 in D-Flat Major"),
        ("Harbour, Pt. 1", "Harbour, Pt. 2"),
        ("Harbour: The Quay", "Harbour: The Pier"),
    ],
)  # fmt: skip
def test_recordings_are_of_two_pieces(first, second):
    assert not is_same(first, second)
    assert not is_same(second, first)


def test_a_title_of_any_length_is_read_soon():
    for title in ("op. 1 " * 2_000, "(" * 10_000, '"' * 9_999, "no. 1 in c" * 2_000, " in a-" * 2_000):
        assert is_same(title, title)
