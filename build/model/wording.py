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

from build.model.context import Links, averaged
from build.sources.runs import texts
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
    counter = CountVectorizer(analyzer=str.split, binary=True, dtype=np.float64)
    says = sparse.csr_matrix(counter.fit_transform([_ANY, *_said(frame)])[1:])
    grams = _grams(counter.get_feature_names_out())
    sample = says[np.sort(np.random.default_rng(seed).permutation(len(frame))[:SAMPLE])] @ grams
    if min(sample.shape) <= DIMENSIONS:
        return np.full((len(frame), 1), np.nan)
    tfidf = TfidfTransformer()
    axes = TruncatedSVD(DIMENSIONS, random_state=seed).fit(tfidf.fit_transform(sample)).components_
    own = normalize(says @ (grams @ (tfidf.idf_[:, None] * axes.T)))
    block = normalize(own + averaged(by.matrix) @ (averaged(sparse.csr_matrix(by.matrix.T)) @ own))
    block[~block.any(axis=1)] = np.nan
    return np.asarray(block)


def _said(frame: pd.DataFrame) -> Iterator[str]:
    for titles, albums in zip(texts(frame["name"]), texts(frame["album"])):
        for title, album in zip(titles, albums):
            yield f"{plain(title[:READ])} {plain(album[:READ])}"


def _grams(words: np.ndarray) -> sparse.csr_matrix:
    """How often each word has each n-gram, its ends counted as spaces."""
    counter = CountVectorizer(analyzer="char_wb", ngram_range=LENGTHS, dtype=np.float64)
    counts = sparse.csc_matrix(counter.fit_transform(words))
    return sparse.csr_matrix(counts[:, np.diff(counts.indptr) >= FEWEST])
