"""The canonical table as points of the space: one function a block, then codes in which blocks are comparable.

What a song lacks is imputed (the mean of the songs that have it) and flagged; a block or column without
values that differ is left out. ``python -m tests.benchmarks.quality`` prints what each block is worth.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from segue.engine.space import AUDIO_COLUMNS, KNOTS, MAX_CODE, Block, RankTransform, Space, encode_audio
from segue.errors import SourceError
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.model.genre_block import GenreContext, artist_signatures, genre_block
from segue_build.model.incidence import Incidence, build_incidence, first_artists, row_means
from segue_build.model.quantization import ScalarQuantizer, column_variances, quantize_blocks
from segue_build.model.title_blocks import occasion_block, word_block
from segue_build.model.weights import LOCAL_SCALES, WEIGHTS
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.series import batch_slices

TITLE_BLOCKS = ("occasion", "words")  # blocks that a table lacks whose titles are few or tell nothing
# of the sound of an artist
ARTIST_AUDIO_COLUMNS = [number for number, (*_, weight) in enumerate(AUDIO_COLUMNS) if weight > 0.2]
ARTIST_POPULARITY_WEIGHT = 0.4  # weight of how well known an artist is beside how well known the song is
PRIOR_SONGS = 3  # of an artist's genres that smooth the mean sound of an artist with few songs


@dataclass(frozen=True, slots=True)
class Embedding:
    """Songs as vectors.

    vectors : int8, shape (n_songs, n_dims), see :mod:`segue.engine.space`
    present : uint16, shape (n_songs,), bit b set: block b is known
    """

    space: Space
    ranks: RankTransform
    vectors: np.ndarray
    present: np.ndarray
    song_artists: Incidence
    song_genres: Incidence


def embed(frame: pd.DataFrame, report: IngestReport, seed: int, weights: Mapping[str, float] = WEIGHTS) -> Embedding:
    """Place every song of a canonical table.

    weights : block -> its part of the similarity, scaled to add up to 1; a block without a weight is left out
    report : receives a note per column or block that is left out
    seed : of the genre block's randomised SVD
    """
    ranks, audio = _audio_block(mask_unanalysed(frame))
    song_artists, song_genres = build_incidence(frame["artists"]), build_incidence(frame["genres"])
    occasions, seedable = occasion_block(frame, song_artists)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "audio": lambda: audio,
        "artist": lambda: _artist_block(audio[:, ARTIST_AUDIO_COLUMNS], song_artists, song_genres),
        "genre": lambda: genre_block(GenreContext(frame["album"], song_artists, song_genres), seed),
        "popularity": lambda: _popularity_block(frame, song_artists, ranks),
        "year": lambda: ranks("year", frame["year"].to_numpy(np.float64))[:, None],
        "explicit": lambda: frame["explicit"].to_numpy(np.float64)[:, None],
        "occasion": lambda: occasions,
        "words": lambda: word_block(frame, song_artists, seed),
    }
    blocks = {name: make() for name, make in makers.items() if weights.get(name)}
    if {"artist", "genre"} <= set(blocks) and np.isnan(audio).all():
        blocks["artist"] = artist_signatures(song_artists, blocks["genre"], seed)
    constant = [name for name, block in blocks.items() if not _varies(name, block, report)]
    _note_constant_features(audio, report)
    if blocks.keys() - constant <= set(TITLE_BLOCKS):
        raise SourceError(f"the table says nothing about {', '.join(blocks)}: there is nothing to compare songs by")
    for name in constant:
        del blocks[name]
    return _assemble(blocks, {"occasion": seedable}, weights, ranks, song_artists, song_genres)


def fit_ranks(frame: pd.DataFrame) -> RankTransform:
    """Curves from values to ranks for every numeric attribute; equal values share the mean of their ranks."""
    curves = [_rank_curve(frame[attribute.name].to_numpy(np.float64)) for attribute in NUMERIC_ATTRIBUTES]
    return RankTransform(np.stack([values for values, _ in curves]), np.stack([levels for _, levels in curves]))


def _rank_curve(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return np.zeros(KNOTS), np.full(KNOTS, 0.5)
    distinct, counts = np.unique(known, return_counts=True)
    levels = (np.cumsum(counts) - counts / 2) / len(known)
    picks = np.unique(np.searchsorted(levels, np.linspace(levels[0], levels[-1], KNOTS)))[:KNOTS]
    padding = (0, KNOTS - len(picks))
    return np.pad(distinct[picks], padding, mode="edge"), np.pad(levels[picks], padding, mode="edge")


def mask_unanalysed(frame: pd.DataFrame) -> pd.DataFrame:
    """Tempo 0 means that a song was not analysed: its audio block is unknown."""
    features = {feature for feature, *_ in AUDIO_COLUMNS}
    analysed = frame["tempo"] != 0
    return frame.assign(**{name: frame[name].where(analysed) for name in features})


def _audio_block(frame: pd.DataFrame) -> tuple[RankTransform, np.ndarray]:
    """The curves, and the audio block by them."""
    ranks = fit_ranks(frame)
    features = {attribute.name: frame[attribute.name].to_numpy(np.float64) for attribute in NUMERIC_ATTRIBUTES}
    audio = np.empty((len(frame), len(AUDIO_COLUMNS)))
    for chunk in batch_slices(len(frame)):
        audio[chunk] = encode_audio({name: values[chunk] for name, values in features.items()}, ranks)
    return ranks, audio


def _artist_block(audio: np.ndarray, song_artists: Incidence, song_genres: Incidence) -> np.ndarray:
    """The mean sound of a song's artists, drawn towards their genres' where an artist has few songs."""
    known = ~np.isnan(audio)
    analysed = known.any(axis=1)
    imputed = np.where(known, audio, np.nansum(audio, axis=0) / np.maximum(known.sum(axis=0), 1))
    analysed_songs = song_artists.matrix.multiply(analysed[:, None]).tocsr()
    song_counts = np.asarray(analysed_songs.sum(axis=0)).ravel()[:, None]
    of_genres = row_means(song_genres.matrix.T.tocsr()) @ imputed
    artist_genres = row_means(sparse.csr_matrix(song_artists.matrix.T) @ song_genres.matrix)
    prior = PRIOR_SONGS * (np.diff(artist_genres.indptr) > 0)[:, None]
    artist_means = (analysed_songs.T @ imputed + prior * (artist_genres @ of_genres)) / np.maximum(
        song_counts + prior, 1
    )
    block = row_means(song_artists.matrix) @ artist_means
    unknown = np.asarray(row_means(song_artists.matrix) @ (song_counts == 0)).ravel() > 0
    block[unknown | (np.diff(song_artists.matrix.indptr) == 0)] = np.nan
    return np.asarray(block)


def _popularity_block(frame: pd.DataFrame, song_artists: Incidence, ranks: RankTransform) -> np.ndarray:
    """The popularity of the song, and of its first artist's best-known song."""
    popularity = frame["popularity"].to_numpy(np.float64)
    artist_best = pd.Series(popularity).groupby(first_artists(song_artists)).transform("max").to_numpy(np.float64)
    artist_best = np.where(first_artists(song_artists) < 0, popularity, artist_best)
    own = ranks("popularity", popularity)
    artist_ranks = pd.Series(artist_best).rank(pct=True).to_numpy(np.float64)
    return np.stack([own, ARTIST_POPULARITY_WEIGHT * np.where(np.isnan(artist_ranks), own, artist_ranks)], axis=1)


