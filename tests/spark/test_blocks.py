"""The functions that Spark runs on batches: artists and songs as one machine has them, without a cluster."""

from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from segue_build.model.artist_features import GenreSound
from segue_build.model.embedding import BLOCK_NAMES, BlockEncoder, embed, fit_encoder, fit_ranks, mask_unanalysed
from segue_build.model.title_blocks import DistinctTexts, WordEmbedding, fit_phrase_classifier
from segue_build.sources import demo
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.multivalue import SEPARATOR
from segue_build.spark import embedding

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
    ranks, words = fit_ranks(mask_unanalysed(frame)), WordEmbedding.fit(frame, 3)[0]
    phrases = fit_phrase_classifier(*(DistinctTexts.from_column(frame[name]) for name in ("name", "album")))
    genres = sorted({genre for text in frame["genres"].dropna() for genre in text.split(SEPARATOR)})
    extract = embedding._ExtractFeatures(ranks, words, phrases, genres)
    rows = mapped(batches(songs), embedding.FEATURES, extract)
    table = pa.Table.from_pandas(rows, embedding.FEATURES, preserve_index=False)
    sums = embedding._SongSums(len(genres))
    sound = GenreSound.from_sums(sum(map(sums.sum_sound, batches(table))))

    credits_ = rows.explode("artists").rename(columns={"artists": "artist"}).dropna(subset="artist")
    credits_ = credits_.assign(position=credits_.groupby("source_row").cumcount())
    fields = {one.name: one.type for one in embedding.FEATURES}
    exploded = pa.schema([
        ("artist", pa.string()), ("position", pa.int32()), *((n, t) for n, t in fields.items() if n != "artists")
    ])  # fmt: skip
    sum_artists = partial(sums.sum_artists, sound)
    artists = mapped(by_key(credits_, "artist", exploded), embedding.ARTIST_FEATURES, sum_artists)
    around = artists_by_song(credits_, artists)
    on_albums = rows[rows["album"].notna()].merge(around, left_on="source_row", right_index=True)
    schema = pa.schema([
        ("source_row", pa.int64()), ("album", pa.string()), ("first", pa.string()), ("genres", fields["genres"]),
        ("artist_features", struct_of(embedding.ARTIST_FEATURES)),
    ])  # fmt: skip
    compiled = mapped(by_key(on_albums, "album", schema), embedding.ALBUM_GENRES, sums.compilation_genres)
    assert len(compiled) > SONGS // 10
    of_artists = credits_[["source_row", "artist"]].merge(compiled, on="source_row").drop(columns="source_row")
    schema = pa.schema([*embedding.ARTIST_FEATURES, *list(embedding.ALBUM_GENRES)[1:]])
    both = by_key(artists.merge(of_artists, on="artist", how="left"), "artist", schema)
    completed = mapped(both, embedding.ARTIST_FEATURES, sums.add_compilations)

    by_title = mapped(
        by_key(rows, "title_key", embedding.OCCASION_KEYS), embedding.OCCASION_KEYS, embedding._add_titles
    )
    occasions = mapped(
        by_key(by_title, "album_key", embedding.OCCASION_KEYS), embedding.OCCASION_FLAGS, embedding._add_albums
    )
    described = rows.merge(
        artists_by_song(credits_, completed), left_on="source_row", right_index=True, how="left"
    ).merge(occasions, on="source_row")
    schema = pa.schema([
        *embedding.FEATURES, ("artist_features", struct_of(embedding.ARTIST_FEATURES)),
        *list(embedding.OCCASION_FLAGS)[1:],
    ])  # fmt: skip
    described = pa.Table.from_pandas(described.sort_values("source_row"), schema, preserve_index=False)
    describe = embedding._DescribeSongs(sums, words.dimensions)
    encoder = fit_encoder(describe(described), ranks, BLOCK_NAMES, 3)
    blocks = mapped(batches(described), embedding.BLOCKS, embedding._EncodeBlocks(describe, encoder))
    found = np.stack(blocks["blocks"].to_list())
    wanted = np.concatenate([encoded[name] for name in BLOCK_NAMES], axis=1)
    assert found.shape == (SONGS, sum(encoder.widths.values()))
    assert np.array_equal(found, wanted, equal_nan=True)
