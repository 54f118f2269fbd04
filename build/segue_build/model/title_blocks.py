"""The blocks that come from titles and albums: occasions, and the words and their language.

Occasions are Christmas, Halloween, sleep, children, karaoke and workouts, another speed. A few words name each
(``OCCASIONS``); the rest is learned from the table. Titles and albums count once each, however many songs have them.
A title whose songs are mostly on albums of an occasion is evidence, and so

- a phrase that says an occasion in ``MIN_PRECISION`` of the titles and albums that hold it names it, too
  ("merry christmas");
- a title by ``MIN_ARTISTS`` first artists or more has the occasion of its albums ("winter wonderland");
- an album of ``MIN_SUPPORT`` songs or more has the occasion of most of them ("holidays are coming").

A word counts by its character n-grams (Cavnar and Trenkle, SDAIR 1994), so that a word that no other title has shows
its language, too. Artists keep to theirs: to a song's own words is added the mean of its artists' songs, and a vector
of each artist's language, as a naive Bayes classifier (Lui and Baldwin, ACL 2012) finds it in all titles and albums.
"""

import functools
import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from segue.catalog.normalization import core_text, search_text, without_featured, without_version
from segue_build.model.incidence import (
    MIN_COMPILATION_ARTISTS,
    Incidence,
    count_ngrams,
    first_artists,
    group_members,
    ngram_matrix,
)
from segue_build.sources.series import batch_slices, iter_text_batches, to_arrow

