"""The judge: figures worked out by hand, and those of the judge outside."""

import csv
import io
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segue.catalog import load
from segue.errors import SourceError
from segue_build.cli import main
from segue_build.quality import evaluate
from segue_build.quality.metrics import PlaylistQuery, playlist_queries, ranking_metrics
from segue_build.recommend import recommend_file
from segue_build.sources.playlists import CatalogWorks, Playlists
from tests.support import invented_playlists, tables

SHARED = Path(__file__).resolve().parents[3] / "shared"
SCORE = SHARED / "quality" / "score.py"
PLAYLISTS = SHARED / "data" / "playlists_dev.csv"
OUTSIDE = ("HR@10", "xHR@10", "R@100", "nDCG@10", "artists", "dup", "coverage")
WORKS = CatalogWorks({}, {}, np.arange(200), ["a", "a", "b", "c", *["d"] * 196])
MIXES = Playlists(["p", "q"], [[0, 1, 2, 3, 4], [0, 5]], WORKS.artists, 200)
FILLER = list(range(10, 110))


def figures(asked, rank, score=lambda seed, works: np.zeros(len(works))):
    return ranking_metrics(asked, WORKS, MIXES, rank, score)


def means(asked, rank):
    return {name: mean for name, (mean, _, _) in figures(asked, rank).items()}


def test_a_list_is_judged_as_by_hand():
    asked = [PlaylistQuery("p", 0, frozenset({1, 2, 3, 4}))]
    ranked = [9, 1, 8, 2, *FILLER]  # its third and fourth relevant works never come
    assert means(asked, lambda seed: ranked) == pytest.approx(
        {
            "HR@10": 1,
            "xHR@10": 1,
            "R@100": 2 / 4,
            "nDCG@10": (1 / math.log2(3) + 1 / math.log2(5)) / sum(1 / math.log2(k) for k in (2, 3, 4, 5)),
            "artists": 3,
            "dup": 0,
            "AUC": 0.5,
            "coverage": 10 / 200,
        }
    )


def test_a_hit_by_the_seeds_artist_is_none_among_other_artists():
    found = means([PlaylistQuery("p", 0, frozenset({1, 2}))], lambda seed: [1, *FILLER])
    assert (found["HR@10"], found["xHR@10"]) == (1, 0)


def test_a_hit_after_the_tenth_counts_among_a_hundred_and_one_after_that_not_at_all():
    asked = [PlaylistQuery("p", 0, frozenset({1, 2}))]
    found = means(asked, lambda seed: [*FILLER[:99], 1, 2])
    assert (found["HR@10"], found["nDCG@10"], found["R@100"]) == (0, 0, 0.5)


@pytest.mark.parametrize("ranked", [[9, 9, 1], [9, 0, 1]], ids=["a repeat", "the seed"])
def test_a_repeat_and_the_seed_are_duplicates_and_passed_over(ranked):
    found = means([PlaylistQuery("p", 0, frozenset({1}))], lambda seed: ranked)
    assert (found["dup"], found["nDCG@10"]) == (1, pytest.approx(1 / math.log2(3)))


def test_songs_outside_the_catalogue_are_misses_and_cover_nothing():
    found = means([PlaylistQuery("p", 0, frozenset({1}))], lambda seed: [-1, 1])
    assert (found["nDCG@10"], found["artists"], found["coverage"]) == (pytest.approx(1 / math.log2(3)), 1, 1 / 200)


def test_each_song_outside_the_catalogue_keeps_its_position_and_none_repeats_another():
    found = means([PlaylistQuery("p", 0, frozenset({1}))], lambda seed: [-1] * 10 + [1])
    assert (found["HR@10"], found["nDCG@10"], found["R@100"], found["dup"]) == (0, 0, 1, 0)


@pytest.mark.parametrize(("scores", "auc"), [({5: 0.2}, 1.0), ({5: 0.9}, 0.0), ({5: 0.5}, 0.5)])
def test_auc_compares_with_what_other_playlists_hold_and_ties_count_half(scores, auc):
    asked = [PlaylistQuery("p", 0, frozenset({1, 2, 3, 4}))]  # which leaves work 5 to be drawn, again and again
    found = figures(asked, lambda seed: FILLER, lambda seed, works: np.array([scores.get(w, 0.5) for w in works]))
    assert found["AUC"][0] == auc


def test_negatives_are_drawn_in_proportion_to_the_playlists_that_hold_them():
    drawn = []
    mixes = Playlists(list(map(str, range(5))), [[0, 1], [6], [6], [6], [7]], WORKS.artists, 200)
    asked = [PlaylistQuery(f"query {number}", 0, frozenset({1})) for number in range(50)]
    ranking_metrics(
        asked, WORKS, mixes, lambda seed: FILLER, lambda seed, works: drawn.extend(works[1:]) or np.zeros(len(works))
    )
    assert len(drawn) == 50 * 60
    assert drawn.count(6) / len(drawn) == pytest.approx(0.75, abs=0.03)


