"""The commands ``package``, ``deploy`` and ``key``: their options, and what they run."""

import argparse
import hashlib
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from segue.errors import PackageError
from segue_build import IS_INSTALLED, ROOT
from segue_build.arguments import Commands, add_command
from segue_build.package.targets import ARCHITECTURES, PYTHON_VERSIONS, Target

CLOUDS = {"aws": "aws", "google": "gcp"}  # as deploy calls them -> as package does
WORKSPACE = Path("segue-deploy")  # where an installation deploys from; Terraform keeps its state in it
GOOGLE_SERVICES = ("run", "cloudbuild", "artifactregistry", "storage", "iam", "monitoring")
TOOLS = {
    "npm": "install Node 20 or newer",
    "gcloud": "install the Google Cloud CLI, then `gcloud auth application-default login`",
    "terraform": "install Terraform 1.5 or newer",
}
ADDRESS = re.compile(r"https://[\w.-]+(?:\.lambda-url\.|\.run\.app)[\w./-]*")


def add_commands(commands: Commands) -> None:
    """Add ``package`` and ``key``."""
    _add_package(commands)
    key = add_command(commands, "key", "make an API key, its digest and a secret for tokens", "")
    key.set_defaults(run=_run_key)


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add what a package is made for and where it is written."""
    where = parser.add_mutually_exclusive_group()
    offered = "; ".join(f"{cloud}: {', '.join(versions)}" for cloud, versions in PYTHON_VERSIONS.items())
    where.add_argument(
        "--python", metavar="VERSION", default="3.13", help=f"the platform's; {offered} (default: %(default)s)"
    )
    where.add_argument("--here", action="store_true", help="for this machine's own Python and processor: a rehearsal")
    parser.add_argument(
        "--arch",
        choices=ARCHITECTURES,
        help="processor (default: arm64 on aws; gcp has x86_64 only; else this one's)",
    )
    parser.add_argument("--out", type=Path, default=Path("dist"), help="folder to write to (default: %(default)s)")


def _add_package(commands: Commands) -> None:
    parser = add_command(
        commands, "package", "make a folder and a zip for AWS, Google or a server", "aws --arch arm64"
    )
    parser.add_argument("cloud", choices=PYTHON_VERSIONS, help="Lambda, Cloud Run functions, or a server of yours")
    add_target(parser)
    parser.add_argument("--image", action="store_true", help="for a container image, which may have 10 GB")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--artifacts",
        type=Path,
        default=Path(os.environ.get("SEGUE_ARTIFACTS") or "artifacts"),
        help="folder whose current version comes along (default: SEGUE_ARTIFACTS, else artifacts)",
    )
    which.add_argument("--no-artifacts", action="store_true", help="the function fetches them from a bucket")
    parser.set_defaults(run=_run_package)


def add_deploy_options(parser: argparse.ArgumentParser) -> None:
    """Add what ``deploy`` takes beside the options of a fit."""
    add_target(parser)
    parser.add_argument(
        "--no-artifacts",
        action="store_true",
        help="code alone, which reads the models that 'publish' puts into the bucket",
    )
    parser.add_argument(
        "--public", action="store_true", help="open to all, without a key (default: SEGUE_API_KEYS must be set)"
    )
    parser.add_argument("--stage", metavar="NAME", help="aws: another stack beside the first (default: dev)")
    parser.add_argument("--project", metavar="ID", help="google: the project that pays")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of serverless.yml or variable of infra/google/main.tf, as in memory=2048; may be repeated",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be run, and run nothing")


def _run_package(options: argparse.Namespace) -> None:
    print("\n".join(package(options, options.cloud, None if options.no_artifacts else options.artifacts)))


def package(options: argparse.Namespace, cloud: str, artifacts: Path | None) -> list[str]:
    """Make a package, and say what is in it."""
    from segue_build.package.builder import PackageOptions, build_package, size_table

    target = _target(options, cloud)
    made = build_package(PackageOptions(target, artifacts, options.out))
    return size_table(made, target)


def _target(options: argparse.Namespace, cloud: str) -> Target:
    target = Target.of(cloud, options.python, options.arch, image=getattr(options, "image", False))
    return Target.here(cloud) if options.here else target


def deploy_commands(options: argparse.Namespace) -> list[list[str]]:
    """The commands that deploy a package; nothing is run.

    Raises
    ------
    PackageError
        an option is missing, or but for a dry run a key or a tool.

    """
    target = _target(options, CLOUDS[options.cloud])
    _check_deployable(options)
    params = [*(["artifacts=bucket"] if options.no_artifacts else []), *options.param]
    if options.public:
        params.append("public=true" if options.cloud == "aws" else "open=true")
    archive = str((options.out / f"{target.cloud}.zip").resolve())
    if options.cloud == "aws":
        given = {"zip": archive, "python": f"python{target.python}", "arch": target.arch}
        params = [f"{name}={value}" for name, value in given.items()] + params
        stage = ["--stage", options.stage] if options.stage else []
        installs = [] if _osls().exists() else [["npm", "ci", "--no-audit", "--no-fund"]]
        return [*installs, [str(_osls()), "deploy", *stage, *_repeated("--param", params)]]
    python = f"python{target.python.replace('.', '')}"
    variables = [f"project={options.project}", f"package={archive}", f"python={python}", *params]
    services = [f"{name}.googleapis.com" for name in GOOGLE_SERVICES]
    terraform = ["terraform", "-chdir=infra/google"]
    return [
        ["gcloud", "services", "enable", "--project", options.project, *services],
        [*terraform, "init", "-input=false"],
        [*terraform, "apply", "-input=false", "-auto-approve", *_repeated("-var", variables)],
    ]


def workspace_commands() -> list[list[str]]:
    """What a shell runs to be where the commands that deploy are run."""
    copies = [["cp", "-r", str(ROOT), str(WORKSPACE)]] if IS_INSTALLED else []
    return [*copies, ["cd", str(_workspace())]]


def run_deployment(commands: Sequence[Sequence[str]]) -> str | None:
    """Run the commands that deploy, with their output on stderr; returns the address, if one of them says it.

    Raises
    ------
    PackageError
        one fails.

    """
    folder = _workspace(write=True)
    keys = {"TF_VAR_api_keys": "SEGUE_API_KEYS", "TF_VAR_token_secret": "SEGUE_TOKEN_SECRET"}
    secrets_of_google = {name: os.environ.get(value, "") for name, value in keys.items()}
    environ = {**secrets_of_google, "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", **os.environ}
    addresses: list[str] = []
    for command in commands:
        print(f"{shlex.join(command)} ...", file=sys.stderr, flush=True)
        with subprocess.Popen(
            command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            for line in process.stdout or ():
                print(line, end="", file=sys.stderr, flush=True)
                addresses += ADDRESS.findall(line)
        if process.returncode:
            raise PackageError(f"{Path(command[0]).name} {command[1]} ended with {process.returncode}, see above")
    return addresses[-1] if addresses else None


def _workspace(*, write: bool = False) -> Path:
    """The folder that holds serverless.yml and infra/: a checkout, or a copy of what is installed."""
    if not IS_INSTALLED:
        return ROOT
    if write:
        shutil.copytree(ROOT, WORKSPACE, ignore=shutil.ignore_patterns("functions"), dirs_exist_ok=True)
    return WORKSPACE.resolve()


def _osls() -> Path:
    return _workspace() / "node_modules" / ".bin" / "osls"


def _repeated(flag: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]


def _check_deployable(options: argparse.Namespace) -> None:
    if options.cloud == "google" and not options.project:
        raise PackageError("deploy google needs --project ID, the project that pays")
    if options.source and options.no_artifacts:
        raise PackageError(
            f"--no-artifacts deploys code alone: leave out {options.source}, and 'segue publish' it to the bucket"
        )
    for tool in ("npm",) if options.cloud == "aws" else ("gcloud", "terraform"):
        if not (options.dry_run or shutil.which(tool)):
            raise PackageError(f"{tool} is missing: {TOOLS[tool]}")
    if not (options.dry_run or options.public or os.environ.get("SEGUE_API_KEYS")):
        raise PackageError(
            "SEGUE_API_KEYS is empty: make a key with 'segue key' and export its digest, or say --public"
        )


def _run_key(_: argparse.Namespace) -> None:
    key = secrets.token_urlsafe(32)
    print(f"key, for the caller, shown this once: {key}")
    print(f"SEGUE_API_KEYS={hashlib.sha256(key.encode()).hexdigest()}")
    print(f"SEGUE_TOKEN_SECRET={secrets.token_urlsafe(32)}")