# occasion -> a pattern of whole words as :func:`normalized` writes them
OCCASIONS = {
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
MAX_CHARACTERS = 200  # characters of a title
MIN_PRECISION = 0.9
MIN_SUPPORT = 5  # titles and albums that say a phrase, or songs on an album, from which an occasion is learned
MIN_SONG_SHARE = 0.6  # of a title on albums of an occasion, or of an album
MIN_ARTISTS = 3
_LETTER = r"[^\W\u1100-\u11ff\u2e80-\uffff]"  # of scripts that leave spaces between words
_HERTZ = re.compile(r"(\d) hz\b")
WORD_DIMENSIONS = 6
MIN_WORDS = 30  # that have an n-gram
WORD_SONGS = 20_000  # at most, from which the SVD is learned
LANGUAGES = (  # 32 at most; others that the classifier knows are rarely sung, and short texts pass for them
    "en", "es", "pt", "de", "fr", "it", "nl", "sv", "da", "no", "fi", "is", "pl", "cs", "hu", "ro", "tr", "el", "ru",
    "uk", "he", "ar", "fa", "hi", "ta", "ja", "ko", "zh", "th", "vi", "id", "tl",
)  # fmt: skip
LANGUAGE_WEIGHT = 6.0  # length of the vector of an artist's language
MIN_LANGUAGE_CONFIDENCE = 0.8
LANGUAGE_CHARACTERS = 20, 4_000  # fewer of an artist's titles and albums tell no language, no more are read
ARTISTS_AT_ONCE = 8_192  # whose texts are held and read side by side
_DUMMY_WORD = "a"  # word, so that there is one where titles have none


@dataclass(frozen=True)
class DistinctTexts:
    """Titles or albums, each once.

    texts : as :func:`normalized` has them
    codes : int64, shape (n_songs,), the text of each song
    """

    texts: list[str]
    codes: np.ndarray

    @classmethod
    def from_column(cls, column: "pd.Series[str]") -> "DistinctTexts":
        """What a column says."""
        encoded = to_arrow(column).cast(pa.large_string()).fill_null("").dictionary_encode()
        codes, texts = pd.factorize(np.array([normalized(text) for text in encoded.dictionary.to_pylist()], object))
        return cls(texts.tolist(), codes[encoded.indices.to_numpy()])

    @functools.cached_property
    def by_pattern(self) -> np.ndarray:
        """Which occasions the patterns find; bool, shape (len(texts), len(OCCASIONS))."""
        return match_patterns(self.texts)

    @property
    def counts(self) -> np.ndarray:
        """How many songs each text has; shape (len(texts),)."""
        return np.bincount(self.codes, minlength=len(self.texts))

    def artists(self, first: np.ndarray) -> np.ndarray:
        """How many first artists each text has; shape (len(texts),)."""
        pairs = pd.DataFrame({"text": self.codes, "artist": first}).drop_duplicates()
        return np.bincount(pairs["text"], minlength=len(self.texts))

    def share(self, flags: np.ndarray) -> np.ndarray:
        """The share of each text's songs that are flagged; (n_songs, n_occasions) -> (len(texts), n_occasions).

        Songs without a text have nothing in common: their share is 0.
        """
        shares = group_members(self.codes, len(self.texts)) @ flags.astype(np.int64) / self.counts[:, None]
        return np.asarray(shares * np.array([bool(text) for text in self.texts])[:, None])


@dataclass(frozen=True, slots=True)
class NamedOccasions:
    """Occasions that the texts of songs name by themselves; each bool, shape (n_songs, len(OCCASIONS)).

    certain : by title, or by an artist's name
    by_album_pattern : by the album, by :data:`OCCASIONS` alone
    by_album : by the album, also by the phrases that were learned
    """

    certain: np.ndarray
    by_album_pattern: np.ndarray
    by_album: np.ndarray

    @classmethod
    def of(
        cls, titles: DistinctTexts, albums: DistinctTexts, song_artists: Incidence, phrases: "PhraseClassifier"
    ) -> "NamedOccasions":
        """Read texts of some songs."""
        by_artist = match_patterns([normalized(name) for name in song_artists.names])
        by_title = titles.by_pattern | phrases.predict(titles.texts)
        return cls(
            by_title[titles.codes] | ((song_artists.matrix @ by_artist.astype(np.float32)) > 0),
            albums.by_pattern[albums.codes],
            (albums.by_pattern | phrases.predict(albums.texts))[albums.codes],
        )


def occasion_block(frame: pd.DataFrame, song_artists: Incidence) -> tuple[np.ndarray, np.ndarray]:
    """Which occasions songs are for, and of which songs that is certain enough to compare others with them.

    Returns
    -------
    bool, shape (n_songs, len(OCCASIONS)), and bool, shape (n_songs,)

    """
    titles, albums = DistinctTexts.from_column(frame["name"]), DistinctTexts.from_column(frame["album"])
    first = first_artists(song_artists)
    named = NamedOccasions.of(titles, albums, song_artists, fit_phrase_classifier(titles, albums))
    certain = add_title_occasions(named.certain, titles, first, named.by_album_pattern)
    return add_album_occasions(certain, albums, first, named.by_album)


def add_title_occasions(
    certain: np.ndarray, titles: DistinctTexts, first: np.ndarray, by_album_pattern: np.ndarray
) -> np.ndarray:
    """Certain occasions, also those of the albums that a title of several artists is on.

    certain, by_album_pattern : see :class:`NamedOccasions`; all songs of a title are among them
    first : shape (n_songs,), first artists, by number or by name
    """
    is_likely = (titles.share(by_album_pattern) >= MIN_SONG_SHARE) & (titles.artists(first) >= MIN_ARTISTS)[:, None]
    return certain | is_likely[titles.codes]


def add_album_occasions(
    certain: np.ndarray, albums: DistinctTexts, first: np.ndarray, by_album: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """All occasions, those of albums too, and which songs' are certain.

    They are not where only an album with songs of many artists says so: a summer's hit may be on one for Halloween.
    It is not recommended to others, but as a seed it is like any song.

    certain : see :func:`add_title_occasions`; all songs of an album are among them
    """
    mostly = (albums.share(certain) >= MIN_SONG_SHARE) & (albums.counts >= MIN_SUPPORT)[:, None]
    by_album = by_album | mostly[albums.codes]
    certain = certain | (by_album & (albums.artists(first) < MIN_COMPILATION_ARTISTS)[albums.codes, None])
    occasions = certain | by_album
    return occasions, (certain == occasions).all(axis=1)


def normalized(text: str) -> str:
    """Words without case, accents, punctuation and guests: ``"Święta (432 Hz)"`` -> ``"swieta 432hz"``."""
    words = search_text(without_featured(text[:MAX_CHARACTERS].lower()))
    return _HERTZ.sub(r"\1hz", words) if " hz" in words else words


def phrases_of(text: str) -> set[tuple[str, ...]]:
    """Its words, and each two in a row."""
    words = text.split()
    return {*zip(words), *itertools.pairwise(words)}


def match_patterns(texts: list[str]) -> np.ndarray:
    """Which occasions the patterns find; bool, shape (len(texts), len(OCCASIONS))."""
    searches = [_pattern(words).search for words in OCCASIONS.values()]
    has_any = _pattern("|".join(OCCASIONS.values())).search
    matches = np.zeros((len(texts), len(OCCASIONS)), bool)
    for number, text in enumerate(texts):
        if has_any(text):
            matches[number] = [search(text) is not None for search in searches]
    return matches


def _pattern(words: str) -> re.Pattern[str]:
    words = unicodedata.normalize("NFKD", words)  # as :func:`normalized` leaves Hangul
    return re.compile(f"(?<!{_LETTER})(?:{words})(?!{_LETTER})")


class PhraseClassifier:
    """The phrases that name an occasion.

    texts : titles and albums, each once
    evidence : bool, shape (len(texts), len(OCCASIONS))
    """

    def __init__(self, texts: list[str], evidence: np.ndarray):
        support = Counter(
            phrase for text in np.flatnonzero(evidence.any(axis=1)) for phrase in phrases_of(texts[text])
        )
        self._vocabulary = sorted(phrase for phrase, count in support.items() if count >= MIN_SUPPORT)
        if self._vocabulary:
            says = self._phrase_matrix(texts)
            counts = np.asarray(says.sum(axis=0)).ravel()[:, None]
            named = says.T @ evidence.astype(np.float32) >= MIN_PRECISION * np.maximum(counts, MIN_SUPPORT)
            self._vocabulary = list(itertools.compress(self._vocabulary, named.any(axis=1)))
            self._occasions_of_phrase = named[named.any(axis=1)]

    def predict(self, texts: list[str]) -> np.ndarray:
        """Which occasions phrases of texts name; bool, shape (len(texts), len(OCCASIONS))."""
        if not self._vocabulary:
            return np.zeros((len(texts), len(OCCASIONS)), bool)
        return np.asarray(self._phrase_matrix(texts) @ self._occasions_of_phrase.astype(np.float32)) > 0

    def _phrase_matrix(self, texts: list[str]) -> sparse.csr_matrix:
        numbers = {phrase: number for number, phrase in enumerate(self._vocabulary)}
        firsts = {first for first, *_ in numbers}  # most texts hold none: no need to make pairs of their words
        phrases = (() if firsts.isdisjoint(text.split()) else phrases_of(text) for text in texts)
        found = [[numbers[phrase] for phrase in of_text if phrase in numbers] for of_text in phrases]
        ends = np.cumsum([0, *map(len, found)])
        columns = np.fromiter(itertools.chain.from_iterable(found), np.int64, ends[-1])
        return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends), (len(texts), len(numbers)))


