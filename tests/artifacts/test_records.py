"""Records: made from a version's files, the same each time, and published beside them."""

import hashlib

import numpy as np
import pytest

from segue.catalog.remote.blocks import CELLS, MANIFEST_KEY, Block, BlockIndex
from segue.errors import ArtifactsError
from segue.releases.store import LocalStore
from segue_build.artifacts import records
from segue_build.releases.publish import PublishOptions, publish


def objects(root):
    return {path.name: path.read_bytes() for path in root.glob("versions/*/records-*.bin")}


def test_the_digests_of_a_fit_are_those_of_its_records(demo_catalog):
    made = records.records_of(demo_catalog)
    contents = [made.record(number) for number in range(len(made))]
    assert np.diff(demo_catalog.array("record_offsets")).tolist() == [len(content) for content in contents]
    digests = [hashlib.sha256(content).digest() for content in contents]
    assert digests == [digest.tobytes() for digest in demo_catalog.array("record_digests")]
    with pytest.raises(IndexError):
        made.record(len(made))


def test_a_cell_holds_its_songs_and_what_they_refer_to(demo_catalog):
    made, arrays = records.records_of(demo_catalog), list(BlockIndex(demo_catalog).arrays.values())
    offsets, by, works = (demo_catalog.array(name) for name in ("cell_offsets", "song_artists", "works"))
    for cell in range(made.counts[CELLS]):
        piece, rows = Block(made.record(cell), arrays), np.arange(*offsets[cell : cell + 2])
        for name in ("vectors", "pq_codes", "attribute_tempo", "song_albums"):
            np.testing.assert_array_equal(piece.segments(name).values, demo_catalog.array(name)[rows])
        links = demo_catalog.array("song_artists_offsets")[[rows[0], rows[-1] + 1]]
        for name, owners in (("artists_offsets", by[slice(*links)]), ("work_offsets", works[rows])):
            runs = piece.segments(name)
            expected = demo_catalog.array(name)[owners]
            np.testing.assert_array_equal(runs.values[runs.positions(owners.astype(np.int64))], expected)


def test_records_are_published_once_and_replaced_where_they_rotted(demo_catalog, tmp_path, capsys):
    publish(demo_catalog, LocalStore(tmp_path), PublishOptions())
    published = objects(tmp_path)
    assert sum(map(len, published.values())) == demo_catalog.array("record_offsets")[-1]
    capsys.readouterr()
    publish(demo_catalog, LocalStore(tmp_path), PublishOptions())
    assert "records" not in capsys.readouterr().err
    path = next(tmp_path.glob("versions/*/records-00000.bin"))
    for content in (b"", path.read_bytes()[:-1], path.read_bytes()[::-1]):
        path.write_bytes(content)
        publish(demo_catalog, LocalStore(tmp_path), PublishOptions())
        assert objects(tmp_path) == published


def test_records_of_another_fit_are_not_published(demo_catalog, tmp_path, monkeypatch):
    monkeypatch.setattr(records.RecordBuilder, "record", lambda *_: b"others")
    with pytest.raises(ArtifactsError, match=r"records of version \w+ are not those of its fit: fit it again"):
        publish(demo_catalog, LocalStore(tmp_path), PublishOptions())
    assert not list(tmp_path.glob("current.json"))


def test_the_manifest_describes_every_array(demo_catalog):
    described = demo_catalog.manifest[MANIFEST_KEY]["arrays"]
    assert {f"{name}.npy" for name in described} | {
        "catalog.parquet", "record_offsets.npy", "record_digests.npy", "record_keys.npy", "block_digests.npy",
    } == set(demo_catalog.manifest["files"])  # fmt: skip
    for name, (kind, shape) in described.items():
        array = demo_catalog.array(name)
        assert (array.dtype.str, list(array.shape)) == (kind, shape)
