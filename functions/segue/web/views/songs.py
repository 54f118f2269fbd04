"""``/songs``: several songs in one answer, with what they sound like and where they lie on the map."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from werkzeug.wrappers import Response

from segue.catalog import Catalog, lookup
from segue.errors import Fault, InvalidQuery
from segue.query import Vocabulary
from segue.query.attributes import AUDIO
from segue.query.reader import Reader
from segue.web import answers, formats
from segue.web.views.call import Asked, Call, refuse

MOST, MOST_POSTED = 100, 1000  # songs in a URL, which servers cut, and in a body
DIGITS = 4  # of features
_ROW = re.compile(r"\d{1,10}", re.ASCII)


def songs(call: Call) -> Response:
    """Songs by id or row, in that order; null where no song has an id, and nothing in files."""
    if call.request.method == "POST":
        return call.posted(SONGS)
    wanted, given = formats.wanted(call.request), call.arguments(("ids", "rows", formats.PARAMETER))
    if ("ids" in given) == ("rows" in given):
        raise InvalidQuery([Fault("", "expected ids or rows, one of them")])
    if "ids" in given:
        ids = _ids(given["ids"].split(","), Reader(), MOST)
        return formats.response(wanted, _answer(call.catalog(), ids))
    catalog = call.catalog()
    return formats.response(wanted, _told(catalog, _rows(given["rows"].split(","), len(catalog))))


def _read(body: object, _: Vocabulary) -> list[str]:
    reader = Reader()
    return _ids(reader.record(body, "", ("ids",)).get("ids", []), reader, MOST_POSTED)


def _ids(given: object, reader: Reader, most: int) -> list[str]:
    ids = [reader.identifier(one, f"/ids/{place}") for place, one in enumerate(reader.listed(given, "/ids", 1, most))]
    refuse(reader)
    return ids


def _rows(given: list[str], n_songs: int) -> list[int]:
    reader = Reader()
    for place, text in enumerate(reader.listed(given, "/rows", 1, MOST)):
        if not _ROW.fullmatch(text) or int(text) >= n_songs:
            reader.fault(f"/rows/{place}", f"expected a row of this model, 0..{n_songs - 1}")
    refuse(reader)
    return [int(text) for text in given]


def _answer(catalog: Catalog, ids: Sequence[str]) -> dict[str, Any]:
    return _told(catalog, lookup.by_ids(catalog, ids))


def _told(catalog: Catalog, rows: Sequence[int | None]) -> dict[str, Any]:
    told = iter(_with_sound(catalog, [row for row in rows if row is not None]))
    return {"songs": [None if row is None else next(told) for row in rows], "model": catalog.version}


def _with_sound(catalog: Catalog, rows: list[int]) -> list[dict[str, Any]]:
    """What lists say of songs, where they lie, their years and audio features; null where the table says nothing."""
    held = catalog.manifest["attributes"]
    features = {one.name: _numbers(catalog, one.name, rows, one.whole) for one in AUDIO if one.name in held}
    years = _numbers(catalog, "year", rows, True) if "year" in held else [None] * len(rows)
    listed = zip(rows, catalog.array("map")[rows].tolist(), answers.songs(catalog, rows), years)
    return [
        {
            **answers.placed("row", row, brief, {"x": x, "y": y}),
            "year": year,
            "features": {name: column[place] for name, column in features.items()},
        }
        for place, (row, (x, y), brief, year) in enumerate(listed)
    ]


def _numbers(catalog: Catalog, name: str, rows: list[int], whole: bool) -> list[float | None]:
    values = catalog.attribute(name)[np.asarray(rows, np.int64)].astype(np.float64)
    return [None if value != value else round(value, None if whole else DIGITS) for value in values.tolist()]


SONGS = Asked(_read, _answer, lambda ids: (0, len(ids)))
