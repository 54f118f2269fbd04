"""The deployment tool for AWS, run with credentials that open nothing."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segue_build import ROOT
from infra.steps import Failed

TOOL = ROOT / "node_modules" / ".bin" / "osls"
NOBODY = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_SESSION_TOKEN": ""}


def missing() -> str | None:
    """Why the tool can't run here; None when it can."""
    if not shutil.which("node"):
        return "Node is missing: install Node 20 or newer"
    if not TOOL.exists():
        return "osls is missing: run `npm ci`"
    return None


def run(*arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """Run a command; returns what it printed. Raises Failed with it when the command fails."""
    quiet = {"SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off"}
    whole = {**os.environ, **NOBODY, **quiet, **(environ or {})}
    done = subprocess.run([TOOL, *arguments], cwd=ROOT, env=whole, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"osls {' '.join(arguments)} fails: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def template(folder: Path, *arguments: str) -> dict[str, Any]:
    """The CloudFormation template that serverless.yml compiles to; the package need not exist."""
    placeholder = folder / "package.zip"
    placeholder.write_bytes(b"PK\5\6" + bytes(18))
    run("package", "--package", str(folder), "--param", f"zip={placeholder}", *arguments)
    compiled: dict[str, Any] = json.loads((folder / "cloudformation-template-update-stack.json").read_text())
    return compiled
