"""The command line: results on stdout, progress on stderr; bad input is one line and exit 1, bad usage exit 2."""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segue import VERSION
from segue.catalog.version_files import POINTER
from segue.errors import SegueError
from segue_build.arguments import (
    DEFAULT_ARTIFACTS,
    ArgumentParser,
    Commands,
    CommandsFormatter,
    add_artifacts,
    add_command,
    bounded_int,
    one_line,
)
from segue_build.model.weights import JOINT, OLD_BLOCK_NAMES, WEIGHTS
from segue_build.package import package_commands
from segue_build.releases import release_commands
from segue_build.sources.columns import CANONICAL_COLUMNS
from segue_build.sources.download import DATASETS

SOURCE_FORMS = (
    "a path or URL: a table (CSV, TSV, JSON, .xlsx, Parquet, Feather, SQLite), an export of playlists, a library or"
    " a history, a zip or a folder of these (docs/tables.md says what to type for what you have;"
    " 'archive.zip#songs.csv', 'book.xlsx#Sheet' or 'music.db#tracks' for one of several tables), 'demo' or 'demo:N'"
    " (an invented catalogue of N songs, 10..10,000,000, default 20,000), or a data set that is downloaded"
    f" ({', '.join(DATASETS)})"
)
MAX_LABELS = 6  # blocks beside the others: a song's blocks are the bits of 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``arguments``: by default those of the process."""
    options = build_parser().parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        options.run(options)
    except SegueError as error:
        return _print_error(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _print_error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        print("error: interrupted; the current version is unchanged", file=sys.stderr)
        return 130
    return 0


def _print_error(message: str) -> int:
    """Print one line on stderr, whatever a stranger's table put into the message."""
    print(f"error: {one_line(message)}", file=sys.stderr)
    return 1


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    root = ArgumentParser(
        prog="segue",
        formatter_class=CommandsFormatter,
        description="Song recommendations from your own table of tracks.",
        epilog="'segue COMMAND --help' shows a command's options and an example.",
    )
    root.add_argument("--version", action="version", version=f"segue {VERSION}", help=argparse.SUPPRESS)
    commands = root.add_subparsers(required=True, title="commands", metavar="COMMAND")
    _add_fit(commands)
    _add_serve(commands)
    _add_recommend(commands)
    _add_recommend_file(commands)
    _add_evaluate(commands)
    _add_recall(commands)
    _add_report(commands)
    release_commands.add_commands(commands)
    _add_deploy(commands)
    package_commands.add_commands(commands)
    return root


def _add_fit(commands: Commands) -> None:
    parser = add_command(commands, "fit", "build a version from a table and make it current", "--source songs.csv")
    parser.add_argument(
        "--source",
        action="append",
        metavar="SOURCE",
        help=f"{SOURCE_FORMS}; several are joined by id, ISRC, or title and artist, the first wins a conflict"
        " (default: demo, unless the current version in --out is of real songs)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path(DEFAULT_ARTIFACTS), help="artifacts folder (default: %(default)s)"
    )
    _add_fit_options(parser)
    parser.set_defaults(run=_fit)


def _add_fit_options(parser: argparse._ActionsContainer) -> None:
    """What a fit needs beside its sources."""
    _add_columns(parser)
    _add_playlists(parser)
    parser.add_argument("--seed", type=_parse_seed, default=0, help="random seed, 0..4294967295 (default: 0)")
    parser.add_argument("--strict", action="store_true", help="stop at any bad row instead of dropping up to 10%%")
    parser.add_argument(
        "--accept-checksum", action="store_true", help="accept a named data set whose content has changed"
    )
    parser.add_argument(
        "--shares",
        type=_parse_weights,
        metavar="BLOCK=SHARE,...",
        help="weight of each block of the vector space, 0..1, and of the joint term, below 1; those not named"
        " get none (default:"
        f" {','.join(f'{block}={weight}' for block, weight in WEIGHTS.items())})",
    )
    parser.add_argument(
        "--engine",
        choices=("sklearn", "spark"),
        default="sklearn",
        help="sklearn: this machine; spark: Apache Spark, which reads one folder of Parquet or CSV files, also of s3a://"
        " or gs:// (see docs/beyond-one-machine.md) (default: %(default)s)",
    )
    parser.add_argument(
        "--master",
        metavar="URL",
        help="where Spark runs, as spark://HOST:7077 or local[4] (default: that of spark-submit, else local[*])",
    )


def _add_columns(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--enrich",
        action="append",
        default=[],
        metavar="REFERENCE",
        help="fill the features, genres, years and popularity that songs lack from this table of the same songs,"
        " found by id, ISRC, or title and artist; it adds no songs; anything that --source takes, or a version"
        " as publish wrote it; may be repeated",
    )
    parser.add_argument(
        "--labels",
        type=_parse_labels,
        default=[],
        metavar="COLUMN,...",
        help="columns of tags, moods, emotions, record labels or the like by which songs are compared, too;"
        " genres=COLUMN fills what songs lack of genres from that column",
    )
    parser.add_argument(
        "--columns",
        type=_parse_columns,
        default={},
        metavar="NAME=HEADER,...",
        help=f"which header holds what, where Segue can't recognise it; names: {', '.join(CANONICAL_COLUMNS)}",
    )


def _add_playlists(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--playlists",
        type=Path,
        metavar="PLAYLISTS",
        help="learn what people play together: a file, an archive or a folder of playlists or listening histories, in"
        " any form that --source takes",
    )
    parser.add_argument(
        "--fold",
        type=int,
        choices=range(5),
        help="hold out this fifth of the playlists for evaluate --fold (default: none)",
    )


def _add_serve(commands: Commands) -> None:
    parser = add_command(commands, "serve", "answer HTTP requests: the API and a web page", "songs.csv --port 8090")
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="serve this, and fit it first if the current version is not of it as it is now: what fit --source takes"
        " (default: the current version; where nothing was fitted yet, demo)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_parse_port,
        default=os.environ.get("PORT") or "8080",
        help="1..65535 (default: PORT, else 8080)",
    )
    add_artifacts(parser)
    _add_fit_options(parser.add_argument_group("to fit SOURCE by"))
    parser.set_defaults(run=_serve)


