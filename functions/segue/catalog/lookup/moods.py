"""Genres by name, and descriptions of music in words, such as "sad piano", "80s" or "happy upbeat 120 bpm".

A text is a description if each of its words is a genre of the table, is in the tables below, or says nothing ("music
for ..."). What a table of tracks can't tell is left out of a description, which is then uncertain; if nothing is
left, it is none.
"""

import difflib
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.fuzzy import LcsSimilarity

# Words for a mood or an activity -> values of audio features; where no feature says it, the genres below do.
TARGETS: Mapping[str, Mapping[str, float]] = {
    "acoustic": {"acousticness": 0.95},
    "aggressive angry": {"energy": 0.95, "valence": 0.3},
    "calm chill chilled chillout mellow peaceful relax relaxed relaxing soft soothing quiet": {"energy": 0.2},
    "cheerful feelgood fun happy joyful": {"valence": 0.9},
    "concentration focus homework reading study studying": {"energy": 0.3, "instrumentalness": 0.9},
    "danceable dancing groovy": {"danceability": 0.9},
    "dark gloomy": {"valence": 0.1},
    "depressing heartbreak melancholic melancholy sad": {"energy": 0.3, "valence": 0.1},
    "energetic intense powerful": {"energy": 0.95},
    "fast": {"tempo": 170},
    "instrumental": {"instrumentalness": 0.95},
    "live": {"liveness": 0.9},
    "loud": {"loudness": -3},
    "party partying": {"danceability": 0.8, "energy": 0.8},
    "romantic": {"energy": 0.3, "valence": 0.5},
    "sleep sleeping sleepy": {"energy": 0.1, "instrumentalness": 0.8},
    "slow": {"tempo": 70},
    "upbeat uplifting": {"energy": 0.8, "valence": 0.8},
    "gym jogging running workout": {"energy": 0.9, "tempo": 130},
}
# Words -> genres that say the same, of which a table's first is taken, unless a genre is called by the word itself.
GENRES: Mapping[str, Sequence[str]] = {
    "chill chilled chillout": ("chill", "chillout"),
    "concentration focus homework study studying": ("study", "lo-fi", "lo-fi beats"),
    "electronica": ("electronic",),
    "lofi": ("lo-fi", "lo-fi beats", "study", "chill"),
    "kids children": ("children", "kids"),
    "party partying": ("party",),
    "rap": ("rap", "hip-hop"),
    "sleep sleeping sleepy": ("sleep",),
    "gym jogging running workout": ("work-out",),
}
DECADES: Mapping[str, int] = {
    "fifties": 1950, "sixties": 1960, "seventies": 1970, "eighties": 1980, "nineties": 1990, "noughties": 2000,
}  # fmt: skip
# Words that say nothing of music, and words that do so in titles as often: "Dance to the Music".
FILLERS = frozenset((
    "a", "an", "and", "beat", "beats", "best", "for", "from", "good", "great", "mix", "mood", "music", "of", "old",
    "playlist", "please", "some", "song", "songs", "sound", "sounds", "track", "tracks", "tune", "tunes", "vibe",
    "vibes", "with",
))  # fmt: skip
UNCERTAIN_FILLERS = frozenset(("i", "in", "like", "me", "something", "stuff", "that", "the", "time", "to", "while"))
KNOWN_POPULARITY = 80.0  # of songs that people mean by a mood, where they name no genre
MAX_GENRE_WORDS = 3
_DECADE = re.compile(r"(?:19|20)?(\d0)s")
_YEAR = re.compile(r"(?:19|20)\d\d")
_TARGETS = {word: targets for words, targets in TARGETS.items() for word in words.split()}
_GENRES = {word: genres for words, genres in GENRES.items() for word in words.split()}
_GENRE_SIMILARITY = 0.8  # similarity below which another spelling is another genre
_MAX_GENRE_LENGTH = 20  # letters of a text that may be a genre with a typo
_TEMPI = frozenset(map(str, range(30, 251)))  # beats per minute


@dataclass(frozen=True, slots=True)
class Description:
    """Music that a text describes.

    genres : names
    targets : attribute -> value
    years : the first and the last one
    kind, score, certain : as of the other readings of a text
    """

    genres: tuple[str, ...] = ()
    targets: Mapping[str, float] = field(default_factory=dict)
    years: tuple[int, int] | None = None
    kind: str = "exact"
    score: float = 1.0
    certain: bool = True


