"""The GitHub Action: its steps are run as a runner does, but for those that install."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from segue_build import FUNCTIONS, ROOT
from tests.support import world

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
SEGUE = f'#!/bin/sh\nexec {sys.executable} -m segue_build "$@"\n'


@pytest.fixture
def push(tmp_path):
    """Runs the action on a push of the table in an empty folder: exit codes by step, summary, outputs."""
    (tmp_path / "segue").write_text(SEGUE)
    (tmp_path / "segue").chmod(0o755)

    def run(rows, **inputs):
        world.write(tmp_path / "songs.csv", rows)
        (tmp_path / "temp").mkdir(exist_ok=True)
        files = {name: tmp_path / name.lower() for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
        for file in files.values():
            file.write_text("")
        environ = {
            "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path), "GITHUB_ACTOR": "ada",
            "PYTHONPATH": f"{FUNCTIONS}{os.pathsep}{ROOT / 'build'}", "RUNNER_TEMP": str(tmp_path / "temp"),
            **{name: str(file) for name, file in files.items()},
        }  # fmt: skip
        given = {name: entry.get("default") for name, entry in ACTION["inputs"].items()}
        given |= {"source": "songs.csv", "store": "published", **inputs}
        codes = {}
        for step in ACTION["runs"]["steps"]:
            if "run" not in step or step["name"] == "Install":
                continue
            if any(codes.values()) and step.get("if") != "always()":
                continue
            settings = {name: expanded(text, given) for name, text in step.get("env", {}).items()}
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", expanded(step["run"], given)]
            done = subprocess.run(command, cwd=tmp_path, env=environ | settings, capture_output=True, check=False)
            codes[step["name"]] = done.returncode
        return codes, *(file.read_text() for file in files.values())

    return run


def expanded(text, inputs):
    """A text with the values of the inputs that it names, and of nothing else."""
    return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: inputs[match[1]], text)


@pytest.mark.slow
def test_a_push_of_the_table_is_fitted_compared_and_published_and_the_summary_shows_the_figures(push, tmp_path):
    codes, summary, outputs = push(world.rows())
    assert codes == {"Fit": 0, "Publish, unless it is worse": 0, "Summary": 0}
    version = re.fullmatch(r"version=([0-9a-f]{16})\n", outputs)[1]
    fit, publish = summary.split("### publish")
    assert fit.startswith(f"### fit\n\n```\nversion {version}: 14 songs in 2 clusters\n  recall@20  1.0000")
    assert "name_coverage" in fit
    assert version in (tmp_path / "published" / "current.json").read_text()
    assert publish.endswith("```\n\n")
    codes, summary, _ = push(world.rows()[4:])
    assert codes == {"Fit": 0, "Publish, unless it is worse": 1, "Summary": 0}
    assert re.search(r"^songs +14 +10 .* REFUSED", summary, re.MULTILINE)
    assert version in (tmp_path / "published" / "current.json").read_text()
    codes, summary, _ = push(world.rows()[4:], **{"force-reason": "a label left"})
    assert set(codes.values()) == {0}
    assert version not in (tmp_path / "published" / "current.json").read_text().partition("previous")[0]


@pytest.mark.slow
def test_a_table_that_can_not_be_read_fails_the_job_and_says_so(push):
    codes, summary, outputs = push([{"id": "1"}])
    assert codes == {"Fit": 1, "Summary": 0}
    assert outputs == ""
    assert re.fullmatch(r"### fit\n\n```\nerror: .*songs\.csv.*\n```\n\n", summary)


def test_no_step_puts_an_input_into_a_script():
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert [script for script in scripts if "${{" in script] == []
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"] if "run" in step)
    used = set(re.findall(r"inputs\.([\w-]+)", Path(ROOT / "action.yml").read_text(encoding="utf-8")))
    assert used == set(ACTION["inputs"])
