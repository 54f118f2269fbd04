"""Questions as people type them, of each kind: how many are understood, and what is told of those that are not.

``python -m tests.benchmarks.questions [--artifacts DIR] [--each N] [--least POPULARITY] [--show OUTCOME,...]`` prints
a row for each kind, and of the outcomes that are to be shown the questions with what they were taken for.
"""

import argparse
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

from segue.catalog import Catalog, load
from segue.web.serializers import understood_as
from tests.benchmarks.figures import Row, table
from tests.support.questions import OUTCOMES, NameQuestions, Outcome, Question, ask, judge, questions


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.questions", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--each", type=int, default=300, help="of each kind (default: %(default)s)")
    parser.add_argument("--least", type=float, default=0, help="popularity of songs (default: %(default)s)")
    parser.add_argument("--show", default="wrong", help=f"of {', '.join(OUTCOMES)} (default: %(default)s)")
    options = parser.parse_args()
    catalog = load(options.artifacts)
    asked = chain(
        NameQuestions(catalog, options.each, options.least), questions(catalog, options.each, options.least)
    )
    judged = [(question, judge(catalog, question)) for question in asked]
    print(table(rows(judged)), end="\n\n")
    for question, outcome in judged:
        if outcome.kind in options.show.split(","):
            print(taken_for(catalog, question))


def rows(judged: list[tuple[Question, Outcome]]) -> list[Row]:
    """How many questions of each kind have each outcome, and of all."""
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for question, outcome in judged:
        by_kind[question.kind].append(outcome)
    return [_row(kind, found) for kind, found in [*by_kind.items(), ("all", [one for _, one in judged])]]


def _row(kind: str, found: list[Outcome]) -> Row:
    counts, certain = Counter(outcome.kind for outcome in found), sum(outcome.certain for outcome in found)
    return {
        "kind": kind,
        "asked": len(found),
        **{outcome: counts[outcome] for outcome in OUTCOMES},
        "right or not known": (counts["right"] + counts["not known"]) / len(found),
        "share wrong": counts["wrong"] / len(found),
        "told as certain": certain,
        "of them right": 1 - counts["wrong"] / certain if certain else 1.0,
    }


def taken_for(catalog: Catalog, question: Question) -> str:
    """A question, and how it was understood."""
    found = ask(catalog, question)
    by = f" with the artist {question.artist!r}" if question.artist else ""
    what = f"{found.reading.kind} {understood_as(catalog, found.reading)}" if found else "nothing"
    return f"{question.kind}: {question.text!r}{by} -> {what}"


if __name__ == "__main__":
    main()
