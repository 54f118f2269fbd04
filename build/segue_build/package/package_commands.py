"""The commands ``package`` and ``key``: their options, and what they call."""

import argparse
import hashlib
import os
import secrets
from pathlib import Path

from segue_build.arguments import Commands, add_command
from segue_build.package.targets import ARCHITECTURES, PYTHON_VERSIONS, Target


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    _add_package(commands)
    key = add_command(commands, "key", "make an API key, its digest and a secret that signs tokens", "")
    key.set_defaults(run=_run_key)


def _add_package(commands: Commands) -> None:
    parser = add_command(
        commands, "package", "make a folder and a zip to deploy on AWS or Google", "aws --arch arm64"
    )
    parser.add_argument("cloud", choices=("aws", "gcp"), help="Lambda, or Cloud Run functions")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--python", choices=PYTHON_VERSIONS, default="3.13", help="the platform's (default: %(default)s)"
    )
    where.add_argument("--here", action="store_true", help="for this machine's own Python and processor: a rehearsal")
    parser.add_argument(
        "--arch", choices=ARCHITECTURES, help="processor (default: arm64 on aws; gcp has x86_64 only)"
    )
    parser.add_argument("--image", action="store_true", help="for a container image, which may have 10 GB")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="folder to write to (default: %(default)s)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--artifacts",
        type=Path,
        default=Path(os.environ.get("SEGUE_ARTIFACTS") or "artifacts"),
        help="folder whose current version comes along (default: SEGUE_ARTIFACTS, else artifacts)",
    )
    which.add_argument("--no-artifacts", action="store_true", help="the function fetches them from a bucket")
    parser.set_defaults(run=_run_package)


def _run_package(options: argparse.Namespace) -> None:
    from segue_build.package.builder import PackageOptions, build_package, size_table

    target = Target.of(options.cloud, options.python, options.arch, image=options.image)
    if options.here:
        target = Target.here(options.cloud)
    artifacts = None if options.no_artifacts else options.artifacts
    made = build_package(PackageOptions(target, artifacts, options.out))
    print("\n".join(size_table(made, target)))


def _run_key(_: argparse.Namespace) -> None:
    key = secrets.token_urlsafe(32)
    print(f"key, for the caller, shown this once: {key}")
    print(f"SEGUE_API_KEYS={hashlib.sha256(key.encode()).hexdigest()}")
    print(f"SEGUE_TOKEN_SECRET={secrets.token_urlsafe(32)}")
