"""The dearest request that is answered, found by hill climbing over bodies, beside the median one.

``python -m tests.benchmarks.dearest [--artifacts DIR] [--steps 300]`` changes one or two fields of a body at a time
and keeps what takes a processor longer, several times from different beginnings for each path. It prints how long
the dearest of each path takes as a multiple of ``POST /recommend`` for one random song: the median of rounds, each of
which asks for both, as a machine is faster at one time than at another. What is not answered with 200 does not count,
but how long the longest of those took is printed too: 503s end at ``SEGUE_REQUEST_SECONDS``.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from segue.catalog import Catalog, load
from segue.config import Config
from segue.query.schema import AUDIO_FEATURES, FLOWS
from segue.web.service import Service
from tests.benchmarks.figures import table
from tests.benchmarks.subject import Subject

MEDIAN_OF = 40  # random songs in each round
ROUNDS = 5
BEGINNINGS = 3  # of a climb, for each path
PATIENCE = 25  # changes in a row that gain nothing, after which a climb ends
Body = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """A request and what it took.

    seconds : of a processor
    """

    path: str
    body: Body
    status: int
    seconds: float


class Genes:
    """Random values for each field of a body, as large as they may be or small."""

    def __init__(self, catalog: Catalog, dice: random.Random):
        self._catalog, self._dice = catalog, dice
        self._genres, self._clusters = catalog.manifest["genres"], list(catalog.cluster_indices)
        self._attributes = catalog.manifest["attributes"]

    def fields(self, path: str) -> dict[str, Callable[[], Any]]:
        """Field -> what makes a value for it, for the bodies of a path."""
        options = {
            "filters": self.filters, "targets": self.targets,
            "diversity": lambda: self._dice.choice((0, 0.01, 0.5, 1)),
            "max_per_artist": lambda: self._dice.choice((1, 2, 100, None)), "fill": self.flag, "draw": self.number,
            "exclude_seed_artists": self.flag,
        }  # fmt: skip
        length = lambda most: lambda: self._dice.choice((most, self._dice.randint(3, most)))  # noqa: E731
        heard = lambda: self.some(self.id, 2_000)  # noqa: E731
        return {
            "/recommend": {
                "seeds": self.seeds, "limit": length(100), "exact": self.flag, "explain": self.flag, **options,
            },
            "/playlist": {
                "seeds": self.seeds, "songs": length(200), "flow": lambda: self._dice.choice(FLOWS),
                "minutes": lambda: self._dice.choice((600, 60, 599.9, 100)), **options,
            },
            "/path": {
                "from": self.seed, "to": self.seed, "via": lambda: self.some(self.seed, 10), "length": length(50),
                "filters": self.filters, "max_per_artist": options["max_per_artist"],
                "steady_popularity": self.flag, "draw": self.number,
            },
            "/order": {"songs": lambda: self.some(self.entry, 200), "flow": lambda: self._dice.choice(FLOWS)},
            "/continue": {"played": heard, "skipped": heard, "limit": length(100), **options},
        }[path]  # fmt: skip

    def some(self, one: Callable[[], Any], most: int) -> list[Any]:
        return [one() for _ in range(self._dice.choice((1, most, self._dice.randint(1, most))))]

    def flag(self) -> bool:
        return self._dice.random() < 0.5

    def number(self) -> int:
        return self._dice.choice((0, self._dice.randrange(1, 2**31)))

    def id(self) -> str:
        return self._catalog.texts("ids")[self._dice.randrange(len(self._catalog))]

    def title(self) -> str:
        """A title and an artist with a few letters that are wrong, which take the longest to find."""
        row = self._dice.randrange(len(self._catalog))
        text = list(self._catalog.texts("names")[row] + " " + self._artist())
        for _ in range(self._dice.randrange(4)):
            text[self._dice.randrange(len(text))] = self._dice.choice("aeinrst ")
        return "".join(text)[:200] or "a"

    def _artist(self) -> str:
        return self._catalog.texts("artists")[self._dice.randrange(len(self._catalog.texts("artists")))]

    def entry(self) -> Body:
        return self.seed_of(self._dice.choice(("id", "song")))

    def seed(self) -> Body:
        kind = self._dice.choice(("id", "genre", "artist", "song", "features", "cluster"))
        return self.seed_of(kind)

    def seed_of(self, kind: str) -> Body:
        makers: dict[str, Callable[[], Any]] = {
            "id": self.id, "genre": lambda: self._dice.choice(self._genres or ["none"]), "artist": self._artist,
            "song": self.title, "features": self.features, "cluster": lambda: self._dice.choice(self._clusters),
        }  # fmt: skip
        return {kind: makers[kind]()}

    def seeds(self) -> list[Body]:
        """Of one kind or of all, of one sign or of both."""
        kind = self._dice.choice(("id", "genre", "artist", "song", "features", "cluster", None))
        signs = self._dice.choice(((1,), (1, -1), (-1,), (10, 0.1)))
        one = self.seed if kind is None else lambda: self.seed_of(kind)
        return [{**seed, "weight": self._dice.choice(signs)} for seed in self.some(one, 100)]

    def features(self) -> Body:
        known = [one for one in AUDIO_FEATURES if one.name in self._attributes]
        chosen = self._dice.sample(known, self._dice.randint(1, len(known)))
        return {one.name: round(self._dice.uniform(max(one.low, -60), one.high), 0 if one.is_integer else 3)
                for one in chosen}  # fmt: skip

    def targets(self) -> Body:
        return {name: value for name, value in self.features().items() if self._dice.random() < 0.7}

    def filters(self) -> Body:
        made: Body = {}
        for name, value in self.targets().items():
            ends = sorted((value, self._dice.choice((0, 1, value))))
            made[name] = ends if self._dice.random() < 0.4 else [None, None]
        for name, one, most in (("genres", lambda: self._dice.choice(self._genres or ["none"]), 100),
                                ("exclude_artists", self._artist, 1000), ("exclude_ids", self.id, 1000)):  # fmt: skip
            if self._dice.random() < 0.3:
                made[name] = self.some(one, most)
        return made


class Climb:
    """Changes bodies of a path and keeps what takes longer."""

    def __init__(self, service: Service, genes: Genes, dice: random.Random, path: str):
        self._service, self._dice, self._path = service, dice, path
        self._fields = genes.fields(path)

    def trials(self, steps: int) -> Iterator[Trial]:
        """Every request that was tried."""
        best = yield from self._beginning()
        gained = 0
        for step in range(steps):
            body = dict(best.body)
            for name in self._dice.sample(sorted(self._fields), self._dice.choice((1, 1, 2))):
                if name in body and self._dice.random() < 0.2 and name not in ("seeds", "from", "to", "played"):
                    del body[name]
                else:
                    body[name] = self._fields[name]()
            if self._path == "/playlist" and "songs" in body and "minutes" in body:
                del body[self._dice.choice(("songs", "minutes"))]
            trial = self.ask(body)
            yield trial
            if trial.status == 200 and trial.seconds > best.seconds:
                again = self.ask(body)  # a machine that was busy for a moment is no dear request
                if again.status == 200 and again.seconds > best.seconds:
                    best, gained = again, step
            if step - gained > PATIENCE:
                return

    def _beginning(self) -> Iterator[Trial]:
        needed = [name for name in ("seeds", "from", "to", "played") if name in self._fields] or ["songs"]
        while True:
            trial = self.ask({name: self._fields[name]() for name in needed})
            yield trial
            if trial.status == 200:
                return trial

    def ask(self, body: Body) -> Trial:
        return ask(self._service, self._path, body)


def ask(service: Service, path: str, body: Body) -> Trial:
    """Ask a service in this process."""
    request = Request(EnvironBuilder(path, method="POST", json=body).get_environ())
    began = time.thread_time()
    response = service.handle(request)
    return Trial(path, body, response.status_code, time.thread_time() - began)


def batches(service: Service, best: dict[str, Trial]) -> Iterator[Trial]:
    """The dearest requests of all paths together in one, as many as may be."""
    for path, trial in best.items():
        for count in (50, 25, 12, 6, 3):
            body = {"requests": [{"path": path, "body": trial.body}] * count}
            yield min(ask(service, "/batch", body), ask(service, "/batch", body), key=lambda one: one.seconds)


def service_of(artifacts: Path) -> Service:
    """A service with the limits that are set by default."""
    return Service(Config(artifacts, refresh_seconds=0))


def find_dearest(artifacts: Path, steps: int, seed: int) -> tuple[dict[str, Trial], Trial]:
    """The dearest requests that are answered by path, and the longest of those that are not."""
    service, dice = service_of(artifacts), random.Random(seed)
    genes = Genes(load(artifacts), dice)
    best, refused = dict[str, Trial](), Trial("", {}, 0, 0.0)
    for path in ("/recommend", "/playlist", "/path", "/order", "/continue"):
        for _ in range(BEGINNINGS):
            for trial in Climb(service, genes, dice, path).trials(steps):
                if trial.status != 200:
                    refused = max(refused, trial, key=lambda one: one.seconds)
                elif path not in best or trial.seconds > best[path].seconds:
                    best[path] = min(trial, ask(service, path, trial.body), key=lambda one: one.seconds)
    for trial in batches(service, dict(best)):
        if trial.status != 200:
            refused = max(refused, trial, key=lambda one: one.seconds)
        elif "/batch" not in best or trial.seconds > best["/batch"].seconds:
            best["/batch"] = trial
    return best, refused


def compare(service: Service, songs: Sequence[str], trial: Trial) -> tuple[float, float]:
    """Seconds of a request, and the same as a multiple of the median one: medians of rounds."""
    rounds = []
    for start in range(0, len(songs), MEDIAN_OF):
        usual = statistics.median(
            ask(service, "/recommend", {"song_id": song}).seconds for song in songs[start : start + MEDIAN_OF]
        )
        seconds = ask(service, trial.path, trial.body).seconds
        rounds.append((seconds, seconds / usual))
    return statistics.median(one for one, _ in rounds), statistics.median(ratio for _, ratio in rounds)


def main() -> None:
    """Print a row for each path."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.dearest", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--steps", type=int, default=300, help="of a climb at the most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the dice (default: %(default)s)")
    parser.add_argument("--bodies", action="store_true", help="print the bodies as well")
    options = parser.parse_args()
    best, refused = find_dearest(options.artifacts, options.steps, options.seed)
    service, songs = service_of(options.artifacts), Subject(options.artifacts).ids(ROUNDS * MEDIAN_OF, options.seed)
    rows: list[dict[str, str | int | float]] = []
    for path, trial in best.items():
        seconds, ratio = compare(service, songs, trial)
        rows.append({"dearest": path, "ms": seconds * 1000, "x median": ratio, "bytes": len(json.dumps(trial.body))})
    print(f"{table(rows)}\n")
    print(f"of what was not answered with 200, {refused.status} on {refused.path} took longest: "
          f"{refused.seconds * 1000:.0f} ms")  # fmt: skip
    if options.bodies:
        print(*(f"\n{path}: {json.dumps(trial.body)[:3000]}" for path, trial in best.items()), sep="\n")


if __name__ == "__main__":
    main()
