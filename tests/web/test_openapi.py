"""The API's description agrees with the code, and the service with the description."""

import base64
import hashlib
import re

import pytest
from openapi_spec_validator import validate
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue import VERSION, dialects
from segue.catalog.lookup.resolver import MAX_ALTERNATIVES
from segue.config import Config
from segue.engine.explanations import MAX_REASONS
from segue.engine.seeds import POINTS_PER_SEED
from segue.errors import InvalidQuery
from segue.query import parser
from segue.query import schema as query_schema
from segue.query.schema import AUDIO_FEATURES, NUMERIC_ATTRIBUTES, Query, Vocabulary
from segue.subsonic import request_params, routes
from segue.web import request_context, service
from segue.web.gateway import Gateway
from segue.web.routes import ROUTES, STATIC_PREFIX
from segue.web.serializers import FORMATS
from segue.web.views import batch, catalogue
from tests.support.openapi import DOCUMENT, OWN, REST, SCHEMAS, limits, parameter, somewhere

QUERY = SCHEMAS["Query"]["properties"]
OPERATIONS = [(method, path, told) for path, item in DOCUMENT["paths"].items() for method, told in item.items()]


def test_the_document_is_valid_openapi():
    validate(DOCUMENT)


def test_it_has_the_version_of_the_project():
    assert DOCUMENT["info"]["version"] == VERSION


def test_it_lists_the_routes_and_methods_of_the_service():
    rules = [
        rule for rule in ROUTES.iter_rules() if not rule.rule.startswith(STATIC_PREFIX)
    ]  # which no program asks for
    ours = {}
    for rule in rules:
        ours.setdefault(re.sub("<.*?>", "0", rule.rule), set()).update(rule.methods - {"HEAD"})
    told = {somewhere(path): {method.upper() for method in item} for path, item in DOCUMENT["paths"].items()}
    assert told == ours | {somewhere(REST): {"GET", "POST"}}


# --- limits ---------------------------------------------------------------------------------------------------


def faults(body):
    """What the parser has against fields of a body, by JSON pointer."""
    known = Vocabulary([], [attribute.name for attribute in NUMERIC_ATTRIBUTES], True, str, [0])
    try:
        parser.parse_recommend({"song": "Anchor", **body}, known)
    except InvalidQuery as error:
        return [fault.pointer for fault in error.faults]
    return []


@pytest.mark.parametrize("name", ["limit", "max_per_artist", "diversity", "draw"])
def test_the_parser_takes_the_limits_of_a_field_and_nothing_beyond(name):
    schema = SCHEMAS[{"limit": "Limit", "draw": "Draw"}[name]] if "$ref" in QUERY[name] else QUERY[name]
    low, high = limits(schema)
    assert [faults({name: value}) for value in (low, high)] == [[], []]
    assert [faults({name: value}) for value in (low - 1, high + 1)] == [[f"/{name}"], [f"/{name}"]]


def test_defaults_are_those_of_a_query():
    named = {name: schema for name, schema in QUERY.items() if "default" in schema}
    named |= {"limit": SCHEMAS["Limit"], "draw": SCHEMAS["Draw"]}
    empty = Query(())
    assert {name: schema["default"] for name, schema in named.items()} == {
        name: getattr(empty, name) for name in named
    }


def test_the_fields_of_a_query_are_those_the_parser_names_when_one_is_unknown():
    with pytest.raises(InvalidQuery) as refused:
        parser.parse_recommend({"song": "Anchor", "zzzz": 1}, Vocabulary([], [], False, str, [0]))
    known = refused.value.faults[0].detail.partition("known are: ")[2]
    assert set(known.split(", ")) == set(QUERY)


def test_weights_are_those_the_parser_takes():
    low, high = limits(SCHEMAS["Weight"])
    seeds = [{"song": "Anchor", "weight": weight} for weight in (low, high, low - 1, high + 1, 0)]
    with pytest.raises(InvalidQuery) as refused:
        parser.parse_recommend({"seeds": seeds}, Vocabulary([], [], False, str, [0]))
    assert [fault.pointer for fault in refused.value.faults] == [f"/seeds/{place}/weight" for place in (2, 3, 4)]
    assert SCHEMAS["Weight"]["not"] == {"const": 0}


