"""Events of AWS Lambda: what is no HTTP request, or a broken one, gets an answer instead of an error.

The shapes are those of function URLs and HTTP APIs (payload 2.0), REST APIs (1.0) and load balancers.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

Event = dict[str, Any]
NOWHERE = "203.0.113.1"  # an address for documents, RFC 5737
EXPECTED = "no HTTP request: expected the event of a function URL, an API Gateway (1.0, 2.0) or a load balancer"


def answer(adapter: Callable[[Event, object], Event], event: object, context: object) -> Event:
    """Answer an event by an adapter that takes well-formed ones."""
    if not isinstance(event, dict) or not _is_http(event):
        return _refusal(EXPECTED)
    try:
        tidied = tidy(event)
    except ValueError:
        return _refusal("the body is not the Base64 that the event says it is")
    return adapter(tidied, context)


def tidy(event: Event) -> Event:
    """An event with all that an adapter reads, in characters that WSGI takes. Raises ValueError at a broken body."""
    tidied = {**event, "body": _whole(event.get("body") or "")}
    if tidied.get("isBase64Encoded"):
        base64.b64decode(tidied["body"], validate=True)
    if event.get("version") == "2.0":
        http = {"method": "GET", "protocol": "HTTP/1.1", "sourceIp": NOWHERE, **event["requestContext"]["http"]}
        tidied["requestContext"] = {**event["requestContext"], "http": http}
        tidied["headers"] = {name: _latin(value) for name, value in (event.get("headers") or {}).items()}
        tidied["cookies"] = [_latin(cookie) for cookie in event.get("cookies") or ()]
        return tidied | {"rawPath": _ascii(event.get("rawPath") or "/"),
                         "rawQueryString": _ascii(event.get("rawQueryString") or "")}  # fmt: skip
    tidied["path"] = _ascii(event.get("path") or "/")
    for name in ("headers", "multiValueHeaders"):
        if event.get(name):
            tidied[name] = {key: _latin(value) for key, value in event[name].items()}
    for name in ("queryStringParameters", "multiValueQueryStringParameters"):
        if event.get(name):
            tidied[name] = {_whole(key): _whole(value) for key, value in event[name].items()}
    return tidied


def _is_http(event: Mapping[str, Any]) -> bool:
    context = event.get("requestContext")
    if event.get("version") == "2.0":
        return isinstance(context, dict) and isinstance(context.get("http"), dict)
    return isinstance(event.get("httpMethod"), str) and event.get("version", "1.0") == "1.0"


def _ascii(text: str) -> str:
    """Percent-encode what should have been."""
    return "".join(one if one.isascii() else quote(one, errors="replace") for one in text)


def _whole(value: Any) -> Any:
    """Texts without halves of surrogate pairs, which JSON can spell and UTF-8 can't."""
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return str(value).encode("utf-8", "replace").decode()


def _latin(value: Any) -> Any:
    """Header values as WSGI has them (PEP 3333)."""
    if isinstance(value, list):
        return [_latin(one) for one in value]
    return str(value).encode("latin-1", "replace").decode("latin-1")


def _refusal(detail: str) -> Event:
    body = {"type": "about:blank", "title": "Invalid request", "status": 400, "detail": detail}
    return {
        "statusCode": 400,
        "headers": {"content-type": "application/problem+json"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
