"""What several commands have in common on the command line."""

import argparse
import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from segue.config import BUCKET_URI

DEFAULT_ARTIFACTS = "artifacts"
STORE_FORMS = "a folder, s3://bucket/prefix or gs://bucket/prefix"


class ArgumentParser(argparse.ArgumentParser):
    """A parser that tells an unknown command or option by its name, and what may have been meant.

    Its base hands what a command does not know to the whole, which has neither the command's usage nor its options.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As its base, but nothing is left over."""
        commands = self._subparsers._group_actions[0].choices if self._subparsers else None
        if commands is None:
            self._check_options(args or ())
        elif args and not args[0].startswith("-") and args[0] not in commands:
            self.error(f"no command '{args[0]}'; {_suggestion(args[0], commands)}")
        parsed, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unexpected '{rest[0]}'")
        return parsed, rest

    def _check_options(self, args: Sequence[str]) -> None:
        for given in args:
            if given == "--":
                return
            name = given.partition("=")[0]
            if name.startswith("--") and not any(known.startswith(name) for known in self._option_string_actions):
                self.error(f"no option {name}; {_suggestion(name, self._option_string_actions)}")


def _suggestion(name: str, known: Iterable[str]) -> str:
    """The name most like one, else all that there are."""
    names = [other for other in known if other.startswith("--") or not other.startswith("-")]
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"


def add_artifacts(parser: argparse.ArgumentParser) -> None:
    """Add ``--artifacts``."""
    parser.add_argument(
        "--artifacts",
        type=store_uri,
        metavar="URI",
        default=os.environ.get("SEGUE_ARTIFACTS") or DEFAULT_ARTIFACTS,
        help=f"{STORE_FORMS} (default: SEGUE_ARTIFACTS, else artifacts)",
    )


def store_uri(text: str) -> str:
    """A folder or the address of a store."""
    if "://" in text and not BUCKET_URI.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}': expected {STORE_FORMS}")
    return text


def bounded_int(text: str, low: int, high: int) -> int:
    """A whole number between two others, both included."""
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}': expected a whole number {low}..{high}")
