"""Reads JSON tables: an array of objects, or one object per line."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from segue.errors import SourceError
from segue_build.sources.formats.base import Content, Table, iter_chunks
from segue_build.sources.formats.text import detect_encoding, encoding_label, iter_decoded

MAX_OBJECT_LENGTH = 1 << 24  # characters of one object
MAX_FIELD_DEPTH = 4  # levels of nested objects whose fields become columns: {"track": {"album": {"name": ..}}}
EXPECTED_JSON = 'expected one array of objects, [{"name": ..}, ..], or one object per line'
_GAP = re.compile(r"[\s,\ufeff]*")
# Numbers stay as they are written; NaN and Infinity, which JSON does not have, are missing values.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda _: "")


def read_json(content: Content) -> Table:
    """Read a table of objects; every field of any object is a column, in the order in which they first occur.

    Fields of nested objects are columns of their own, ``album.name``. A list is a list of names: of texts, or of
    objects that have a name.

    Raises
    ------
    SourceError
        it is not JSON, or does not hold objects; the message names the line.

    """
    codec = detect_encoding(content)
    headers: dict[str, None] = {}
    count = 0
    for fields in _iter_objects(content, codec):
        headers.update(dict.fromkeys(fields))
        count += 1
    if count < 2:
        raise SourceError(f"{content.name}: {'only one object' if count else 'no object'} in it; {EXPECTED_JSON}")
    format_name = f"{content.describe('JSON')}, {encoding_label(codec)}"
    rows = ([_to_cell(fields.get(header)) for header in headers] for fields in _iter_objects(content, codec))
    return Table(content.name, format_name, list(headers), iter_chunks(rows, len(headers), 2))


def _iter_objects(content: Content, codec: str) -> Iterator[dict[str, Any]]:
    for number, value in enumerate(_iter_values(content, codec), 1):
        if not isinstance(value, dict):
            found = repr(str(value)[:40])
            raise SourceError(f"{content.name}, value {number}: {found} is not an object; {EXPECTED_JSON}")
        yield dict(_flatten(value, "", MAX_FIELD_DEPTH)) if dict in map(type, value.values()) else value


def _iter_values(content: Content, codec: str) -> Iterator[Any]:
    """The values one by one; only the text of the current one is held in memory."""
    buffer, line, in_array, closed = "", 1, False, False
    for block in itertools.chain(iter_decoded(content, codec), [None]):
        buffer += block or ""
        position = _skip_gap(buffer, 0)
        if line == 1 and not in_array and buffer.startswith("[", position):
            in_array, position = True, position + 1
        while (position := _skip_gap(buffer, position)) < len(buffer):
            if in_array and buffer[position] == "]":
                closed, position = True, position + 1
                continue
            try:
                value, position = _DECODER.raw_decode(buffer, position)
            except (json.JSONDecodeError, RecursionError) as error:
                if block is None or len(buffer) - position > MAX_OBJECT_LENGTH or isinstance(error, RecursionError):
                    line_number = line + buffer[:position].count("\n")
                    raise SourceError(
                        f"{content.name}, line {line_number}: not JSON, or cut off ({error}); {EXPECTED_JSON}"
                    ) from error
                break  # the value continues in the next block
            yield value
        line += buffer[:position].count("\n")
        buffer = buffer[position:]
    if in_array and not closed:
        raise SourceError(
            f"{content.name}, line {line}: the array is not closed: the file is cut off; {EXPECTED_JSON}"
        )


def _skip_gap(text: str, position: int) -> int:
    return _GAP.match(text, position).end()  # type: ignore[union-attr] # it matches everywhere


def _flatten(found: dict[str, Any], prefix: str, max_depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if isinstance(value, dict) and max_depth > 1:
            yield from _flatten(value, f"{prefix}{name}.", max_depth - 1)
        else:
            yield f"{prefix}{name}", value


def _to_cell(value: Any) -> str | list[str]:
    """A cell as in CSV, except that lists stay lists."""
    if type(value) is str:
        return value
    if isinstance(value, list):
        return [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in value]
    return "" if value is None else str(value)
