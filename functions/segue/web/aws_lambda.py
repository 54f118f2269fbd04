"""Events of AWS Lambda: completed for the WSGI adapter, or answered with a 400 if they are not HTTP requests.

The shapes are those of function URLs and HTTP APIs (payload 2.0), REST APIs (1.0) and load balancers.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

Event = dict[str, Any]
PLACEHOLDER_ADDRESS = "203.0.113.1"  # reserved for documentation, RFC 5737
NOT_HTTP = "no HTTP request: expected the event of a function URL, an API Gateway (1.0, 2.0) or a load balancer"


def handle_event(adapter: Callable[[Event, object], Event], event: object, context: object) -> Event:
    """Answer an event by an adapter that requires well-formed ones."""
    if not isinstance(event, dict) or not _is_http(event):
        return _bad_request(NOT_HTTP)
    try:
        normalized = normalize(event)
    except ValueError:
        return _bad_request("the body is not the Base64 that the event says it is")
    return adapter(normalized, context)


def normalize(event: Event) -> Event:
    """An event with every field that an adapter reads, in characters that WSGI allows.

    Raises ValueError if its body is not the Base64 that it claims to be.
    """
    normalized = {**event, "body": _without_surrogates(event.get("body") or "")}
    if normalized.get("isBase64Encoded"):
        base64.b64decode(normalized["body"], validate=True)
    if event.get("version") == "2.0":
        http = {
            "method": "GET",
            "protocol": "HTTP/1.1",
            "sourceIp": PLACEHOLDER_ADDRESS,
            **event["requestContext"]["http"],
        }
        normalized["requestContext"] = {**event["requestContext"], "http": http}
        normalized["headers"] = {name: _as_latin1(value) for name, value in (event.get("headers") or {}).items()}
        normalized["cookies"] = [_as_latin1(cookie) for cookie in event.get("cookies") or ()]
        return normalized | {"rawPath": _percent_encoded(event.get("rawPath") or "/"),
                         "rawQueryString": _percent_encoded(event.get("rawQueryString") or "")}  # fmt: skip
    normalized["path"] = _percent_encoded(event.get("path") or "/")
    for name in ("headers", "multiValueHeaders"):
        if event.get(name):
            normalized[name] = {key: _as_latin1(value) for key, value in event[name].items()}
    for name in ("queryStringParameters", "multiValueQueryStringParameters"):
        if event.get(name):
            normalized[name] = {
                _without_surrogates(key): _without_surrogates(value) for key, value in event[name].items()
            }
    return normalized


def _is_http(event: Mapping[str, Any]) -> bool:
    context = event.get("requestContext")
    if event.get("version") == "2.0":
        return isinstance(context, dict) and isinstance(context.get("http"), dict)
    return isinstance(event.get("httpMethod"), str) and event.get("version", "1.0") == "1.0"


def _percent_encoded(text: str) -> str:
    """Percent-encode characters outside ASCII, which should have been encoded."""
    return "".join(one if one.isascii() else quote(one, errors="replace") for one in text)


def _without_surrogates(value: Any) -> Any:
    """Texts without lone surrogates, which JSON can express and UTF-8 can't."""
    if isinstance(value, list):
        return [_without_surrogates(one) for one in value]
    return str(value).encode("utf-8", "replace").decode()


def _as_latin1(value: Any) -> Any:
    """Header values as WSGI has them (PEP 3333)."""
    if isinstance(value, list):
        return [_as_latin1(one) for one in value]
    return str(value).encode("latin-1", "replace").decode("latin-1")


def _bad_request(detail: str) -> Event:
    body = {"type": "about:blank", "title": "Invalid request", "status": 400, "detail": detail}
    return {
        "statusCode": 400,
        "headers": {"content-type": "application/problem+json"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


def strip_stage(app: WsgiApp) -> WsgiApp:
    """Move the stage of an API Gateway from the path of a request to its ``SCRIPT_NAME``, where it is mounted.

    A REST API has the stage in the path of its request context only, an HTTP API in every path but ``$default``'s.
    A request for the stage itself, without a slash, has an empty path (PEP 3333).
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """

    def stripped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        context = environ.get("apig_wsgi.request_context") or {}
        path, stage = environ["PATH_INFO"], f"/{context.get('stage')}"
        full_path = unquote(context.get("path") or "", encoding="iso-8859-1")
        if f"{path}/".startswith(f"{stage}/"):
            environ |= {"SCRIPT_NAME": stage, "PATH_INFO": path.removeprefix(stage)}
        elif full_path == stage + path:
            environ["SCRIPT_NAME"] = stage
        elif full_path == stage and path == "/":
            environ |= {"SCRIPT_NAME": stage, "PATH_INFO": ""}
        return app(environ, start_response)

    return stripped
