"""What several commands have in common on the command line."""

import argparse
import os

from segue.config import ADDRESS

ARTIFACTS = "artifacts"
STORES = "a folder, s3://bucket/prefix or gs://bucket/prefix"


def add_artifacts(parser: argparse.ArgumentParser) -> None:
    """Add ``--artifacts``."""
    parser.add_argument(
        "--artifacts",
        type=address,
        metavar="URI",
        default=os.environ.get("SEGUE_ARTIFACTS") or ARTIFACTS,
        help=f"{STORES} (default: SEGUE_ARTIFACTS, else artifacts)",
    )


def address(text: str) -> str:
    """A folder or the address of a store."""
    if "://" in text and not ADDRESS.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}': expected {STORES}")
    return text


def whole(text: str, low: int, high: int) -> int:
    """A whole number between two others, both included."""
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}': expected a whole number {low}..{high}")
