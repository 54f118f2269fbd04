"""What playlists teach: a world whose songs are played together across its groups, and search with lists."""

import numpy as np
import pandas as pd
import pytest

from segue.catalog import load
from segue.catalog.lookup.exact import song_by_id
from segue.engine.co_occurrence import co_occurring
from segue.engine.recommendation import recommend
from segue.engine.space import space_of
from segue.query.schema import Query, Seed
from segue_build.cli import main
from segue_build.model import playlist_model, works
from segue_build.model.playlist_model import MAX_NEIGHBOURS, fit_playlist_model
from segue_build.sources.importer import load_playlists
from segue_build.sources.playlists import FOLDS, Playlists, catalog_works
from tests.engine.test_recommend import check_random_requests
from tests.support import brute_force, invented_playlists, tables, world

LEARNED = ("vectors", "neighbour_lists", "neighbour_offsets", "neighbour_works", "neighbour_weights")


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """The world, taught by its playlists."""
    return load(invented_playlists.teach_world(tmp_path_factory.mktemp("taught")))


@pytest.fixture(scope="module")
def taught_demo(tmp_path_factory, demo_catalog):
    """The invented catalogue, taught by invented playlists."""
    return load(invented_playlists.teach_demo(tmp_path_factory.mktemp("taught-demo"), demo_catalog))


def list_of(catalog, song):
    """(works, weights) of the list of a song."""
    number = catalog.array("neighbour_lists")[work_of(catalog, song)]
    assert number >= 0, f"{song} has no list"
    return catalog.lists("neighbour", "works")[number], catalog.lists("neighbour", "weights")[number]


def space(catalog):
    return space_of(catalog)


def links(catalog, song):
    return co_occurring(catalog, [song_by_id(catalog, song)])


def work_of(catalog, song):
    return catalog.array("works")[song_by_id(catalog, song)]


def asking(song, **options):
    return Query((Seed("/song_id", {}, id=song),), **options)


def scores(catalog, song):
    """Song -> its score for a seed."""
    ids = catalog.texts("ids")
    found = brute_force.scores(catalog, asking(song))
    return {ids[row]: found[row] for row in range(len(catalog))}


@pytest.mark.parametrize(("song", "partner"), invented_playlists.PARTNERS.items())
def test_the_list_of_a_song_begins_with_its_partner(taught, song, partner):
    neighbours, weights = list_of(taught, song)
    assert (neighbours[0], weights[0]) == (work_of(taught, partner), 1)


@pytest.mark.parametrize("which", ["taught", "taught_demo"])
def test_lists_are_short_and_fall_from_1_and_never_hold_the_song_itself(which, request):
    catalog = request.getfixturevalue(which)
    neighbours, weights = catalog.lists("neighbour", "works"), catalog.lists("neighbour", "weights")
    lists = catalog.array("neighbour_lists")
    assert (lists >= 0).any()
    for work in np.flatnonzero(lists >= 0):
        held, weighed = neighbours[int(lists[work])], weights[int(lists[work])]
        assert 1 <= len(held) <= MAX_NEIGHBOURS
        assert len(set(held)) == len(held)
        assert work not in held
        assert weighed[0] == 1
        assert weighed[-1] > 0
        assert (np.diff(weighed) <= 0).all()


def test_a_list_is_cut_to_the_nearest():
    members = [[0, work] for work in range(1, MAX_NEIGHBOURS + 20)] + [[0, MAX_NEIGHBOURS + 19]] * 5
    n_works = MAX_NEIGHBOURS + 20
    mixes = Playlists(list(map(str, members)), members, [f"artist {n}" for n in range(n_works)], n_works)
    found = fit_playlist_model(mixes, np.random.default_rng(0).random((n_works, 3)).astype(np.float32), 0)
    neighbours = found.neighbours
    assert neighbours.counts[neighbours.list_of_work[0]] == MAX_NEIGHBOURS
    assert neighbours.works[:3].tolist() == [MAX_NEIGHBOURS + 19, 1, 2]


def test_weights_are_as_by_hand():
    members = [[0, 1]] * 4 + [[0, 2], [2, 3]]
    found = fit_playlist_model(Playlists(list("abcdef"), members, list("wxyz"), 4), np.eye(4, dtype=np.float32), 0)
    with_1 = (4 + playlist_model.ARTIST_WEIGHT * 4 / 5) / 4**playlist_model.POPULARITY_EXPONENT
    with_2 = (1 + playlist_model.ARTIST_WEIGHT * 1 / 5) / 2**playlist_model.POPULARITY_EXPONENT
    assert found.playlist_counts.tolist() == [5, 4, 2, 1]
    assert found.neighbours.works[:2].tolist() == [1, 2]
    assert found.neighbours.weights[:2] == pytest.approx([1, with_2 / with_1])


def test_vectors_have_unit_length_and_put_songs_that_are_played_together_near():
    members = list(invented_playlists.of_world().values())
    ids = sorted(invented_playlists.HELD)
    mixes = Playlists(
        list(map(str, range(len(members)))), [[ids.index(s) for s in held] for held in members], ids, len(ids)
    )
    vectors = fit_playlist_model(mixes, np.eye(len(ids), dtype=np.float32), 0).vectors
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    near = vectors @ vectors.T
    partners = [near[ids.index(song), ids.index(partner)] for song, partner in invented_playlists.PARTNERS.items()]
    assert min(partners) > near[ids.index("piano-1"), ids.index("disco-3")]


