"""Requests that are made up from a description of the Spotify dialect are answered as it says."""

import re

import pytest
from werkzeug.wrappers import Request

from segue.catalog.lookup.exact import artist_id
from segue.config import Config
from segue.spotify.query_params import TUNABLE_ATTRIBUTES
from segue.spotify.routes import ROUTES
from segue.web.service import Service
from tests.support.openapi import CHECKS, Late, described

QUICK, THOROUGH = 6, 200  # examples an operation
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["status", "message"],
            "properties": {"status": {"type": "integer"}, "message": {"type": "string", "minLength": 1}},
            "additionalProperties": False,
        }
    },
    "additionalProperties": False,
}
OAUTH = {
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    "additionalProperties": False,
}
SONGS = [f"Invented0000000{number:07}" for number in range(0, 600, 7)]
ARTISTS = [artist_id("Ada Lindqvist"), "0" * 22, "the"]
GENRES = ["jazz", "indie-pop", "trance", "no genre"]


def listed(known, most):
    """A list with commas: of what there is, or any text."""
    some = "|".join(map(re.escape, known))
    return {"anyOf": [{"type": "string", "pattern": f"^({some})(,({some})){{0,{most - 1}}}$"}, {"type": "string"}]}


def whole(low, high):
    return {"type": "integer", "minimum": low, "maximum": high}


def numbers(low, high):
    return {"type": "number", "minimum": max(low, -1000), "maximum": min(high, 1000)}


MARKET = {"market": {"type": "string", "pattern": "^[A-Z]{2}$"}}
TUNED = {
    f"{prefix}_{name}": numbers(*ends)
    for prefix in ("min", "max", "target")
    for name, ends in TUNABLE_ATTRIBUTES.items()
}
PARAMETERS = {
    "recommendations": TUNED | MARKET | {
        "seed_tracks": listed(SONGS, 3), "seed_artists": listed(ARTISTS, 2), "seed_genres": listed(GENRES, 2),
        "exclude_tracks": listed(SONGS, 9), "exclude_artists": listed(ARTISTS, 9), "limit": whole(1, 100),
        "max_per_artist": whole(1, 100), "explain": {"type": "boolean"}, "draw": whole(0, 99),
    },
    "search": MARKET | {
        "q": {"type": "string", "minLength": 1, "maxLength": 250}, "limit": whole(1, 50), "offset": whole(0, 1000),
        "type": {"enum": ["track", "artist", "track,artist"]},
    },
    "several_features": {"ids": listed(SONGS, 100)},
    "several_tracks": MARKET | {"ids": listed(SONGS, 50)},
    "several_artists": {"ids": listed(ARTISTS, 50)},
    "track": MARKET,
}  # fmt: skip
NEEDED = ("q", "type", "ids")
PATHS = {"song": SONGS, "artist": ARTISTS}


def operation(rule):
    asked = PARAMETERS.get(rule.endpoint, {})
    query = [
        {"name": name, "in": "query", "required": name in NEEDED, "schema": schema} for name, schema in asked.items()
    ]
    path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"anyOf": [{"enum": PATHS[name]}, {"type": "string"}]},
        }
        for name in rule.arguments
    ]
    return {"operationId": rule.endpoint, "parameters": query + path, "responses": answers(ERROR, 200, 400, 404, 405)}


def answers(error, *statuses):
    return {str(status): answer({"type": "object"} if status == 200 else error) for status in statuses}


def answer(schema):
    return {
        "description": "An answer.",
        "headers": {"Access-Control-Allow-Origin": {"required": True, "schema": {"const": "*"}}},
        "content": {"application/json": {"schema": schema}},
    }


FORM = {
    "type": "object",
    "properties": {
        "grant_type": {"enum": ["client_credentials", "authorization_code"]},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string"},
    },
}
TOKEN = {
    "operationId": "token",
    "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": FORM}}},
    "responses": answers(OAUTH, 200, 400, 405, 413),
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "The dialect", "version": "1"},
    "paths": {re.sub("<(.*?)>", r"{\1}", rule.rule): {"get": operation(rule)} for rule in ROUTES.iter_rules()}
    | {"/api/token": {"post": TOKEN}},
}
LATE = Late()
FEW, MANY = described(DOCUMENT, LATE, QUICK), described(DOCUMENT, LATE, THOROUGH, coverage=False)


@pytest.fixture(scope="session")
def served(dialect_artifacts):
    LATE.app = Request.application(Service(Config(dialect_artifacts)).handle)


@FEW.parametrize()
def test_no_request_of_the_dialect_gets_an_answer_of_another_shape(served, case):
    case.call_and_validate(checks=CHECKS)


@pytest.mark.slow
@MANY.parametrize()
def test_none_of_many_requests_of_the_dialect_gets_an_answer_of_another_shape(served, case):
    case.call_and_validate(checks=CHECKS)