def fit_phrase_classifier(titles: DistinctTexts, albums: DistinctTexts) -> PhraseClassifier:
    """Learn from songs which phrases name an occasion."""
    by_title, by_album, likely = _labels_by_pattern(titles, albums)
    return PhraseClassifier([*titles.texts, *albums.texts], np.concatenate([by_title | likely, by_album]))


def _labels_by_pattern(titles: DistinctTexts, albums: DistinctTexts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which occasions titles and albums name, and which titles are mostly on such albums."""
    by_title, by_album = titles.by_pattern, albums.by_pattern
    return by_title, by_album, titles.share(by_album[albums.codes]) >= MIN_SONG_SHARE


def artist_languages(members: sparse.csr_matrix, titles: pa.Array, albums: pa.Array, n_dims: int) -> np.ndarray:
    """Vectors of the languages of artists, 0 where their titles and albums leave it open.

    members : shape (n_artists, n_songs), 1 where a song is by an artist
    n_dims : columns of the word block; other than ``WORD_DIMENSIONS`` where titles say too little to compare them

    Returns
    -------
    float64, shape (n_artists, n_dims)

    """
    vectors = np.zeros((members.shape[0], n_dims))
    if n_dims == WORD_DIMENSIONS and members.shape[0]:
        for run in batch_slices(len(vectors), ARTISTS_AT_ONCE):
            found = _language_classifier().classify(_artist_texts(members[run], titles, albums))
            vectors[run] = [LANGUAGE_WEIGHT * _language_vectors()[language] for language in found]
    return vectors


def _artist_texts(members: sparse.csr_matrix, titles: pa.Array, albums: pa.Array) -> list[str]:
    """The different titles and albums of each artist."""
    columns = [column.take(members.indices).to_pylist() for column in (titles, albums)]
    spoken = {text: _spoken(text) for text in {*columns[0], *columns[1]} if text}
    lines = (
        {spoken[text] for column in columns for text in column[first:last] if text}
        for first, last in itertools.pairwise(members.indptr)
    )
    return [". ".join(sorted(of_artist)) for of_artist in lines]


def _spoken(text: str) -> str:
    return without_version(without_featured(text[:MAX_CHARACTERS].lower()))


@dataclass(frozen=True, slots=True)
class LanguageClassifier:
    """The naive Bayes classifier of py3langid, for many texts at once.

    moves, rows : the automaton that reads bytes: ``moves[256 * rows[state] + byte]`` is the next state
    features : which sequence of bytes ends in each state, -1 for none
    log_likelihoods : of these, float64, shape (n_features, n_languages); in float32 processors could differ
    log_priors : shape (n_languages,)
    """

    languages: Sequence[str]
    moves: np.ndarray
    rows: np.ndarray
    features: np.ndarray
    log_likelihoods: np.ndarray
    log_priors: np.ndarray

    def classify(self, texts: Sequence[str]) -> list[str | None]:
        """The language of each text, None where that is not certain."""
        shortest, longest = LANGUAGE_CHARACTERS
        read = [text[:longest] if len(text) >= shortest else "" for text in texts]
        encoded = [unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass") for text in read]
        lengths = np.array([len(text) for text in encoded])
        counts = self._count_features(encoded, lengths)
        scores = np.log1p(counts) @ self.log_likelihoods + self.log_priors
        scores /= np.sqrt(np.maximum(lengths, 1))[:, None]
        confidences = np.exp(scores - scores.max(axis=1, keepdims=True))
        confidences /= confidences.sum(axis=1, keepdims=True)
        is_certain = (confidences.max(axis=1) >= MIN_LANGUAGE_CONFIDENCE) & (np.diff(counts.indptr) > 0)
        best = confidences.argmax(axis=1).tolist()
        return [self.languages[each] if certain else None for each, certain in zip(best, is_certain.tolist())]

    def _count_features(self, texts: Sequence[bytes], lengths: np.ndarray) -> sparse.csr_matrix:
        """How often texts have features; float32, shape (n_texts, n_features). All texts are read side by side."""
        longest_first = np.argsort(-lengths, kind="stable")
        letters = np.frombuffer(b"".join(texts), np.uint8)
        starts, states = (np.cumsum(lengths) - lengths)[longest_first], np.zeros(len(texts), np.intp)
        found = np.empty(len(letters), np.int32)
        for position, count in enumerate(np.cumsum(np.bincount(lengths)[:0:-1])[::-1].tolist()):
            places = starts[:count] + position
            states = self.moves[256 * self.rows[states[:count]] + letters[places]]
            found[places] = self.features[states]
        rows, shape = np.repeat(np.arange(len(texts)), lengths), (len(texts), len(self.log_likelihoods))
        ones = np.ones(np.count_nonzero(found >= 0), np.float32)
        return sparse.csr_matrix((ones, (rows[found >= 0], found[found >= 0])), shape)


@functools.cache
def _language_classifier() -> LanguageClassifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(LANGUAGES)
    return LanguageClassifier(
        identifier.nb_classes,
        np.asarray(identifier.tk_nextmove),
        np.array(identifier.tk_row, np.int64),
        np.array(identifier.tk_output, np.int32),
        identifier.nb_ptc.astype(np.float64),
        identifier.nb_pc,
    )


@functools.cache
def _language_vectors() -> dict[str | None, np.ndarray]:
    """Corners of half a cube, none of which is nearer to another than an angle of 70 degrees; 0 for None."""
    signs = [corner for corner in itertools.product((1, -1), repeat=WORD_DIMENSIONS) if math.prod(corner) > 0]
    return {**dict(zip(LANGUAGES, np.array(signs) / WORD_DIMENSIONS**0.5)), None: np.zeros(WORD_DIMENSIONS)}


def add_artists(own: np.ndarray, artist_means: np.ndarray) -> np.ndarray:
    """The word block, from songs' own vectors and the mean of their artists'; all of shape (n_songs, n_dims).

    Rows have unit length; they are NaN where nothing is known.
    """
    block = normalize(own + artist_means)
    block[~block.any(axis=1)] = np.nan
    return np.asarray(block)


@dataclass(frozen=True, slots=True)
class WordEmbedding:
    """Words of titles and albums, without brackets and versions, by the character n-grams that many words have.

    ngrams : as :func:`ngram_matrix` has them, in their order in ``components``
    components : shape (n_ngrams, dimensions)
    dimensions : columns of the block; one that says nothing where there are too few words
    """

    ngrams: np.ndarray
    components: np.ndarray
    dimensions: int

    @classmethod
    def fit(cls, frame: pd.DataFrame, seed: int) -> tuple["WordEmbedding", np.ndarray]:
        """Learn from songs, and :meth:`transform` them.

        seed : of the sample and of the randomised SVD
        """
        song_words, words = _word_matrix(frame)
        word_ngrams, ngrams = ngram_matrix(words, MIN_WORDS)
        sample = song_words[np.sort(np.random.default_rng(seed).permutation(len(frame))[:WORD_SONGS])] @ word_ngrams
        if min(sample.shape) <= WORD_DIMENSIONS:
            return cls(ngrams, np.empty(0), 1), np.zeros((len(frame), 1))
        tfidf = TfidfTransformer()
        axes = TruncatedSVD(WORD_DIMENSIONS, random_state=seed).fit(tfidf.fit_transform(sample)).components_
        components = tfidf.idf_[:, None] * axes.T
        return cls(ngrams, components, WORD_DIMENSIONS), normalize(song_words @ (word_ngrams @ components))

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Songs by their own words, unit length or 0, shape (n_songs, dimensions)."""
        if self.dimensions == 1:
            return np.zeros((len(frame), 1))
        song_words, words = _word_matrix(frame)
        return np.asarray(normalize(song_words @ (count_ngrams(words, self.ngrams) @ self.components)))


def _word_matrix(frame: pd.DataFrame) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Song x word 0/1, and the words, rising."""
    counts, parts = [], []
    for texts in itertools.chain([[_DUMMY_WORD]], _title_texts(frame)):
        split = pc.split_pattern(pa.array(texts, pa.large_string()), " ")
        is_word = pc.not_equal(split.flatten(), "")
        parts.append(split.flatten().filter(is_word).dictionary_encode())
        of_song = np.repeat(np.arange(len(texts)), np.diff(split.offsets))
        counts.append(np.bincount(of_song[is_word.to_numpy(zero_copy_only=False)], minlength=len(texts)))
    encoded = pa.chunked_array(parts).unify_dictionaries().chunks
    numbers, ends = np.concatenate([part.indices for part in encoded]), np.cumsum(np.concatenate([[0], *counts]))
    song_words = sparse.csr_matrix(
        (np.ones(len(numbers)), numbers, ends), (len(ends) - 1, len(encoded[0].dictionary))
    )
    song_words.sum_duplicates()
    song_words.data[:] = 1
    by_name = pc.sort_indices(encoded[0].dictionary).to_numpy()
    song_words.indices = np.argsort(by_name)[song_words.indices]  # sums go on in the order in which words first come
    return song_words[1:], encoded[0].dictionary.take(pa.array(by_name)).to_numpy(zero_copy_only=False)


def _title_texts(frame: pd.DataFrame) -> Iterator[list[str]]:
    for titles, albums in zip(iter_text_batches(frame["name"]), iter_text_batches(frame["album"])):
        core = {text: core_text(text[:MAX_CHARACTERS]) for text in {*titles, *albums}}
        yield [f"{core[title]} {core[album]}" for title, album in zip(titles, albums)]
