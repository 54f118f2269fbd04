"""Whatever is asked of the OpenSubsonic API, it answers in that API's shapes."""

import json
import random
from collections import Counter
from urllib.parse import quote
from xml.etree.ElementTree import ParseError

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue import VERSION
from segue.catalog import load
from segue.catalog.lookup.exact import album_id, artist_id
from segue.config import Config
from segue.subsonic.routes import METHODS as SERVED
from segue.web.service import Service
from tests.support.dialects import xml
from tests.support.hostile_requests import METHODS, TEXTS

CODES = {0, 10, 70}
HEAD = {"version": "1.16.1", "type": "segue", "serverVersion": VERSION}
KEYS = {
    "ping": None, "getLicense": "license", "tokenInfo": "tokenInfo", "search3": "searchResult3",
    "getOpenSubsonicExtensions": "openSubsonicExtensions", "getSimilarSongs": "similarSongs",
    "getSimilarSongs2": "similarSongs2", "getSonicSimilarTracks": "sonicMatch", "findSonicPath": "sonicMatch",
    "getTopSongs": "topSongs",
}  # fmt: skip


class Fuzz:
    """Makes up requests from what a catalogue holds, the limits, and what nobody in their right mind would send."""

    def __init__(self, catalog, seed):
        self.dice = random.Random(seed)
        ids, artists, albums = (catalog.texts(name) for name in ("ids", "artists", "albums"))
        rows = range(0, len(catalog), 7)
        by = catalog.lists("song", "artists")
        self.names = [artists[row] for row in range(0, len(artists), 3)]
        self.ids = [ids[row] for row in rows] + [artist_id(name) for name in self.names]
        self.ids += [album_id(albums[row], artists[int(by[row][0])]) for row in rows]

    def __call__(self):
        method = self.dice.choice(SERVED if self.dice.random() < 0.97 else ["", *TEXTS[:30]])
        given = {name: self.value(values) for name, values in self.parameters().items() if self.dice.random() < 0.5}
        if self.dice.random() < 0.1:
            given[self.dice.choice(TEXTS)] = self.dice.choice(TEXTS)
        return self.dice.choice(METHODS), method, self.dice.choice(["", ".view"]), given

    def value(self, valid):
        return str(self.dice.choice(TEXTS if self.dice.random() < 0.04 else valid))

    def parameters(self):
        counts = {f"{kind}{what}": range(9) for kind in ("song", "album", "artist") for what in ("Count", "Offset")}
        return counts | {
            "query": [*self.names, "", '""', "a", "the night"], "id": self.ids, "artist": self.names,
            "startSongId": self.ids, "endSongId": self.ids,
            "count": range(102), "f": ["json", "xml", "jsonp", "json", "json"], "callback": ["here", "a.b"],
            "u": ["me"], "p": ["secret", "enc:0g"], "t": ["token"], "apiKey": ["key"], "v": ["1.16.1", "9"],
        }  # fmt: skip


def read(answer):
    """The envelope of an answer, and whether its lists are to be looked at."""
    if answer.mimetype == "application/xml":
        root = xml(answer)
        space = "{http://subsonic.org/restapi}"
        assert root.tag == f"{space}subsonic-response"
        children = {child.tag.removeprefix(space): child.attrib for child in root}
        return root.attrib | children, "true"
    text = answer.get_data(as_text=True)
    if answer.mimetype == "application/javascript":
        text = text.partition("(")[2].removesuffix(");")
    return json.loads(text)["subsonic-response"], True


def check(answer, http, method):
    if http in ("OPTIONS", "HEAD"):
        assert (answer.status_code in (200, 204), answer.data) == (True, b"")
        return None
    body, true = read(answer)
    assert {name: body.pop(name) for name in HEAD} == HEAD
    assert body.pop("openSubsonic") == true
    if body.pop("status") == "ok":
        assert answer.status_code == 200
        assert set(body) <= {KEYS[method]}
        return "ok"
    assert answer.status_code == (200 if http in ("GET", "POST") else 405)
    assert set(body["error"]) == {"code", "message"}
    assert int(body["error"]["code"]) in CODES
    return int(body["error"]["code"])


@pytest.mark.parametrize(
    ("requests", "seed"), [(400, 0), *(pytest.param(3_000, seed, marks=pytest.mark.slow) for seed in range(1, 4))]
)
def test_anything_at_all_is_answered_in_the_shapes_of_the_api(dialect_artifacts, requests, seed):
    client = Client(Request.application(Service(Config(dialect_artifacts)).handle))
    fuzz, outcomes = Fuzz(load(dialect_artifacts), seed), Counter()
    for _ in range(requests):
        http, method, suffix, given = fuzz()
        form = {"data": given} if http == "POST" else {"query_string": given}
        answer = client.open(f"/rest/{quote(method)}{suffix}", method=http, **form)
        try:
            outcomes[check(answer, http, method)] += 1
        except (AssertionError, ValueError, KeyError, ParseError) as error:
            raise AssertionError(f"{http} {method} {given}: {answer.get_data(as_text=True)[:500]}") from error
    assert outcomes["ok"] > requests / 3
    assert min(outcomes[0], outcomes[10], outcomes[70]) > requests / 100
