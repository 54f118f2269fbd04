"""NumPy files, memory-mapped, and pages of them given back."""

import threading
from pathlib import Path

import numpy as np
import pytest

from segue.catalog.catalog import map_array, mapped_bytes, unmap_pages

MEGABYTES = 1_000_000
SIZES = {"large": 40 * MEGABYTES, "middle": 20 * MEGABYTES, "small": 10 * MEGABYTES}  # bytes
needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc says what is mapped")


@pytest.fixture
def touched(tmp_path):
    """Mapped arrays of three sizes, every page of which is in memory, and what was there before."""
    before, arrays = mapped_bytes(), {}
    for name, size in SIZES.items():
        np.save(tmp_path / f"{name}.npy", np.arange(size, dtype=np.uint8))
        arrays[name] = map_array(tmp_path / f"{name}.npy")
    yield arrays, before
    unmap_pages(arrays.values(), 0)


def total(array):
    return int(array.sum(dtype=np.int64))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.bool_, np.float16, np.float32, np.int64, np.uint64])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (5,), (4, 3)])
def test_an_array_maps_as_it_was_saved(tmp_path, dtype, shape):
    saved = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    np.save(tmp_path / "array.npy", saved)
    found = map_array(tmp_path / "array.npy")
    np.testing.assert_array_equal(found, saved, strict=True)
    assert not found.flags.writeable


@pytest.mark.parametrize(
    "content", [b"\x93NUMPY", b"PK\x03\x04 a zip", b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False"]
)
def test_what_is_no_plain_numpy_file_is_refused(tmp_path, content):
    (tmp_path / "array.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"array\.npy is no NumPy file"):
        map_array(tmp_path / "array.npy")


def test_a_truncated_file_is_refused(tmp_path):
    np.save(tmp_path / "array.npy", np.arange(100))
    (tmp_path / "array.npy").write_bytes((tmp_path / "array.npy").read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"array\.npy is too short for an array of shape \(100,\)"):
        map_array(tmp_path / "array.npy")


def test_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "array.npy", np.array([{}, []], dtype=object))
    with pytest.raises(ValueError, match="no NumPy file"):
        map_array(tmp_path / "array.npy")


@needs_proc
def test_pages_are_given_back_from_the_largest_array_on_and_read_as_before(touched):
    arrays, before = touched
    totals = {name: total(array) for name, array in arrays.items()}
    grown = mapped_bytes() - before
    assert grown > 0.9 * sum(SIZES.values())
    unmap_pages(arrays.values(), mapped_bytes() - 1)
    assert 0.9 * SIZES["large"] < grown - (mapped_bytes() - before) < 1.1 * SIZES["large"]
    unmap_pages(arrays.values(), 0)
    assert mapped_bytes() - before < 0.1 * sum(SIZES.values())
    assert {name: total(array) for name, array in arrays.items()} == totals


@needs_proc
def test_within_the_bound_every_page_stays(touched):
    arrays, _ = touched
    for array in arrays.values():
        total(array)
    there = mapped_bytes()
    unmap_pages(arrays.values(), 1.1 * there)
    assert mapped_bytes() >= there - MEGABYTES


@needs_proc
def test_threads_read_on_while_pages_are_given_back(touched):
    arrays, _ = touched
    expected, read, done = total(arrays["middle"]), [], threading.Event()

    def reader():
        while not done.is_set():
            read.append(total(arrays["middle"]))

    threads = [threading.Thread(target=reader) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        unmap_pages(arrays.values(), 0)
    done.set()
    for thread in threads:
        thread.join()
    assert read
    assert set(read) == {expected}


def test_without_proc_and_for_arrays_in_memory_nothing_happens(touched, monkeypatch):
    unmap_pages([np.zeros(10)], 0)
    arrays, _ = touched
    monkeypatch.setattr("os.open", lambda *_: (_ for _ in ()).throw(FileNotFoundError()))
    assert mapped_bytes() == 0
    unmap_pages(arrays.values(), 0)
