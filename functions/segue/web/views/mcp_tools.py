"""Operations of the API as tools for assistants, with JSON Schemas taken from the OpenAPI document."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from segue.catalog.catalog import Catalog
from segue.engine.recommendation import vocabulary
from segue.web.request_context import Operation
from segue.web.routes import load_view

# No tool changes anything, and none looks anywhere but in the table.
ANNOTATIONS = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}
Schema = dict[str, Any]
JSON = "application/json"
COMPONENTS = "#/components/schemas/"
# some assistants reject such tools; the parser checks the same rules
EXCLUDED_KEYWORDS = ("oneOf", "anyOf", "allOf", "not")
EXCLUDED_PARAMETERS = ("format",)  # a tool answers in JSON


class ApiOperation:
    """An operation in the OpenAPI document.

    path, method : its keys there
    """

    def __init__(self, path: str, method: str):
        self._document: Schema = json.loads(load_view("pages.openapi_document")())
        self._operation = self._document["paths"][path][method]

    @property
    def title(self) -> str:
        """What it does, in a few words."""
        return str(self._operation["summary"])

    @property
    def description(self) -> str:
        """What it does."""
        return f"{self.title}. {self._operation['description']}"

    def input_schema(self) -> Schema:
        """The schema of its body, or of its parameters as an object."""
        if "requestBody" not in self._operation:
            return self._parameter_schema()
        schema = self._with_definitions(self._operation["requestBody"]["content"][JSON]["schema"])
        return {name: rule for name, rule in schema.items() if name not in EXCLUDED_KEYWORDS}

    def output_schema(self) -> Schema:
        """The schema of its answer."""
        answer = self._resolve(self._operation["responses"]["200"])
        return self._with_definitions(answer["content"][JSON]["schema"])

    def _parameter_schema(self) -> Schema:
        parameters = [entry for entry in self._operation["parameters"] if entry["name"] not in EXCLUDED_PARAMETERS]
        schema = {
            "type": "object",
            "properties": {
                entry["name"]: {**entry["schema"], "description": entry["description"]} for entry in parameters
            },
            "required": [entry["name"] for entry in parameters if entry.get("required")],
            "additionalProperties": False,
        }
        return self._with_definitions(schema)

    def _with_definitions(self, schema: Mapping[str, Any]) -> Schema:
        """A schema with all that it refers to in its ``$defs``: inlined, some of it would appear four times."""
        needed: dict[str, Any] = {}
        root: Schema = self._relocate_references(self._resolve(schema), needed)
        return root | ({"$defs": needed} if needed else {})

    def _relocate_references(self, value: Any, needed: dict[str, Any]) -> Any:
        """A part of a schema with its references redirected to ``$defs``; what they refer to is added to ``needed``.

        A reference to a part of another schema is replaced by that part.
        """
        if isinstance(value, list):
            return [self._relocate_references(entry, needed) for entry in value]
        if not isinstance(value, Mapping):
            return value
        name = value.get("$ref", "/").removeprefix(COMPONENTS)
        if "/" in name:
            return {key: self._relocate_references(entry, needed) for key, entry in self._resolve(value).items()}
        if name not in needed:
            needed[name] = {}  # it may refer to itself
            needed[name] = self._relocate_references(self._document["components"]["schemas"][name], needed)
        return {**value, "$ref": f"#/$defs/{name}"}

    def _resolve(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """The target of a reference (RFC 6901), merged with the keys beside the reference.

        Its steps may lead through lists, and through further references.
        """
        if "$ref" not in value:
            return value
        found: Any = self._document
        for step in unquote(value["$ref"]).removeprefix("#/").split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            found = self._resolve(found)[key] if isinstance(found, Mapping) else found[int(key)]
        siblings = {name: entry for name, entry in value.items() if name != "$ref"}
        return {**self._resolve(found), **siblings}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool.

    path, method : the operation of the API that it runs
    operation : the name of the Operation in :mod:`segue.web.views`
    """

    path: str
    method: str
    operation: str

    def call(self, catalog: Catalog, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Its result, in the types of JSON."""
        operation: Operation = load_view(self.operation)
        return operation.execute(catalog, operation.parse(arguments, vocabulary(catalog)))


TOOLS = {
    "search_songs": Tool("/search", "get", "catalogue.SEARCH"),
    "recommend": Tool("/recommend", "post", "recommend.RECOMMEND"),
    "song_path": Tool("/path", "post", "journeys.PATH"),
    "make_playlist": Tool("/playlist", "post", "journeys.PLAYLIST"),
    "order_songs": Tool("/order", "post", "journeys.ORDER"),
}


@functools.cache
def tool_definitions() -> list[dict[str, Any]]:
    """All tools, as ``tools/list`` returns them."""
    return [_tool_definition(name, ApiOperation(tool.path, tool.method)) for name, tool in TOOLS.items()]


def _tool_definition(name: str, operation: ApiOperation) -> dict[str, Any]:
    return {
        "name": name,
        "title": operation.title,
        "description": operation.description,
        "inputSchema": operation.input_schema(),
        "outputSchema": operation.output_schema(),
        "annotations": {"title": operation.title, **ANNOTATIONS},
    }
