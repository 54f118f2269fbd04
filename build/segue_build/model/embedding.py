"""The canonical table as points of the space: a function a block, then codes in which blocks are comparable.

:class:`BlockEncoder` takes the songs of a whole table or of a part, so that Spark runs it on batches. What a song
lacks is imputed (the mean of the songs that have it) and flagged; a block or column without values that differ is
left out. ``python -m tests.benchmarks.quality`` prints what each block is worth.
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
from segue_build.model.artist_features import (
    ARTIST_AUDIO_COLUMNS,
    ArtistFeatures,
    GenreSound,
    artist_sound,
    sum_genre_sound,
)
from segue_build.model.genre_block import (
    GenreEmbedding,
    add_compilations,
    artist_signatures,
    compilation_genres,
    genre_context,
    label_block,
    svd_sample,
)
from segue_build.model.incidence import (
    FIXED_POINT,
    Incidence,
    build_incidence,
    first_artists,
    group_members,
    row_means,
    to_fixed_point,
)
from segue_build.model.quantization import (
    VARIANCE_TOLERANCE,
    ScalarQuantizer,
    code_moments,
    column_means,
    known_sums,
    mean_squared_difference,
    quantize_blocks,
)
from segue_build.model.title_blocks import OCCASIONS, WordEmbedding, add_artists, artist_languages, occasion_block
from segue_build.model.weights import JOINT, JOINT_EXPONENTS, LABEL_WEIGHT, LOCAL_SCALES, WEIGHTS
from segue_build.progress import bar
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.series import batch_slices, to_arrow

BLOCK_NAMES = ("audio", "artist", "genre", "popularity", "year", "explicit", "occasion", "words")
TITLE_BLOCKS = ("occasion", "words")  # blocks that a table lacks whose titles are few or tell nothing
ARTIST_POPULARITY_WEIGHT = 0.4  # weight of how well known an artist is beside how well known the song is
HEARD_COLUMNS = [number for number, (name, *_) in enumerate(AUDIO_COLUMNS) if name != "duration_ms"]
NUMBERS = [*(attribute.name for attribute in NUMERIC_ATTRIBUTES), "explicit"]  # columns that blocks are made of


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

    @property
    def occasional(self) -> np.ndarray:
        """Which songs are for Christmas or another occasion, bool, shape (n_songs,)."""
        block = self.space.block("occasion")
        if block is None:
            return np.zeros(len(self.vectors), bool)
        columns = self.vectors[:, block.columns]
        return np.asarray((columns > columns.min(axis=0)).any(axis=1))


@dataclass(frozen=True, slots=True)
class Songs:
    """What blocks are made of, for some songs.

    numbers : attribute or "explicit" -> float64, shape (n_songs,), NaN where unknown
    words : int64 in fixed point, shape (n_songs, n_dims), of songs' own titles and albums
    occasions : bool, shape (n_songs, n_occasions)
    genres : shape (n_songs, n_genres), 1 where a song has a genre
    artist_means : shape (n_songs, n_artists), a product with it is the mean over a song's artists
    first_artists : int64, shape (n_songs,), -1 where a song has none
    artists : rows of which ``artist_means`` and ``first_artists`` number
    """

    numbers: Mapping[str, np.ndarray]
    words: np.ndarray
    occasions: np.ndarray
    genres: sparse.csr_matrix
    artist_means: sparse.csr_matrix
    first_artists: np.ndarray
    artists: ArtistFeatures

    def __getitem__(self, rows: slice) -> "Songs":
        return Songs(
            {name: values[rows] for name, values in self.numbers.items()},
            self.words[rows],
            self.occasions[rows],
            self.genres[rows],
            self.artist_means[rows],
            self.first_artists[rows],
            self.artists,
        )


@dataclass(frozen=True, slots=True)
class BlockEncoder:
    """Makes the columns of each block, NaN where unknown.

    genre_embedding, n_word_dimensions : what was learned from songs
    artist_popularity : float64, rising, of the first artists of songs, see :func:`first_artist_popularity`
    names : of the blocks, in their order in the space
    """

    ranks: RankTransform
    genre_embedding: GenreEmbedding
    n_word_dimensions: int
    artist_popularity: np.ndarray
    names: tuple[str, ...]

    @property
    def widths(self) -> dict[str, int]:
        """How many columns each block has."""
        widths = {
            "audio": len(AUDIO_COLUMNS),
            "artist": len(ARTIST_AUDIO_COLUMNS),
            "genre": self.genre_embedding.dimensions,
            "popularity": 2,
            "year": 1,
            "explicit": 1,
            "occasion": len(OCCASIONS),
            "words": self.n_word_dimensions,
        }
        return {name: widths[name] for name in self.names}

    def encode(self, songs: Songs) -> dict[str, np.ndarray]:
        """The blocks of some songs, float64 or float32, shape (n_songs, width)."""
        makers: dict[str, Callable[[], np.ndarray]] = {
            "audio": lambda: audio_block(songs.numbers, self.ranks),
            "artist": lambda: _artist_block(songs),
            "genre": lambda: self.genre_embedding.transform(
                genre_context(songs.genres, songs.artist_means, songs.artists.genres)
            ),
            "popularity": lambda: self._popularity_block(songs),
            "year": lambda: self.ranks("year", songs.numbers["year"])[:, None],
            "explicit": lambda: songs.numbers["explicit"][:, None],
            "occasion": lambda: songs.occasions.astype(np.float64),
            "words": lambda: add_artists(songs.words / FIXED_POINT, songs.artist_means @ songs.artists.words),
        }
        return {name: makers[name]() for name in self.names}

    def _popularity_block(self, songs: Songs) -> np.ndarray:
        """The popularity of the song, and of its first artist's best-known song; each as a rank among all songs'.

        A song whose popularity is unknown has neither.
        """
        own = self.ranks("popularity", songs.numbers["popularity"])
        best = first_artist_popularity(songs.numbers["popularity"], songs.first_artists, songs.artists.max_popularity)
        below, upto = (np.searchsorted(self.artist_popularity, best, side) for side in ("left", "right"))
        ranks = (below + upto + 1) / 2 / max(len(self.artist_popularity), 1)
        ranks = np.where(np.isnan(best) | np.isnan(own), own, ranks)
        return np.stack([own, ARTIST_POPULARITY_WEIGHT * ranks], axis=1)


def embed(
    frame: pd.DataFrame,
    report: IngestReport,
    seed: int,
    weights: Mapping[str, float] = WEIGHTS,
    labels: Mapping[str, "pd.Series[str]"] | None = None,
) -> Embedding:
    """Embed every song of a canonical table.

    weights : block -> its part of the similarity, scaled to add up to 1; a block without a weight is left out
    report : receives a note per column or block that is left out
    seed : of the samples, and of the randomised SVD of genres, words and labels
    labels : name of a block -> what a table calls each song, joined as genres are
    """
    ranks = fit_ranks(mask_unanalysed(frame))
    song_artists, song_genres = build_incidence(frame["artists"]), build_incidence(frame["genres"])
    songs, seedable = _describe_songs(frame, ranks, song_artists, song_genres, seed)
    encoder = fit_encoder(songs, ranks, tuple(name for name in BLOCK_NAMES if weights.get(name)), seed)
    blocks: dict[str, np.ndarray] = {}
    for chunk in bar(batch_slices(len(frame)), "blocks", " chunks"):
        for name, columns in encoder.encode(songs[chunk]).items():
            if name not in blocks:
                blocks[name] = np.empty((len(frame), columns.shape[1]), np.float32)  # codes are far coarser
            blocks[name][chunk] = columns
    if {"artist", "genre"} <= set(blocks) and not songs.artists.n_analysed.any():
        blocks["artist"] = artist_signatures(song_artists, blocks["genre"], seed)
    del songs  # what blocks were made of is as large as they are
    for name, joined in (labels or {}).items():
        blocks[name] = label_block(build_incidence(joined), seed)
        weights = {**weights, name: LABEL_WEIGHT}
    batches = [{name: block[chunk] for name, block in blocks.items()} for chunk in batch_slices(len(frame))]
    space, encode = fit_vectors(
        lambda function, operation: operation.reduce(list(map(function, batches))),
        {name: block.shape[1] for name, block in blocks.items()},
        report,
        weights,
    )
    vectors = np.empty((len(frame), len(space.spread)), np.min_scalar_type(-MAX_CODE))
    present = np.empty(len(frame), np.uint16)
    for chunk, batch in zip(batch_slices(len(frame)), batches):
        vectors[chunk], present[chunk] = encode(batch, seedable[chunk])
    return Embedding(space, ranks, vectors, present, song_artists, song_genres)


def _describe_songs(
    frame: pd.DataFrame, ranks: RankTransform, song_artists: Incidence, song_genres: Incidence, seed: int
) -> tuple[Songs, np.ndarray]:
    """What blocks are made of, and which songs' occasions are certain enough to compare others with them."""
    numbers = {name: frame[name].to_numpy(np.float64) for name in NUMBERS}
    sound = np.empty((len(frame), len(ARTIST_AUDIO_COLUMNS)), np.int64)
    sums = np.zeros((len(song_genres.names) + 1, 3 * sound.shape[1]), np.int64)
    for chunk in batch_slices(len(frame)):
        audio = audio_block({name: values[chunk] for name, values in numbers.items()}, ranks)
        sound[chunk] = artist_sound(audio)
        sums += sum_genre_sound(song_genres.matrix[chunk], sound[chunk])
    words = to_fixed_point(WordEmbedding.fit(frame, seed)[1])
    first, means = first_artists(song_artists), row_means(song_artists.matrix)
    members = song_artists.matrix.T.tocsr().astype(np.int64)
    languages = artist_languages(members, to_arrow(frame["name"]), to_arrow(frame["album"]), words.shape[1])
    artists = ArtistFeatures.from_songs(
        members, first, sound, words, languages, numbers["popularity"], song_genres.matrix, GenreSound.from_sums(sums)
    )
    albums = pd.factorize(frame["album"])[0].astype(np.int64)
    on_compilations = compilation_genres(albums, first, genre_context(song_genres.matrix, means, artists.genres))
    of_artists = members @ group_members(albums, on_compilations.shape[0]).T @ on_compilations
    artists = dataclasses.replace(artists, genres=add_compilations(artists.genres, of_artists, artists.n_songs))
    occasions, seedable = occasion_block(frame, song_artists)
    return Songs(numbers, words, occasions, song_genres.matrix, means, first, artists), seedable