def test_numbers_of_a_song_have_the_ranges_and_units_of_the_code():
    assert SCHEMAS["Numbers"]["properties"] == {
        attribute.name: {
            "type": "number",
            "minimum": attribute.low,
            "maximum": attribute.high,
            "description": attribute.unit,
        }
        for attribute in NUMERIC_ATTRIBUTES
    }
    assert list(SCHEMAS["Features"]["properties"]) == [attribute.name for attribute in AUDIO_FEATURES]
    assert SCHEMAS["Why"]["properties"]["farthest"]["enum"] == [*SCHEMAS["Features"]["properties"], None]


def test_filters_are_those_the_parser_names_when_one_is_unknown():
    with pytest.raises(InvalidQuery) as refused:
        parser.parse_recommend(
            {"song": "Anchor", "filters": {"zzzz": 1}},
            Vocabulary([], [attribute.name for attribute in NUMERIC_ATTRIBUTES], True, str, [0]),
        )
    known = refused.value.faults[0].detail.partition("known are: ")[2]
    assert known.split(", ") == list(SCHEMAS["Filters"]["properties"])


def test_lengths_are_those_of_the_code():
    filters = SCHEMAS["Filters"]["properties"]
    assert {
        "text": SCHEMAS["Text"]["maxLength"],
        "genre": SCHEMAS["Genre"]["maxLength"],
        "search": parameter("/search", "q")["maxLength"],
        "ids": (parameter("/songs", "ids")["maxItems"], SCHEMAS["SongsQuery"]["properties"]["ids"]["maxItems"]),
        "seeds": QUERY["seeds"]["maxItems"],
        "genres": SCHEMAS["Genres"]["maxItems"],
        "excluded": {filters[name]["maxItems"] for name in ("exclude_ids", "exclude_artists")},
        "bound": limits(SCHEMAS["Range"]["items"]),
        "faults": SCHEMAS["Problem"]["properties"]["errors"]["maxItems"],
        "draw": SCHEMAS["Draw"]["maximum"],
        "reasons": SCHEMAS["Why"]["properties"]["reasons"]["maxItems"],
        "alternatives": SCHEMAS["ResolvedSeed"]["oneOf"][0]["properties"]["alternatives"]["maxItems"],
        "songs of a seed": SCHEMAS["ResolvedSeed"]["oneOf"][1]["properties"]["songs"]["maximum"],
    } == {
        "text": query_schema.MAX_TEXT_LENGTH,
        "genre": query_schema.MAX_TEXT_LENGTH,
        "search": catalogue.MAX_QUERY_LENGTH,
        "ids": (catalogue.MAX_SONGS_IN_URL, catalogue.MAX_SONGS_IN_BODY),
        "seeds": parser.MAX_SEEDS,
        "genres": parser.MAX_FILTER_ENTRIES,
        "excluded": {parser.MAX_FILTER_ENTRIES},
        "bound": (-query_schema.MAX_BOUND, query_schema.MAX_BOUND),
        "faults": query_schema.MAX_FAULTS,
        "draw": parser.MAX_DRAW,
        "reasons": MAX_REASONS,
        "alternatives": MAX_ALTERNATIVES,
        "songs of a seed": POINTS_PER_SEED,
    }  # fmt: skip


def test_ids_are_those_of_the_code():
    schema = SCHEMAS["Id"]
    characters = schema["pattern"].removeprefix("^").removesuffix("+$")
    assert f"{characters}{{{schema['minLength']},{schema['maxLength']}}}" == query_schema.ID_PATTERN.pattern


