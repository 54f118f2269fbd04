"""JSON Schemas of what operations of the API take and give, each complete, from the API's one description."""

import json
from collections.abc import Mapping
from typing import Any

from segue.web.views.pages import document

Schema = dict[str, Any]
JSON = "application/json"
SHARED = "#/components/schemas/"
NOT_AT_ROOT = ("oneOf", "anyOf", "allOf", "not")  # some assistants refuse such tools; the parser checks the same
NOT_FOR_TOOLS = ("format",)  # a tool answers in JSON


class Described:
    """An operation of the API.

    path, method : as the description has them
    """

    def __init__(self, path: str, method: str):
        self._document: Schema = json.loads(document())
        self._operation = self._document["paths"][path][method]

    @property
    def title(self) -> str:
        """What it does, in a few words."""
        return str(self._operation["summary"])

    @property
    def description(self) -> str:
        """What it does."""
        return f"{self.title}. {self._operation['description']}"

    def takes(self) -> Schema:
        """The schema of its body, or of its parameters as an object."""
        if "requestBody" not in self._operation:
            return self._parameters()
        schema = self._complete(self._operation["requestBody"]["content"][JSON]["schema"])
        return {name: rule for name, rule in schema.items() if name not in NOT_AT_ROOT}

    def gives(self) -> Schema:
        """The schema of its answer."""
        answer = self._followed(self._operation["responses"]["200"])
        return self._complete(answer["content"][JSON]["schema"])

    def _parameters(self) -> Schema:
        asked = [entry for entry in self._operation["parameters"] if entry["name"] not in NOT_FOR_TOOLS]
        schema = {
            "type": "object",
            "properties": {
                entry["name"]: {**entry["schema"], "description": entry["description"]} for entry in asked
            },
            "required": [entry["name"] for entry in asked if entry.get("required")],
            "additionalProperties": False,
        }
        return self._complete(schema)

    def _complete(self, schema: Mapping[str, Any]) -> Schema:
        """A schema with all that it refers to in its ``$defs``: in place, some of it would stand there four times."""
        needed: dict[str, Any] = {}
        root: Schema = self._referring(self._followed(schema), needed)
        return root | ({"$defs": needed} if needed else {})

    def _referring(self, value: Any, needed: dict[str, Any]) -> Any:
        """A part of a schema whose references lead to ``$defs``, which get what is needed.

        A reference to a part of another schema gives way to that part.
        """
        if isinstance(value, list):
            return [self._referring(entry, needed) for entry in value]
        if not isinstance(value, Mapping):
            return value
        name = value.get("$ref", "/").removeprefix(SHARED)
        if "/" in name:
            return {key: self._referring(entry, needed) for key, entry in self._followed(value).items()}
        if name not in needed:
            needed[name] = {}  # it may refer to itself
            needed[name] = self._referring(self._document["components"]["schemas"][name], needed)
        return {**value, "$ref": f"#/$defs/{name}"}

    def _followed(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a reference leads to (RFC 6901), and what stands beside it."""
        if "$ref" not in value:
            return value
        found: Any = self._document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        beside = {name: entry for name, entry in value.items() if name != "$ref"}
        return {**self._followed(found), **beside}
