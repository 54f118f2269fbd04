"""Checks a version against its declarations: the manifest's entries below, and :mod:`segue.catalog.schema`'s arrays.

Opening a version checks the entries, of lists the first and the last one, and the form of each array; mapping an
array checks some of its elements, on pages that are touched anyway. Publishing and refreshing check all of both, and
so does whoever meets an error while answering: either the version is damaged, or the fault is ours.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.schema import ARRAYS, ATTRIBUTE_PREFIX, LISTS, TABLE_FILE, schema_of
from segue.errors import ArtifactsError

SAMPLE_BYTES = 1024  # of an array, which its first page holds
CHUNK_BYTES = 1 << 20  # of an array that are checked at a time
TOLERANCE = 1e-6  # of weights that add up to 1
_LENGTHS_OF_LISTS = ("items", "bytes")  # which offsets tell
_OF_SOME = ("neighbour_", "isrc_")  # arrays of versions that have something to put into them
_DIVIDED = {array.offsets: array.name for array in ARRAYS.values() if array.offsets}
_DIVIDED_AXES = {
    name: array.values.removeprefix("offsets of ") for name, array in ARRAYS.items() if "offsets of" in array.values
}

# What an entry must be: a type, a range of whole numbers, the (least, most) of any number, or a set of it and None,
# where it may be null; lists of such; objects that have at least these keys, or whose values are all of one kind.
_COUNT, _INDEX = range(1, 2**31), range(2**31)
_SHARE, _NUMBER = (0.0, 1.0), (-1e12, 1e12)
_BUDGET = {"candidates": _COUNT, "rescored": _COUNT, "recall": _SHARE}
ENTRIES: Mapping[str, Any] = {
    "songs": _COUNT,
    "recommendable": _INDEX,
    "works": _COUNT,
    "space": {
        "blocks": [{
            "name": str, "start": _INDEX, "stop": _COUNT, "weight": _SHARE, "scale": (1e-4, 1e4),
            "exponent": (0, 1e3),
        }],
        "spread": [(0, 1e6)], "audio_step": (1e-9, 1e9), "audio_zero_point": [_NUMBER], "joint_weight": _SHARE,
        "co_occurrence_weight": _SHARE,
    },
    "genres": [str],
    "attributes": [str],
    "has_explicit": bool,
    "clusters": [{
        "id": _INDEX, "name": str, "family": _INDEX, "size": _COUNT, "genres": [{"name": str, "share": _SHARE}],
        "features": {str: frozenset({None, _NUMBER})}, "differences": {str: frozenset({None, _NUMBER})},
        "near": [_INDEX], "first": _INDEX,
    }],
    "families": [{"id": _INDEX, "name": str, "size": _COUNT, "clusters": [_INDEX]}],
    "row_groups": [_INDEX],
    "records": {"arrays": {str: list}, "records": {str: _INDEX}},
    "search": {"song": _BUDGET, "mixture": _BUDGET, "sound": _BUDGET},
    "quality": {str: dict},
    "invented": bool,
    "parameters": dict,
    "files": {str: {"bytes": range(2**63), "sha256": str}},
}  # fmt: skip
_FIRST_READ = {"songs", "files"}  # without which nothing can be opened
_OPTIONAL = {"records"}  # a version without them is fetched in whole files


def damage_of(catalog: Catalog) -> str | None:
    """What is wrong with a version, found out once where all of it is here; None if an error has another cause."""

    def find_damage() -> str | None:
        try:
            check_catalog(catalog)
        except ArtifactsError as error:
            return str(error)
        return None

    return find_damage() if catalog.is_remote else catalog.cached("damage", find_damage)


def check_catalog(catalog: Catalog) -> None:
    """Check the manifest of a version, and all of its files and blocks that are here.

    Raises
    ------
    ArtifactsError
        something is not what is declared; the message names the file and the rule.

    """
    check_manifest(catalog.manifest, catalog.version, whole=True)
    checker = ArrayChecker(catalog.manifest, catalog.version)
    checker.check_declared()
    for name, elements in catalog.parts():
        checker.check_part(name, elements) if catalog.is_remote else checker.check_whole(name, elements)
    if catalog.is_remote:
        return
    for (_, items), names in LISTS.items():
        if items == "heap":
            checker.check_texts(names.values, *map(catalog.array, names))
    checker.check_agreement(catalog.array, catalog.manifest["recommendable"])
    check_table(catalog.path(TABLE_FILE), catalog.manifest, catalog.version)


def check_manifest(manifest: Mapping[str, Any], version: str, *, whole: bool = False) -> None:
    """Check the entries that a manifest has; ``whole``: every one, that none is missing, and how they agree.

    Raises
    ------
    ArtifactsError
        one is not what it must be; the message names it.

    """
    faults = _manifest_faults(manifest, whole)
    for fault in itertools.islice(faults, 1):
        raise ArtifactsError(f"manifest.json of version {version}: {fault}; fit it again")


def _manifest_faults(manifest: Mapping[str, Any], whole: bool) -> Iterator[str]:
    needed = ENTRIES.keys() - _OPTIONAL if whole else _FIRST_READ
    declared = {name: kind for name, kind in ENTRIES.items() if name in needed or name in manifest}
    yield from _faults(manifest, declared, "", whole)
    if whole:
        yield from _disagreements(manifest)
        yield from (
            f"it names no {name}.npy" for name in _needed_arrays(manifest) if f"{name}.npy" not in manifest["files"]
        )


def _faults(value: Any, declared: Any, path: str, whole: bool) -> Iterator[str]:
    """What is wrong with an entry and those in it."""
    match declared:
        case dict() if isinstance(value, dict):
            if str in declared:
                declared = dict.fromkeys(value, declared[str])
            for name, kind in declared.items():
                if name in value:
                    yield from _faults(value[name], kind, f"{path}/{name}", whole)
                else:
                    yield f"{path[1:] or 'it'} has no '{name}'"
        case list() if isinstance(value, list):
            for number in range(len(value)) if whole or not value else {0, len(value) - 1}:
                yield from _faults(value[number], declared[0], f"{path}/{number}", whole)
        case _ if not _is_allowed(value, declared):
            yield f"{path[1:]} is {_shown(value)}, not {_described(declared)}"


def _is_allowed(value: Any, declared: Any) -> bool:
    match declared:
        case range():
            return type(value) is int and value in declared
        case (low, high):
            return type(value) in (int, float) and bool(low <= value <= high)
        case frozenset():
            return value is None or any(_is_allowed(value, one) for one in declared - {None})
        case type():
            return isinstance(value, declared)
        case _:
            return False  # no list, or no object


def _shown(value: Any) -> str:
    return f"'{value[:40]}'" if isinstance(value, str) else str(value)[:40]


def _described(declared: Any) -> str:
    match declared:
        case range():
            return f"a whole number {declared.start}..{declared.stop - 1}"
        case (low, high):
            return f"a number {low:g}..{high:g}"
        case frozenset():
            return f"null or {_described(next(iter(declared - {None})))}"
        case type():
            return {str: "a text", bool: "true or false", dict: "an object", list: "a list"}[declared]
        case _:
            return "a list" if isinstance(declared, list) else "an object"


def _disagreements(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Entries that contradict each other."""
    songs, clusters, blocks = manifest["songs"], manifest["clusters"], manifest["space"]["blocks"]
    for name in ("recommendable", "works"):
        if manifest[name] > songs:
            yield f"{name} is {manifest[name]}, of {songs} songs"
    for name, starts, end in (
        ("clusters", [(one["first"], one["first"] + one["size"]) for one in clusters], songs),
        ("space/blocks", [(one["start"], one["stop"]) for one in blocks], len(manifest["space"]["spread"])),
        ("row_groups", list(itertools.pairwise([*manifest["row_groups"], songs])), songs),
    ):
        edges = [0, *(stop for _, stop in starts)]
        if edges[-1] != end or any(first != edge or stop <= first for (first, stop), edge in zip(starts, edges)):
            yield f"{name} don't divide 0..{end} into parts"
    yield from _wrong_references(manifest)
    audio = {one["stop"] - one["start"] for one in blocks if one["name"] == "audio"}
    if audio != {len(manifest["space"]["audio_zero_point"])}:
        yield "space/audio_zero_point has not a number for each column of the block 'audio'"
    weights = [one["weight"] for one in blocks]
    total = sum(weights) + manifest["space"]["joint_weight"] + manifest["space"]["co_occurrence_weight"]
    if abs(total - 1) > TOLERANCE:
        yield f"space: its weights add up to {total:g}, not 1"