def parse_description(catalog: Catalog, words: Sequence[str]) -> Description | None:
    """The description that words are; None if one of them belongs to none, or this table can't tell any of it."""
    attributes, known = catalog.manifest["attributes"], catalog.manifest["genres"]
    found: list[Description] = []
    while words:
        size, part = _leading_part(known, words)
        if part is None:
            return None
        found.append(part)
        words = words[size:]
    values: dict[str, list[float]] = {}
    for name, value in (target for part in found for target in part.targets.items()):
        values.setdefault(name, []).append(value)
    targets = {name: round(sum(some) / len(some), 3) for name, some in values.items() if name in attributes}
    genres = tuple(dict.fromkeys(genre for part in found for genre in part.genres))
    decade = next((part.years for part in found if part.years), None)
    years = decade if "year" in attributes else None
    certain = all(part.certain for part in found) and len(targets) == len(values) and years == decade
    if targets and not genres and "popularity" in attributes:
        targets["popularity"] = KNOWN_POPULARITY
    return Description(genres, targets, years, certain=certain) if genres or targets or years else None


def _leading_part(known: Sequence[str], words: Sequence[str]) -> tuple[int, Description | None]:
    """What the first words describe, and how many they are; None if nothing.

    known : the table's genres
    """
    word = words[0]
    if word in _TARGETS or word in _GENRES:
        names = (word, *_GENRES[word]) if word in _GENRES else ()
        same = filter(None, (resolve_genre(known, name) for name in names))
        return 1, Description(tuple(same)[:1], _TARGETS.get(word, {}))
    if len(words) > 1 and words[1] == "bpm" and word in _TEMPI:
        return 2, Description(targets={"tempo": float(word)})
    for size in range(min(MAX_GENRE_WORDS, len(words)), 0, -1):
        genre = resolve_genre(known, " ".join(words[:size]))
        if genre:
            return size, Description((genre,))
    years = _years(word)
    if years or word in FILLERS or word in UNCERTAIN_FILLERS:
        return 1, Description(years=years, certain=word not in UNCERTAIN_FILLERS)
    return 1, None


def _years(word: str) -> tuple[int, int] | None:
    """The years of a decade in words or figures, or a year."""
    decade = _DECADE.fullmatch(word)
    if decade:
        prefix = word[:2] if len(word) == 5 else "19" if int(decade[1]) >= 30 else "20"
        first = int(prefix + decade[1])
    elif _YEAR.fullmatch(word):
        return int(word), int(word)
    elif word in DECADES:
        first = DECADES[word]
    else:
        return None
    return first, first + 9


def resolve_genre(genres: Sequence[str], name: str) -> str | None:
    """The genre of a name in any spelling; one that is written exactly so has precedence."""
    return name if name in genres else _genres_by_key(tuple(genres)).get(genre_key(name))


def genre_key(genre: str) -> str:
    """The key that all spellings of a genre share: ``R & B``, ``r-n-b`` and ``rnb`` have ``rnb``."""
    text = re.sub(r"&|\band\b", "n", genre.casefold())
    return re.sub(r"[\W_]+", "", text) or genre


def search_genres(genres: Sequence[str], text: str) -> list[str]:
    """Genres that a text names: that of exactly this name, then those that it begins, then those with a typo."""
    keys, query = _genres_by_key(tuple(genres)), genre_key(text)[:_MAX_GENRE_LENGTH]
    exact = [keys[query]] if query in keys else []
    with_prefix = [name for key, name in keys.items() if key.startswith(query) and len(query) > 1]
    close = _close_genres(query, keys) if len(query) < _MAX_GENRE_LENGTH else []
    return list(dict.fromkeys([*exact, *with_prefix, *(keys[key] for key in close)]))


def _close_genres(query: str, keys: Iterable[str]) -> list[str]:
    """The keys that one with a typo may be: LCS, which is no less than what difflib finds, leaves few for it."""
    similarity = LcsSimilarity(query)
    likely = [key for key in keys if similarity.is_at_least(key, _GENRE_SIMILARITY)]
    return difflib.get_close_matches(query, likely, n=3, cutoff=_GENRE_SIMILARITY)


@functools.lru_cache(maxsize=4)
def _genres_by_key(genres: tuple[str, ...]) -> Mapping[str, str]:
    return {genre_key(genre): genre for genre in genres}
