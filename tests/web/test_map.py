"""The map: where songs lie, and which song lies where."""

import numpy as np
import pytest

from segue.web.views import catalogue
from tests.support.openapi import DOCUMENT
from tests.support.releases import client


@pytest.fixture(scope="module")
def service(demo_artifacts):
    return client(demo_artifacts)


def read(content):
    """The map as the description says how to read it: clusters' sizes, rows, places."""
    numbers = np.frombuffer(content, "<u4", offset=4, count=3)
    n_songs, n_points, n_clusters = numbers.tolist()
    sizes = np.frombuffer(content, "<u4", n_clusters, 16)
    rows = np.frombuffer(content, "<u4", n_points, 16 + 4 * n_clusters)
    across, up = np.frombuffer(content, "<u2", 2 * n_points, 16 + 4 * n_clusters + 4 * n_points).reshape(2, -1)
    assert (content[:4], len(content)) == (b"MAP1", 16 + 4 * n_clusters + 8 * n_points)
    return n_songs, sizes, rows, np.stack([across, up], axis=1)


def test_the_map_has_every_song_of_the_catalogue_in_its_cluster_and_place(service, demo_catalog):
    answer = service.get("/map")
    n_songs, sizes, rows, places = read(answer.data)
    assert (answer.status_code, answer.mimetype, n_songs) == (200, "application/octet-stream", len(demo_catalog))
    assert sizes.tolist() == [cluster["size"] for cluster in demo_catalog.manifest["clusters"]]
    assert rows.tolist() == list(range(len(demo_catalog)))
    assert np.array_equal(places, demo_catalog.array("map"))


def test_a_map_that_a_page_has_is_not_sent_again(service):
    answer = service.get("/map", headers={"If-None-Match": service.get("/map").headers["ETag"]})
    assert (answer.status_code, answer.data) == (304, b"")


@pytest.mark.parametrize("detail", catalogue.MAP_POINTS)
def test_of_a_large_catalogue_each_cell_is_shown_in_the_same_share_and_none_is_left_out(
    demo_artifacts, demo_catalog, monkeypatch, detail
):
    monkeypatch.setitem(catalogue.MAP_POINTS, detail, 300)
    answer = client(demo_artifacts).get(f"/map?detail={detail}", headers={"Accept-Encoding": "identity"})
    n_songs, sizes, rows, places = read(answer.data)
    cells = demo_catalog.array("cell_offsets").searchsorted(rows, side="right") - 1
    shown, whole = np.bincount(cells), np.diff(demo_catalog.array("cell_offsets").astype(int))
    assert n_songs == len(demo_catalog)
    assert whole.size < len(rows) <= 300
    assert shown.min() >= 1
    assert np.abs(shown - whole * (300 - len(whole)) / n_songs).max() <= 1
    assert sizes.tolist() == np.bincount(demo_catalog.array("cell_clusters")[cells]).tolist()
    assert np.array_equal(places, demo_catalog.array("map")[rows])
    popularity = demo_catalog.attribute("popularity")
    assert all(
        popularity[rows[cells == cell]].min() >= popularity[row] for cell, row in _left_out(demo_catalog, rows)
    )


def _left_out(catalog, rows):
    """A cell and a row of it for each row that is not shown."""
    rest = np.setdiff1d(np.arange(len(catalog)), rows)
    return zip((catalog.array("cell_offsets").searchsorted(rest, side="right") - 1).tolist(), rest.tolist())


def test_the_description_tells_the_most_points_there_are():
    told = DOCUMENT["paths"]["/map"]["get"]
    most = catalogue.MAP_POINTS
    assert f"{most['full']:,} at the most, or {most['low']:,} with `detail=low`" in told["description"]
    assert told["parameters"][0]["schema"]["enum"] == list(most)


def test_a_detail_that_there_is_not_is_refused(service):
    (fault,) = service.get("/map?detail=high").json["errors"]
    assert fault == {"pointer": "/detail", "detail": "expected one of full, low"}