def fit_encoder(songs: Songs, ranks: RankTransform, names: tuple[str, ...], seed: int) -> BlockEncoder:
    """Learn from songs, or a sample of them."""
    sample = svd_sample(len(songs.words), seed)
    context = genre_context(songs.genres[sample], songs.artist_means[sample], songs.artists.genres)
    best = first_artist_popularity(songs.numbers["popularity"], songs.first_artists, songs.artists.max_popularity)
    return BlockEncoder(
        ranks, GenreEmbedding(context, seed), songs.words.shape[1], np.sort(best[~np.isnan(best)]), names
    )


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


def audio_block(numbers: Mapping[str, np.ndarray], ranks: RankTransform) -> np.ndarray:
    """The audio block, shape (n_songs, len(AUDIO_COLUMNS)), unknown where a song was not analysed.

    How long a song is says nothing of its sound where nothing else is known.
    """
    analysed = numbers["tempo"] != 0
    features = {feature for feature, *_ in AUDIO_COLUMNS}
    block = encode_audio({name: np.where(analysed, numbers[name], np.nan) for name in features}, ranks)
    block[np.isnan(block[:, HEARD_COLUMNS]).all(axis=1)] = np.nan
    return block


def _artist_block(songs: Songs) -> np.ndarray:
    """The mean sound of a song's artists, unknown where that of one of them is."""
    block = songs.artist_means @ songs.artists.sound
    unknown = songs.artist_means @ (songs.artists.n_analysed == 0)
    block[(unknown > 0) | (songs.first_artists < 0)] = np.nan
    return np.asarray(block)


