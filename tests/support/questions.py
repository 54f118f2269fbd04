"""Questions as people type them, each with what would be right, made from a catalogue; the same ones each time.

Some ask for a song by its own title and artist, in one text; others for what is often mistaken: an artist alone, a
title beside another artist, songs that are not here, signs, moods. Each question judges readings itself: by the
catalogue, never by what the look-up says of its own certainty.
"""

import random
import re
import string
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from segue.catalog import Catalog
from segue.catalog.lookup.artists import ArtistMatch
from segue.catalog.lookup.exact import artist_names
from segue.catalog.lookup.matching import SongMatch
from segue.catalog.lookup.moods import Description
from segue.catalog.lookup.resolver import Reading, Resolution
from segue.catalog.normalization import (
    join_words,
    query_words,
    search_key,
    search_text,
    title_key,
    title_variants,
    without_separators,
    without_version,
)
from segue.engine.recommendation import vocabulary
from segue.engine.seeds import resolve
from segue.errors import UnknownSongs
from segue.query.parser import parse_recommend

OUTCOMES = ("right", "not known", "unsure", "wrong")
BRACKETED = re.compile(r"\s*[(\[]")
SYMBOLS = re.compile(r"[#%+=<>@~^|\u2260]")
MARKED = re.compile("[\u00c0-\u017f\u0900-\u0dff\u0e31-\u0e4e\u304c-\u30f4]")  # accents, vowel signs, kana with marks
# What is said of music -> the feature that it is said of, and whether it is to be high.
MOODS = {
    "sad": ("valence", False), "happy": ("valence", True), "gloomy": ("valence", False), "calm": ("energy", False),
    "energetic": ("energy", True), "relaxing": ("energy", False), "danceable": ("danceability", True),
    "acoustic": ("acousticness", True), "instrumental": ("instrumentalness", True),
}  # fmt: skip
MOOD_FORMS = ("{mood} {genre}", "{mood} {genre} music", "some {mood} {genre} songs", "{genre} {mood}")
TOGETHER = ("{title} - {artist}", "{artist} - {title}", "{title} by {artist}", "{title} {artist}")
MIN_LETTERS = 5  # of a name in which a typo leaves enough to tell it


class Question(NamedTuple):
    """What is typed, and what would be right.

    artist : given apart, if it is
    is_right : whether a reading is what was meant
    """

    kind: str
    text: str
    artist: str | None
    is_right: Callable[[Reading], bool]


class Outcome(NamedTuple):
    """What came of a question.

    kind : of ``OUTCOMES``. Not known: nothing was found, or it is called a guess or another artist's, or what is
        meant is among the alternatives. Unsure: something else, told as not certain. Wrong: the same, told as certain
    certain : whether it is told as certain
    """

    kind: str
    certain: bool


def ask(catalog: Catalog, question: Question) -> Resolution | None:
    """What a recommendation takes a question for."""
    given = {"song": question.text} | ({"artist": question.artist} if question.artist else {})
    try:
        (seed,) = resolve(catalog, parse_recommend(given, vocabulary(catalog)).seeds)
    except UnknownSongs:
        return None
    return seed.match


def judge(catalog: Catalog, question: Question) -> Outcome:
    """What comes of a question."""
    found = ask(catalog, question)
    if found is None:
        return Outcome("not known", certain=False)
    certain = not found.ambiguous
    if question.is_right(found.reading):
        return Outcome("right", certain)
    if certain:
        return Outcome("wrong", certain)
    is_told = found.reading.kind in ("guess", "title") or any(map(question.is_right, found.alternatives))
    return Outcome("not known" if is_told else "unsure", certain)


def is_meant(catalog: Catalog, found: int, meant: int) -> bool:
    """Whether a song is the one that is meant: of its work, or of the same title and by one of the same artists."""
    works = catalog.reader("works").take(np.array([found, meant]))
    titles = {title_key(catalog.texts("names")[row]) for row in (found, meant)}
    artists = [{title_key(name) for name in artist_names(catalog, row)} for row in (found, meant)]
    return works[0] == works[1] or (len(titles) == 1 and bool(artists[0] & artists[1]))


