"""The service with what stands before it: keys, headers for browsers, the log; fixtures and a key."""

import hashlib

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.web.gateway import Gateway
from segue.web.service import Service

KEY = "a-key-of-the-tests"
LOCKED = {"SEGUE_API_KEYS": hashlib.sha256(KEY.encode()).hexdigest()}


@pytest.fixture
def lines():
    """What is logged."""
    return []


@pytest.fixture
def client_of(world_artifacts, lines):
    """Makes a client of the small world, set up by variables."""

    def made(**environ):
        service = Service(Config.from_environ({"SEGUE_ARTIFACTS": str(world_artifacts), **environ}))
        return Client(Request.application(Gateway(service.handle, environ, lines.append).handle))

    return made