def _add_recommend(commands: Commands) -> None:
    example = '"Harbour at Dusk" --limit 5 --explain'
    parser = add_command(commands, "recommend", "list songs like one that you name", example)
    parser.add_argument("song", metavar="SONG", help="a title, 'TITLE by ARTIST', an id or a link to a song")
    parser.add_argument("--limit", type=_parse_limit, default=10, help="songs, 1..100 (default: %(default)s)")
    parser.add_argument("--explain", action="store_true", help="give reasons for each song")
    parser.add_argument("--json", action="store_true", help="print what the service's /recommend answers")
    add_artifacts(parser)
    parser.set_defaults(run=_recommend)


def _add_evaluate(commands: Commands) -> None:
    parser = add_command(commands, "evaluate", "judge the current version by playlists", "--playlists playlists.csv")
    parser.add_argument(
        "--playlists", type=Path, metavar="PLAYLISTS", required=True, help="what fit --playlists takes"
    )
    parser.add_argument(
        "--fold",
        type=int,
        choices=range(5),
        help="judge by this fifth only, which fit --fold held out (default: all)",
    )
    parser.add_argument("--json", action="store_true", help="print means and 95%% intervals as JSON")
    add_artifacts(parser)
    parser.set_defaults(run=_evaluate)


def _add_recommend_file(commands: Commands) -> None:
    parser = add_command(
        commands, "recommend-file", "recommend for every query of a file", "queries.csv ranked.csv --limit 20"
    )
    parser.add_argument("queries", type=Path, metavar="QUERIES.csv", help="query_id,seed_track_id; rows with the"
                        " same query_id are one query of several seeds")  # fmt: skip
    parser.add_argument("ranked", type=Path, metavar="RANKED.csv", help="query_id,rank,track_id; '-' for stdout")
    parser.add_argument(
        "--limit", type=_parse_limit, default=100, help="songs per query, 1..100 (default: %(default)s)"
    )
    parser.add_argument("--exact", action="store_true", help="score every song for each query: slower, misses none")
    add_artifacts(parser)
    parser.set_defaults(run=_recommend_file)


