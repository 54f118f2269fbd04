"""Tables as JSON: an array of objects, or one object a line."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from segue_build.sources.formats.content import Content
from segue_build.sources.formats.encoding import decoded, encoding_of, label
from segue_build.sources.formats.table import Table, chunked
from segue.errors import SourceError

LONGEST = 1 << 24  # characters of one object
DEEPEST = 4  # objects within objects whose fields are columns: {"track": {"album": {"name": ..}}}
EXPECTED = 'expected one array of objects, [{"name": ..}, ..], or one object a line'
_BETWEEN = re.compile(r"[\s,\ufeff]*")
# Numbers stay as they are written; what JSON does not have (NaN, Infinity) is nothing.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda _: "")


def objects(content: Content) -> Table:
    """Read a table of objects; every field that any of them has is a column, in the order in which they first come.

    Fields of objects within objects are columns of their own, ``album.name``. A list is a list of names: of texts,
    or of objects that have a name.

    Raises
    ------
    SourceError
        it is no JSON, or not of objects; the message names the line.

    """
    codec = encoding_of(content)
    headers: dict[str, None] = {}
    count = 0
    for found in _objects(content, codec):
        headers.update(dict.fromkeys(found))
        count += 1
    if count < 2:
        raise SourceError(f"{content.name}: {'only one object' if count else 'no object'} in it; {EXPECTED}")
    form = f"{content.form('JSON')}, {label(codec)}"
    rows = ([_cell(found.get(header)) for header in headers] for found in _objects(content, codec))
    return Table(content.name, form, list(headers), chunked(rows, len(headers), 2))


def _objects(content: Content, codec: str) -> Iterator[dict[str, Any]]:
    for number, found in enumerate(_values(content, codec), 1):
        if not isinstance(found, dict):
            raise SourceError(f"{content.name}, value {number}: {str(found)[:40]!r} is no object; {EXPECTED}")
        yield dict(_flat(found, "", DEEPEST)) if dict in map(type, found.values()) else found


def _values(content: Content, codec: str) -> Iterator[Any]:
    """One value after the other; of the text only what they need is held."""
    held, line, array, closed = "", 1, False, False
    for piece in itertools.chain(decoded(content, codec), [None]):
        held += piece or ""
        place = _after_gap(held, 0)
        if line == 1 and not array and held.startswith("[", place):
            array, place = True, place + 1
        while (place := _after_gap(held, place)) < len(held):
            if array and held[place] == "]":
                closed, place = True, place + 1
                continue
            try:
                value, place = _DECODER.raw_decode(held, place)
            except (json.JSONDecodeError, RecursionError) as error:
                if piece is None or len(held) - place > LONGEST or isinstance(error, RecursionError):
                    at = line + held[:place].count("\n")
                    raise SourceError(
                        f"{content.name}, line {at}: no JSON, or cut off ({error}); {EXPECTED}"
                    ) from error
                break  # it goes on in the next piece
            yield value
        line += held[:place].count("\n")
        held = held[place:]
    if array and not closed:
        raise SourceError(f"{content.name}, line {line}: the array is not closed: the file is cut off; {EXPECTED}")


def _after_gap(text: str, place: int) -> int:
    return _BETWEEN.match(text, place).end()  # type: ignore[union-attr] # it matches everywhere


def _flat(found: dict[str, Any], prefix: str, deepest: int) -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if isinstance(value, dict) and deepest > 1:
            yield from _flat(value, f"{prefix}{name}.", deepest - 1)
        else:
            yield f"{prefix}{name}", value


def _cell(value: Any) -> str | list[str]:
    """As CSV would have it, but for lists."""
    if type(value) is str:
        return value
    if isinstance(value, list):
        return [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in value]
    return "" if value is None else str(value)
