"""The tidy table as points of the space: one function a block, then codes in which blocks are comparable.

What a song lacks is imputed (the mean of the songs that have it) and flagged; a block or column without
values that differ is left out. ``python -m tests.benchmarks.quality`` prints what each block is worth.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from segue_build.model.coding import Coding, coded, variance
from segue_build.model.company import Company
from segue_build.model.context import Links, averaged, first_artists, link
from segue_build.model.genres import genre_block
from segue_build.model.identity import identities
from segue_build.model.occasions import occasions
from segue_build.model.shares import REACHES, SHARES
from segue_build.model.wording import wording
from segue_build.sources.account import Account
from segue_build.sources.runs import slices
from segue.engine.space import AUDIO_COLUMNS, KNOTS, LARGEST, Block, Ranks, Space, encode
from segue.errors import SourceError
from segue.query.attributes import NUMERIC

OF_TITLES = ("occasion", "words")  # blocks that a table lacks whose titles are few or tell nothing
TELLING = [number for number, (*_, weight) in enumerate(AUDIO_COLUMNS) if weight > 0.2]  # of an artist's sound
ARTISTS_FAME = 0.4  # weight of how well known an artist is beside how well known the song is
PSEUDO_SONGS = 3  # of an artist's genres that smooth the mean sound of an artist with few songs


@dataclass(frozen=True, slots=True)
class Placed:
    """Songs as points.

    vectors : int8, shape (n_songs, n_dims), see :mod:`segue.engine.space`
    present : uint16, shape (n_songs,), bit b set: block b is known
    """

    space: Space
    ranks: Ranks
    vectors: np.ndarray
    present: np.ndarray
    by: Links
    genres: Links


def place(frame: pd.DataFrame, account: Account, seed: int, shares: Mapping[str, float] = SHARES) -> Placed:
    """Place every song of a tidy table.

    shares : block -> its part of the similarity, scaled to add up to 1; a block without a share is left out
    account : receives a note per column or block that is left out
    seed : of the genre block's randomised SVD
    """
    ranks, audio = _audio_block(without_unanalysed(frame))
    by, genres = link(frame["artists"]), link(frame["genres"])
    kinds, sure = occasions(frame, by)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "audio": lambda: audio,
        "artist": lambda: _artist_block(audio[:, TELLING], by, genres),
        "genre": lambda: genre_block(Company(frame["album"], by, genres), seed),
        "fame": lambda: _fame_block(frame, by, ranks),
        "year": lambda: ranks("year", frame["year"].to_numpy(np.float64))[:, None],
        "explicit": lambda: frame["explicit"].to_numpy(np.float64)[:, None],
        "occasion": lambda: kinds,
        "words": lambda: wording(frame, by, seed),
    }
    blocks = {name: make() for name, make in makers.items() if shares.get(name)}
    if {"artist", "genre"} <= set(blocks) and np.isnan(audio).all():
        blocks["artist"] = identities(by, blocks["genre"], seed)
    silent = [name for name, block in blocks.items() if not _has_values(name, block, account)]
    _note_constants(audio, account)
    if blocks.keys() - silent <= set(OF_TITLES):
        raise SourceError(f"the table says nothing about {', '.join(blocks)}: there is nothing to compare songs by")
    for name in silent:
        del blocks[name]
    return _assembled(blocks, {"occasion": sure}, shares, ranks, by, genres)


def fit_ranks(frame: pd.DataFrame) -> Ranks:
    """Curves from values to ranks for every numeric attribute; equal values share the mean of their ranks."""
    curves = [_curve(frame[attribute.name].to_numpy(np.float64)) for attribute in NUMERIC]
    return Ranks(np.stack([values for values, _ in curves]), np.stack([levels for _, levels in curves]))


def _curve(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return np.zeros(KNOTS), np.full(KNOTS, 0.5)
    distinct, counts = np.unique(known, return_counts=True)
    levels = (np.cumsum(counts) - counts / 2) / len(known)
    picks = np.unique(np.searchsorted(levels, np.linspace(levels[0], levels[-1], KNOTS)))[:KNOTS]
    padding = (0, KNOTS - len(picks))
    return np.pad(distinct[picks], padding, mode="edge"), np.pad(levels[picks], padding, mode="edge")


def without_unanalysed(frame: pd.DataFrame) -> pd.DataFrame:
    """Tempo 0 means that a song was not analysed: its audio block is unknown."""
    features = {feature for feature, *_ in AUDIO_COLUMNS}
    analysed = frame["tempo"] != 0
    return frame.assign(**{name: frame[name].where(analysed) for name in features})


def _audio_block(frame: pd.DataFrame) -> tuple[Ranks, np.ndarray]:
    """The curves, and the audio block by them."""
    ranks = fit_ranks(frame)
    features = {attribute.name: frame[attribute.name].to_numpy(np.float64) for attribute in NUMERIC}
    audio = np.empty((len(frame), len(AUDIO_COLUMNS)))
    for run in slices(len(frame)):
        audio[run] = encode({name: values[run] for name, values in features.items()}, ranks)
    return ranks, audio


def _artist_block(audio: np.ndarray, by: Links, genres: Links) -> np.ndarray:
    """The mean sound of a song's artists, drawn towards their genres' where an artist has few songs."""
    known = ~np.isnan(audio)
    analysed = known.any(axis=1)
    sound = np.where(known, audio, np.nansum(audio, axis=0) / np.maximum(known.sum(axis=0), 1))
    sung = by.matrix.multiply(analysed[:, None]).tocsr()
    songs = np.asarray(sung.sum(axis=0)).ravel()[:, None]
    of_genres = averaged(genres.matrix.T.tocsr()) @ sound
    artist_genres = averaged(sparse.csr_matrix(by.matrix.T) @ genres.matrix)
    smoothing = PSEUDO_SONGS * (np.diff(artist_genres.indptr) > 0)[:, None]
    sounds = (sung.T @ sound + smoothing * (artist_genres @ of_genres)) / np.maximum(songs + smoothing, 1)
    block = averaged(by.matrix) @ sounds
    silent = np.asarray(averaged(by.matrix) @ (songs == 0)).ravel() > 0
    block[silent | (np.diff(by.matrix.indptr) == 0)] = np.nan
    return np.asarray(block)


def _fame_block(frame: pd.DataFrame, by: Links, ranks: Ranks) -> np.ndarray:
    """How popular the song is, and how popular its first artist's best-known song."""
    popularity = frame["popularity"].to_numpy(np.float64)
    best = pd.Series(popularity).groupby(first_artists(by)).transform("max").to_numpy(np.float64)
    best = np.where(first_artists(by) < 0, popularity, best)
    own = ranks("popularity", popularity)
    artists = pd.Series(best).rank(pct=True).to_numpy(np.float64)
    return np.stack([own, ARTISTS_FAME * np.where(np.isnan(artists), own, artists)], axis=1)


