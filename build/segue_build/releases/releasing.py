"""The commands ``publish``, ``versions`` and ``rollback``: their options, and what they call."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from segue_build.arguments import STORES, Parser, add_artifacts, address, whole
from segue.catalog.manifest import is_version

if TYPE_CHECKING:
    from segue_build.releases.publish import Terms
    from segue.releases.store import Store


def add(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the three commands."""
    _add_publish(commands.add_parser("publish", help="make a version current in a store, unless it is worse"))
    _add_versions(commands.add_parser("versions", help="list the versions of a store and how they came about"))
    _add_rollback(commands.add_parser("rollback", help="make an older version of a store current again"))


def _add_publish(parser: argparse.ArgumentParser) -> None:
    _add_uri(parser)
    add_artifacts(parser)
    parser.add_argument(
        "--allow",
        type=_allowances,
        default={},
        metavar="NAME=NUMBER,...",
        help="how much worse a figure of the comparison may become, in place of what the comparison says is allowed:"
        " a share of what it was (0.1: a tenth)",
    )
    parser.add_argument("--keep", type=_keep, metavar="N", help="then remove all but the last N versions, 2..10000")
    parser.add_argument("--force", action="store_true", help="publish a version that is worse; needs --reason")
    _add_history(parser)
    parser.set_defaults(run=_publish)


def _add_versions(parser: argparse.ArgumentParser) -> None:
    _add_uri(parser)
    parser.set_defaults(run=_versions)


def _add_rollback(parser: argparse.ArgumentParser) -> None:
    _add_uri(parser)
    parser.add_argument(
        "version", type=_version, nargs="?", metavar="VERSION", help="default: the one that was current before"
    )
    _add_history(parser)
    parser.set_defaults(run=_rollback, allow={}, force=False, keep=None)


def _add_uri(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uri", type=address, metavar="URI", help=STORES)


def _add_history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", metavar="TEXT", help="why; kept in the history")
    parser.add_argument("--by", metavar="NAME", help="who; kept in the history (default: who is logged in)")


def _publish(options: argparse.Namespace) -> None:
    from segue_build.releases.publish import publish
    from segue import releases

    terms = _terms(options)
    candidate = releases.load(options.artifacts)
    publish(candidate, _store(options.uri), terms)


def _versions(options: argparse.Namespace) -> None:
    from segue_build.releases.versions import lines

    print("\n".join(lines(_store(options.uri))))


def _rollback(options: argparse.Namespace) -> None:
    from segue_build.releases.publish import rollback

    rollback(_store(options.uri), options.version, _terms(options))


def _store(uri: str) -> "Store":
    from segue import releases
    from segue.errors import ReleaseError

    if Path(uri).is_file():
        raise ReleaseError(f"{uri}: a file; expected {STORES}")
    return releases.at(uri)


def _terms(options: argparse.Namespace) -> "Terms":
    from segue_build.releases.publish import Terms
    from segue.errors import ReleaseError

    if options.force and not (options.reason or "").strip():
        raise ReleaseError("--force needs --reason TEXT, which the history keeps")
    return Terms(options.allow, options.force, options.reason, options.by, options.keep)


def _allowances(text: str) -> dict[str, float]:
    from segue_build.releases.gate import RULES

    pairs = [pair.partition("=") for pair in text.split(",")]
    for name, _, number in pairs:
        if name not in RULES or not re.fullmatch(r"\d{1,6}(\.\d+)?|\.\d+", number, re.ASCII):
            raise argparse.ArgumentTypeError(f"'{name}={number}': expected NAME=NUMBER with {', '.join(RULES)}")
    return {name: float(number) for name, _, number in pairs}


def _keep(text: str) -> int:
    return whole(text, 2, 10_000)


def _version(text: str) -> str:
    if not is_version(text):
        raise argparse.ArgumentTypeError(f"'{text}': expected a version's id, 16 of 0-9a-f, as `versions` lists them")
    return text
