"""Whatever is asked of the Spotify dialect, it answers in Spotify's shapes."""

import random
from collections import Counter
from urllib.parse import quote

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import load
from segue.catalog.lookup.exact import artist_id
from segue.config import Config
from segue.spotify import query_params
from segue.spotify.query_params import TUNABLE_ATTRIBUTES
from segue.web.service import Service
from tests.support.hostile_requests import METHODS, TEXTS

EXPECTED = {200, 204, 400, 401, 404, 405, 413, 429}


class Fuzz:
    """Makes up requests from what a catalogue holds, the limits, and what nobody in their right mind would send."""

    def __init__(self, catalog, seed):
        self.dice = random.Random(seed)
        texts, artists = catalog.texts("ids"), catalog.texts("artists")
        self.songs = [texts[row] for row in range(0, len(catalog), 7)]
        self.artists = [artists[row] for row in range(0, len(artists), 3)]
        self.artists += [artist_id(name) for name in self.artists]
        self.genres = list(query_params.genres_by_seed(catalog.manifest["genres"]))

    def __call__(self):
        path = self.dice.choices(list(PARAMETERS), WEIGHTS)[0]
        known = PARAMETERS[path](self)
        chosen = [name for name in known if self.dice.random() < 0.6]
        asked = [(name, self.value(known[name])) for name in chosen]
        if self.dice.random() < 0.1:
            asked.append((self.dice.choice(TEXTS), self.dice.choice(TEXTS)))
        named = self.dice.choice([*self.songs[:3], *self.artists[:3], *TEXTS])
        return self.dice.choice(METHODS), path.replace("{}", quote(named)), asked

    def value(self, valid):
        return str(self.dice.choice(TEXTS if self.dice.random() < 0.03 else valid))

    def some(self, known, most):
        return [",".join(self.dice.choices(known, k=self.dice.randint(1, most))) for _ in range(3)]

    def tunables(self):
        return {
            f"{prefix}_{name}": [low, high, *self.within(low, high), high + 1]
            for name, (low, high) in self.dice.sample(sorted(TUNABLE_ATTRIBUTES.items()), 3)
            for prefix in ("min", "max", "target")
        }

    def within(self, low, high):
        return [self.dice.uniform(max(low, -100), min(high, 400)) for _ in range(40)]

    def recommendations(self):
        return {
            "seed_tracks": self.some(self.songs, 2), "seed_artists": self.some(self.artists, 2),
            "seed_genres": self.some(self.genres, 2), "limit": range(102), "market": ["SE"] * 30 + ["X"],
            "exclude_tracks": self.some(self.songs, 9), "exclude_artists": self.some(self.artists, 9),
            "exclude_seed_artists": ["true", "0"], "max_per_artist": [*range(102), "null"],
            "explain": ["1", "false"], "draw": [*range(99), 2**31 - 1, 2**31],
        } | self.tunables()  # fmt: skip

    def search(self):
        text = self.dice.choice([*self.artists[:9], "a", "the", "night"])
        fields = [f"{name}:{text}" for name in ("artist", "track", "album")]
        return {
            "q": [text, *fields, f"year:1990-2000 {text}", f"genre:{self.dice.choice(self.genres)}"],
            "type": ["track", "artist", "track,artist"] * 9 + ["album"], "limit": range(1, 52),
            "offset": [*range(0, 1000, 50), 1000, 1001],
        }  # fmt: skip

    def batch(self, known, most):
        return {"ids": self.some([*known, "0" * 22], most + 1)}


PARAMETERS = {
    "/v1/recommendations": Fuzz.recommendations,
    "/v1/recommendations/": Fuzz.recommendations,
    "/v1/search": Fuzz.search,
    "/v1/audio-features": lambda fuzz: fuzz.batch(fuzz.songs, 100),
    "/v1/tracks/": lambda fuzz: fuzz.batch(fuzz.songs, 50),
    "/v1/artists": lambda fuzz: fuzz.batch(fuzz.artists, 50),
    "/v1/tracks/{}": lambda _: {},
    "/v1/audio-features/{}": lambda _: {},
    "/v1/artists/{}": lambda _: {},
    "/v1/artists/{}/related-artists": lambda _: {},
    "/v1/{}": lambda _: {},
    "/api/token": lambda _: {"grant_type": ["client_credentials"]},
}


WEIGHTS = [9, 3, 9, *[1] * (len(PARAMETERS) - 3)]


def check(answer, method, path):
    assert answer.status_code in EXPECTED
    if method in ("HEAD", "OPTIONS") or answer.status_code == 200:
        assert answer.status_code == 204 or answer.mimetype == "application/json"
    elif path.startswith("/api/token"):
        assert set(answer.json) == {"error", "error_description"}
    else:
        assert answer.json == {"error": {"status": answer.status_code, "message": answer.json["error"]["message"]}}


@pytest.mark.parametrize(
    ("requests", "seed"), [(300, 0), *(pytest.param(4_000, seed, marks=pytest.mark.slow) for seed in range(1, 6))]
)
def test_anything_at_all_is_answered_in_spotifys_shapes(dialect_artifacts, requests, seed):
    client = Client(Request.application(Service(Config(dialect_artifacts)).handle))
    fuzz, statuses = Fuzz(load(dialect_artifacts), seed), Counter()
    for _ in range(requests):
        method, path, asked = fuzz()
        form = {"data": dict(asked)} if method == "POST" else {"query_string": asked}
        answer = client.open(path, method=method, **form)
        statuses[answer.status_code] += 1
        try:
            check(answer, method, path)
        except AssertionError as error:
            raise AssertionError(f"{method} {path} {asked}") from error
    assert min(statuses[200], statuses[400]) > requests / 5
