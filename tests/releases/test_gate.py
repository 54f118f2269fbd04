"""The gate: a version that is worse by a figure is not published unless somebody says why."""

from pathlib import Path

import pytest

from segue import catalog, releases
from segue.catalog import version_files
from segue.errors import ReleaseError
from segue_build.releases import gate, publish
from segue_build.releases.publish import PublishOptions
from tests.support.releases import current, published, told_of


def test_the_gate_says_which_figure_is_worse_and_by_how_much(plain, versions, capsys):
    published(plain, versions[:1])
    capsys.readouterr()
    with pytest.raises(ReleaseError) as refused:
        publish.publish(versions[1], releases.open_store(plain), PublishOptions())
    assert str(refused.value) == (
        f"version {versions[1].version} is refused: vanished: 0.0769 after 0.0000, worse by 0.07692, allowed is 0.05."
        " --allow NAME=NUMBER moves a threshold, --force --reason TEXT publishes all the same"
    )
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["figure", "current", "candidate", "worse", "by", "allowed"]
    assert [line.split()[0] for line in table[1:]] == [name for name in gate.RULES if "@" not in name or name in (
        "genre@10", "artist@10") if name not in ("AUC", "dup", "pair_information")]  # fmt: skip
    assert [line.split()[0] for line in table if "REFUSED" in line] == ["vanished"]
    assert current(plain)["version"] == versions[0].version
    assert list(releases.open_store(plain).list_files(f"versions/{versions[1].version}")) == []


def test_a_threshold_can_be_moved(plain, versions):
    published(plain, versions[:1])
    publish.publish(versions[1], releases.open_store(plain), PublishOptions(allow={"vanished": 0.1}))
    assert current(plain)["version"] == versions[1].version
    assert "refused" not in told_of(plain)[-1]


class Figures(catalog.Catalog):
    """A version with other figures."""

    def __init__(self, songs, **changed):
        super().__init__(songs.folder, {**songs.manifest, **changed})


def compared(before, after):
    return {one.name: one for one in gate.compare(before, after, {})}


@pytest.mark.parametrize(
    ("name", "before", "after", "fails"),
    [
        ("HR@10", 0.50, 0.48, False), ("HR@10", 0.50, 0.47, True), ("AUC", 0.80, 0.78, True),
        ("dup", 0.0, 0.01, False), ("dup", 0.0, 0.02, True), ("HR@10", 0.1, 0.9, False),
    ],
)  # fmt: skip
def test_a_figure_may_become_worse_by_what_its_rule_allows(versions, name, before, after, fails):
    judged = [Figures(versions[0], quality={"playlists": {name: [mean, 0, 1]}}) for mean in (before, after)]
    assert compared(*judged)[name].fails is fails


@pytest.mark.parametrize(("name", "after", "fails"), [
    ("name_coverage", 0.76, False), ("name_coverage", 0.74, True), ("pair_information", 0.70, True),
])  # fmt: skip
def test_clusters_whose_names_say_fewer_songs_are_refused(versions, name, after, fails):
    judged = [Figures(versions[0], quality={"clusters": {name: value}}) for value in (0.8, after)]
    assert compared(*judged)[name].fails is fails


def test_an_invented_catalogue_or_one_that_learned_nothing_does_not_follow_a_better_one(versions):
    better = Figures(versions[0], parameters={"playlists": "a digest"})
    worse = Figures(versions[0], invented=True)
    assert {name for name, one in compared(better, worse).items() if one.fails} == {"invented", "learned"}


def test_a_figure_that_only_one_version_has_is_shown_and_not_compared(versions):
    judged = Figures(versions[0], quality={"playlists": {"HR@10": [0.5, 0.4, 0.6]}})
    one = compared(judged, versions[0])["HR@10"]
    assert (one.before, one.after, one.worse, one.fails) == (0.5, None, None, False)
    assert "HR@10    0.5000                          5.0%" in gate.comparison_table([one])[1]


def test_top_tens_of_other_songs_are_a_change(versions, demo_catalog):
    found = compared(versions[0], versions[0])
    assert (found["vanished"].after, found["changed"].after) == (0, 0)
    assert compared(versions[0], demo_catalog)["vanished"].after == 1


def test_a_current_version_that_cannot_be_read_is_not_compared_with(plain, versions):
    published(plain, versions[:1])
    (Path(plain) / "versions" / versions[0].version / version_files.MANIFEST).unlink()
    with pytest.raises(ReleaseError, match=r"the current version can't be compared with: manifest\.json"):
        publish.publish(versions[1], releases.open_store(plain), PublishOptions())
    published(plain, versions[1:2])
    assert current(plain)["version"] == versions[1].version