def plain(text: str) -> str:
    """Lower case, without accents and punctuation."""
    letters = unicodedata.normalize("NFKD", text.lower())
    return " ".join(re.sub(r"[^\w\s]", "", letters).split())


def mistyped(text: str, dice: random.Random) -> str | None:
    """A text with one typo in one of its longer words; None where all are short."""
    words = text.split()
    places = [place for place, word in enumerate(words) if len(word) >= MIN_LETTERS]
    if not places:
        return None
    place = dice.choice(places)
    words[place] = edited(words[place], dice)
    return " ".join(words)


def edited(word: str, dice: random.Random) -> str:
    """A word with one letter inserted, deleted, swapped with the next or replaced."""
    place, letter = dice.randrange(len(word) - 1), dice.choice(string.ascii_lowercase)
    before, at, after = word[:place], word[place], word[place + 1 :]
    return dice.choice([before + letter + at + after, before + after, before + after[0] + at + after[1:],
                        before + letter + after])  # fmt: skip


def _without_the(text: str) -> str | None:
    kept = " ".join(word for word in text.split() if word.lower() != "the")
    return kept if kept != text else None


def _without_featured(name: str, title: str, artist: str) -> str | None:
    return f"{title} {artist}" if BRACKETED.search(name) else None


# name, title (without its version) and first artist -> what is typed, or None where the pattern says nothing new
PATTERNS: dict[str, Callable[[str, str, str, random.Random], str | None]] = {
    "artist - title": lambda _, title, artist, dice: f"{artist} - {title}",
    "name - artist": lambda name, _, artist, dice: f"{name} - {artist}",
    "title artist": lambda _, title, artist, dice: f"{title} {artist}",
    "artist title": lambda _, title, artist, dice: f"{artist} {title}",
    "title by artist": lambda _, title, artist, dice: f"{title} by {artist}",
    "title, artist": lambda _, title, artist, dice: f"{title}, {artist}",
    "plain": lambda _, title, artist, dice: plain(f"{title} {artist}"),
    "typo in the title": lambda _, title, artist, dice: (typo := mistyped(title, dice)) and f"{typo} {artist}",
    "typo in the artist": lambda _, title, artist, dice: (typo := mistyped(artist, dice)) and f"{title} {typo}",
    "without the": lambda _, title, artist, dice: _without_the(f"{title} {artist}"),
    "without featured": lambda name, title, artist, dice: _without_featured(name, title, artist),
}


def questions(catalog: Catalog, each: int, least: float = 0) -> Iterator[Question]:
    """So many questions of each pattern of a title and its artist, about songs of that popularity or more."""
    dice = random.Random(1)
    known = np.flatnonzero(catalog.attribute("popularity") >= least).tolist()
    for pattern, make in PATTERNS.items():
        made = (_asked(catalog, pattern, make, row, dice) for row in dice.sample(known, len(known)))
        yield from [question for question in made if question][:each]
    for row in dice.sample(known, each):
        link = dice.choice(["spotify:track:{}", "https://open.spotify.com/track/{}?si=x"])
        yield Question("link", link.format(catalog.texts("ids")[row]), None, partial(_is_song, catalog, row, ""))


def _asked(
    catalog: Catalog, pattern: str, make: Callable[..., str | None], row: int, dice: random.Random
) -> Question | None:
    name, artists = catalog.texts("names")[row], artist_names(catalog, row)
    text = make(name, without_version(name), artists[0], dice) if artists else None
    return Question(pattern, text, None, partial(_is_song, catalog, row, text)) if text else None


