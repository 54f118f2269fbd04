"""What a process keeps mapped from one request to the next."""

from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import catalog
from segue.catalog.catalog import unmap_pages
from segue.config import Config
from segue.web.service import Service

ASKED = [
    {"method": "POST", "path": "/recommend", "json": {"song_id": "piano-1"}},
    {"path": "/search?q=paino"},
    {"path": "/v1/recommendations?seed_tracks=piano-1"},
    {"path": "/songs/no-such-song"},
]


def answers(config):
    client = Client(Request.application(Service(config).handle))
    return [(answer.status_code, answer.get_data()) for answer in (client.open(**asked) for asked in ASKED)]


def test_answers_are_the_same_where_every_page_is_given_back(world_artifacts, monkeypatch):
    given_back = []

    def counted(arrays, bound):
        given_back.append((len(arrays), bound))
        unmap_pages(arrays, bound)

    monkeypatch.setattr(catalog, "unmap_pages", counted)
    expected = answers(Config(world_artifacts))
    assert given_back == []
    assert answers(Config(world_artifacts, mapped_bytes=1)) == expected
    assert [bound for _, bound in given_back] == [1] * len(ASKED)
    assert all(arrays for arrays, _ in given_back)
