"""``/metrics``, where ``SEGUE_METRICS`` is 1: what a scraper reads."""

import os
import re
import subprocess
import sys

import pytest

from segue import VERSION, log_context
from segue.web.metrics import Metrics
from segue_build import FUNCTIONS
from tests.support.gateway import KEY, LOCKED, client_of, lines

__all__ = ["client_of", "lines"]  # fixtures

# https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
LINE = re.compile(r"# HELP [a-z_]+ [^\n\\]+|# TYPE [a-z_]+ (?:counter|gauge|histogram)|"
                  r'([a-z_]+)\{((?:[a-z]+="[^"\\\n]*",?)+)\} ([0-9.e-]+)')  # fmt: skip


def read(text):
    """The samples of a text, (name, labels) -> value; fails on a line of another form."""
    assert text.endswith("\n")
    found = {}
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        if match[1]:
            labels = dict(re.findall(r'([a-z]+)="([^"]*)"', match[2]))
            assert labels.pop("worker") == str(os.getpid())
            assert (match[1], *sorted(labels.items())) not in found
            found[match[1], *sorted(labels.items())] = float(match[3])
    return found


def line(route="recommend", status=200, duration=1.0, **more):
    return {"route": route, "method": "GET", "status": status, "duration": duration, "cold": 0, "model": None, **more}


def test_lines_of_the_log_become_counters_and_a_histogram():
    metrics = Metrics()
    metrics.observe(line(cold=1, model="0123456789abcdef"))
    metrics.observe(line(duration=5.0, trips=2, ranges=7, fetched=4096))
    metrics.observe(line(duration=60_000.0, status=503))
    metrics.observe(line("search", bytes=3000))
    found = read(metrics.response().get_data(as_text=True))
    histogram = "segue_request_duration_seconds"
    bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"]
    wanted = {
        ("segue_info", ("model", "0123456789abcdef"), ("version", VERSION)): 1,
        ("segue_requests_total", ("method", "GET"), ("route", "recommend"), ("status", "200")): 2,
        ("segue_requests_total", ("method", "GET"), ("route", "recommend"), ("status", "503")): 1,
        ("segue_requests_total", ("method", "GET"), ("route", "search"), ("status", "200")): 1,
        (f"{histogram}_sum", ("route", "recommend")): 60.006,
        (f"{histogram}_count", ("route", "recommend")): 3,
        (f"{histogram}_sum", ("route", "search")): 0.001,
        (f"{histogram}_count", ("route", "search")): 1,
        ("segue_cold_starts_total",): 1,
        ("segue_response_bytes_total",): 3000,
        ("segue_refresh_failures_total",): log_context.totals()["refresh_failures"],
        ("segue_store_waits_total",): 2,
        ("segue_store_reads_total",): 7,
        ("segue_store_bytes_total",): 4096,
    }
    for bound in bounds:
        wanted[f"{histogram}_bucket", ("le", bound), ("route", "recommend")] = 3 if bound == "+Inf" else 2
        wanted[f"{histogram}_bucket", ("le", bound), ("route", "search")] = 1
    assert found == wanted


def test_what_a_service_answered_is_counted_once_whatever_came_of_it(client_of, lines, world_catalog):
    client = client_of(SEGUE_METRICS="1", **LOCKED)
    headers = {"X-Api-Key": KEY}
    for path in ("/recommend?song=Slow+Rain", "/recommend?song=nobody+knows+this", "/v1/tracks/x", "/nowhere"):
        client.get(path, headers=headers)
    assert client.get("/metrics").status_code == 401
    answer = client.get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = read(answer.text)
    statuses = {
        (dict(labels)["route"], dict(labels)["status"]): count
        for (name, *labels), count in found.items()
        if name == "segue_requests_total"
    }
    assert statuses["recommend", "200"] == 1
    assert statuses["recommend", "404"] == 1
    assert sum(statuses.values()) == 5  # those above, and the one without a key
    assert found["segue_info", ("model", world_catalog.version), ("version", VERSION)] == 1
    assert found["segue_cold_starts_total",] == 1
    assert lines[-1]["route"] == "metrics"


def test_a_model_that_can_not_be_opened_is_counted(client_of, tmp_path):
    client = client_of(SEGUE_METRICS="1", SEGUE_ARTIFACTS=str(tmp_path))
    before = log_context.totals()["refresh_failures"]
    assert client.get("/readyz").status_code == 503
    assert read(client.get("/metrics").text)["segue_refresh_failures_total",] == before + 1


@pytest.mark.parametrize("environ", [{}, {"SEGUE_METRICS": "0"}])
def test_nobody_gets_metrics_that_were_not_asked_for(client_of, environ):
    assert client_of(**environ).get("/metrics").status_code == 404


def test_a_start_without_metrics_does_not_import_them(world_artifacts):
    code = "import sys, main; sys.exit('segue.web.metrics' in sys.modules)"
    environ = {"PYTHONPATH": str(FUNCTIONS), "SEGUE_ARTIFACTS": str(world_artifacts)}
    for setting, imported in (("", 0), ("1", 1)):
        done = subprocess.run([sys.executable, "-c", code], env=environ | {"SEGUE_METRICS": setting}, check=False)
        assert done.returncode == imported
