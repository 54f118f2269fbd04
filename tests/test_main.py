"""The function as platforms call it: the functions framework over HTTP, AWS Lambda by event."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from infra.lambda_runtime import function_url_event
from tests.support.serving import served

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def server(world_artifacts):
    """The base URL of a real functions framework that serves the small world."""
    with served(world_artifacts) as base:
        yield base


def post(url, body):
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)


def test_the_functions_framework_serves_recommendations(server):
    body = post(f"{server}/recommend", {"song": "Slow Rain", "limit": 2, "max_per_artist": None})
    assert [found["id"][:5] for found in body["recommendations"]] == ["piano", "piano"]


def test_the_functions_framework_serves_every_path(server):
    with urllib.request.urlopen(f"{server}/songs/disco-2") as answer:
        assert json.load(answer)["name"] == "Déjà Rêvé"


def in_fresh_python(code, artifacts):
    environ = os.environ | {"SEGUE_ARTIFACTS": str(artifacts), "PYTHONPATH": str(ROOT / "functions")}
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    ).stdout


def test_importing_main_loads_no_artifact(tmp_path):
    assert in_fresh_python("import main; print(main.service._live._serving)", tmp_path / "nowhere") == "None\n"


def test_the_function_never_imports_pandas_scikit_learn_or_scipy(world_artifacts):
    code = """
import sys, main
from werkzeug.test import Client
from werkzeug.wrappers import Request
client = Client(Request.application(main.recommend))
for path in ("/recommend?song=Slow+Rain&explain=true", "/search?q=slow", "/songs/piano-1", "/clusters/0"):
    assert client.get(path).status_code == 200, path
print(sorted({"pandas", "sklearn", "scipy", "segue_build", "flask"} & set(sys.modules)))
"""
    assert in_fresh_python(code, world_artifacts) == "[]\n"


def test_recommending_and_searching_import_neither_pyarrow_nor_sqlite_nor_a_store(world_artifacts):
    code = """
import sys, main
from werkzeug.test import Client
from werkzeug.wrappers import Request
client = Client(Request.application(main.recommend))
for path in ("/recommend?song_id=piano-1", "/search?q=sloe+rain"):
    assert client.get(path).status_code == 200, path
print(sorted({"pyarrow", "sqlite3", "apig_wsgi", "obstore"} & set(sys.modules)))
"""
    assert in_fresh_python(code, world_artifacts) == "[]\n"


def test_the_lambda_handler_answers_a_function_url_event(world_artifacts):
    event = function_url_event("POST", "/recommend", body=json.dumps({"song": "Déjà Rêvé", "limit": 1}))
    code = f"import json, main; print(json.dumps(main.lambda_handler({event!r}, None)))"
    answer = json.loads(in_fresh_python(code, world_artifacts))
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (200, "application/json")
    assert json.loads(answer["body"])["recommendations"][0]["id"].startswith("disco")


def test_a_configuration_that_cannot_be_used_fails_the_start_and_names_the_variable(tmp_path):
    environ = os.environ | {"SEGUE_ARTIFACTS": "ftp://nowhere", "PYTHONPATH": str(ROOT / "functions")}
    command = [sys.executable, "-c", "import main"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "SEGUE_ARTIFACTS: 'ftp://nowhere' is not a folder" in done.stderr


def test_requirements_are_pinned():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines if line and not line.startswith("#"))
