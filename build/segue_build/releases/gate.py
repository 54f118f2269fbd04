"""The gate: compares a candidate with the current version; no figure may become worse than its rule allows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import song_by_id
from segue.engine.recommendation import recommend
from segue.errors import SegueError
from segue.query.schema import Query, Seed
from segue_build import progress
from segue_build.arguments import format_table

SAMPLE_SIZE = 200  # songs whose top tens are compared


@dataclass(frozen=True, slots=True)
class Rule:
    """How much worse a figure may become.

    better : 1 if more is better, -1 if less is
    allowed : a share of the current value, or an ``absolute`` difference
    """

    description: str
    better: int
    allowed: float
    absolute: bool = False
    format: str = "{:.4f}"


RULES = {
    "songs": Rule("in the catalogue", 1, 0.05, format="{:,.0f}"),
    "vanished": Rule("ids that are no longer there, of all", -1, 0.05, absolute=True),
    "changed": Rule(f"songs of top tens that are others, of {SAMPLE_SIZE} songs", -1, 0.5, absolute=True),
    "megabytes": Rule("of all files", -1, 1.0, format="{:,.1f}"),
    "invented": Rule("an invented catalogue", -1, 0, absolute=True, format="{:.0f}"),
    "learned": Rule("from playlists", 1, 0, absolute=True, format="{:.0f}"),
    "HR@10": Rule("by playlists: lists of ten with a hit", 1, 0.05),
    "xHR@10": Rule("by playlists: the same, other artists only", 1, 0.05),
    "R@100": Rule("by playlists: found in a hundred", 1, 0.05),
    "nDCG@10": Rule("by playlists: hits, early ones more", 1, 0.05),
    "AUC": Rule("by playlists: against equally popular songs", 1, 0.02),
    "dup": Rule("by playlists: lists with a second version", -1, 0.01, absolute=True),
    "recall-song": Rule("recall@20 of the search for one song", 1, 0.01, absolute=True),
    "recall-mixture": Rule("recall@20 of the search for several songs, an artist, a genre", 1, 0.01, absolute=True),
    "recall-sound": Rule("recall@20 of the search for raw features", 1, 0.01, absolute=True),
    "genre@10": Rule("by the table: of other artists' songs, sharing a genre", 1, 0.05),
    "artist@10": Rule("by the table: lists of ten with the seed's artist again", 1, 0.2),
    "coverage": Rule("by the table: of all works, in any list", 1, 0.25),
    "never": Rule("by the table: of what the lists had room for, in none", -1, 0.05, absolute=True),
    "hubness": Rule("by the table: skewness of how often songs are in lists", -1, 2.0, absolute=True),
    "name_coverage": Rule("of songs, having a genre that their cluster's name says", 1, 0.05, absolute=True),
    "pair_information": Rule("by playlists: of a cluster on that of another song, nats", 1, 0.1),
}
"""name -> rule; ``publish --allow NAME=NUMBER`` changes ``allowed``"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of both versions; None where it was not measured.

    worse : by how much it became worse, in the unit of ``allowed``; None if either value is missing
    """

    name: str
    before: float | None
    after: float | None
    worse: float | None
    allowed: float

    @property
    def fails(self) -> bool:
        """Whether it became worse than is allowed."""
        return self.worse is not None and self.worse > self.allowed + 1e-9


def compare(current: Catalog | None, candidate: Catalog, allow: Mapping[str, float]) -> list[Comparison]:
    """Compare two versions; ``allow`` overrides the rules. Without a current version nothing fails."""
    before = _figures(current) if current else {}
    after = _figures(candidate)
    if current:
        after |= {"vanished": _vanished_share(current, candidate), "changed": _changed_share(current, candidate)}
        before |= dict.fromkeys(("vanished", "changed"), 0.0)
    return [
        _compare_figure(name, before.get(name), after.get(name), allow.get(name, rule.allowed))
        for name, rule in RULES.items()
        if name in before or name in after
    ]


def comparison_table(compared: Sequence[Comparison]) -> list[str]:
    """The comparison as a table."""
    rows = [("figure", "current", "candidate", "worse by", "allowed", "", "")]
    rows += [
        (
            one.name,
            _format_value(one, one.before),
            _format_value(one, one.after),
            "" if one.worse is None else _format_change(one, max(0.0, one.worse)),
            _format_change(one, one.allowed),
            "REFUSED" if one.fails else "ok" if one.worse is not None else "",
            RULES[one.name].description,
        )
        for one in compared
    ]
    return format_table(rows, right=(1, 2, 3, 4))


def failures(compared: Iterable[Comparison]) -> list[str]:
    """Each figure that fails, and by how much."""
    return [
        f"{one.name}: {_format_value(one, one.after)} after {_format_value(one, one.before)}, worse by"
        f" {_format_change(one, one.worse or 0.0)}, allowed is {_format_change(one, one.allowed)}"
        for one in compared
        if one.fails
    ]


def _compare_figure(name: str, before: float | None, after: float | None, allowed: float) -> Comparison:
    if before is None or after is None:
        return Comparison(name, before, after, None, allowed)
    rule = RULES[name]
    worse = (before - after) * rule.better
    if not rule.absolute and worse:
        worse = worse / abs(before) if before else float("inf") * worse
    return Comparison(name, before, after, worse, allowed)


def _figures(songs: Catalog) -> dict[str, float]:
    manifest = songs.manifest
    judged = manifest["quality"]
    by_playlists = {name: mean for name, (mean, *_) in judged.get("playlists", {}).items() if name != "coverage"}
    figures = {
        "songs": len(songs),
        "megabytes": sum(facts["bytes"] for facts in manifest["files"].values()) / 1e6,
        "invented": manifest["invented"],
        "learned": manifest["parameters"].get("playlists") is not None,
        **{f"recall-{kind}": found["recall"] for kind, found in manifest["search"].items()},
        **by_playlists,
        **judged.get("table", {}),
        **judged.get("clusters", {}),
    }
    return {name: float(value) for name, value in figures.items()}


def _vanished_share(current: Catalog, candidate: Catalog) -> float:
    """The share of the current ids that the candidate does not have."""
    kept = np.isin(current.array("id_hashes"), candidate.array("id_hashes"))
    return float(1 - kept.mean())


def _changed_share(current: Catalog, candidate: Catalog) -> float:
    """The mean share of a top ten that is not in the candidate's, over songs that both have."""
    ids = current.texts("ids")
    both = [row for row in _sample_rows(len(current)) if song_by_id(candidate, ids[row]) is not None][:SAMPLE_SIZE]
    shares = []
    for row in progress.bar(both, "comparing", " top tens", len(both)):
        before, after = _top_ten(current, ids[row]), _top_ten(candidate, ids[row])
        if before and after:
            shares.append(len(before - after) / len(before))
    return float(np.mean(shares)) if shares else 0.0


def _sample_rows(n_songs: int) -> list[int]:
    """Rows in an arbitrary order, the same each time."""
    rows = np.random.default_rng(0).permutation(n_songs)[: 50 * SAMPLE_SIZE]
    return [int(row) for row in rows]


def _top_ten(songs: Catalog, song: str) -> set[str]:
    ids = songs.texts("ids")
    try:
        found = recommend(songs, Query((Seed("", {}, id=song),)))
    except SegueError:  # a song that was never analysed has no similar ones
        return set()
    return {ids[entry.row] for entry in found.recommendations}


def _format_value(one: Comparison, value: float | None) -> str:
    return "" if value is None else RULES[one.name].format.format(value)


def _format_change(one: Comparison, change: float) -> str:
    return f"{change:.4g}" if RULES[one.name].absolute else f"{change:.1%}"
