"""What the commands share on the command line: a parser with better errors, types of options, aligned tables."""

import argparse
import os
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

from segue.config import BUCKET_URI
from segue.errors import SegueError

DEFAULT_ARTIFACTS = "artifacts"
STORE_FORMS = "a folder, s3://bucket/prefix or gs://bucket/prefix"


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose errors name an unknown command or option and suggest the closest known one.

    argparse passes what a command does not know up to the main parser, whose usage and options are of no help there.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, but accept no leftovers."""
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


class CommandsFormatter(argparse.HelpFormatter):
    """Gives every command one line: argparse forgets the indentation of commands when it measures them."""

    def add_argument(self, action: argparse.Action) -> None:
        """Add an argument, as argparse does."""
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += self._indent_increment


Commands: TypeAlias = "argparse._SubParsersAction[ArgumentParser]"


def _suggestion(name: str, known: Iterable[str]) -> str:
    """The closest known name, or else all of them."""
    names = [other for other in known if other.startswith("--") or not other.startswith("-")]
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"


def add_command(commands: Commands, name: str, summary: str, example: str) -> ArgumentParser:
    """Add a command.

    summary : one line of ``segue --help``, 58 characters at most
    example : its arguments in the example at the end of its own help
    """
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"Example: segue {name} {example}".rstrip(),
    )


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
    """A folder, or a bucket's URI."""
    if "://" in text and not BUCKET_URI.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}': expected {STORE_FORMS}")
    return text


def check_output_file(path: Path) -> None:
    """Raise SegueError if no file can be written at a path: before the work rather than after it."""
    if path.is_dir():
        raise SegueError(f"{path}: a folder; expected a file to write")
    if not path.parent.is_dir():
        raise SegueError(f"{path}: there is no folder {path.parent} to write it to")
    _check_writable(path, path.parent)


def check_output_folder(path: Path) -> None:
    """Raise SegueError if a folder can't be written to, nor made together with those above it."""
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not above.is_dir():
        raise SegueError(f"{above}: a file; expected a folder")
    _check_writable(path, above)


def _check_writable(path: Path, folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SegueError(f"{path}: the folder {folder} can't be written to")


def bounded_int(text: str, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``, both included."""
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}': expected a whole number {low}..{high}")


def format_table(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """Rows as aligned lines; ``right``: the columns that are aligned to the right."""
    widths = [max(map(display_width, column)) for column in zip(*rows)]
    aligned_right = set(right)
    return ["  ".join(_pad(row[n], widths[n], n in aligned_right) for n in range(len(row))).rstrip() for row in rows]


def _pad(cell: str, width: int, is_right: bool) -> str:
    padding = " " * (width - display_width(cell))
    return padding + cell if is_right else cell + padding


def display_width(text: str) -> int:
    """The columns that a terminal takes for a text: two for a wide East Asian character, none for a combining one."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def shorten(text: str, width: int) -> str:
    """A text that takes at most ``width`` columns, with an ellipsis where it was cut."""
    if display_width(text) <= width:
        return text
    while display_width(text) > width - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def one_line(text: str) -> str:
    """A text of somebody else's as one line without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
