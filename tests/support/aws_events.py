"""Requests as the platforms of AWS hand them to a function, field by field as their documents have them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from urllib.parse import parse_qs, unquote

from infra.lambda_runtime import function_url_event


def url(method, path, query="", body=None, headers=None, base64=False, cookies=()):
    """Payload 2.0: a function URL or an HTTP API."""
    event = function_url_event(method, path, query, body)
    event["headers"] |= headers or {}
    return event | {"isBase64Encoded": base64, "cookies": list(cookies)}


def rest(method, path, query="", body=None, headers=None, base64=False, multi=True):
    """Payload 1.0: a REST API, whose paths and parameters arrive decoded."""
    values = parse_qs(query, keep_blank_values=True)
    sent = {"Content-Type": "application/json", "Host": "x.execute-api.eu-west-1.amazonaws.com", **(headers or {})}
    event = {
        "resource": "/{proxy+}", "path": unquote(path), "httpMethod": method,
        "headers": {name: value[-1] if isinstance(value, list) else value for name, value in sent.items()},
        "queryStringParameters": {name: found[-1] for name, found in values.items()} or None,
        "requestContext": {"resourcePath": "/{proxy+}", "identity": {"sourceIp": "203.0.113.9"}},
        "body": body, "isBase64Encoded": base64,
    }  # fmt: skip
    if multi:
        event["multiValueHeaders"] = {
            name: value if isinstance(value, list) else [value] for name, value in sent.items()
        }
        event["multiValueQueryStringParameters"] = values or None
    return event


def balancer(method, path, query="", body=None, headers=None, base64=False):
    """An application load balancer, which leaves paths and parameters encoded."""
    pairs = dict(pair.partition("=")[::2] for pair in query.split("&")) if query else {}
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:x"}},
        "httpMethod": method, "path": path, "queryStringParameters": pairs,
        "headers": {"content-type": "application/json", "host": "songs.example.org", **(headers or {})},
        "body": body or "", "isBase64Encoded": base64,
    }  # fmt: skip
