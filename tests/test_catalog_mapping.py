"""NumPy files, memory-mapped."""

import numpy as np
import pytest

from segue.catalog.mapping import mapped


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.bool_, np.float16, np.float32, np.int64, np.uint64])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (5,), (4, 3)])
def test_an_array_maps_as_it_was_saved(tmp_path, dtype, shape):
    saved = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    np.save(tmp_path / "array.npy", saved)
    found = mapped(tmp_path / "array.npy")
    np.testing.assert_array_equal(found, saved, strict=True)
    assert not found.flags.writeable


@pytest.mark.parametrize(
    "content", [b"\x93NUMPY", b"PK\x03\x04 a zip", b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False"]
)
def test_what_is_no_plain_numpy_file_is_refused(tmp_path, content):
    (tmp_path / "array.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"array\.npy is no NumPy file"):
        mapped(tmp_path / "array.npy")


def test_a_truncated_file_is_refused(tmp_path):
    np.save(tmp_path / "array.npy", np.arange(100))
    (tmp_path / "array.npy").write_bytes((tmp_path / "array.npy").read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"array\.npy is too short for an array of shape \(100,\)"):
        mapped(tmp_path / "array.npy")


def test_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "array.npy", np.array([{}, []], dtype=object))
    with pytest.raises(ValueError, match="no NumPy file"):
        mapped(tmp_path / "array.npy")
