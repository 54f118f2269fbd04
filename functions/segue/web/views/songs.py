"""``/songs?ids=``: several songs in one answer, with what they sound like."""

from typing import Any

import numpy as np
from werkzeug.wrappers import Response

from segue.catalog import Catalog, lookup
from segue.query.attributes import AUDIO
from segue.query.reader import Reader
from segue.responses import json_response
from segue.web import answers
from segue.web.views.call import Call, refuse

MOST = 100  # ids in a request
DIGITS = 4  # of features


def songs(call: Call) -> Response:
    """Songs by id, in the order of the ids; null where there is none."""
    call.arguments(("ids",))
    reader = Reader()
    given = reader.listed(call.request.args.get("ids", "").split(","), "/ids", 1, MOST)
    ids = [reader.identifier(identity, "/ids") for identity in given]
    refuse(reader)
    catalog = call.catalog()
    return json_response({"songs": _told(catalog, lookup.by_ids(catalog, ids))})


def _told(catalog: Catalog, found: list[int | None]) -> list[dict[str, Any] | None]:
    rows = [row for row in found if row is not None]
    told = iter(_with_sound(catalog, rows))
    return [None if row is None else next(told) for row in found]


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
