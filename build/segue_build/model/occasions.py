"""Songs for an occasion or a use: Christmas, Halloween, sleep, children, karaoke and workouts, another speed.

A few words name each kind (``KINDS``); what else belongs to it the table says itself. Titles and albums count once
each, however many songs have them. A title whose songs are mostly on albums of a kind is evidence, and so

- a phrase of which ``MOSTLY`` of the titles and albums that say it are of a kind tells that kind ("merry christmas");
- a title that ``SINGERS`` first artists or more sing is of the kind of its albums ("winter wonderland");
- an album of ``FEWEST`` songs or more is of the kind of most of them ("holidays are coming").
"""

import itertools
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from segue_build.model.context import COMPILATION, Links, first_artists
from segue_build.sources.runs import arrow
from segue.catalog.names import typed, without_featured

KINDS = {
    "christmas": "christmas|xmas|x mas|navidad|navidenas?|navidenos?|weihnacht\\w*|natale|natalizie|kerst|kerstmis"
    "|julmusik|julsanger|julpynt\\w*|julafton|god jul|joulu\\w*|tannenbaum|stille nacht|jingle bells?|santa claus"
    "|mistletoe|most wonderful time of the year"
    "|рождеств\\w*|クリスマス|크리스마스|圣诞|聖誕",
    "halloween": "halloween",
    "sleep": "lullabies|deep sleep|sleep (?:music|sounds?|aid|meditation)|(?:white|brown|pink) noise|asmr"
    "|binaural(?:es)?|\\d+hz|guided meditation|meditation music|(?:rain|nature|ocean) sounds|einschlafmusik"
    "|para dormir|musica (?:de|para) (?:la )?(?:meditacion|meditacao|relajacion|relajarse|relajar|relaxar|yoga|spa)"
    "|relajantes?|relaxantes?|meditacion (?:con|para|guiada|chamanica)|sonidos? de (?:las olas|la naturaleza)"
    "|(?:relaxation|relaxing) (?:music|sounds)|entspannungsmusik|meeresrauschen|naturgerausche|weisses rauschen"
    "|para reiki|reiki (?:healing|music|sound)|healing music|sound healing|solfeggio|(?:brain|delta|theta) ?waves"
    "|ondas (?:cerebrales|delta|theta|alfa)|mantras? (?:om|para)|om mantra|cuencos tibetanos|musica para vibrar",
    "children": "nursery rhymes?|(?:kids|childrens) songs|songs for (?:kids|children)|for kids|kinderlieder"
    "|comptines|canciones infantiles|musica infantil",
    "stand-in": "karaoke|tribute to|originally performed|made famous|in the style of|backing track|workout|fitness",
    "altered": "sped up|speed up|nightcore|slowed|reverb|8d|bass boosted",
}
"""Kind -> a pattern of whole words as :func:`said` writes them."""
READ = 200  # characters of a title
MOSTLY = 0.9
FEWEST = 5  # titles and albums that say a phrase, or songs on an album, from which it can tell a kind
MOST_SONGS = 0.6  # of a title on albums of a kind, or of an album
SINGERS = 3
_LETTER = r"[^\W\u1100-\u11ff\u2e80-\uffff]"  # of scripts that leave spaces between words


@dataclass(frozen=True, slots=True)
class Said:
    """Titles or albums, each once.

    texts : as :func:`said` has them
    codes : int64, shape (n_songs,), the text of each song
    """

    texts: list[str]
    codes: np.ndarray

    @classmethod
    def of(cls, column: "pd.Series[str]") -> "Said":
        """What a column says."""
        once = arrow(column).cast(pa.large_string()).fill_null("").dictionary_encode()
        codes, texts = pd.factorize(np.array([said(text) for text in once.dictionary.to_pylist()], object))
        return cls(texts.tolist(), codes[once.indices.to_numpy()])

    @property
    def counts(self) -> np.ndarray:
        """How many songs each text has; shape (len(texts),)."""
        return np.bincount(self.codes, minlength=len(self.texts))

    def artists(self, firsts: np.ndarray) -> np.ndarray:
        """How many first artists each text has; shape (len(texts),)."""
        pairs = pd.DataFrame({"text": self.codes, "artist": firsts}).drop_duplicates()
        return np.bincount(pairs["text"], minlength=len(self.texts))

    def share(self, flags: np.ndarray) -> np.ndarray:
        """The share of each text's songs that are flagged; shapes (n_songs, n_kinds) and (len(texts), n_kinds)."""
        shape = (len(self.texts), len(self.codes))
        songs = sparse.csr_matrix((np.ones(shape[1]), (self.codes, np.arange(shape[1]))), shape)
        return np.asarray(songs @ flags.astype(np.float64)) / self.counts[:, None]


