"""Publishing, comparing, rolling back and pruning: what a store holds afterwards, and what a person is told."""

import os
import re
import time
from pathlib import Path

import pytest

from segue import catalog, releases
from segue.catalog import version_files
from segue.errors import ArtifactsError, ReleaseError
from segue.releases import store
from segue_build.cli import main
from segue_build.releases import gate, publish, version_history
from segue_build.releases import version_history as listed
from segue_build.releases.publish import PublishOptions
from tests.support.releases import ANYHOW, current, published, told_of

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "life-of-a-model.md").read_text(encoding="utf-8")


def whole(address, version):
    """Whether each file of a version in a store is what it should be."""
    place = releases.open_store(address)
    content = place.read(f"versions/{version}/{version_files.MANIFEST}").content
    files = version_files.parse_manifest(content, version)["files"]
    return not publish.damaged_files(place, version, files)


def test_a_version_is_published_whole_and_the_history_tells_of_it(address, versions):
    first, second = versions[:2]
    publish.publish(first, releases.open_store(address), PublishOptions(by="Ada", reason="the first"))
    publish.publish(second, releases.open_store(address), PublishOptions(force=True, reason="a test"))
    assert whole(address, first.version)
    assert whole(address, second.version)
    assert (current(address)["version"], current(address)["previous"]) == (second.version, first.version)
    assert told_of(address) == [
        {"action": "publish", "version": first.version, "previous": None, "reason": "the first"},
        {"action": "publish", "version": second.version, "previous": first.version, "reason": "a test",
         "refused": ["vanished: 0.0769 after 0.0000, worse by 0.07692, allowed is 0.05"]},
    ]  # fmt: skip
    assert version_history.read_history(releases.open_store(address))[0]["by"] == "Ada"


def test_what_is_current_already_is_repaired_and_told(plain, versions, capsys):
    published(plain, versions[:1])
    (Path(plain) / "versions" / versions[0].version / "vectors.npy").write_bytes(b"rotten")
    (Path(plain) / "versions" / versions[0].version / "works.npy").unlink()
    published(plain, versions[:1])
    assert f"version {versions[0].version} is current at {plain} already" in capsys.readouterr().out
    assert whole(plain, versions[0].version)
    assert len(told_of(plain)) == 1


def test_an_interrupted_publish_is_taken_up(plain, versions, capsys):
    part = Path(plain) / "versions" / versions[0].version
    part.mkdir(parents=True)
    names = sorted(versions[0].manifest["files"])
    for name in names[:30]:
        (part / name).write_bytes((versions[0].folder / name).read_bytes())
    (part / names[0]).write_bytes(b"cut")
    published(plain, versions[:1])
    assert f"uploading {len(names) - 30} files" in capsys.readouterr().err
    assert whole(plain, versions[0].version)


@pytest.mark.parametrize("how", ["flipped", "deleted"])
def test_a_damaged_candidate_is_refused_by_the_file_and_nothing_is_written(plain, versions, tmp_path, how):
    copied = tmp_path / "copy"
    copied.mkdir()
    for path in versions[0].folder.iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
    if how == "flipped":
        (copied / "works.npy").write_bytes(versions[0].path("works.npy").read_bytes()[:-1] + b"?")
    else:
        (copied / "works.npy").unlink()
    damaged = catalog.Catalog(copied, versions[0].manifest)
    with pytest.raises(ArtifactsError, match=r"works\.npy"):
        publish.publish(damaged, releases.open_store(plain), ANYHOW)
    assert not (Path(plain) / "versions").exists()


# --- back, and away ---------------------------------------------------------------------------------------------


def test_rolling_back_leads_to_what_was_before_and_again_to_what_was_after(plain, versions):
    first, second, third = versions[:3]
    published(plain, [first, second, third])
    seen = []
    for wanted in (None, None, first.version):
        publish.rollback(releases.open_store(plain), wanted, PublishOptions(reason="it sings flat"))
        seen.append(current(plain)["version"])
    assert seen == [second.version, third.version, first.version]
    assert told_of(plain)[-1] == {
        "action": "rollback", "version": first.version, "previous": third.version, "reason": "it sings flat",
    }  # fmt: skip


