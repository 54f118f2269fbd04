"""Callers of the service and its dialects, for their tests, and what they read in answers."""

from xml.etree import ElementTree as ET

from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog.lookup.exact import artist_id
from segue.config import Config
from segue.web.service import Service


def client_of(artifacts, **config):
    return Client(Request.application(Service(Config(artifacts, **config)).handle))


def problem(answer):
    """The body of a refusal by our own API."""
    assert answer.mimetype == "application/problem+json"
    body = answer.json
    assert body["status"] == answer.status_code
    return body


def sized(name, songs):
    """An artist as lists of artists have it, with the number of its songs."""
    return {"id": artist_id(name), "name": name, "songs": songs}


def told(answer, status):
    """The message of an error, which has nothing else to it."""
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    body = answer.json
    message = body["error"]["message"]
    assert body == {"error": {"status": status, "message": message}}
    return message


def xml(answer):
    """The root of an answer in XML."""
    assert answer.mimetype == "application/xml"
    return ET.fromstring(answer.data)  # noqa: S314 # the service wrote it


def names(tracks):
    return [track["name"] for track in tracks]