def test_every_list_comes_in_the_formats_of_the_code():
    types = {known.name: known.mimetype for known in FORMATS}
    assert SCHEMAS["Format"]["enum"] == list(types)
    listing = [told for _, _, told in OPERATIONS if "format" in {p["name"] for p in told.get("parameters", [])}]
    for told in listing:
        answer = told["responses"]["200"]
        answer = DOCUMENT["components"]["responses"][answer["$ref"].split("/")[-1]] if "$ref" in answer else answer
        assert list(answer["content"]) == list(types.values())
        assert "406" in told["responses"]
    assert len(listing) == 11


def test_a_batch_takes_the_requests_of_the_code():
    requests = SCHEMAS["Batch"]["properties"]["requests"]
    assert [kind["properties"]["path"]["const"] for kind in requests["items"]["oneOf"]] == list(batch.OPERATIONS)
    assert requests["maxItems"] == batch.MAX_REQUESTS
    told = DOCUMENT["paths"]["/batch"]["post"]["description"]
    assert f"{Config('').request_cost:g} ordinary requests" in told


def test_the_size_of_a_body_is_that_of_the_code():
    posted = {path: item["post"] for path, item in OWN.items() if "post" in item}
    told = DOCUMENT["components"]["responses"]["TooLarge"]["description"]
    for path, operation in posted.items():
        bounds = request_context.LARGE_LIMITS if path in ("/continue", "/batch") else request_context.QUERY_LIMITS
        for said in (f"{bounds.bytes:,} bytes", f"{bounds.commas:,} commas"):
            assert said in operation["requestBody"]["description"]
            assert said in told


def test_players_are_told_the_methods_the_form_and_the_errors_of_the_code():
    of_url, of_form = DOCUMENT["paths"][REST]["get"], DOCUMENT["paths"][REST]["post"]
    methods = of_url["description"].partition(";")[0]
    assert set(re.findall(r"`(\w+)`", methods)) == set(routes.METHODS)
    named = {entry["name"] for entry in of_url["parameters"]}
    assert set(SCHEMAS["Form"]["properties"]) < named
    assert (
        f"{dialects.MAX_FORM_BYTES:,} bytes and {dialects.MAX_FORM_FIELDS} fields"
        in of_form["requestBody"]["description"]
    )
    codes = SCHEMAS["Subsonic"]["properties"]["subsonic-response"]["properties"]["error"]["properties"]["code"][
        "enum"
    ]
    assert codes == sorted(value for name, value in vars(request_params).items() if name.startswith("ERROR_"))


# --- keys -------------------------------------------------------------------------------------------------------

KEY = "a-key-of-the-tests"
SHOWN = {
    "bearer": {"Authorization": f"Bearer {KEY}"},
    "key": {"X-Api-Key": KEY},
    "basic": {"Authorization": f"Basic {base64.b64encode(f'anybody:{KEY}'.encode()).decode()}"},
}


@pytest.fixture(scope="session")
def closed(demo_artifacts):
    """A client of a service that is closed by keys."""
    environ = {"SEGUE_API_KEYS": hashlib.sha256(KEY.encode()).hexdigest()}
    front = Gateway(service.Service(Config(demo_artifacts)).handle, environ, lambda _: None)
    return Client(Request.application(front.handle))


def test_keys_are_optional_and_may_be_shown_in_each_way_that_opens(closed):
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert DOCUMENT["security"] == [{}, *({name: []} for name in schemes)]
    answers = {name: closed.get("/readyz", headers=SHOWN[name]).status_code for name in schemes}
    assert answers == {"bearer": 200, "key": 200, "basic": 200}


@pytest.mark.parametrize(("method", "path", "told"), [one for one in OPERATIONS if one[1] in OWN])
def test_a_service_closed_by_keys_refuses_as_described(closed, method, path, told):
    answer = closed.open(somewhere(path), method=method.upper())
    assert (answer.status_code == 401) == ("401" in told["responses"]) == (told.get("security") != [])
    if answer.status_code == 401:
        described = DOCUMENT["components"]["responses"]["Unauthorized"]
        assert (answer.mimetype,) == (*described["content"],)
        assert {name: answer.headers[name] for name in described["headers"]} == {
            name: header["schema"]["const"] for name, header in described["headers"].items()
        }