def first_artist_popularity(
    popularity: np.ndarray, first_artists: np.ndarray, max_popularity: np.ndarray
) -> np.ndarray:
    """The popularity of the best-known song of each song's first artist; a song without artists has its own.

    popularity, first_artists : shape (n_songs,)
    max_popularity : shape (n_artists,)
    """
    best = popularity.copy()
    best[first_artists >= 0] = max_popularity[first_artists[first_artists >= 0]]
    return best


def constant_blocks(ranges: Mapping[str, np.ndarray], report: IngestReport) -> list[str]:
    """The blocks to leave out: songs don't differ in them.

    ranges : block -> the highest less the lowest value of each column, NaN where nothing is known
    report : receives a note for each of them but those of titles, and for each feature that is constant

    Raises
    ------
    SourceError
        none of the others says anything but about titles.

    """
    varies = {name: np.nan_to_num(widths) > VARIANCE_TOLERANCE**0.5 for name, widths in ranges.items()}
    constant = [name for name, columns in varies.items() if not columns.any()]
    for name in constant:
        if name not in TITLE_BLOCKS:
            report.add_note(f"the table says nothing about {name}: that block is left out of the space")
    if "audio" in varies and "audio" not in constant:
        for feature in dict.fromkeys(f for (f, *_), known in zip(AUDIO_COLUMNS, varies["audio"]) if not known):
            report.add_note(f"'{feature}' is missing or the same in every song: it has no weight in the space")
    if ranges.keys() - constant <= set(TITLE_BLOCKS):
        raise SourceError(f"the table says nothing about {', '.join(ranges)}: there is nothing to compare songs by")
    return constant


