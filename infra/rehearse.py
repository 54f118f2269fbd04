"""``make rehearse``: every step of a deployment and of its removal, without a cloud, Docker or an account.

A step whose tool is missing is named and skipped; a failure ends the rehearsal.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from infra import harness, rehearse_aws
from infra.harness import Rehearsal, StepFailed, expect, run_functions_framework
from segue_build.fit import FitOptions, fit
from segue_build.package.builder import PackageOptions, build_package
from segue_build.package.targets import Target


def main() -> int:
    """Rehearse; returns the exit code."""
    steps = Rehearsal()
    with tempfile.TemporaryDirectory(prefix="segue-rehearsal-") as folder:
        try:
            rehearse(Path(folder), steps)
        except StepFailed as why:
            print(f"\nfailed: {why}")
            return 1
    print(f"\nrehearsed; skipped: {len(steps.skipped)}")
    return 0


def rehearse(work: Path, steps: Rehearsal) -> None:
    """Take all steps, in the order in which a person does."""
    with steps.step("fit two models"):
        models = [work / "one", work / "two"]
        for number, model in enumerate(models):
            fit(FitOptions([f"demo:{900 + 100 * number}"]), model)
    rehearse_on_aws(work, models, steps)
    rehearse_on_google(work, models[0], steps)


def rehearse_on_aws(work: Path, models: list[Path], steps: Rehearsal) -> None:
    """Package, check, deploy, answer, release, remove."""
    (work / "template").mkdir()
    with steps.step("check the stack: cfn-lint, policies"):
        rehearse_aws.check_template(work / "template")
    with steps.step("have what deploys"):
        rehearse_aws.require_osls()
        with harness.run_moto() as endpoint:
            _rehearse_stack(endpoint, work, models, steps)
        return
    with steps.step("package for AWS: this Python, this processor"):
        built = build_package(PackageOptions(Target.here("aws"), models[0], work / "dist"))
    with steps.step("answer events under awslambdaric, not deployed"):
        rehearse_aws.answer_events(built.folder, work, {})


def _rehearse_stack(endpoint: str, work: Path, models: list[Path], steps: Rehearsal) -> None:
    with steps.step("fit, package and deploy a table to a stand-in for AWS, by one command"):
        stack = rehearse_aws.deploy_stack(endpoint, "demo:300", work)
    with steps.step("fetch the deployed zip back"):
        task = rehearse_aws.fetch_deployed(endpoint, stack, work / "dist" / "aws.zip", work)
    with steps.step("answer events of its address under awslambdaric"):
        rehearse_aws.answer_events(task, work, {})
    with steps.step("publish to the bucket, follow, roll back, follow"):
        rehearse_aws.publish_and_roll_back(endpoint, stack, models, task, work)
    with steps.step("remove the stack"):
        rehearse_aws.remove_stack(endpoint)


def rehearse_on_google(work: Path, model: Path, steps: Rehearsal) -> None:
    """Package, install its requirements and nothing else, answer."""
    with steps.step("package for Google"):
        made = build_package(PackageOptions(Target.here("gcp"), model, work / "dist"))
    with steps.step("install its requirements"):
        python = create_environment(work / "environment", made.folder / "requirements.txt")
    with steps.step("answer requests under the functions framework"):
        answer_google_requests(python, made.folder)


def create_environment(folder: Path, requirements: Path) -> Path:
    """The interpreter of a new environment that holds a file's requirements."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    python = folder / "bin" / "python"
    command: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        requirements,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"requirements can't be installed: {done.stderr.strip()}")
    return python


def answer_google_requests(python: Path, staged: Path) -> None:
    """Run the staged folder as Google would, preloaded, and check what it answers."""
    with run_functions_framework(python, staged, {"SEGUE_PRELOAD": "1"}) as base:
        song = _get_json(f"{base}/clusters/0?limit=1")["songs"][0]["id"]
        found = _get_json(f"{base}/recommend?song_id={song}&limit=3")
        expect("recommendations", len(found["recommendations"]), 3)
        expect("a record", _get_json(f"{base}/songs/{song}")["id"], song)
        expect("readiness", _get_json(f"{base}/readyz")["version"], found["model"])


def _get_json(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
