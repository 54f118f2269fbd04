"""ETags and the version's header: what a cache may keep, and when that dies."""

import shutil

import pytest

from segue.releases.serving import LiveCatalog
from segue.web import service
from tests.support.releases import client, point_to, served

CACHED = [
    "/recommend?song_id=piano-1", "/search?q=slow", "/songs/piano-1", "/clusters", "/clusters/0?limit=1", "/map",
]  # fmt: skip


CACHING = {"/map": "public, max-age=0, s-maxage=60"}  # a CDN may answer for a minute


@pytest.fixture
def function(places, versions, monkeypatch):
    """A function whose version can be changed: (client, address)."""
    address = places.stocked("plain", versions, monkeypatch)
    return client(address), address


@pytest.mark.parametrize("path", CACHED)
def test_an_answer_that_still_holds_is_a_304_until_the_version_dies(function, versions, path):
    browser, address = function
    first = browser.get(path)
    etag = first.headers["ETag"]
    assert (first.status_code, first.headers["Cache-Control"]) == (200, CACHING.get(path, "no-cache"))
    again = browser.get(path, headers={"If-None-Match": f'"other", W/{etag}'})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert again.headers["X-Segue-Model"] == first.headers["X-Segue-Model"] == versions[0].version
    point_to(address, versions[1].version)
    served(browser)
    later = browser.get(path, headers={"If-None-Match": etag})
    assert (later.status_code, later.headers["X-Segue-Model"]) == (200, versions[1].version)
    assert later.headers["ETag"] != etag


def test_head_has_the_headers_of_get(function):
    browser, _ = function
    assert browser.head(CACHED[0]).headers["ETag"] == browser.get(CACHED[0]).headers["ETag"]


def test_another_address_has_another_tag(function):
    browser, _ = function
    tags = [browser.get(f"/recommend?song_id=piano-1&limit={limit}").headers["ETag"] for limit in (1, 2)]
    tags.append(browser.get("/recommend?song_id=piano-1&limit=1", base_url="https://elsewhere").headers["ETag"])
    assert len(set(tags)) == 3


def test_other_code_has_another_tag(function, monkeypatch):
    browser, _ = function
    etag = browser.get(CACHED[0]).headers["ETag"]
    monkeypatch.setattr(service, "_code_digest", lambda: "another deployment")
    assert browser.get(CACHED[0], headers={"If-None-Match": etag}).status_code == 200


def test_a_change_of_any_module_is_other_code(tmp_path):
    shutil.copytree(service.PACKAGE_FOLDER, tmp_path, dirs_exist_ok=True)
    codes = {service._code_digest(), service._code_digest(tmp_path)}
    assert len(codes) == 1
    for module in ("engine/search.py", "journeys/paths.py", "responses.py"):
        (tmp_path / module).write_text("changed")
        service._code_digest.cache_clear()
        codes.add(service._code_digest(tmp_path))
    assert len(codes) == 4


def test_a_post_tells_the_version_and_has_no_tag(function, versions):
    browser, _ = function
    answer = browser.post("/recommend", json={"song_id": "piano-1"}, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.headers["X-Segue-Model"]) == (200, versions[0].version)
    assert "ETag" not in answer.headers


@pytest.mark.parametrize("path", ["/songs/nope", "/recommend?song_id=piano-1&limit=0", "/nowhere"])
def test_an_error_has_no_tag_and_a_star_does_not_hide_it(function, path):
    browser, _ = function
    answer = browser.get(path, headers={"If-None-Match": "*"})
    assert answer.status_code in (400, 404)
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/healthz"), ("HEAD", "/healthz/"), ("OPTIONS", "/recommend"), ("OPTIONS", "/v1/search"), ("GET", "/"),
     ("POST", "/api/token"), ("GET", "/api/token"), ("GET", "/rest/getOpenSubsonicExtensions"), ("GET", "/rest/ping"),
     ("GET", "/docs/clients"), ("GET", "/nowhere"), ("GET", "/v1/me"), ("POST", "/rest/getLicense.view")],
)  # fmt: skip
def test_what_needs_no_version_opens_none_whatever_a_caller_has_kept(world_artifacts, monkeypatch, method, path):
    """A hanging store would hold it, and the model's id is for those who may ask for songs."""

    def hang(_):
        raise AssertionError("the artifacts were opened")

    monkeypatch.setattr(LiveCatalog, "catalog", hang)
    browser = client(world_artifacts)
    without = browser.open(path, method=method)
    for kept in ('"kept"', "*", 'W/"kept"'):
        answer = browser.open(path, method=method, headers={"If-None-Match": kept})
        assert answer.status_code == (304 if kept == "*" and "ETag" in without.headers else without.status_code) < 500
        assert "X-Segue-Model" not in answer.headers


def test_pages_need_no_version_whatever_a_browser_has_kept(tmp_path):
    answer = client(tmp_path / "nothing").get("/docs", headers={"If-None-Match": '"kept"'})
    assert (answer.status_code, "X-Segue-Model" in answer.headers) == (200, False)