def test_rolling_back_goes_nowhere_damaged_or_unknown(plain, versions):
    published(plain, versions[:2])
    (Path(plain) / "versions" / versions[0].version / "works.npy").write_bytes(b"rotten")
    with pytest.raises(ArtifactsError, match=rf"works\.npy of version {versions[0].version} is damaged or missing"):
        publish.rollback(releases.open_store(plain), None, PublishOptions())
    with pytest.raises(ReleaseError, match="there is no whole version 0123456789abcdef"):
        publish.rollback(releases.open_store(plain), "0123456789abcdef", PublishOptions())
    assert current(plain)["version"] == versions[1].version


def test_there_is_no_way_back_from_the_first(plain, versions):
    with pytest.raises(ReleaseError, match="nothing is published"):
        publish.rollback(releases.open_store(plain), None, PublishOptions())
    published(plain, versions[:1])
    with pytest.raises(ReleaseError, match="no version was current"):
        publish.rollback(releases.open_store(plain), None, PublishOptions())


def test_the_last_versions_are_kept_and_always_the_current_and_the_one_before(address, versions):
    published(address, versions[:3])
    publish.rollback(releases.open_store(address), versions[0].version, PublishOptions())
    publish.publish(versions[3], releases.open_store(address), PublishOptions(force=True, reason="a test", keep=2))
    assert set(listed.files_by_version(releases.open_store(address))) == {versions[0].version, versions[3].version}
    assert all(whole(address, songs.version) for songs in (versions[0], versions[3]))


def test_what_somebody_is_uploading_is_not_pruned_before_a_day_is_over(plain, versions):
    published(plain, versions[:2])
    for version, age in (("0" * 16, 3600), ("1" * 16, 25 * 3600)):
        path = Path(plain) / "versions" / version / "vectors.npy"
        path.parent.mkdir()
        path.write_bytes(b"")
        os.utime(path, (time.time() - age,) * 2)
    publish.prune(releases.open_store(plain), 2)
    assert set(listed.files_by_version(releases.open_store(plain))) == {
        versions[0].version,
        versions[1].version,
        "0" * 16,
    }


# --- several publishers -----------------------------------------------------------------------------------------


def test_of_two_publishers_one_wins_and_the_other_says_so(plain, versions, monkeypatch):
    published(plain, versions[:1])
    copy = publish.upload

    def overtaken(songs, place):
        copy(songs, place)
        monkeypatch.setattr(publish, "upload", copy)
        published(plain, versions[2:3])

    monkeypatch.setattr(publish, "upload", overtaken)
    with pytest.raises(ReleaseError, match=f"another publisher made version {versions[2].version} current meanwhile"):
        publish.publish(versions[1], releases.open_store(plain), ANYHOW)
    assert current(plain)["version"] == versions[2].version
    assert [(entry["version"], entry.get("lost_to")) for entry in told_of(plain)] == [
        (versions[0].version, None),
        (versions[2].version, None),
        (versions[1].version, versions[2].version),
    ]
    published(plain, versions[1:2])
    assert current(plain)["version"] == versions[1].version


def test_a_swap_whose_answer_was_lost_has_won(plain, versions, monkeypatch):
    published(plain, versions[:1])
    swap = store.LocalStore.compare_and_swap

    def forgotten(self, name, content, tag):
        swap(self, name, content, tag)
        if name == version_files.POINTER:
            raise publish.WriteConflict("the answer to the first try never came, and the second found this")

    monkeypatch.setattr(store.LocalStore, "compare_and_swap", forgotten)
    published(plain, versions[1:2])
    assert current(plain)["version"] == versions[1].version
    assert len(told_of(plain)) == 2


def test_an_entry_that_a_killed_publisher_could_not_write_is_written_by_the_next(plain, versions):
    published(plain, versions[:1])
    (Path(plain) / version_history.HISTORY_FILE).unlink()
    published(plain, versions[1:2])
    assert [entry["version"] for entry in told_of(plain)] == [songs.version for songs in versions[:2]]