def test_intervals_contain_the_mean_and_are_the_same_each_time():
    asked = [PlaylistQuery(f"p{number}", number % 5, frozenset({number % 7 + 10, 150})) for number in range(40)]
    found = figures(asked, lambda seed: FILLER[seed:])
    assert all(low <= mean <= high for mean, low, high in found.values())
    assert found["HR@10"][1] < found["HR@10"][2]
    assert found == figures(asked, lambda seed: FILLER[seed:])


def test_a_query_needs_five_works_of_the_catalogue():
    outside = [200, 201, 202]
    mixes = Playlists(["p", "q"], [[0, 1, 2, 3, 4, *outside], [0, 1, 2, 3, *outside]], [*WORKS.artists, *"xyz"], 200)
    asked = playlist_queries(mixes, WORKS, [f"id{work:03}" for work in range(200)])
    assert [(query.playlist, {query.seed} | query.relevant) for query in asked] == [("p", {0, 1, 2, 3, 4})]
    assert asked[0].seed not in asked[0].relevant


def test_without_a_query_there_is_nothing_to_judge_by():
    with pytest.raises(SourceError, match="none of 1 playlists holds 5 songs of the catalogue"):
        playlist_queries(Playlists(["p"], [[0, 1, 2, 3]], WORKS.artists, 200), WORKS, [""] * 200)


def test_evaluate_prints_the_figures_for_machines_as_they_are(world_artifacts, tmp_path, capsys):
    playlists = Path(tables.write(tmp_path / "playlists.csv", invented_playlists.rows(invented_playlists.of_world())))
    arguments = ["evaluate", "--artifacts", world_artifacts, "--playlists", playlists, "--json"]
    assert main(list(map(str, arguments))) == 0
    told = json.loads(capsys.readouterr().out)
    catalog = load(world_artifacts)
    figures = evaluate.evaluate_playlists(catalog, playlists, "all", 0).metrics
    assert (told["version"], told["queries"]) == (catalog.version, 10)
    assert {name: tuple(values.values()) for name, values in told["playlists"].items()} == figures


def score(folder, *arguments):
    files = ["--catalogue", folder / "catalogue.csv", "--playlists", folder / "playlists.csv"]
    command = [sys.executable, SCORE, *arguments, *files, "--part", "valid", "--fold", "0"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def write_known(catalog, folder):
    """What both judges read: popularity as the service knows it, and playlists of ids, which they match alike."""
    songs = pd.read_parquet(catalog.path("catalog.parquet")).iloc[np.argsort(catalog.array("source_rows"))]
    pd.DataFrame(
        {
            "track_id": songs["id"],
            "track_name": songs["name"].fillna(""),
            "artists": [";".join([] if names is None else names) for names in songs["artists"]],
            "popularity": songs["popularity"].fillna(-1).astype(int),
            "tempo": songs["tempo"].fillna(0),
            "duration_ms": songs["duration_ms"].fillna(0),
        }
    ).to_csv(folder / "catalogue.csv", index=False)
    entries = pd.read_csv(PLAYLISTS, dtype=str, keep_default_na=False)
    entries.assign(artist_name="", track_name="").to_csv(folder / "playlists.csv", index=False)


def printed(figures):
    """The figures as the judge outside prints them."""
    return {
        name: f"{mean:.4f}" + ("" if name == "coverage" else f" [{low:.4f}, {high:.4f}]")
        for name, (mean, low, high) in figures.items()
        if name in OUTSIDE
    }


@pytest.mark.slow
@pytest.mark.skipif(not SCORE.exists(), reason="needs the score script")
def test_the_judge_outside_prints_the_same_figures_to_the_last_digit(real_artifacts, tmp_path):
    catalog, playlists = load(real_artifacts), tmp_path / "playlists.csv"
    write_known(catalog, tmp_path)
    (tmp_path / "queries.csv").write_text(score(tmp_path, "queries"), encoding="utf-8")
    recommend_file(real_artifacts, tmp_path / "queries.csv", tmp_path / "ranked.csv", 100, exact=False)
    told = score(tmp_path, "score", tmp_path / "ranked.csv")
    asked, figures, _ = evaluate.evaluate_playlists(catalog, playlists, "valid", 0)
    expected = list(csv.DictReader(io.StringIO((tmp_path / "queries.csv").read_text())))
    assert [query.playlist for query in asked] == [row["query_id"] for row in expected]
    first, *lines = told.splitlines()
    assert first.startswith(f"{len(asked)} queries, {len(asked)} answered")
    assert {line.split()[0]: line.split(maxsplit=1)[1] for line in lines} == printed(figures)