class NameQuestions:
    """Questions that are no song's own title and artist: of each kind, about a sample of a catalogue.

    each : how many of a kind, at the most
    least : the popularity of songs that are asked for
    """

    def __init__(self, catalog: Catalog, each: int, least: float = 0):
        self._catalog, self._each, self._dice = catalog, each, random.Random(2)
        self._names = list(catalog.texts("names").take(np.arange(len(catalog))))
        self._artists = catalog.texts("artists")
        sizes = np.diff(catalog.array("artist_offsets").astype(np.int64))
        self._by_size = np.argsort(-sizes, kind="stable").tolist()
        self._known = np.flatnonzero(catalog.attribute("popularity") >= least).tolist()

    def __iter__(self) -> Iterator[Question]:
        yield from self._of_artists()
        yield from self._of_surnames()
        yield from self._of_other_artists()
        yield from self._not_here()
        yield from self._with_typos()
        yield from self._as_written("symbols", SYMBOLS)
        yield from self._as_written("marks", MARKED)
        yield from self._of_moods()

    def _question(
        self, kind: str, text: str, is_right: Callable[[Reading], bool], artist: str | None = None
    ) -> Question:
        """A question to which any reading is right, too, that spells all of it."""
        return Question(kind, text, artist, lambda read: is_right(read) or spells(self._catalog, text, artist, read))

    def _sample(self, rows: list[int]) -> list[int]:
        return self._dice.sample(rows, min(self._each, len(rows)))

    def _some_artists(self) -> list[int]:
        """Half of them those with most songs."""
        half = self._each // 2
        return [*self._by_size[:half], *self._sample(self._by_size[half:])[: self._each - half]]

    def _of_artists(self) -> Iterator[Question]:
        for artist in self._some_artists():
            name = self._artists[artist]
            is_right = partial(_is_artist, self._catalog, search_key(name))
            yield Question("artist alone", name, None, is_right)
            yield Question("artist in lower case", name.lower(), None, is_right)
            typo = mistyped(name, self._dice)
            if typo:
                yield self._question("artist with a typo", typo, is_right)

    def _of_surnames(self) -> Iterator[Question]:
        for artist in self._some_artists():
            words = search_text(self._artists[artist]).split()
            if len(words) > 1:
                yield self._question("surname", words[-1], partial(_has_surname, self._catalog, words[-1]))

    def _of_other_artists(self) -> Iterator[Question]:
        largest = self._by_size[: max(self._each, 10)]
        for row in self._sample(self._known):
            title, by = without_version(self._names[row]), self._artists[self._dice.choice(largest)]
            is_right = partial(_is_title_by_another, self._catalog, title)
            if title_key(by) not in map(title_key, artist_names(self._catalog, row)):
                text = self._dice.choice(TOGETHER).format(title=title, artist=by)
                yield self._question("another artist", text, is_right)
                yield self._question("another artist apart", title, is_right, by)

    def _not_here(self) -> Iterator[Question]:
        """Titles that begin as one and end as another, and are none."""
        titles, largest = set(map(title_key, self._names)), self._by_size[: max(self._each, 10)]
        for row, other in zip(self._sample(self._known), self._sample(self._known)):
            starts, ends = (without_version(self._names[one]).split() for one in (row, other))
            words = [*starts[:2], *ends[-2:]]
            text = " ".join(words)
            if title_key(text) not in titles and len(set(words)) > 3:
                yield self._question("not here", text, _is_nothing)
                by = self._artists[self._dice.choice(largest)]
                yield self._question("not here, with an artist", f"{text} - {by}", _is_nothing)

    def _with_typos(self) -> Iterator[Question]:
        for row in self._sample(self._known):
            title = without_version(self._names[row])
            typo = mistyped(title, self._dice)
            if typo:
                yield self._question("title with a typo", typo, partial(_has_title, self._catalog, title))

    def _as_written(self, kind: str, expression: re.Pattern[str]) -> Iterator[Question]:
        """Titles with signs, or with marks of letters, that another title lacks: only the one with them is right."""
        for row in self._sample([row for row, name in enumerate(self._names) if expression.search(name)]):
            name, by = self._names[row], artist_names(self._catalog, row)
            yield Question(kind, name, None, partial(_is_written, self._catalog, row, with_artist=False))
            if by:
                is_right = partial(_is_written, self._catalog, row, with_artist=True)
                yield Question(f"{kind} by an artist", f"{by[0]} - {name}", None, is_right)

    def _of_moods(self) -> Iterator[Question]:
        genres = [genre for genre in self._catalog.manifest["genres"] if genre not in MOODS]
        known = [mood for mood, (feature, _) in MOODS.items() if feature in self._catalog.manifest["attributes"]]
        for genre in genres[: self._each]:
            yield self._question("genre alone", genre, partial(_is_described, genre, None))
        for _ in range(self._each if genres and known else 0):
            mood, genre = self._dice.choice(known), self._dice.choice(genres)
            text = self._dice.choice(MOOD_FORMS).format(mood=mood, genre=genre)
            yield self._question("mood words", text, partial(_is_described, genre, mood))


