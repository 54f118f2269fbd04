"""Requests made up from an OpenAPI document, and what their answers must agree with."""

import schemathesis
from schemathesis import checks
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig

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


def described(document, app, examples):
    """A document's operations, of each so many examples at the least."""
    generation = GenerationConfig(max_examples=examples, deterministic=True, database="none")
    projects = ProjectsConfig(default=ProjectConfig(generation=generation))
    at_the_root = {**document, "servers": [{"url": "/"}]}
    api = schemathesis.openapi.from_dict(at_the_root, config=SchemathesisConfig(seed=1, projects=projects))
    api.app = app
    return api
