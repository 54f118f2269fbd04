"""Google, rehearsed: the staged folder under the functions framework, with its own requirements and nothing else."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from infra.servers import functions_framework
from infra.steps import Failed, expect


def environment(folder: Path, requirements: Path) -> Path:
    """The interpreter of a new environment that holds a file's requirements."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"requirements can't be installed: {done.stderr.strip()}")
    return python


def answer_requests(python: Path, staged: Path) -> None:
    """Let the staged folder answer as Google would run it, preloaded."""
    with functions_framework(python, staged, {"SEGUE_PRELOAD": "1"}) as base:
        song = _get(f"{base}/clusters/0?limit=1")["songs"][0]["id"]
        found = _get(f"{base}/recommend?song_id={song}&limit=3")
        expect("recommendations", len(found["recommendations"]), 3)
        expect("a record", _get(f"{base}/songs/{song}")["id"], song)
        expect("readiness", _get(f"{base}/readyz")["version"], found["model"])


def _get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)
