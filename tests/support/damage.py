"""Versions that lie: seeded changes of a version's arrays and of its manifest, with digests that are right."""

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from segue.catalog import version_files

NUMBERS = (-1, 0, 1, 7, 2**31 - 1, 2**31, 2**63, -(2**31), 10**30, 0.5, -0.5, 1e308, -1e308)
VALUES = (None, True, False, "", "x", "9" * 50, [], {}, [None], [[]], {"id": 0}, *NUMBERS)
ELEMENTS = (-1, 0, 1, 13, 14, 255, 2**15, 2**31 - 1, 2**32 - 1, 2**63, -(2**31))
FLOATS = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-30, 1e30)
DTYPES = ("int8", "uint8", "int16", "int32", "int64", "uint16", "uint64", "float32", "float64", ">i4", "bool", "U1")


def damaged(root: Path, version: str, dice: random.Random) -> tuple[str, str]:
    """Add a version below ``root`` that differs from one in one thing; returns its id, and what was changed."""
    in_array = dice.random() < 0.6
    told = ""

    def change(folder: Path, manifest: dict[str, Any]) -> None:
        nonlocal told
        told = _change_array(folder, manifest, dice) if in_array else _change_entry(manifest, dice)

    return changed_version(root, version, change), told


def changed_version(root: Path, version: str, change: Callable[[Path, dict[str, Any]], None]) -> str:
    """Add a version below ``root`` whose files and manifest are changed copies of another's; returns its id."""
    folder, aside = root / "versions" / version, root / "versions" / "changed"
    aside.mkdir()
    for path in folder.iterdir():
        os.link(path, aside / path.name)
    manifest = json.loads((folder / version_files.MANIFEST).read_bytes())
    change(aside, manifest)
    path = aside / version_files.MANIFEST
    path.unlink()
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    identity = version_files.version_id(path.read_bytes())
    if (root / "versions" / identity).exists():  # nothing was changed
        shutil.rmtree(aside)
        return version
    aside.rename(root / "versions" / identity)
    return identity


def with_array(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path, dict[str, Any]], None]:
    """A change of one array."""

    def change_array(folder: Path, manifest: dict[str, Any]) -> None:
        path = folder / f"{name}.npy"
        changed = change(np.load(path).copy())
        path.unlink()
        np.save(path, changed)
        manifest["files"][path.name] = {"bytes": path.stat().st_size, "sha256": version_files.file_sha256(path)}

    return change_array


def _change_array(folder: Path, manifest: dict[str, Any], dice: random.Random) -> str:
    name, made = dice.choice(sorted(path.stem for path in folder.glob("*.npy"))), dice.choice(CHANGES)
    with_array(name, lambda array: made(array, dice))(folder, manifest)
    declared = manifest["records"]["arrays"]
    if name in declared and dice.random() < 0.5:  # the manifest lies as well
        changed = np.load(folder / f"{name}.npy")
        declared[name] = [changed.dtype.str, list(changed.shape)]
    return f"{name}: {made.__name__}"


def one_element(array: np.ndarray, dice: random.Random) -> np.ndarray:
    _put(array.reshape(-1), [dice.randrange(array.size)] if array.size else [], dice)
    return array


def some_elements(array: np.ndarray, dice: random.Random) -> np.ndarray:
    _put(array.reshape(-1), dice.sample(range(array.size), array.size // 3), dice)
    return array


def all_elements(array: np.ndarray, dice: random.Random) -> np.ndarray:
    _put(array.reshape(-1), range(array.size), dice)
    return array


def _put(flat: np.ndarray, places: Any, dice: random.Random) -> None:
    for place in places:
        value = dice.choice(FLOATS if flat.dtype.kind == "f" else ELEMENTS)
        with np.errstate(all="ignore"):
            flat[place] = np.array(value).astype(flat.dtype)


def random_bytes(array: np.ndarray, dice: random.Random) -> np.ndarray:
    return np.frombuffer(dice.randbytes(array.nbytes), array.dtype).reshape(array.shape)


def shuffled(array: np.ndarray, dice: random.Random) -> np.ndarray:
    np.random.default_rng(dice.getrandbits(32)).shuffle(array)
    return array


def backwards(array: np.ndarray, dice: random.Random) -> np.ndarray:
    return array[::-1]


def shorter(array: np.ndarray, dice: random.Random) -> np.ndarray:
    return array[: dice.randrange(len(array) + 1)]


def longer(array: np.ndarray, dice: random.Random) -> np.ndarray:
    return np.concatenate([array, array[: 1 + dice.randrange(len(array) + 1)]])


def another_shape(array: np.ndarray, dice: random.Random) -> np.ndarray:
    return dice.choice([array[None], array[:, None], array.reshape(-1), array.T, np.array(0, array.dtype)])


def another_dtype(array: np.ndarray, dice: random.Random) -> np.ndarray:
    with np.errstate(all="ignore"):
        return array.astype(dice.choice(DTYPES))


CHANGES = (
    one_element, one_element, some_elements, all_elements, random_bytes, shuffled, backwards, shorter, longer,
    another_shape, another_dtype,
)  # fmt: skip


def _change_entry(manifest: dict[str, Any], dice: random.Random) -> str:
    """Replace, remove or repeat one entry, at any depth; digests and sizes of files stay right."""
    owner, key = dice.choice(list(_entries(manifest, ("format", "files"))))
    kind = dice.choice(("replace", "replace", "remove", "repeat", "nudge"))
    value = owner[key]
    if kind == "remove":
        del owner[key]
    elif kind == "repeat" and isinstance(owner, list):
        owner.insert(key, value)
    elif kind == "nudge" and type(value) in (int, float):
        owner[key] = value + dice.choice((-1, 1, 100))
    else:
        owner[key] = dice.choice(VALUES)
    return f"manifest: {kind} {key} {str(value)[:40]} -> {str(owner[key])[:40] if kind == 'replace' else ''}"


def _entries(value: Any, left_out: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """Each place of an object or list, those in it included; of large parts as many as of small ones."""
    keys = [key for key in value if key not in left_out] if isinstance(value, dict) else list(range(len(value)))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _entries(value[key])