def test_histories_written_at_once_lose_nothing(address):
    from concurrent.futures import ThreadPoolExecutor

    entries = [version_history.new_entry("publish", f"{number:016x}", None) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda entry: version_history.append_history(releases.open_store(address), entry), entries))
    read = version_history.read_history(releases.open_store(address))
    assert sorted(entry["version"] for entry in read) == [entry["version"] for entry in entries]


def test_a_line_of_the_history_that_is_none_is_passed_over(plain):
    Path(plain).mkdir()
    (Path(plain) / version_history.HISTORY_FILE).write_text('{"version": "a", "id": 1}\nnot one\n[]\n{"versi')
    version_history.append_history(releases.open_store(plain), version_history.new_entry("fit", "b", "a"))
    assert [entry["version"] for entry in version_history.read_history(releases.open_store(plain))] == ["a", "b"]


# --- the command line -------------------------------------------------------------------------------------------


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_the_three_commands_tell_what_became_of_a_version(address, versions, capsys):
    artifacts = versions[0].folder.parents[1]  # the last version is current there
    last = versions[3].version
    published(address, versions[:1])
    assert run("publish", address, "--artifacts", artifacts) == 1
    assert "REFUSED" in capsys.readouterr().out
    forced = ["--force", "--reason", "new songs", "--by", "ci"]
    assert run("publish", address, "--artifacts", artifacts, *forced) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"version {last} is current at {address}"
    assert run("versions", address) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["version", "state", "songs", "size", "when", "by", "how", "why"]
    assert [line[:3] for line in lines[1:]] == [[last, "current", "13"], [versions[0].version, "previous", "13"]]
    assert lines[1][6:] == ["ci", "publish", "forced:", "new", "songs"]
    assert run("rollback", address, "--reason", "flat") == 0
    said = f"version {versions[0].version} is current at {address}, in place of {last}\n"
    assert capsys.readouterr().out == said


def test_force_needs_a_reason(plain, versions, capsys):
    assert run("publish", plain, "--artifacts", versions[0].folder.parents[1], "--force") == 1
    assert capsys.readouterr().err == "error: --force needs --reason TEXT, which the history keeps\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["publish"], "the following arguments are required: URI"),
        (["publish", "ftp://x"], "'ftp://x': expected a folder, s3://bucket/prefix or gs://bucket/prefix"),
        (["publish", "x", "--keep", "1"], "argument --keep: '1': expected a whole number 2..10000"),
        (["publish", "x", "--allow", "tempo=1"], "'tempo=1': expected NAME=NUMBER with songs, vanished"),
        (["rollback", "x", "yesterday"], "'yesterday': expected a version's id, 16 of 0-9a-f"),
    ],
)
def test_bad_usage_tells_what_was_expected(capsys, arguments, told):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err


def test_commands_that_read_artifacts_read_them_from_a_store(s3, versions, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_CACHE", str(tmp_path / "cache"))
    published(s3, versions[3:4])
    (tmp_path / "queries.csv").write_text("query_id,seed_track_id\nq,piano-1\n")
    ranked = []
    for artifacts in (s3, versions[3].folder.parents[1]):
        assert run("recommend-file", tmp_path / "queries.csv", tmp_path / "out.csv", "--artifacts", artifacts) == 0
        ranked.append((tmp_path / "out.csv").read_text())
    assert ranked[0] == ranked[1]


def test_a_fit_adds_to_the_history_of_its_folder(versions):
    entries = version_history.read_history(releases.open_store(str(versions[0].folder.parents[1])))
    assert [(entry["action"], entry["version"]) for entry in entries] == [
        ("fit", songs.version) for songs in versions
    ]
    assert [entry["previous"] for entry in entries] == [None, *(songs.version for songs in versions[:3])]


def test_the_allowances_in_the_documentation_are_those_of_the_gate():
    shown = re.findall(r"^(\S+) +[\d,.]+ +[\d,.]+ +\S+ +(\S+) +(?:ok|REFUSED)", DOCUMENTED, re.MULTILINE)
    assert len(shown) >= 4
    for name, allowed in shown:
        rule = gate.RULES[name]
        assert allowed == (f"{rule.allowed:.4g}" if rule.absolute else f"{rule.allowed:.1%}")
