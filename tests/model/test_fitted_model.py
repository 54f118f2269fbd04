"""The model as a whole: what it is fitted with."""

import pytest

from segue_build.model import fitted_model
from segue_build.model.clustering import PreviousClusters
from segue_build.model.weights import WEIGHTS
from segue_build.sources.tracks import load_tracks
from tests.support import world


@pytest.mark.parametrize("seed", [0, 7])
def test_every_random_step_takes_the_seed(tmp_path, monkeypatch, seed):
    seeds = {}

    def spy(name):
        step = getattr(fitted_model, name)

        def called(*arguments):
            seeds[name] = arguments[-1]
            return step(*arguments)

        monkeypatch.setattr(fitted_model, name, called)

    clustering = fitted_model.fit_clustering

    def spied_clustering(*arguments):
        seeds["fit_clustering"] = arguments[5]
        return clustering(*arguments)

    monkeypatch.setattr(fitted_model, "fit_clustering", spied_clustering)
    spy("fit_pq")
    spy("map_coordinates")
    spy("local_scales")
    frame, report = load_tracks([str(world.write(tmp_path / "world.csv"))], {})
    model = fitted_model.fit_model(frame, report, seed=seed, weights=WEIGHTS, previous=PreviousClusters())
    model.map.result()
    assert seeds == dict.fromkeys(["fit_clustering", "fit_pq", "map_coordinates", "local_scales"], seed)
