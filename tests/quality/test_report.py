"""The report: one page, complete in itself, that nobody's table can break."""

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import matplotlib as mpl
import pytest

from segue.catalog import load
from segue.releases.store import LocalStore
from segue_build.cli import main
from segue_build.fit import FitOptions, fit
from segue_build.quality import plots
from segue_build.quality.metrics import name_coverages
from segue_build.quality.plots import summarize_columns
from segue_build.quality.report import format_number, metrics_with_history, quality_by_version, report
from tests.support.tables import some, song, songs, write

HOSTILE = "<script>alert('$x^2$')</script> & \"quoted\" {{ 7 * 7 }}"


class Page(HTMLParser):
    """Tags, the values of their attributes, and the text of a page."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(source)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]

    def handle_data(self, data):
        self.texts.append(data)

    def images(self):
        sources = [value for tag, name, value in self.attributes if (tag, name) == ("img", "src")]
        return [base64.b64decode(source.removeprefix("data:image/svg+xml;base64,")).decode() for source in sources]


@pytest.fixture
def page_of(tmp_path):
    """Reports on artifacts."""

    def of(artifacts):
        report(artifacts, tmp_path / "report.html")
        return Page((tmp_path / "report.html").read_text(encoding="utf-8"))

    return of


@pytest.fixture
def page_of_rows(tmp_path, page_of):
    """Fits a table of these rows and reports on it."""

    def of(rows):
        fit(FitOptions([write(tmp_path / "songs.csv", rows)]), tmp_path / "artifacts")
        return page_of(tmp_path / "artifacts")

    return of


@pytest.fixture(scope="module")
def demo_page(demo_artifacts, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    report(demo_artifacts, path)
    return Page(path.read_text(encoding="utf-8"))


def rejudged(artifacts, judged):
    """Write the current version once more, with another quality."""
    version = artifacts / "versions" / load(artifacts).version
    manifest = json.loads((version / "manifest.json").read_text()) | {"quality": judged}
    text = json.dumps(manifest)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    other = version.with_name(name)
    other.mkdir()
    for path in version.iterdir():
        (other / path.name).hardlink_to(path)
    (other / "manifest.json").unlink()
    (other / "manifest.json").write_text(text)
    (artifacts / "current.json").write_text(json.dumps({"version": name}))
    return name


def test_the_page_is_complete_in_itself(demo_page):
    loaded = [value for _, name, value in demo_page.attributes if name in ("src", "href", "srcset", "data")]
    assert [value for value in loaded if not value.startswith(("data:image/svg+xml;base64,", "#"))] == []
    assert {"script", "link", "iframe", "object"}.isdisjoint(demo_page.tags)
    for svg in demo_page.images():
        outside = re.findall(r"(?:href=\"|url\()(?!#|data:image/png;base64,)[^\")]*", svg)
        assert outside == []


def test_every_plot_is_well_formed_and_has_a_description(demo_page):
    images = demo_page.images()
    assert len(images) >= 3
    assert [bool(value) for _, name, value in demo_page.attributes if name == "alt"] == [True] * len(images)
    for svg in images:
        assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 # our own


def test_the_page_tells_the_headline_and_the_ingest_report(demo_page, demo_catalog):
    manifest = demo_catalog.manifest
    account = manifest["data"]
    assert f"version {demo_catalog.version} an invented catalogue" in demo_page.text
    assert f"{manifest['songs']} songs in {len(manifest['clusters'])} clusters" in demo_page.text
    for said in (
        f"{account['rows']} rows read",
        f"{sum(account['dropped'].values())} dropped",
        f"{account['ids_merged']} rows merged by id",
        f"{manifest['works']} works",
        f"{account['not_analysed']} not analysed",
        *(f"{rows} {reason}" for reason, rows in account["dropped"].items()),
        *account["notes"],
    ):
        assert said in demo_page.text


def test_every_cluster_is_there_by_name_with_its_size_and_songs_of_its_own(demo_page, demo_catalog):
    names = demo_catalog.texts("names")
    for cluster, coverage in zip(demo_catalog.manifest["clusters"], name_coverages(demo_catalog)):
        facts = f"{cluster['id']} {cluster['name']} {cluster['size']} {round(100 * coverage)}"
        told = re.search(rf"\b{re.escape(facts)} (.*)", demo_page.text)
        own = {names[row] for row in range(cluster["first"], cluster["first"] + cluster["size"])}
        assert any(name in told[1] for name in own)


def test_clusters_follow_the_family_that_they_are_of(demo_page, demo_catalog):
    listed = demo_page.text.rpartition("typical songs")[2]
    clusters = {entry["id"]: entry for entry in demo_catalog.manifest["clusters"]}
    for family in demo_catalog.manifest["families"]:
        listed = listed.partition(f"{family['name']} {family['size']} ")[2]
        for one in family["clusters"]:
            listed = listed.partition(f"{one} {clusters[one]['name']} {clusters[one]['size']} ")[2]
    assert listed


def test_clusters_of_a_family_have_a_hue_in_common_and_each_a_colour_of_its_own():
    found = plots.colours([3, 1, 4])
    assert len(set(found)) == len(found) == 8
    hues = mpl.colors.rgb_to_hsv([mpl.colors.to_rgb(colour) for colour in found])[:, 0].tolist()
    assert hues == pytest.approx([0, 0, 0, 1 / 3, *[2 / 3] * 4], abs=0.02)


def test_the_same_version_gives_the_same_bytes(world_artifacts, tmp_path):
    for name in ("one.html", "other.html"):
        report(world_artifacts, tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "other.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.html", "other.html"]


def test_hostile_names_are_text(page_of_rows):
    cells = {"track_name": HOSTILE, "artists": HOSTILE, "track_genre": HOSTILE, "album_name": HOSTILE}
    page = page_of_rows([row | {HOSTILE: "x"} for row in [song(1, **cells), *songs(12, track_genre=HOSTILE)[1:]]])
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) >= 3  # a column, a cluster's name and a typical song


@pytest.mark.parametrize(
    "headers",
    [
        ["track_id", "track_name", "energy", "valence"],
        ["track_name", "tempo", "loudness", "artists"],
        ["track_name", "track_genre"],
    ],
    ids=" ".join,
)
def test_a_table_without_many_columns_has_a_report(page_of_rows, headers):
    rows = [
        song(number, energy=number % 10 / 10, tempo=80 + number, track_genre=("folk", "jazz", "dub")[number % 3])
        for number in range(40)
    ]
    page = page_of_rows(some(rows, *headers))
    assert "40 songs in" in page.text
    assert "popularity number 100.0 % 40 songs" in page.text


def test_songs_of_spotify_link_to_where_they_can_be_heard(page_of_rows):
    page = page_of_rows([row | {"track_id": f"{place:022}"} for place, row in enumerate(songs())])
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href") and value[0] != "#"]
    assert links
    assert all(re.fullmatch(r"https://open\.spotify\.com/track/\d{22}", link) for link in links)


def test_missing_values_are_counted_column_by_column(tmp_path):
    rows = [*songs(10), song(11, artists="", valence=""), song(12, valence="", energy=0.9)]
    found = {
        c.name: c
        for c in summarize_columns(fit(FitOptions([write(tmp_path / "songs.csv", rows)]), tmp_path / "artifacts"))
    }
    assert [found[name].missing for name in ("name", "artists", "valence", "energy")] == [0, 1, 2, 0]
    energy = found["energy"]
    assert (energy.kind, energy.low, energy.middle, energy.high) == ("number", 0.6, 0.6, 0.9)


def test_quality_is_shown_with_its_history_and_the_current_version_marked(tmp_path, page_of):
    artifacts = tmp_path / "artifacts"
    fit(FitOptions([write(tmp_path / "songs.csv", songs(30))]), artifacts)
    rejudged(artifacts, {"playlists": {"HR@10": [0.25, 0.2, 0.3]}})
    now = rejudged(artifacts, {"table": {HOSTILE: 0.5}, "playlists": {"HR@10": [0.275, 0.25, 0.3125]}})
    page = page_of(artifacts)
    assert f"Judged by what the table holds {HOSTILE} 0.500" in page.text
    assert "Judged by playlists HR@10 0.275 0.250 to 0.312" in page.text
    assert f", {now} ." in page.text
    hit_rate = page.images()[-1]
    assert plots.ACCENT in hit_rate
    assert plots.MAIN in hit_rate


def test_figures_that_a_version_lacks_leave_a_gap():
    history = {"a": {"table": {"old": 1}}, "b": {"table": {"new": [0.5, 0.4, 0.6], "unknown": None}, "seconds": 3}}
    found = metrics_with_history(history, "b")
    assert [(by, [(f.name, f.interval) for f in figures]) for by, figures in found.items()] == [
        ("table", [("new", (0.5, 0.4, 0.6))])
    ]
    assert metrics_with_history(history, "c") == {}


def test_versions_that_were_not_judged_or_are_damaged_are_no_part_of_the_history(tmp_path):
    judged = '{"quality": {"table": {"genre@10": 0.5}}}'
    for name, manifest in {"a": "[]", "b": '{"for', "c": judged, "d": "{}"}.items():
        (tmp_path / "versions" / name).mkdir(parents=True)
        (tmp_path / "versions" / name / "manifest.json").write_text(manifest)
    (tmp_path / "versions" / ".partial").mkdir()
    assert quality_by_version(LocalStore(tmp_path)) == {"c": {"table": {"genre@10": 0.5}}}


def test_the_history_tells_the_order_of_versions_whatever_the_age_of_their_files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "versions" / name).mkdir(parents=True)
        (tmp_path / "versions" / name / "manifest.json").write_text('{"quality": {"table": {"genre@10": 0.5}}}')
    lines = [{"version": version, "time": f"2026-01-0{day}T00:00:00Z"} for day, version in enumerate("bab", 1)]
    (tmp_path / "history.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert list(quality_by_version(LocalStore(tmp_path))) == ["b", "a"]


def test_plots_leave_no_trace_in_the_settings_of_matplotlib():
    before = dict(mpl.rcParams)
    plots.metric_history([(0.5, 0.4, 0.6)], 0)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("number", "text"),
    [(1234567, "1,234,567"), (0.123456, "0.123"), (1.0, "1"), (1234.56, "1,234.6"), (-7.185, "-7.185")],
)
def test_amounts_are_written_as_people_read_them(number, text):
    assert format_number(number) == text


def test_the_command_prints_where_the_page_is(world_artifacts, tmp_path, capsys):
    out = tmp_path / "world.html"
    assert main(["report", "--artifacts", str(world_artifacts), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert told.out == f"{out}\n"
    assert "drawing the map ...\n" in told.err
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_without_artifacts_the_command_says_what_to_run(tmp_path, capsys):
    assert main(["report", "--artifacts", str(tmp_path / "none"), "--out", str(tmp_path / "report.html")]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"error: no artifacts in '{tmp_path}/none': run 'segue fit' first\n")
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("missing/report.html", "there is no folder {folder}/missing to write it to"),
        ("a file/report.html", "there is no folder {folder}/a file to write it to"),
        ("", "a folder; expected a file to write"),
    ],
)
@pytest.mark.parametrize("command", ["report", "recommend-file"])
def test_a_file_that_can_not_be_written_is_told_before_any_work(tmp_path, capsys, command, place, told):
    (tmp_path / "a file").touch()
    out = tmp_path / place
    arguments = ["--out", str(out)] if command == "report" else ["queries.csv", str(out)]
    assert main([command, *arguments, "--artifacts", str(tmp_path / "read later")]) == 1
    assert capsys.readouterr() == ("", f"error: {out}: {told.format(folder=tmp_path)}\n")