def spells(catalog: Catalog, text: str, artist: str | None, reading: Reading) -> bool:
    """Whether a text is a song's title, with its artists before or after it or alone, an artist's name or a genre."""
    typed = join_words(without_separators(query_words(text)))
    if isinstance(reading, Description):
        return [search_key(genre) for genre in reading.genres] == [typed]
    if isinstance(reading, ArtistMatch):
        return artist is None and typed == search_key(catalog.texts("artists")[reading.artist])
    if not isinstance(reading, SongMatch):
        return False
    titles = title_variants(catalog.texts("names")[reading.row])
    names = list(map(search_key, artist_names(catalog, reading.row)))
    if artist is not None:
        return search_key(artist) in names and typed in titles
    singers = ["", *names, "".join(names)]
    return any(typed in (title + singer, singer + title) for title in titles for singer in singers)


def _is_song(catalog: Catalog, row: int, text: str, reading: Reading) -> bool:
    is_it = isinstance(reading, SongMatch) and is_meant(catalog, reading.row, row)
    return is_it or bool(text and spells(catalog, text, None, reading))


def _is_artist(catalog: Catalog, key: str, reading: Reading) -> bool:
    return isinstance(reading, ArtistMatch) and search_key(catalog.texts("artists")[reading.artist]) == key


def _has_surname(catalog: Catalog, word: str, reading: Reading) -> bool:
    is_artist = isinstance(reading, ArtistMatch)
    return is_artist and search_text(catalog.texts("artists")[reading.artist]).split()[-1:] == [word]


def _has_title(catalog: Catalog, title: str, reading: Reading) -> bool:
    is_song = isinstance(reading, SongMatch)
    return is_song and bool({*title_variants(title)} & {*title_variants(catalog.texts("names")[reading.row])})


def _is_title_by_another(catalog: Catalog, title: str, reading: Reading) -> bool:
    return reading.kind == "title" and _has_title(catalog, title, reading)


def _is_written(catalog: Catalog, row: int, reading: Reading, *, with_artist: bool) -> bool:
    if not isinstance(reading, SongMatch):
        return False
    written = [catalog.texts("names")[one].casefold() for one in (row, reading.row)]
    artists = [{*map(title_key, artist_names(catalog, one))} for one in (row, reading.row)]
    works = catalog.reader("works").take(np.array([row, reading.row]))
    return works[0] == works[1] or (written[0] == written[1] and (not with_artist or bool(artists[0] & artists[1])))


def _is_described(genre: str, mood: str | None, reading: Reading) -> bool:
    if not isinstance(reading, Description) or genre not in reading.genres:
        return False
    feature, is_high = MOODS[mood] if mood else ("", False)
    return not mood or (reading.targets.get(feature, 0.5) > 0.5) == is_high


def _is_nothing(_: Reading) -> bool:
    return False
