"""``python -m tests.support.answer_digest ARTIFACTS COUNT``: a digest of answers to requests of every kind."""

import hashlib
import json
import random
import sys
from pathlib import Path

from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import load
from segue.config import Config
from segue.web.service import Service

FEATURES = ("energy", "valence", "danceability", "acousticness")


def asked(songs, dice):
    """A body of POST /recommend."""
    ids, genres = songs.texts("ids"), songs.manifest["genres"]
    artists = songs.texts("artists")
    seeds = {
        "id": lambda: {"id": ids[dice.randrange(len(songs))]},
        "artist": lambda: {"artist": artists[dice.randrange(len(artists))]},
        "genre": lambda: {"genre": dice.choice(genres), "weight": dice.choice([1, 0.5, -1])},
        "features": lambda: {"features": {name: round(dice.random(), 3) for name in dice.sample(FEATURES, 2)}},
    }
    kinds = ["id"] * dice.choice([1, 1, 2, 5]) + dice.choice([[], [], ["artist"], ["genre"], ["features"]])
    body = {"seeds": [seeds[kind]() for kind in kinds], "limit": dice.choice([10, 10, 50])}
    extras = {
        "explain": True,
        "diversity": 0.3,
        "targets": {"energy": 0.9},
        "filters": {"tempo": [90, 130]},
        "draw": dice.randrange(1, 9),
    }
    return body | {name: extras[name] for name in dice.sample(list(extras), dice.choice([0, 0, 1, 2]))}


def main(artifacts, count):
    songs, dice = load(Path(artifacts)), random.Random(0)
    client = Client(Request.application(Service(Config(Path(artifacts))).handle))
    digest = hashlib.sha256()
    for _ in range(int(count)):
        answer = client.post("/recommend", json=asked(songs, dice))
        assert answer.status_code in (200, 404), answer.get_data(as_text=True)
        digest.update(answer.data)
    print(json.dumps({"answers": int(count), "digest": digest.hexdigest()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
