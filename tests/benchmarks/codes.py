"""The size of PQ codes against the songs that must be rescored, in several layouts.

Songs are quantized anew, in memory. Rescored are as many of the best by approximate scores as find the share of exact
lists that ``fit`` wants, among as many candidates as it chose. Distances of parts of a block add up before the root.
"""

import itertools
import math
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np

from segue.engine.recommendation import recommend
from segue.engine.scoring import LEVEL_SCALES, Scorer
from segue.engine.search import AllowedSongs, CellProber
from segue.engine.seeds import resolve
from segue.engine.space import Block, Space, space_of, squared_distances
from segue.query.schema import Filters, Query, Seed
from segue_build.model import quantization
from segue_build.quality.recall import TARGET_RECALL
from tests.benchmarks.figures import Row
from tests.benchmarks.subject import Skipped, Subject

LAYOUTS = {  # sub-quantizers of audio, and what differs from the model
    "as fitted": (1, {}),
    "a code for each block": (1, {"MAX_JOINED": 1}),
    "half the centroids": (1, {"CENTROIDS_PER_ROOT": quantization.CENTROIDS_PER_ROOT / 2, "MIN_CENTROIDS": 1}),
    "twice the centroids": (1, {"CENTROIDS_PER_ROOT": quantization.CENTROIDS_PER_ROOT * 2, "MAX_CENTROIDS": 8_000}),
    "audio in two": (2, {}),
    "audio in three": (3, {}),
}
QUERIES = {"song": ("one song", 1, 200), "mixture": ("five", 5, 40)}  # kind of a search: name, seeds, queries


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each layout of PQ codes."""
    catalog = subject.catalog
    if any(catalog.manifest["search"][kind]["candidates"] >= len(catalog) for kind in QUERIES):
        raise Skipped("so few songs are all scored")
    judged = {kind: list(_judged_searches(subject, kind)) for kind in QUERIES}
    vectors, local_scales = catalog.array("vectors"), catalog.array("local_scales")
    for name, (parts, changed) in LAYOUTS.items():
        print(f"  {name}", file=sys.stderr)
        with mock.patch.multiple(quantization, **changed) if changed else nullcontext():
            pq = quantization.fit_pq(with_audio_in(parts, space_of(catalog)), vectors, local_scales, 0)
        row: Row = {"PQ codes": name, "bytes a song": pq.codes.itemsize * pq.codes.shape[1]}
        row["centroids"] = sum(map(len, pq.quantizer.rows))
        for kind, (asked, _, _) in QUERIES.items():
            ranks = np.sort(np.concatenate([search.ranks(pq) for search in judged[kind]]))
            row[f"rescored for {asked}"] = ranks[math.ceil(TARGET_RECALL[kind] * len(ranks)) - 1]
        yield row


def with_audio_in(parts: int, space: Space) -> Space:
    """The space with audio as so many blocks of about the same spread."""
    blocks: list[Block] = []
    for block in space.blocks:
        count = parts if block.name == "audio" else 1
        shares = np.cumsum(space.spread[block.columns]) / space.spread[block.columns].sum()
        bounds = [block.start + int(shares.searchsorted(number / count)) for number in range(count)] + [block.stop]
        ends = itertools.pairwise(bounds)
        blocks += [replace(block, start=start, stop=stop, weight=block.weight / count) for start, stop in ends]
    return replace(space, blocks=tuple(blocks))


@dataclass(frozen=True)
class JudgedSearch:
    """The candidates of a search, by their rows, and the rows of the exact list."""

    space: Space
    scorer: Scorer
    points: np.ndarray
    candidates: np.ndarray
    wanted: np.ndarray

    def ranks(self, pq: quantization.ProductQuantization) -> np.ndarray:
        """How many candidates look as good as each song of the list, or better; infinite for what is no candidate."""
        scores, is_wanted = self.approximate_scores(pq), np.isin(self.candidates, self.wanted)
        ranks = len(scores) - np.sort(scores).searchsorted(scores[is_wanted])
        return np.append(ranks, np.full(len(self.wanted) - len(ranks), np.inf))

    def approximate_scores(self, pq: quantization.ProductQuantization) -> np.ndarray:
        """As the function computes them, for one point with the joint term, but for blocks in any number of parts."""
        quantizer, rows = pq.quantizer, pq.quantizer.rows
        levels, numbers = np.divmod(pq.codes[self.candidates], sum(map(len, rows)))
        starts, firsts = np.cumsum([0, *map(len, rows)]), np.unique(quantizer.subspaces, return_index=True)[1]
        squared = np.zeros((len(self.space.blocks), len(self.candidates), len(self.points)), np.float32)
        for part, subspace, centroids in zip(quantizer.space.blocks, quantizer.subspaces, rows):
            apart = squared_distances(
                *(each.astype(np.float32) for each in (centroids, self.points[:, part.columns]))
            )
            number = [block.name for block in self.space.blocks].index(part.name)
            of_song = apart.take(numbers[:, subspace] - starts[firsts[subspace]], axis=0)
            squared[number] += of_song / np.square(LEVEL_SCALES.take(levels[:, subspace]))[:, None]
        units = [self.space.spread[block.columns].sum() ** 0.5 * block.scale for block in self.space.blocks]
        distances = np.sqrt(squared) / np.array(units, np.float32)[:, None, None]
        weights = self.scorer.block_weights * self.scorer.weights
        scores = np.einsum("bsp,bp->s", np.exp(-distances), weights[:-1])
        if len(self.points) == 1:
            exponents = [block.exponent for block in self.space.blocks]
            scores += weights[-1, 0] * np.exp(-np.tensordot(exponents, distances[..., 0], 1))
        return scores


def _judged_searches(subject: Subject, kind: str) -> Iterator[JudgedSearch]:
    catalog, (_, seeds, count) = subject.catalog, QUERIES[kind]
    ids = iter(subject.ids(seeds * count, seed=12))
    for _ in range(count):
        query = Query(tuple(Seed("", {}, id=next(ids)) for _ in range(seeds)), limit=20, exact=True)
        resolved = resolve(catalog, query.seeds)
        scorer, cells = Scorer(catalog, resolved, {}), CellProber(catalog, AllowedSongs(catalog, Filters()))
        cells.rank_cells(scorer)
        candidates = cells.rows(cells.probe(catalog.manifest["search"][kind]["candidates"]))
        wanted = np.array([song.row for song in recommend(catalog, query).recommendations])
        points = np.concatenate([seed.vectors for seed in resolved])
        yield JudgedSearch(space_of(catalog), scorer, points, candidates, wanted)
