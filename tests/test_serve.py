"""``serve SOURCE``: what is fitted before it serves, and what never takes the place of other songs."""

import contextlib
import os
import socket

import pytest

from segue.catalog import current_version, load
from segue_build.cli import main
from segue_build.sources import demo
from tests.support import world
from tests.support.tables import songs, write


@pytest.fixture
def serve(tmp_path, monkeypatch, capsys):
    """Runs ``segue serve`` in an empty folder up to where the process becomes the server: exit code, stdout, stderr.

    The server lives until the returned function is called with ``stop=True``.
    """
    held = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEGUE_ARTIFACTS", raising=False)
    monkeypatch.setattr(os, "execv", lambda *_: None)
    monkeypatch.setattr(os, "set_inheritable", lambda lock, _: held.append(lock))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def run(*arguments, stop=False):
        code = main(["serve", "--port", str(port), *arguments])
        os.environ.pop("SEGUE_ARTIFACTS", None)  # as the server's process takes it along
        while stop and held:
            os.close(held.pop())
        return code, *capsys.readouterr()

    yield run
    for lock in held:
        with contextlib.suppress(OSError):
            os.close(lock)


def test_a_table_is_fitted_when_it_is_new_or_has_changed_and_served(serve, tmp_path):
    world.write(tmp_path / "songs.csv")
    code, printed, _ = serve("songs.csv", stop=True)
    version, *_, listens = printed.splitlines()
    assert (code, version) == (0, f"version {current_version(tmp_path / 'artifacts')}: 14 songs in 2 clusters")
    assert listens.startswith("Segue listens on http://127.0.0.1:")
    _, printed, told = serve("songs.csv", stop=True)
    assert printed.splitlines() == [listens]
    assert told == "artifacts holds the songs of songs.csv as it is now; 'segue fit' would fit it again\n"
    world.write(tmp_path / "songs.csv", world.rows()[1:])
    assert serve("songs.csv", stop=True)[1].startswith("version ")
    assert len(load(tmp_path / "artifacts")) == 13
    assert serve("songs.csv", "--seed", "3", stop=True)[1].startswith("version ")


def test_a_second_server_never_changes_the_songs_under_the_first(serve, tmp_path):
    world.write(tmp_path / "songs.csv")
    write(tmp_path / "others.csv", songs(20))
    serve("songs.csv")
    before = current_version(tmp_path / "artifacts")
    assert serve("songs.csv")[0] == 0  # the same songs: two servers of them
    code, printed, told = serve("others.csv")
    assert (code, printed, current_version(tmp_path / "artifacts")) == (1, "", before)
    assert told == (
        "error: another server is serving the songs in artifacts, and those of others.csv would replace them:"
        " stop it, or keep these in a folder of their own, with --artifacts FOLDER or SEGUE_ARTIFACTS=FOLDER\n"
    )
    assert serve("others.csv", "--artifacts", "others")[0] == 0
    assert serve("songs.csv", stop=True)[0] == 0
    assert serve("others.csv")[1].startswith("version ")


def test_songs_are_invented_only_where_nothing_was_fitted_and_nothing_named(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "DEFAULT_SONGS", 200)
    assert serve(stop=True)[0] == 0
    assert load(tmp_path / "artifacts").manifest["invented"]
    world.write(tmp_path / "songs.csv")
    serve("songs.csv", stop=True)
    assert serve(stop=True)[:2] == (0, serve(stop=True)[1])
    assert not load(tmp_path / "artifacts").manifest["invented"]
    assert serve("--artifacts", "nothing") == (1, "", "error: no artifacts in 'nothing': run 'segue fit' first\n")
    assert not (tmp_path / "nothing").exists()


def test_a_bucket_is_no_place_to_fit_into(serve, tmp_path):
    world.write(tmp_path / "songs.csv")
    assert serve("songs.csv", "--artifacts", "s3://music/models") == (
        1, "", "error: a fit writes to a folder, not to s3://music/models: leave out SOURCE, or name a folder\n",
    )  # fmt: skip
