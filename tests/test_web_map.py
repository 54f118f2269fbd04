"""The map: where songs lie, and which song lies where."""

import numpy as np
import pytest

from segue.web.views import points
from tests.described import DOCUMENT
from tests.releases import client


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


def test_of_a_large_catalogue_each_cell_is_shown_in_the_same_share_and_none_is_left_out(
    service, demo_catalog, monkeypatch
):
    monkeypatch.setattr(points, "MOST", 300)
    n_songs, sizes, rows, places = read(points._map(demo_catalog))
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
    told = DOCUMENT["paths"]["/map"]["get"]["description"]
    assert f"{points.MOST:,} at the most" in told


# --- songs -------------------------------------------------------------------------------------------------------


def test_songs_of_rows_and_of_ids_are_the_same_and_lie_where_the_map_has_them(service, demo_catalog):
    by_row = service.get("/songs?rows=70,0,70").json
    ids = [song["id"] for song in by_row["songs"]]
    assert ids == [demo_catalog.texts("ids")[row] for row in (70, 0, 70)]
    assert service.get(f"/songs?ids={','.join(ids)}").json == by_row
    assert [(song["row"], [song["x"], song["y"]]) for song in by_row["songs"]] == [
        (row, demo_catalog.array("map")[row].tolist()) for row in (70, 0, 70)
    ]
    assert by_row["model"] == demo_catalog.version
    facts = service.get(f"/songs/{ids[0]}").json
    assert {name: facts[name] for name in ("name", "artists", "popularity", "cluster")} == {
        name: by_row["songs"][0][name] for name in ("name", "artists", "popularity", "cluster")
    }


def test_songs_of_rows_come_as_a_table_too(service):
    lines = service.get("/songs?rows=1,2&format=csv").text.splitlines()
    assert lines[0].startswith("row,id,name,artists,album,x,y,")
    assert [line.partition(",")[0] for line in lines[1:]] == ["1", "2"]


NO_ROW = "expected a row of this model, 0..599"


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("", [("", "expected rows or ids, one of them")]),
        ("?rows=1&ids=demo-0000033", [("", "expected rows or ids, one of them")]),
        ("?rows=1,x,600", [("/rows/1", NO_ROW), ("/rows/2", NO_ROW)]),
        ("?rows=", [("/rows/0", NO_ROW)]),
        ("?rows=" + ",".join("0" * 101), [("/rows", "expected a list of 1..100 entries, found 101")]),
        ("?ids=a%20b", [("/ids/0", "expected an id: 1..64 characters of A-Z a-z 0-9 _ . : -")]),
    ],
)  # fmt: skip
def test_what_names_no_songs_is_refused_with_what_would_have_worked(service, query, faults):
    answer = service.get(f"/songs{query}")
    assert answer.status_code == 400
    assert [(fault["pointer"], fault["detail"]) for fault in answer.json["errors"]] == faults


def test_an_id_that_no_song_has_is_pointed_to(service):
    answer = service.get("/songs?ids=demo-0000033,nobody")
    assert (answer.status_code, answer.json["title"]) == (404, "Unknown song")
    assert answer.json["errors"][0]["pointer"] == "/ids/1"