def test_a_song_that_no_playlist_holds_lies_with_its_artists_others():
    mixes = Playlists(list("pqrs"), [[0, 1], [3, 4], [1, 0], [4, 3]], list("aaabbb"), 6)
    vectors = fit_playlist_model(mixes, np.zeros((6, 2), np.float32), 0).vectors
    near = vectors @ vectors.T
    assert min(near[2, :2].min(), near[5, 3:5].min()) > max(near[2, 3:].max(), near[5, :3].max())


def test_all_versions_share_the_list(taught):
    studio, live = links(taught, "piano-1"), links(taught, "piano-1-live")
    assert len(studio.rows)
    np.testing.assert_array_equal(studio.rows, live.rows)
    np.testing.assert_array_equal(studio.weights, live.weights)


def test_playlists_are_learned_from_by_the_works_of_the_model(tmp_path):
    titles = ["Für Elise, WoO 59", "Bagatelle, WoO 59", "Moonlight"]
    frame = pd.DataFrame({
        "id": ["a", "b", "c"], "name": titles, "artists": "Beethoven", "tempo": 100.0, "duration_ms": 60_000.0,
        "popularity": [1.0, 2.0, 3.0],
    })  # fmt: skip
    known = catalog_works(frame, works.match_key, works.work_numbers(frame))
    (tmp_path / "lists.csv").write_text(
        "playlist_id,track_id,artist,title\np,a,,\np,,Beethoven,WoO 59\np,b,,\np,c,,\n", encoding="utf-8"
    )
    assert (known.rows.tolist(), known.artists) == ([1, 2], ["beethoven"] * 2)
    assert load_playlists(tmp_path / "lists.csv", known).members == [[0, 1]]
    assert catalog_works(frame).rows.tolist() == [0, 1, 2]  # as others judge


def test_every_version_of_a_neighbour_is_a_candidate(taught):
    rows = {song_by_id(taught, song) for song in ("piano-1", "piano-1-live")}
    assert rows <= set(links(taught, "metal-3").rows.tolist())


@pytest.mark.parametrize(("song", "heard"), invented_playlists.OF_HEARD_ARTISTS.items())
def test_a_song_that_no_playlist_holds_has_its_artists_list(taught, song, heard):
    neighbours, _ = list_of(taught, song)
    assert set(neighbours) >= {work_of(taught, heard), work_of(taught, invented_playlists.PARTNERS[heard])}
    assert work_of(taught, song) not in neighbours


@pytest.mark.parametrize("song", invented_playlists.UNHEARD)
def test_a_song_whose_artist_no_playlist_holds_is_scored_as_without_playlists(taught, world_catalog, song):
    assert taught.array("neighbour_lists")[work_of(taught, song)] == -1
    assert scores(taught, song) == pytest.approx(scores(world_catalog, song), abs=1e-6)


def test_an_unheard_song_of_a_larger_catalogue_too_is_scored_as_without_playlists(taught_demo, demo_catalog):
    played = [block.name for block in space(taught_demo).blocks].index("played")
    known = taught_demo.array("present") >> played & 1
    lists = taught_demo.array("neighbour_lists")[taught_demo.array("works")]
    ids = taught_demo.texts("ids")
    unheard = [ids[int(row)] for row in np.flatnonzero((known == 0) & (lists == -1))]
    assert len(unheard) > 20
    for song in unheard[:20]:
        assert scores(taught_demo, song) == pytest.approx(scores(demo_catalog, song), abs=1e-6)


def test_the_content_of_an_unheard_candidate_counts(taught):
    found = scores(taught, "piano-1")
    assert found["piano-4"] > found["metal-4"] > 0


@pytest.mark.parametrize(("song", "partner"), invented_playlists.PARTNERS.items())
def test_the_partner_is_recommended_first_and_the_reason_is_told(taught, song, partner):
    best = recommend(taught, asking(song, limit=1, explain=True)).recommendations[0]
    assert taught.texts("ids")[best.row] == partner
    assert best.why.reasons[0] == "often in the same playlists"


def test_the_same_playlists_give_the_same_bytes(tmp_path, capsys):
    source = world.write(tmp_path / "world.csv")
    playlists = tables.write(tmp_path / "playlists.csv", invented_playlists.rows(invented_playlists.of_world()))
    for out in ("once", "again"):
        arguments = ["fit", "--source", source, "--playlists", playlists, "--out", tmp_path / out]
        assert main(list(map(str, arguments))) == 0
    assert "70 playlists of 170 songs taught, 170 of them in the catalogue; 7 of 12 works" in capsys.readouterr().err
    once, again = (everything(tmp_path / out / "versions") for out in ("once", "again"))
    assert once == again


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_fold_is_learned_from_as_little_as_if_it_were_not_in_the_file(tmp_path):
    members = invented_playlists.of_world()
    read = Playlists(list(members), [[]] * len(members), [], 0)
    fold = next(fold for fold in range(FOLDS) if "all 0" in read.split("valid", fold).names)
    train = {name: members[name] for name in read.split("train", fold).names}
    (tmp_path / "without").mkdir()
    left_out = load(invented_playlists.teach_world(tmp_path, members, fold))
    without = load(invented_playlists.teach_world(tmp_path / "without", train))
    assert len(train) < len(members)
    for name in LEARNED:
        np.testing.assert_array_equal(left_out.array(name), without.array(name))
    assert set(left_out.manifest["quality"]) == {"table", "clusters", "playlists"}


def test_search_with_lists_finds_what_brute_force_finds(taught_demo):
    check_random_requests(taught_demo, 200)
