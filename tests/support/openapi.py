"""OpenAPI documents, what they say, requests made up from them and what the answers must agree with."""

import json
import re

import schemathesis
from schemathesis import checks
from schemathesis.config import (
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)

from segue.web.views.pages import PAGE_FOLDER

DOCUMENT = json.loads((PAGE_FOLDER / "openapi.json").read_text(encoding="utf-8"))  # of our own API
SCHEMAS = DOCUMENT["components"]["schemas"]
REST = "/rest/{method}"  # answers in the shapes of another API
OWN = {path: item for path, item in DOCUMENT["paths"].items() if path != REST}
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class Late:
    """A WSGI application that is made later: schemathesis wants one at collection, a fixture makes it after."""

    app = None

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


def described(document, app, examples, *, coverage=True):
    """A document's operations, of each so many examples at the least.

    coverage : each limit of each field as well, on both of its sides: hundreds of requests
    """
    generation = GenerationConfig(max_examples=examples, deterministic=True, database="none")
    phases = PhasesConfig(coverage=CoveragePhaseConfig(enabled=coverage))
    projects = ProjectsConfig(default=ProjectConfig(generation=generation, phases=phases))
    at_the_root = {**document, "servers": [{"url": "/"}]}
    api = schemathesis.openapi.from_dict(at_the_root, config=SchemathesisConfig(seed=1, projects=projects))
    api.app = app
    return api


def limits(schema):
    return schema["minimum"], schema["maximum"]


def parameter(path, name):
    listed = DOCUMENT["paths"][path]["get"]["parameters"]
    return next(entry["schema"] for entry in listed if entry["name"] == name)


def somewhere(path):
    """A path of the description with something in each of its places."""
    return re.sub(r"\{\w+\}", "0", path)