def _add_report(commands: Commands) -> None:
    parser = add_command(
        commands, "report", "write an HTML page of plots about the current version", "--out report.html"
    )
    parser.add_argument("--out", type=Path, default=Path("report.html"), help="the page (default: %(default)s)")
    add_artifacts(parser)
    parser.set_defaults(run=_report)


def _add_recall(commands: Commands) -> None:
    parser = add_command(
        commands, "recall", "show what a search finds of the best songs at which cost", "--artifacts artifacts"
    )
    add_artifacts(parser)
    parser.set_defaults(run=_recall)


def _add_deploy(commands: Commands) -> None:
    parser = add_command(
        commands, "deploy", "fit a table, package it, deploy it, print the address", "aws songs.csv --dry-run"
    )
    parser.add_argument("cloud", choices=package_commands.CLOUDS, help="Lambda, or Cloud Run functions")
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="as of serve (default: the current version)")
    parser.add_argument(
        "--artifacts",
        default=os.environ.get("SEGUE_ARTIFACTS") or DEFAULT_ARTIFACTS,
        help="folder to fit into, whose current version is deployed (default: SEGUE_ARTIFACTS, else artifacts)",
    )
    package_commands.add_deploy_options(parser)
    _add_fit_options(parser.add_argument_group("to fit SOURCE by"))
    parser.set_defaults(run=_deploy)


def _fit(options: argparse.Namespace) -> None:
    from segue_build.fit import FitOptions, default_sources, print_fit

    sources = options.source or default_sources(options.out)
    print_fit(FitOptions(**_fit_options(options), sources=sources), options.out)


def _fit_options(options: argparse.Namespace) -> dict[str, Any]:
    """The options of a fit but for its sources."""
    return {
        "columns": options.columns,
        "strict": options.strict,
        "accept_checksum": options.accept_checksum,
        "seed": options.seed,
        "references": options.enrich,
        "labels": options.labels,
        "playlists": options.playlists,
        "fold": options.fold,
        "engine": options.engine,
        "master": options.master,
        **({"weights": options.shares} if options.shares else {}),
    }


def _serve(options: argparse.Namespace) -> None:
    from segue_build import serve

    serve.check_address(options.host, options.port)
    is_first_start = options.artifacts == DEFAULT_ARTIFACTS and not Path(DEFAULT_ARTIFACTS, POINTER).exists()
    if options.source or is_first_start:  # a folder that was named is no place for invented songs
        _fit_if_needed(options, options.artifacts)
    serve.serve(options.artifacts, options.host, options.port)


def _fit_if_needed(options: argparse.Namespace, out: str) -> None:
    """Make the songs of SOURCE current in a folder unless they are; never those that another server is serving."""
    from segue_build.fit import FitOptions, default_sources, is_fitted, print_fit
    from segue_build.serve import is_served

    if "://" in out:
        raise SegueError(f"a fit writes to a folder, not to {out}: leave out SOURCE, or name a folder")
    sources = [options.source] if options.source else default_sources(Path(out))
    fit_options = FitOptions(**_fit_options(options), sources=sources)
    if is_fitted(fit_options, Path(out)):
        print(f"{out} holds the songs of {sources[0]} as it is now; 'segue fit' would fit it again", file=sys.stderr)
    elif is_served(Path(out)):
        raise SegueError(
            f"another server is serving the songs in {out}, and those of {sources[0]} would replace them: stop it, or"
            " keep these in a folder of their own, with --artifacts FOLDER or SEGUE_ARTIFACTS=FOLDER"
        )
    else:
        print_fit(fit_options, Path(out))