def _varies(name: str, block: np.ndarray, report: IngestReport) -> bool:
    varies = np.nan_to_num(column_variances(block)).sum() > 0
    if not varies and name not in TITLE_BLOCKS:
        report.add_note(f"the table says nothing about {name}: that block is left out of the space")
    return bool(varies)


def _note_constant_features(audio: np.ndarray, report: IngestReport) -> None:
    constant = np.nan_to_num(column_variances(audio)) == 0
    if constant.all():
        return
    for feature in dict.fromkeys(f for (f, *_), flat in zip(AUDIO_COLUMNS, constant) if flat):
        report.add_note(f"'{feature}' is missing or the same in every song: it has no weight in the space")


def _assemble(
    blocks: dict[str, np.ndarray],
    seedable: Mapping[str, np.ndarray],
    weights: Mapping[str, float],
    ranks: RankTransform,
    song_artists: Incidence,
    song_genres: Incidence,
) -> Embedding:
    """Blocks side by side, each in steps of its own; ``blocks`` is emptied.

    seedable : block -> which songs are compared in it as seeds; all that it knows where nothing is said
    """
    n_songs = len(next(iter(blocks.values())))
    vectors = np.empty((n_songs, sum(block.shape[1] for block in blocks.values())), np.min_scalar_type(-MAX_CODE))
    quantizers, spreads, present = {}, [], np.zeros(n_songs, np.uint16)
    start = 0
    for bit, name in enumerate(list(blocks)):
        raw = blocks.pop(name)
        block = quantize_blocks(raw)
        known = ~np.isnan(raw).all(axis=1) & seedable.get(name, np.True_)
        present |= known.astype(np.uint16) << np.uint16(bit)
        vectors[:, start : start + raw.shape[1]] = block.codes
        quantizers[name] = block.quantizer
        spreads.append(block.spread)
        start += raw.shape[1]
    return Embedding(
        build_space(quantizers, np.concatenate(spreads), weights), ranks, vectors, present, song_artists, song_genres
    )


def build_space(quantizers: Mapping[str, ScalarQuantizer], spread: np.ndarray, weights: Mapping[str, float]) -> Space:
    """The space of blocks side by side.

    quantizers : block -> how its numbers became codes
    spread : float64, shape (n_dims,)
    """
    total, start, blocks = sum(weights[name] for name in quantizers), 0, []
    for name, quantizer in quantizers.items():
        stop = start + len(quantizer.middle)
        blocks.append(Block(name, start, stop, weights[name] / total, LOCAL_SCALES.get(name, 1.0)))
        start = stop
    audio = quantizers.get("audio")
    return Space(tuple(blocks), spread, audio.step if audio else 1.0, audio.middle if audio else np.empty(0))


def append_block(
    embedding: Embedding, name: str, block: np.ndarray, known: np.ndarray, weight: float, co_occurrence_weight: float
) -> Embedding:
    """The same points with one more block; the others' weights shrink to make room for it and for co-occurrence.

    block : shape (n_songs, n_dims), NaN where a song has nothing, not even a prediction
    known : bool, shape (n_songs,), whether a song's own vector can be trusted enough to seed with
    """
    previous, quantized = embedding.space, quantize_blocks(block)
    start = len(previous.spread)
    others = 1 - weight - co_occurrence_weight
    blocks = [dataclasses.replace(b, weight=b.weight * others) for b in previous.blocks]
    return dataclasses.replace(
        embedding,
        space=dataclasses.replace(
            previous,
            blocks=(*blocks, Block(name, start, start + block.shape[1], weight)),
            spread=np.concatenate([previous.spread, quantized.spread]),
            co_occurrence_weight=co_occurrence_weight,
        ),
        vectors=np.concatenate([embedding.vectors, quantized.codes], axis=1),
        present=embedding.present | known.astype(np.uint16) << np.uint16(len(previous.blocks)),
    )