def occasions(frame: pd.DataFrame, by: Links) -> tuple[np.ndarray, np.ndarray]:
    """Which kinds songs are of, and of which songs that is sure enough to compare others with them.

    It is not where only an album with songs of many artists says so: a summer's hit may be on one for Halloween. It
    is not recommended to others, but as a seed it is like any song.

    Returns
    -------
    float64, 0 or 1, shape (n_songs, len(KINDS)), and bool, shape (n_songs,)

    """
    titles, albums, firsts = Said.of(frame["name"]), Said.of(frame["album"]), first_artists(by)
    by_title, by_album, likely = _evidence(titles, albums)
    told = telling(titles, albums).of([*titles.texts, *albums.texts])
    by_title |= told[: len(by_title)] | (likely & (titles.artists(firsts) >= SINGERS)[:, None])
    by_album |= told[len(by_title) :]
    by_artist = (by.matrix @ named([said(name) for name in by.names]).astype(np.float32)) > 0
    sure = by_title[titles.codes] | by_artist
    by_album |= (albums.share(sure) >= MOST_SONGS) & (albums.counts >= FEWEST)[:, None]
    sure |= by_album[albums.codes] & (albums.artists(firsts) < COMPILATION)[albums.codes, None]
    kinds = sure | by_album[albums.codes]
    return kinds.astype(np.float64), (sure == kinds).all(axis=1)


def said(text: str) -> str:
    """Words without case, accents, punctuation and guests: ``"Święta (432 Hz)"`` -> ``"swieta 432hz"``."""
    return re.sub(r"(\d) hz\b", r"\1hz", typed(without_featured(text[:READ].lower())))


def phrases(text: str) -> list[str]:
    """Its words, and each two in a row."""
    words = text.split()
    return [*words, *(f"{first} {second}" for first, second in itertools.pairwise(words))]


def named(texts: list[str]) -> np.ndarray:
    """What names a kind; bool, shape (len(texts), len(KINDS))."""
    named = np.zeros((len(texts), len(KINDS)), bool)
    for kind, pattern in enumerate(KINDS.values()):
        words = unicodedata.normalize("NFKD", pattern)  # as :func:`said` leaves Hangul
        search = re.compile(f"(?<!{_LETTER})(?:{words})(?!{_LETTER})").search
        named[:, kind] = [search(text) is not None for text in texts]
    return named


class Telling:
    """The phrases that tell a kind.

    texts : titles and albums, each once
    evidence : bool, shape (len(texts), len(KINDS))
    """

    def __init__(self, texts: list[str], evidence: np.ndarray):
        often = Counter(
            phrase for text in np.flatnonzero(evidence.any(axis=1)) for phrase in set(phrases(texts[text]))
        )
        self._known = sorted(phrase for phrase, count in often.items() if count >= FEWEST)
        if self._known:
            says = self._says(texts)
            counts = np.asarray(says.sum(axis=0)).ravel()[:, None]
            self._tells = says.T @ evidence.astype(np.float32) >= MOSTLY * np.maximum(counts, FEWEST)

    def of(self, texts: list[str]) -> np.ndarray:
        """Which kinds texts tell; bool, shape (len(texts), len(KINDS))."""
        if not self._known:
            return np.zeros((len(texts), len(KINDS)), bool)
        return np.asarray(self._says(texts) @ self._tells.astype(np.float32)) > 0

    def _says(self, texts: list[str]) -> sparse.csr_matrix:
        counter = CountVectorizer(analyzer=phrases, vocabulary=self._known, binary=True, dtype=np.float32)
        return counter.transform(texts)


def telling(titles: Said, albums: Said) -> Telling:
    """Learn from songs what tells a kind."""
    by_title, by_album, likely = _evidence(titles, albums)
    return Telling([*titles.texts, *albums.texts], np.concatenate([by_title | likely, by_album]))


def _evidence(titles: Said, albums: Said) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which titles and albums name a kind, and which titles are mostly on such albums."""
    by_title, by_album = named(titles.texts), named(albums.texts)
    return by_title, by_album, titles.share(by_album[albums.codes]) >= MOST_SONGS
