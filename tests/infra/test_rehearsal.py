"""The rehearsal of a deployment: what it does where a tool is missing, and that a failure ends it."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import serverless_stack
from infra.harness import Rehearsal, StepFailed, StepSkipped, expect

ROOT = Path(__file__).resolve().parents[2]


def test_infra_imports_nothing_of_the_tests():
    sources = sorted((ROOT / "infra").rglob("*.py"))
    imported = {
        name.partition(".")[0]
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert "infra" in imported
    assert "tests" not in imported


def test_a_step_that_cannot_be_taken_is_told_with_its_reason(capsys):
    steps = Rehearsal()
    with steps.step("fly"):
        raise StepSkipped("there are no wings")
    assert capsys.readouterr().out == "skipped  fly: there are no wings\n"
    assert steps.skipped == ["fly"]


def test_a_failure_ends_the_rehearsal(capsys):
    with pytest.raises(StepFailed, match="songs: expected 3, found 2"), Rehearsal().step("count"):
        expect("songs", 2, 3)
    assert capsys.readouterr().out == "FAILED   count\n"


def test_a_missing_node_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert serverless_stack.missing_tool() == "Node is missing: install Node 20 or newer"


@pytest.mark.slow
def test_without_node_the_rest_is_rehearsed(tmp_path):
    (tmp_path / "sh").symlink_to(shutil.which("sh"))
    command = [sys.executable, "-m", "infra.rehearse"]
    environ = os.environ | {"PATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert re.findall(r"^(passed|skipped)  +([a-z ]+)", done.stdout, re.MULTILINE) == [
        ("passed", "fit two models "), ("skipped", "check the stack"), ("skipped", "have what deploys"),
        ("passed", "package for "), ("passed", "answer events under awslambdaric"),
        ("passed", "package for "), ("passed", "install its requirements "),
        ("passed", "answer requests under the functions framework "),
    ]  # fmt: skip
