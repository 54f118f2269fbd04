"""The cold path: the first recommendation loads nothing that it does not need."""

import pytest

from tests.benchmarks.imports import loaded, report
from tests.benchmarks.subject import Subject

NOT_NEEDED = {
    "apig_wsgi", "boto3", "faiss", "flask", "jinja2", "matplotlib", "multiprocessing", "obstore", "pandas", "pip",
    "pyarrow", "pydoc", "requests", "scipy", "segue.journeys", "segue.spotify", "segue.subsonic",
    "segue.web.views.catalogue", "segue.web.views.mcp", "segue_build", "setuptools",
    "sklearn", "sqlite3", "threadpoolctl", "unittest",
}  # fmt: skip


def test_the_first_recommendation_loads_no_module_that_it_does_not_need(demo_artifacts):
    modules = loaded(Subject(demo_artifacts))
    assert {"numpy", "werkzeug", "segue.engine"} <= modules
    assert sorted(NOT_NEEDED & modules) == []


def test_the_report_of_imports_tells_each_module_of_the_function(demo_artifacts):
    times = report(Subject(demo_artifacts))
    assert {"numpy", "werkzeug.wrappers", "segue.catalog", "segue.engine"} <= set(times)
    assert all(took >= 0 for took in times.values())


def test_a_song_that_is_not_there_is_no_first_recommendation(demo_artifacts, monkeypatch):
    monkeypatch.setattr(Subject, "ids", lambda *_, **__: ["no-such-song"])
    with pytest.raises(RuntimeError, match="the function answered 404"):
        loaded(Subject(demo_artifacts))
