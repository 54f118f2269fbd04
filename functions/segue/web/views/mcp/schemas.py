"""JSON Schemas of what operations of the API take and give, without references, from the API's one description."""

import json
from collections.abc import Mapping
from typing import Any

from segue.web.views.pages import document

Schema = dict[str, Any]
JSON = "application/json"
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
        schema = self._resolved(self._operation["requestBody"]["content"][JSON]["schema"])
        return {name: rule for name, rule in schema.items() if name not in NOT_AT_ROOT}

    def gives(self) -> Schema:
        """The schema of its answer."""
        answer = self._followed(self._operation["responses"]["200"])
        schema: Schema = self._resolved(answer["content"][JSON]["schema"])
        return schema

    def _parameters(self) -> Schema:
        asked = [entry for entry in self._operation["parameters"] if entry["name"] not in NOT_FOR_TOOLS]
        return {
            "type": "object",
            "properties": {
                entry["name"]: {**self._resolved(entry["schema"]), "description": entry["description"]}
                for entry in asked
            },
            "required": [entry["name"] for entry in asked if entry.get("required")],
            "additionalProperties": False,
        }

    def _resolved(self, value: Any) -> Any:
        """A schema with what its references lead to in their places."""
        if isinstance(value, list):
            return [self._resolved(entry) for entry in value]
        if not isinstance(value, Mapping):
            return value
        return {name: self._resolved(entry) for name, entry in self._followed(value).items()}

    def _followed(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a reference leads to (RFC 6901), and what stands beside it."""
        if "$ref" not in value:
            return value
        found: Any = self._document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        beside = {name: entry for name, entry in value.items() if name != "$ref"}
        return {**self._followed(found), **beside}
