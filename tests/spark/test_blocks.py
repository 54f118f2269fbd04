"""The functions that Spark runs on batches: artists and songs as one machine has them, without a cluster."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from segue_build.model.artist_features import ARTIST_AUDIO_COLUMNS, GenreSound
from segue_build.model.embedding import (
    BLOCK_NAMES,
    BlockEncoder,
    embed,
    first_artist_popularity,
    fit_ranks,
    mask_unanalysed,
)
from segue_build.model.genre_block import GenreEmbedding, genre_context
from segue_build.model.title_blocks import DistinctTexts, WordEmbedding, fit_phrase_classifier
from segue_build.sources import demo
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.multivalue import SEPARATOR
from segue_build.spark import embedding, features

SONGS = 300


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """A canonical table; a song lacks artists and genres, some albums are compilations."""
    table = next(iter(demo.demo_chunks(SONGS, 0, SONGS)))
    joined = {name: table[name].map(SEPARATOR.join).astype("str") for name in ("artists", "genres")}
    table = table.assign(**joined, explicit=table["explicit"].astype(float))
    table.loc[0, ["artists", "genres"]] = None
    table.loc[::7, "album"] = "Harbour Hits"
    table.loc[5:9, "album"] = None
    return table


def batches(table: pa.Table, size: int = 64) -> list[pa.Table]:
    return [table.slice(first, size) for first in range(0, len(table), size)]


def mapped(parts: list[pa.Table], schema: pa.Schema, function) -> pd.DataFrame:
    """What Spark's map_batches makes of parts."""
    found = [
        pa.table([made[name] for name in schema.names], schema.names).cast(schema) for made in map(function, parts)
    ]
    return pa.concat_tables(found).to_pandas(types_mapper={pa.string(): pd.ArrowDtype(pa.string())}.get)


def by_key(rows: pd.DataFrame, key: str, schema: pa.Schema) -> list[pa.Table]:
    """Two partitions, each of which holds all rows of its keys."""
    half = pd.util.hash_pandas_object(rows[key].astype(object), index=False) % 2
    return [pa.Table.from_pandas(part, schema, preserve_index=False) for _, part in rows.groupby(half.to_numpy())]


def artists_by_song(credits_: pd.DataFrame, artists: pd.DataFrame) -> pd.DataFrame:
    joined = credits_[["source_row", "position", "artist"]].merge(artists, on="artist")
    joined = joined.sort_values(["source_row", "position"])
    records = joined.drop(columns="source_row").to_dict("records")
    return pd.Series(records).groupby(joined["source_row"].to_numpy()).agg(list).rename("artist_features").to_frame()


def struct_of(schema: pa.Schema) -> pa.DataType:
    return pa.list_(pa.struct([("position", pa.int32()), *zip(schema.names, schema.types)]))


