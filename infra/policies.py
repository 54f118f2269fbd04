"""What a compiled CloudFormation template allows: statements with a wildcard that nobody has explained."""

from collections.abc import Iterator, Mapping
from typing import Any

# (resource, action or "*" for all): why a wildcard stands there
EXPLAINED = {
    ("ServerlessDeploymentBucketPolicy", "s3:*"): "denies every way that is not encrypted, to everybody",
    ("ModelsPolicy", "s3:*"): "denies every way that is not encrypted, to everybody",
    ("Role", "s3:GetObject"): "the versions below models/, whose names are digests",
    ("RecommendLambdaPermissionFnUrl", "lambda:InvokeFunctionUrl"): "a public address; SEGUE_API_KEYS closes it",
    ("RecommendLambdaPermissionFn", "lambda:InvokeFunction"): "the same, by way of the URL alone",
}


def unexplained(template: Mapping[str, Any]) -> list[str]:
    """Every wildcard of an action, a resource or a principal that EXPLAINED does not list."""
    return [
        f"{name}: {action} on {statement.get('Resource', 'its function')}"
        for name, statement in _statements(template["Resources"])
        if _has_wildcard(statement)
        for action in _listed(statement.get("Action"))
        if (name, action) not in EXPLAINED
    ]


def _statements(resources: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Permission":
            yield name, properties
        for document in _documents(properties):
            for statement in document["Statement"]:
                yield name, statement


def _documents(value: Any) -> Iterator[Mapping[str, Any]]:
    """Everything below a value that looks like a policy document."""
    if isinstance(value, dict):
        if isinstance(value.get("Statement"), list):
            yield value
        for inner in value.values():
            yield from _documents(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _documents(inner)


def _has_wildcard(statement: Mapping[str, Any]) -> bool:
    # A condition may name a prefix with a star; what is allowed, on what and to whom may not.
    texts = [text for field in ("Action", "Resource", "Principal") for text in _texts(statement.get(field))]
    return "NotAction" in statement or "NotResource" in statement or any("*" in text for text in texts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