def _deploy(options: argparse.Namespace) -> None:
    cloud = package_commands.CLOUDS[options.cloud]
    commands = package_commands.deploy_commands(options)
    if options.dry_run:
        fits = [["segue", "fit", "--source", options.source, "--out", options.artifacts]] if options.source else []
        which = ["--no-artifacts"] if options.no_artifacts else ["--artifacts", options.artifacts]
        packages = ["segue", "package", cloud, "--out", str(options.out), *which]
        commands = [*fits, packages, *package_commands.workspace_commands(), *commands]
        print("\n".join(map(shlex.join, commands)))
        return
    if options.source:
        _fit_if_needed(options, options.artifacts)
    packaged = package_commands.package(options, cloud, None if options.no_artifacts else Path(options.artifacts))
    print("\n".join(packaged), file=sys.stderr)
    address = package_commands.run_deployment(commands)
    print(address or "deployed; `osls info` or `terraform output` shows the address")


def _recommend(options: argparse.Namespace) -> None:
    from segue_build.recommend import print_recommendations

    print_recommendations(
        options.artifacts, options.song, options.limit, explain=options.explain, as_json=options.json
    )


def _evaluate(options: argparse.Namespace) -> None:
    from segue_build.quality.evaluate import evaluate

    part = "all" if options.fold is None else "valid"
    evaluate(options.artifacts, options.playlists, part, options.fold or 0, options.json)


def _recommend_file(options: argparse.Namespace) -> None:
    from segue_build.recommend import recommend_file

    recommend_file(options.artifacts, options.queries, options.ranked, options.limit, exact=options.exact)


def _recall(options: argparse.Namespace) -> None:
    from segue_build.quality.recall import print_recall

    print_recall(options.artifacts)


def _report(options: argparse.Namespace) -> None:
    from segue_build.quality.report import report

    report(options.artifacts, options.out)
    print(options.out)


def _parse_columns(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    for name, _, header in pairs:
        if name not in CANONICAL_COLUMNS or not header:
            raise argparse.ArgumentTypeError(
                f"'{name}': expected NAME=HEADER,... with names {', '.join(CANONICAL_COLUMNS)}"
            )
    return {name: header for name, _, header in pairs}


def _parse_labels(text: str) -> list[str]:
    labels = [name.strip() for name in text.split(",")]
    if len(labels) > MAX_LABELS or not all(re.fullmatch(r"(genres=)?[^=]+", label) for label in labels):
        raise argparse.ArgumentTypeError(
            f"'{text}': expected up to {MAX_LABELS} columns, as in tags,mood or genres=tags"
        )
    return labels


def _parse_weights(text: str) -> dict[str, float]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    for name, _, weight in pairs:
        if name not in {*WEIGHTS, *OLD_BLOCK_NAMES} or not re.fullmatch(r"0?\.\d+|[01](\.0+)?", weight):
            raise argparse.ArgumentTypeError(
                f"'{name}={weight}': expected BLOCK=SHARE with {', '.join(WEIGHTS)}, 0..1"
            )
    weights = {OLD_BLOCK_NAMES.get(name, name): float(weight) for name, _, weight in pairs}
    if weights.get(JOINT) == 1:
        raise argparse.ArgumentTypeError(f"'{JOINT}=1' leaves nothing to the blocks")
    return weights


def _parse_seed(text: str) -> int:
    return bounded_int(text, 0, 2**32 - 1)


def _parse_port(text: str) -> int:
    return bounded_int(text, 1, 65535)


def _parse_limit(text: str) -> int:
    return bounded_int(text, 1, 100)
