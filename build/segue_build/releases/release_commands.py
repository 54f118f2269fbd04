"""The commands ``versions``, ``publish`` and ``rollback``: their options, and what they call."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from segue.catalog.version_files import is_version_id
from segue_build.arguments import STORE_FORMS, Commands, add_artifacts, add_command, bounded_int, store_uri

if TYPE_CHECKING:
    from segue.releases.store import Store
    from segue_build.releases.publish import PublishOptions


def add_commands(commands: Commands) -> None:
    """Add the three commands."""
    _add_versions(commands)
    _add_publish(commands)
    _add_rollback(commands)


def _add_versions(commands: Commands) -> None:
    parser = add_command(commands, "versions", "list the versions in a store and their history", "s3://music/models")
    _add_store(parser)
    parser.set_defaults(run=_run_versions)


def _add_publish(commands: Commands) -> None:
    summary = "make a version current in a store, unless it is worse"
    parser = add_command(commands, "publish", summary, "s3://music/models --reason 'autumn releases'")
    _add_store(parser)
    add_artifacts(parser)
    parser.add_argument(
        "--allow",
        type=_parse_allowances,
        default={},
        metavar="NAME=NUMBER,...",
        help="how much worse a figure of the comparison may become, in place of the limit in its column 'allowed':"
        " a share of what it was (0.1: a tenth)",
    )
    parser.add_argument(
        "--keep", type=_parse_keep, metavar="N", help="then remove all but the last N versions, 2..10000"
    )
    parser.add_argument("--force", action="store_true", help="publish a version that is worse; needs --reason")
    _add_history(parser)
    parser.set_defaults(run=_run_publish)


def _add_rollback(commands: Commands) -> None:
    parser = add_command(commands, "rollback", "make an older version current again", "s3://music/models")
    _add_store(parser)
    parser.add_argument(
        "version",
        type=_parse_version,
        nargs="?",
        metavar="VERSION",
        help="default: the one that was current before this one",
    )
    _add_history(parser)
    parser.set_defaults(run=_run_rollback, allow={}, force=False, keep=None)


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uri", type=store_uri, metavar="URI", help=STORE_FORMS)


def _add_history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", metavar="TEXT", help="why, for the history")
    parser.add_argument("--by", metavar="NAME", help="who, for the history (default: who is logged in)")


def _run_publish(options: argparse.Namespace) -> None:
    from segue.releases.serving import load
    from segue_build.releases.publish import publish

    publish_options = _publish_options(options)
    publish(load(options.artifacts), _open_store(options.uri), publish_options)


def _run_versions(options: argparse.Namespace) -> None:
    from segue_build.releases.version_history import version_table

    print("\n".join(version_table(_open_store(options.uri))))


def _run_rollback(options: argparse.Namespace) -> None:
    from segue_build.releases.publish import rollback

    rollback(_open_store(options.uri), options.version, _publish_options(options))


def _open_store(uri: str) -> "Store":
    from segue.errors import ReleaseError
    from segue.releases.serving import open_store

    if Path(uri).is_file():
        raise ReleaseError(f"{uri}: a file; expected {STORE_FORMS}")
    return open_store(uri)


def _publish_options(options: argparse.Namespace) -> "PublishOptions":
    from segue.errors import ReleaseError
    from segue_build.releases.publish import PublishOptions

    if options.force and not (options.reason or "").strip():
        raise ReleaseError("--force needs --reason TEXT, which the history keeps")
    return PublishOptions(options.allow, options.force, options.reason, options.by, options.keep)


def _parse_allowances(text: str) -> dict[str, float]:
    from segue_build.releases.gate import RULES

    pairs = [pair.partition("=") for pair in text.split(",")]
    for name, _, number in pairs:
        if name not in RULES or not re.fullmatch(r"\d{1,6}(\.\d+)?|\.\d+", number, re.ASCII):
            raise argparse.ArgumentTypeError(f"'{name}={number}': expected NAME=NUMBER with {', '.join(RULES)}")
    return {name: float(number) for name, _, number in pairs}


def _parse_keep(text: str) -> int:
    return bounded_int(text, 2, 10_000)


def _parse_version(text: str) -> str:
    if not is_version_id(text):
        raise argparse.ArgumentTypeError(f"'{text}': expected a version's id, 16 of 0-9a-f, as `versions` lists them")
    return text
