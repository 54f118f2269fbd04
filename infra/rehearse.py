"""``make rehearse``: every step to the cloud and back, on a machine that has no cloud, no Docker and no login.

What can't be taken here, because a tool is missing, is named and left out; what fails ends the rehearsal.
"""

import sys
import tempfile
from pathlib import Path

from segue_build.fit import Options as FitOptions
from segue_build.fit import fit
from segue_build.package.package import Options, Package, package
from segue_build.package.targets import Target
from infra import onaws, ongoogle, servers
from infra.steps import Failed, Steps


def main() -> int:
    """Rehearse; returns the exit code."""
    steps = Steps()
    with tempfile.TemporaryDirectory(prefix="segue-rehearsal-") as folder:
        try:
            rehearse(Path(folder), steps)
        except Failed as why:
            print(f"\nfailed: {why}")
            return 1
    print(f"\nrehearsed; left out: {len(steps.skipped)}")
    return 0


def rehearse(work: Path, steps: Steps) -> None:
    """All steps, in the order in which a person takes them."""
    with steps.step("fit two models"):
        models = [work / "one", work / "two"]
        for number, model in enumerate(models):
            fit(FitOptions([f"demo:{900 + 100 * number}"]), model)
    on_aws(work, models, steps)
    on_google(work, models[0], steps)


def on_aws(work: Path, models: list[Path], steps: Steps) -> None:
    """Package, check, deploy, answer, release, remove."""
    target = Target.here("aws")
    with steps.step("package for AWS: this Python, this processor"):
        made = package(Options(target, models[0], work / "dist"))
    (work / "template").mkdir()
    with steps.step("check the stack: cfn-lint, policies"):
        onaws.check_template(work / "template")
    with steps.step("have what deploys"):
        onaws.need_osls()
        with servers.moto() as endpoint:
            _deployed(endpoint, work, models, made, steps)
        return
    with steps.step("answer events under awslambdaric, not deployed"):
        onaws.answer_events(made.folder, work, {})


def _deployed(endpoint: str, work: Path, models: list[Path], made: Package, steps: Steps) -> None:
    arch = Target.here("aws").arch
    with steps.step("deploy to a stand-in for AWS"):
        stack = onaws.deploy(endpoint, made.archive, arch)
    with steps.step("fetch the deployed zip back"):
        task = onaws.fetch_back(endpoint, stack, made.archive, work)
    with steps.step("answer events of its address under awslambdaric"):
        onaws.answer_events(task, work, {})
    with steps.step("publish to the bucket, follow, roll back, follow"):
        onaws.release(endpoint, stack, models, task, work)
    with steps.step("remove the stack"):
        onaws.remove(endpoint, made.archive, arch)


def on_google(work: Path, model: Path, steps: Steps) -> None:
    """Package, install its requirements and nothing else, answer."""
    with steps.step("package for Google"):
        made = package(Options(Target.here("gcp"), model, work / "dist"))
    with steps.step("install its requirements"):
        python = ongoogle.environment(work / "environment", made.folder / "requirements.txt")
    with steps.step("answer requests under the functions framework"):
        ongoogle.answer_requests(python, made.folder)


if __name__ == "__main__":
    sys.exit(main())