@dataclass(frozen=True, slots=True)
class VectorEncoder:
    """Makes vectors of blocks, each in steps of its own.

    quantizers : block -> how its numbers become codes, in the order of the space
    """

    quantizers: Mapping[str, ScalarQuantizer]

    def __call__(self, blocks: Mapping[str, np.ndarray], seedable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of some songs, and which blocks they have; as in :class:`Embedding`.

        seedable : bool, shape (n_songs,), the songs that are compared in the block of occasions as seeds
        """
        codes, present = [], np.zeros(len(seedable), np.uint16)
        for bit, (name, quantizer) in enumerate(self.quantizers.items()):
            known = ~np.isnan(blocks[name]).all(axis=1) & (seedable if name == "occasion" else True)
            present |= known.astype(np.uint16) << np.uint16(bit)
            codes.append(quantizer.encode(blocks[name]))
        return np.concatenate(codes, axis=1), present

    def moments(self, blocks: Mapping[str, np.ndarray]) -> np.ndarray:
        """What :func:`segue_build.model.quantization.mean_squared_difference` is made of."""
        moments = [code_moments(blocks[name], each.encode(blocks[name])) for name, each in self.quantizers.items()]
        return np.concatenate(moments, axis=1)


def fit_vectors(
    reduce: Callable[[Callable[[Mapping[str, np.ndarray]], np.ndarray], np.ufunc], np.ndarray],
    widths: Mapping[str, int],
    report: IngestReport,
    weights: Mapping[str, float],
) -> tuple[Space, VectorEncoder]:
    """The space of blocks, and what makes vectors of them.

    reduce : applies a function to the blocks of each batch of songs, and an operation to all that it returns
    widths : block -> how many columns it has
    """
    means = column_means(*reduce(_known_sums, np.add))
    low, high = reduce(_negative_and_positive, np.fmax)
    ends = np.cumsum(list(widths.values()))[:-1]
    columns = dict(zip(widths, np.split(np.stack([means, -low, high]), ends, axis=1)))
    constant = constant_blocks({name: high - low for name, (_, low, high) in columns.items()}, report)
    encode = VectorEncoder(
        {name: ScalarQuantizer.from_ranges(*each) for name, each in columns.items() if name not in constant}
    )
    return build_space(encode.quantizers, mean_squared_difference(*reduce(encode.moments, np.add)), weights), encode


def _known_sums(blocks: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([known_sums(block) for block in blocks.values()], axis=1)


def _negative_and_positive(blocks: Mapping[str, np.ndarray]) -> np.ndarray:
    """The highest of each column, negative and as it is, NaN where nothing is known; shape (2, n_columns)."""
    highest = [[np.fmax.reduce(-block), np.fmax.reduce(block)] for block in blocks.values()]
    return np.concatenate(highest, axis=1, dtype=np.float64)


def build_space(quantizers: Mapping[str, ScalarQuantizer], spread: np.ndarray, weights: Mapping[str, float]) -> Space:
    """The space of blocks side by side.

    quantizers : block -> how its numbers became codes
    spread : float64, shape (n_dims,)
    """
    joint = weights.get(JOINT, 0.0) if len(JOINT_EXPONENTS.keys() & quantizers.keys()) > 1 else 0.0
    factor, start, blocks = (1 - joint) / (sum(weights[name] for name in quantizers) or 1.0), 0, []
    for name, quantizer in quantizers.items():
        stop, scale = start + len(quantizer.middle), LOCAL_SCALES.get(name, 1.0)
        blocks.append(Block(name, start, stop, factor * weights[name], scale, JOINT_EXPONENTS.get(name, 0.0)))
        start = stop
    audio = quantizers.get("audio")
    return Space(tuple(blocks), spread, audio.step if audio else 1.0, audio.middle if audio else np.empty(0), joint)


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
            joint_weight=previous.joint_weight * others,
            co_occurrence_weight=co_occurrence_weight,
        ),
        vectors=np.concatenate([embedding.vectors, quantized.codes], axis=1),
        present=embedding.present | known.astype(np.uint16) << np.uint16(len(previous.blocks)),
    )
