"""The words of titles and albums as a block of a few columns: language, script, and what songs are about.

A word counts by its character n-grams (Cavnar and Trenkle, SDAIR 1994): so a word that no other title has tells its
language, too. Artists keep to theirs, so that half of a song's place is the mean of its artists' songs.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

from segue_build.model.context import Links, averaged
from segue_build.sources.runs import texts
from segue.catalog.names import plain

DIMENSIONS = 6
READ = 200  # characters of a title
LENGTHS = (2, 3)  # of n-grams
FEWEST = 30  # different words that have an n-gram
SAMPLE = 20_000  # songs that the axes are learned from at the most
_ANY = "a"  # word, so that there is one where titles have none


def wording(frame: pd.DataFrame, by: Links, seed: int) -> np.ndarray:
    """Place songs by the words of their titles and albums, without brackets and versions.

    seed : of the sample and of the randomised SVD

    Returns
    -------
    float64, unit length, shape (n_songs, DIMENSIONS); NaN where nothing is known, one such column where there are
    too few words for a language to show

    """
    axes = WordAxes(frame, seed)
    own = axes.place(frame)
    return with_artists(own, averaged(by.matrix) @ (averaged(sparse.csr_matrix(by.matrix.T)) @ own))


def with_artists(own: np.ndarray, of_artists: np.ndarray) -> np.ndarray:
    """The block, from songs' own places and the mean of their artists'; shapes (n_songs, n_dims)."""
    block = normalize(own + of_artists)
    block[~block.any(axis=1)] = np.nan
    return np.asarray(block)


class WordAxes:
    """Where words lie, by the n-grams that many of them have.

    frame : songs whose words teach
    seed : of the sample and of the randomised SVD
    dimensions : columns of the block; one that says nothing where there are too few words
    """

    def __init__(self, frame: pd.DataFrame, seed: int):
        says, words = _says(frame)
        grams, self._known = _grams(words)
        sample = says[np.sort(np.random.default_rng(seed).permutation(len(frame))[:SAMPLE])] @ grams
        self.dimensions, self._places = 1, np.empty(0)
        if min(sample.shape) > DIMENSIONS:
            tfidf = TfidfTransformer()
            axes = TruncatedSVD(DIMENSIONS, random_state=seed).fit(tfidf.fit_transform(sample)).components_
            self.dimensions, self._places = DIMENSIONS, tfidf.idf_[:, None] * axes.T

    def place(self, frame: pd.DataFrame) -> np.ndarray:
        """Songs by their own words, unit length or 0, shape (n_songs, dimensions)."""
        if self.dimensions == 1:
            return np.zeros((len(frame), 1))
        says, words = _says(frame)
        counter = CountVectorizer(
            analyzer="char_wb", ngram_range=LENGTHS, dtype=np.float64, vocabulary=self._known.tolist()
        )
        return np.asarray(normalize(says @ (counter.transform(words) @ self._places)))


def _says(frame: pd.DataFrame) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Song x word 0/1, and the words."""
    counter = CountVectorizer(analyzer=str.split, binary=True, dtype=np.float64)
    says = sparse.csr_matrix(counter.fit_transform([_ANY, *_said(frame)])[1:])
    return says, counter.get_feature_names_out()


def _said(frame: pd.DataFrame) -> Iterator[str]:
    for titles, albums in zip(texts(frame["name"]), texts(frame["album"])):
        for title, album in zip(titles, albums):
            yield f"{plain(title[:READ])} {plain(album[:READ])}"


def _grams(words: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """How often each word has each n-gram of many, its ends counted as spaces, and these n-grams."""
    counter = CountVectorizer(analyzer="char_wb", ngram_range=LENGTHS, dtype=np.float64)
    counts = sparse.csc_matrix(counter.fit_transform(words))
    often = np.diff(counts.indptr) >= FEWEST
    return sparse.csr_matrix(counts[:, often]), counter.get_feature_names_out()[often]