def test_batches_of_songs_and_partitions_of_artists_make_the_blocks_of_one_machine(frame, monkeypatch):
    encoded = {}

    def encode(encoder, songs):
        encoded.update(original(encoder, songs))
        return dict(encoded)

    original = BlockEncoder.encode
    monkeypatch.setattr(BlockEncoder, "encode", encode)
    embed(frame, IngestReport(), 3)
    monkeypatch.undo()

    songs = pa.Table.from_pandas(frame.assign(source_row=np.arange(SONGS)), preserve_index=False)
    ranks, words = fit_ranks(mask_unanalysed(frame)), WordEmbedding(frame, 3)
    genres = sorted({genre for text in frame["genres"].dropna() for genre in text.split(SEPARATOR)})
    extract = features._ExtractFeatures(ranks, words, genres)
    rows = mapped(batches(songs), features.FEATURES, extract)
    table = pa.Table.from_pandas(rows, features.FEATURES, preserve_index=False)
    sums = np.zeros((len(genres) + 1, 3 * len(ARTIST_AUDIO_COLUMNS)), np.int64)
    for part in batches(table):
        np.add.at(sums, *features._GenreTerms(len(genres))(part))
    fitted = features.FittedFeatures(ranks, words, genres, GenreSound.from_sums(sums))

    credits_ = rows.explode("artists").rename(columns={"artists": "artist"}).dropna(subset="artist")
    credits_ = credits_.assign(position=credits_.groupby("source_row").cumcount())
    fields = {one.name: one.type for one in features.FEATURES}
    exploded = pa.schema([
        ("artist", pa.string()), ("position", pa.int32()), *((n, t) for n, t in fields.items() if n != "artists")
    ])  # fmt: skip
    artists = mapped(by_key(credits_, "artist", exploded), features.ARTIST_FEATURES, features._SumArtists(fitted))
    around = artists_by_song(credits_, artists)
    on_albums = rows[rows["album"].notna()].merge(around, left_on="source_row", right_index=True)
    on_albums = on_albums.assign(first=on_albums["artists"].str[0])
    schema = pa.schema([
        ("source_row", pa.int64()), ("album", pa.string()), ("first", pa.string()), ("genres", fields["genres"]),
        ("artist_features", struct_of(features.ARTIST_FEATURES)),
    ])  # fmt: skip
    compiled = mapped(
        by_key(on_albums, "album", schema), features._ALBUM_GENRES, features._CompilationGenres(len(genres))
    )
    assert len(compiled) > SONGS // 10
    of_artists = credits_[["source_row", "artist"]].merge(compiled, on="source_row")
    schema = pa.schema([("artist", pa.string()), *zip(features._ALBUM_GENRES.names, features._ALBUM_GENRES.types)])
    added = mapped(
        by_key(of_artists, "artist", schema), features._COMPILATION_GENRES, features._SumCompilations(len(genres))
    )
    both = artists.merge(added, on="artist", how="left")
    schema = pa.schema([*features.ARTIST_FEATURES, *list(features._COMPILATION_GENRES)[1:]])
    both = pa.Table.from_pandas(both, schema, preserve_index=False)
    completed = mapped([both], features.ARTIST_FEATURES, features._AddCompilations(len(genres)))

    phrases = fit_phrase_classifier(
        DistinctTexts.from_column(frame["name"]), DistinctTexts.from_column(frame["album"])
    )
    by_text = mapped(batches(songs), embedding._BY_TEXT, embedding._NameOccasions(phrases))
    by_title = mapped(
        by_key(by_text, "title", embedding._BY_TEXT), embedding._BY_TITLE, embedding._add_title_occasions
    )
    occasions = mapped(
        by_key(by_title, "album", embedding._BY_TITLE), embedding.OCCASION_BITS, embedding._add_album_occasions
    )
    described = rows.merge(
        artists_by_song(credits_, completed), left_on="source_row", right_index=True, how="left"
    ).merge(occasions, on="source_row")
    schema = pa.schema([
        *features.FEATURES, ("artist_features", struct_of(features.ARTIST_FEATURES)),
        *list(embedding.OCCASION_BITS)[1:],
    ])  # fmt: skip
    described = pa.Table.from_pandas(described.sort_values("source_row"), schema, preserve_index=False)
    means, by = features.artist_rows(described)
    best = first_artist_popularity(
        described["popularity"].to_numpy(), embedding._first_rows(means), by.field("max_popularity").to_numpy()
    )
    around = genre_context(
        features.genre_matrix(described["genres"], len(genres)),
        means,
        features.genre_matrix(by.field("genres"), len(genres), by.field("shares")),
    )
    encoder = BlockEncoder(
        ranks, GenreEmbedding(around, 3), words.dimensions, np.sort(best[~np.isnan(best)]), BLOCK_NAMES
    )
    raw = mapped(batches(described), embedding.RAW_BLOCKS, embedding._EncodeBlocks(encoder, len(genres)))
    found = np.stack(raw["raw"].to_list())
    wanted = np.concatenate([encoded[name] for name in BLOCK_NAMES], axis=1)
    assert found.shape == (SONGS, sum(encoder.widths.values()))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