def _needed_arrays(manifest: Mapping[str, Any]) -> list[str]:
    some = _OF_SOME if "records" in manifest else (*_OF_SOME, "record_", "block_")
    attributes = [f"{ATTRIBUTE_PREFIX}{name}" for name in (*manifest["attributes"], "popularity", "explicit")]
    return [name for name in ARRAYS if not name.startswith(some)] + attributes


def _wrong_references(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Names and ids that are twice in a list, or in none."""
    ids = [one["id"] for one in manifest["clusters"]]
    families = [one["id"] for one in manifest["families"]]
    for name, entries in (("genres", manifest["genres"]), ("clusters", ids), ("families", families)):
        if len(set(entries)) < len(entries):
            yield f"{name}: one is there twice"
    near = {number for one in manifest["clusters"] for number in one["near"]}
    inside = {number for one in manifest["families"] for number in one["clusters"]}
    of_family = {one["family"] for one in manifest["clusters"]}
    for name, used, known in (("near", near, ids), ("families", inside, ids), ("family", of_family, families)):
        yield from (f"{name}: {number} is the id of none" for number in used.difference(known))


class Rule(NamedTuple):
    """What is required of elements, see :class:`segue.catalog.schema.ArraySchema`.

    axis, times : whose elements they number, and how many times as many there are, instead of ``high``
    """

    order: str
    low: float | None
    high: float
    axis: str
    times: int


class Axis(NamedTuple):
    """An axis of a shape: of a size, or with a name and perhaps one element more than it says."""

    size: int | None
    name: str
    more: int


@functools.cache
def _rule(values: str) -> Rule:
    if values.startswith("offsets of "):
        return Rule("rising", None, math.inf, "", 1)
    order = next((word for word in ("rising", "strict") if values.startswith(word)), "")
    low, _, high = values.removeprefix(order).strip().partition("..")
    axis, _, times = high.partition("*")
    if axis.isalpha():
        return Rule(order, float(low), math.inf, axis, int(times or 1))
    return Rule(order, float(low) if low else None, float(high or math.inf), "", 1)


@functools.cache
def _axes(shape: str) -> list[Axis]:
    parts = [part.partition(" + ") for part in shape.split(", ")]
    return [Axis(int(name) if name.isdigit() else None, name, int(more or 0)) for name, _, more in parts]


@functools.cache
def _dtypes(names: str) -> frozenset[str]:
    return frozenset(np.dtype(name).str for name in names.split())


class ArrayChecker:
    """Checks the arrays of a version; axes whose size no entry tells have that of the first array that has them.

    Its methods raise ArtifactsError, which names the file and what is wrong with it.
    """

    def __init__(self, manifest: Mapping[str, Any], version: str):
        self._version = version
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._sizes = _known_sizes(manifest)
        self._declared = manifest.get("records", {}).get("arrays", {})

    def check_declared(self) -> None:
        """Check the forms that the manifest says arrays have, by which parts of them are read from a store."""
        for name in self._declared:
            self._declared_shape(name)

    def check_form(self, name: str, dtype: np.dtype, shape: tuple[int, ...]) -> None:
        """Check the dtype and the shape of an array; nothing reads one that no schema declares."""
        if not is_declared(name):
            return
        declared = schema_of(name)
        axes = _axes(declared.shape)
        sizes = tuple(map(self._size, axes, shape)) if len(axes) == len(shape) else None
        has_dtype = dtype.str in _dtypes(declared.dtype)
        if not has_dtype or sizes != shape or shape != self._shapes.setdefault(name, shape):
            known = ", ".join(str(self._sizes.get(axis.name, axis.name)) + " + 1" * axis.more for axis in axes)
            raise self._damage(name, f"is {dtype} of shape {shape}, not {declared.dtype} of ({known})")

    def check_sample(self, name: str, array: np.ndarray) -> None:
        """Check the form of an array and its first elements; of offsets the last one, too."""
        self.check_form(name, array.dtype, array.shape)
        if len(array):
            self.check_part(name, array[: max(1, SAMPLE_BYTES * len(array) // max(array.nbytes, 1))])
            self._check_ends(name, array)

    def check_whole(self, name: str, array: np.ndarray) -> None:
        """Check every element of an array."""
        self.check_sample(name, array)
        step = max(1, CHUNK_BYTES * len(array) // max(array.nbytes, 1))
        for first in range(0, len(array), step):
            self.check_part(name, array[max(first - 1, 0) : first + step])

    def check_texts(self, name: str, offsets: np.ndarray, heap: np.ndarray) -> None:
        """Check that every text is UTF-8: together they are, and each begins with a character."""
        starts = offsets[:-1][offsets[:-1] < len(heap)]
        try:
            str(heap.data, "utf-8")
        except UnicodeDecodeError as error:
            raise self._damage(name, f"is not UTF-8 at byte {error.start}") from None
        if ((heap[starts] & 0xC0) == 0x80).any():  # a byte that continues a character
            raise self._damage(name, "has a text that begins inside a character")

    def check_agreement(self, array: Callable[[str], np.ndarray], recommendable: int) -> None:
        """Check what arrays say of each other: songs of works and of artists, and how many are recommendable."""
        one_each = np.arange(len(array("works")) + 1)
        for owner, offsets, owners in (
            ("work", one_each, "works"),
            ("artist", array("song_artists_offsets"), "song_artists"),
        ):
            of_songs = _pairs(offsets, array(owners))
            of_owners = _pairs(array(f"{owner}_offsets"), array(f"{owner}_songs"))[::-1]
            if not np.array_equal(_sorted_pairs(*of_songs), _sorted_pairs(*of_owners)):
                raise self._damage(f"{owner}_songs", f"lists other songs than {owners} says")
        if np.count_nonzero(array("recommendable")) != recommendable:
            raise self._damage("recommendable", f"is not true of {recommendable} songs")

    def _declared_shape(self, name: str) -> tuple[int, ...] | None:
        """The shape that an array has, or that the manifest says it has; None if neither is known."""
        if name not in self._shapes and name in self._declared:
            match self._declared[name]:
                case [str(kind), [*shape]] if all(type(size) is int and size >= 0 for size in shape):
                    self.check_form(name, self._to_dtype(name, kind), tuple(shape))
                case form:
                    raise self._damage(name, f"is declared as {_shown(form)}")
        return self._shapes.get(name)

    def _to_dtype(self, name: str, kind: str) -> np.dtype:
        try:
            return np.dtype(kind)
        except (TypeError, ValueError):
            raise self._damage(name, f"is declared as {_shown(kind)}") from None

    def _size(self, axis: Axis, found: int) -> int:
        """The size that an axis must have, given the one that it has."""
        if axis.size is not None:
            return axis.size
        if axis.name in _LENGTHS_OF_LISTS:
            return found
        return self._sizes.setdefault(axis.name, max(found - axis.more, 0)) + axis.more

    def check_part(self, name: str, values: np.ndarray) -> None:
        """Check some elements, in the order in which the array has them."""
        if not is_declared(name) or not len(values):
            return
        declared = schema_of(name)
        rule = _rule("rising" if name in _DIVIDED and not declared.values else declared.values)
        high = rule.times * self._sizes.get(rule.axis, math.inf) - 1 if rule.axis else rule.high
        values = values.view(np.uint8) if values.dtype == bool else values
        if name.startswith(ATTRIBUTE_PREFIX):
            values = values[~np.isnan(values)]  # unknown
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise self._damage(name, "holds a number that is not finite")
        if rule.low is not None and values.size and not rule.low <= values.min() <= values.max() <= high:
            raise self._damage(name, f"holds {values.min()}..{values.max()}, not {rule.low:g}..{high:g}")
        after, before = values[..., 1:], values[..., :-1]
        if rule.order and bool((after <= before if rule.order == "strict" else after < before).any()):
            raise self._damage(name, "does not rise")

    def _check_ends(self, name: str, array: np.ndarray) -> None:
        """Check that offsets begin with 0 and end with the length of what they divide."""
        if name in _DIVIDED_AXES:
            end = self._sizes.get(_DIVIDED_AXES[name])
        elif name in _DIVIDED:
            end = (self._declared_shape(_DIVIDED[name]) or (None,))[0]
        else:
            return
        if array[0] != 0 or end not in (None, int(array[-1])):
            raise self._damage(name, f"goes from {array[0]} to {array[-1]}, not from 0 to {end}")

    def _damage(self, name: str, fault: str) -> ArtifactsError:
        return ArtifactsError(f"{name}.npy of version {self._version} {fault}; fit it again")


def _known_sizes(manifest: Mapping[str, Any]) -> dict[str, int]:
    """The sizes of axes that a manifest tells."""
    space = manifest.get("space", {})
    lists = {"dims": space.get("spread"), "blocks": space.get("blocks")}
    lists |= {name: manifest.get(name) for name in ("genres", "clusters")}
    counts = {name: manifest[name] for name in ("songs", "works") if name in manifest}
    return counts | {name: len(entries) for name, entries in lists.items() if entries is not None}


def _pairs(offsets: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each owner of a list with each of its values."""
    counts: np.ndarray = np.diff(offsets.astype(np.int64))
    return np.repeat(np.arange(len(counts)), counts), values.astype(np.int64)


def _sorted_pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.sort(first << 32 | second)


def is_declared(name: str) -> bool:
    """Whether there is a schema of an array."""
    return name in ARRAYS or name.startswith(ATTRIBUTE_PREFIX)


def check_table(path: Path, manifest: Mapping[str, Any], version: str) -> None:
    """Read all of ``catalog.parquet``, whose row groups the manifest names. Raises ArtifactsError."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            sizes = [file.read_row_group(number, use_threads=False).num_rows for number in range(file.num_row_groups)]
    except (ArrowException, OSError, ValueError) as error:
        raise ArtifactsError(f"{TABLE_FILE} of version {version} can't be read ({type(error).__name__})") from error
    if [*itertools.accumulate(sizes, initial=0)] != [*manifest["row_groups"], manifest["songs"]]:
        raise ArtifactsError(
            f"{TABLE_FILE} of version {version} has other row groups than its manifest; fit it again"
        )
