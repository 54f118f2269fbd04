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
