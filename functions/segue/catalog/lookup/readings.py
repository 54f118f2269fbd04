"""What a text may mean: a title, a title and an artist in either order, or some words of both."""

from collections.abc import Sequence
from dataclasses import dataclass

from segue.catalog.names import folded, joined, typed

MOST_WORDS = 24  # of a text, that are looked at
CLOSE = 0.85  # worth below which another spelling is another name
_FEATURING = frozenset(("feat", "ft", "featuring"))
_BY = "by"
_OF_VERSIONS = frozenset((  # said of a recording and of videos of it; years are as well
    "acoustic", "album", "audio", "cover", "deluxe", "demo", "edit", "extended", "hd", "hq", "instrumental",
    "karaoke", "live", "lyric", "lyrics", "mix", "mono", "music", "official", "original", "radio", "remaster",
    "remastered", "remix", "session", "sessions", "single", "song", "stereo", "version", "video",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A song that a text may mean.

    how : ``"exact"`` (but for case, accents, punctuation, silent words and the version), ``"close"`` (with typos) or
        ``"parts"`` (some words of title and artists)
    worth : 0..1, how well the text spells the song
    artist : row of the artist whom the text names; None where it names none
    titled : whether the text names the title, and not the artist alone
    """

    row: int
    how: str
    worth: float
    artist: int | None = None
    titled: bool = True


def words_of(text: str) -> list[str]:
    """The words of a text as they are typed, one at the least."""
    return typed(text).split()[:MOST_WORDS] or [folded(text)]


def splits(words: Sequence[str]) -> list[tuple[str, str]]:
    """The titles and artists, joined, that words may be: all of them a title ("" for the artist), or parted anywhere.

    ``["yellow", "by", "coldplay"]`` -> ``("yellowbycoldplay", ""), ("yellow", "coldplay"), ...``
    """
    without = [word for word in words if word not in _FEATURING]
    pairs = _splits(words) + (_splits(without) if 0 < len(without) < len(words) else [])
    return list(dict.fromkeys(pairs))


def _splits(words: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [(joined(words), "")]
    for place in range(1, len(words)):
        left, right = words[:place], words[place:]
        artist = right[1:] if right[0] == _BY and len(right) > 1 else right
        pairs += [(joined(left), joined(artist)), (joined(right), joined(left))]
    return pairs


def unmarked(words: Sequence[str]) -> list[str]:
    """Words without those that part a title from its artists."""
    return [word for word in words if word not in _FEATURING and word != _BY] or list(words)


def is_of_version(word: str) -> bool:
    """Whether a word may tell one recording of a song from another."""
    return word in _OF_VERSIONS or (word.isdecimal() and len(word) == 4)
