"""What a person sees of long work."""

import re
import time

import pytest

from segue_build import progress


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr("segue_build.progress.HEARTBEAT_SECONDS", 0.01)


def test_a_stage_tells_that_it_begins_that_it_works_and_what_it_took(capsys):
    with progress.stage("counting sheep"):
        time.sleep(0.2)
    first, *signs, last = capsys.readouterr().err.splitlines()
    assert first == "counting sheep ..."
    assert signs
    assert all(re.fullmatch(r"counting sheep \.\.\. \d s", sign) for sign in signs)
    assert re.fullmatch(r"counting sheep: \d\.\d s, [\d,]+ MB at the peak so far", last)


def test_a_stage_that_fails_is_silent_from_then_on(capsys):
    with pytest.raises(ValueError, match="wolf"), progress.stage("counting sheep"):
        raise ValueError("wolf")
    capsys.readouterr()
    time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_a_table_at_the_end_tells_what_each_stage_took_and_what_is_left(capsys):
    with progress.time_table():
        with progress.stage("counting sheep"):
            time.sleep(0.2)
        time.sleep(0.1)
    with progress.stage("after that"):
        pass
    _, title, header, *rows = [line for line in capsys.readouterr().err.splitlines() if "..." not in line][:6]
    assert (title, header.split()) == ("where the time went, in seconds:", ["clock", "processor"])
    assert [re.fullmatch(r" +\d\.\d +\d\.\d  (.+)", row)[1] for row in rows] == [
        "counting sheep", "everything else", "altogether",
    ]  # fmt: skip
    sheep, rest, total = (float(row.split()[0]) for row in rows)
    assert (sheep >= 0.2, rest >= 0.1, total) == (True, True, pytest.approx(sheep + rest, abs=0.11))  # rounded


def test_what_runs_beside_a_stage_has_a_table_of_its_own_and_leaves_the_sum_right(capsys):
    with progress.time_table():
        wolves = progress.beside("counting wolves", time.sleep, 0.2)
        with progress.stage("counting sheep"):
            wolves.result()
    lines = [line for line in capsys.readouterr().err.splitlines() if "..." not in line]
    assert re.fullmatch(r"counting wolves, beside what follows: \d\.\d s, [\d,]+ MB at the peak so far", lines[0])
    *_, sheep, rest, total, title, wolves = lines
    assert title == "of which ran beside stages, in whose processor time it is counted:"
    assert [(float(row.split()[0]) >= 0.2, row.split("  ")[-1].strip()) for row in (sheep, rest, total, wolves)] == [
        (True, "counting sheep"), (False, "everything else"), (True, "altogether"), (True, "counting wolves"),
    ]  # fmt: skip


def test_what_fails_beside_a_stage_fails_where_its_result_is_needed():
    failing = progress.beside("dividing", divmod, 1, 0)
    with progress.stage("counting sheep"):
        pass
    with pytest.raises(ZeroDivisionError):
        failing.result()
