"""``/songs``: several songs in one answer, with what they sound like."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from werkzeug.wrappers import Response

from segue.catalog import Catalog, lookup
from segue.query import Vocabulary
from segue.query.attributes import AUDIO
from segue.query.reader import Reader
from segue.web import answers, formats
from segue.web.views.call import Asked, Call, refuse

MOST, MOST_POSTED = 100, 1000  # ids in a URL, which servers cut, and in a body
DIGITS = 4  # of features


def songs(call: Call) -> Response:
    """Songs by id, in the order of the ids; null where there is none, and nothing in files."""
    if call.request.method == "POST":
        return call.posted(SONGS)
    wanted = formats.wanted(call.request)
    call.arguments(("ids", formats.PARAMETER))
    ids = _ids(call.request.args.get("ids", "").split(","), Reader(), MOST)
    return formats.response(wanted, _answer(call.catalog(), ids))


def _read(body: object, _: Vocabulary) -> list[str]:
    reader = Reader()
    return _ids(reader.record(body, "", ("ids",)).get("ids", []), reader, MOST_POSTED)


def _ids(given: object, reader: Reader, most: int) -> list[str]:
    ids = [reader.identifier(one, f"/ids/{place}") for place, one in enumerate(reader.listed(given, "/ids", 1, most))]
    refuse(reader)
    return ids


def _answer(catalog: Catalog, ids: Sequence[str]) -> dict[str, Any]:
    rows = lookup.by_ids(catalog, ids)
    told = iter(_with_sound(catalog, [row for row in rows if row is not None]))
    return {"songs": [None if row is None else next(told) for row in rows]}


def _with_sound(catalog: Catalog, rows: list[int]) -> list[dict[str, Any]]:
    """What lists say of songs, their years and audio features; null where the table says nothing."""
    held = catalog.manifest["attributes"]
    features = {one.name: _numbers(catalog, one.name, rows, one.whole) for one in AUDIO if one.name in held}
    years = _numbers(catalog, "year", rows, True) if "year" in held else [None] * len(rows)
    return [
        {**brief, "year": year, "features": {name: column[place] for name, column in features.items()}}
        for place, (brief, year) in enumerate(zip(answers.songs(catalog, rows), years))
    ]


def _numbers(catalog: Catalog, name: str, rows: list[int], whole: bool) -> list[float | None]:
    values = catalog.attribute(name)[np.asarray(rows, np.int64)].astype(np.float64)
    return [None if value != value else round(value, None if whole else DIGITS) for value in values.tolist()]


SONGS = Asked(_read, _answer, lambda ids: (0, len(ids)))
