"""What a fit can tell of itself without playlists."""

import numpy as np
import pytest

from segue_build.fit import FitOptions, fit
from segue_build.quality import metrics
from segue_build.quality.metrics import coverage_metrics, table_metrics
from tests.support import tables


def test_the_world_is_judged_by_its_table(world_catalog):
    figures = table_metrics(world_catalog)
    assert list(figures) == ["artist@10", "album@10", "genre@10", "coverage", "never", "hubness"]
    assert figures["artist@10"] == figures["album@10"] == 1
    assert 0 < figures["genre@10"] < 1
    assert figures["coverage"] == 1 - figures["never"]


def test_figures_are_the_same_each_time(demo_catalog):
    assert table_metrics(demo_catalog, 40) == table_metrics(demo_catalog, 40)


def test_what_the_table_does_not_know_is_left_out(tmp_path):
    unknown = ("track_genre", "album_name")
    rows = [{name: cell for name, cell in row.items() if name not in unknown} for row in tables.songs(30)]
    made = fit(FitOptions([tables.write(tmp_path / "songs.csv", rows)]), tmp_path / "out")
    assert {"album@10", "genre@10"}.isdisjoint(made.manifest["quality"]["table"])


@pytest.mark.parametrize("step", [1, 3], ids=["each row a song", "rows that were merged"])
def test_songs_to_judge_by_are_numbered_as_in_the_source(demo_catalog, monkeypatch, step):
    monkeypatch.setattr(metrics, "CHUNK_ROWS", 70)
    monkeypatch.setitem(demo_catalog._arrays, "source_rows", step * demo_catalog.array("source_rows"))
    usable = metrics.RecommendableSongs(demo_catalog)
    rows = np.flatnonzero(demo_catalog.array("recommendable"))
    rows = rows[np.argsort(demo_catalog.array("source_rows")[rows])]
    assert [usable.row(place) for place in range(len(usable))] == rows.tolist()


def test_hubness_is_the_skewness_of_how_often_each_work_is_in_lists():
    counts = np.array([3, 1, 0, 0, 0])
    gaps = counts - counts.mean()
    expected = (gaps**3).mean() / (gaps**2).mean() ** 1.5
    assert np.isclose(coverage_metrics([[7, 9], [7], [7]], 5)["hubness"], expected)