def _has_values(name: str, block: np.ndarray, account: Account) -> bool:
    varies = np.nan_to_num(variance(block)).sum() > 0
    if not varies and name not in OF_TITLES:
        account.note(f"the table says nothing about {name}: that block is left out of the space")
    return bool(varies)


def _note_constants(audio: np.ndarray, account: Account) -> None:
    constant = np.nan_to_num(variance(audio)) == 0
    if constant.all():
        return
    for feature in dict.fromkeys(f for (f, *_), flat in zip(AUDIO_COLUMNS, constant) if flat):
        account.note(f"'{feature}' is missing or the same in every song: it has no weight in the space")


def _assembled(
    blocks: dict[str, np.ndarray],
    sure: Mapping[str, np.ndarray],
    shares: Mapping[str, float],
    ranks: Ranks,
    by: Links,
    genres: Links,
) -> Placed:
    """Blocks side by side, each in steps of its own; ``blocks`` is emptied.

    sure : block -> which songs are compared in it as seeds; all that it knows where nothing is said
    """
    n_songs = len(next(iter(blocks.values())))
    vectors = np.empty((n_songs, sum(block.shape[1] for block in blocks.values())), np.min_scalar_type(-LARGEST))
    codings, spreads, present = {}, [], np.zeros(n_songs, np.uint16)
    start = 0
    for bit, name in enumerate(list(blocks)):
        raw = blocks.pop(name)
        block = coded(raw)
        known = ~np.isnan(raw).all(axis=1) & sure.get(name, np.True_)
        present |= known.astype(np.uint16) << np.uint16(bit)
        vectors[:, start : start + raw.shape[1]] = block.codes
        codings[name] = block.coding
        spreads.append(block.spread)
        start += raw.shape[1]
    return Placed(space_of(codings, np.concatenate(spreads), shares), ranks, vectors, present, by, genres)


def space_of(codings: Mapping[str, Coding], spread: np.ndarray, shares: Mapping[str, float]) -> Space:
    """The space of blocks side by side.

    codings : block -> how its numbers became codes
    spread : float64, shape (n_dims,)
    """
    total, start, parts = sum(shares[name] for name in codings), 0, []
    for name, coding in codings.items():
        stop = start + len(coding.middle)
        parts.append(Block(name, start, stop, shares[name] / total, REACHES.get(name, 1.0)))
        start = stop
    audio = codings.get("audio")
    return Space(tuple(parts), spread, audio.step if audio else 1.0, audio.middle if audio else np.empty(0))


def with_block(
    placed: Placed, name: str, block: np.ndarray, known: np.ndarray, share: float, together: float
) -> Placed:
    """The same points with one more block; the others' shares shrink to make room for it and for the lists.

    block : shape (n_songs, n_dims), NaN where a song has nothing, not even a prediction
    known : bool, shape (n_songs,), whether a song's own vector can be trusted enough to seed with
    """
    before, learned = placed.space, coded(block)
    start = len(before.spread)
    others = 1 - share - together
    blocks = [dataclasses.replace(b, share=b.share * others) for b in before.blocks]
    return dataclasses.replace(
        placed,
        space=dataclasses.replace(
            before,
            blocks=(*blocks, Block(name, start, start + block.shape[1], share)),
            spread=np.concatenate([before.spread, learned.spread]),
            together=together,
        ),
        vectors=np.concatenate([placed.vectors, learned.codes], axis=1),
        present=placed.present | known.astype(np.uint16) << np.uint16(len(before.blocks)),
    )
