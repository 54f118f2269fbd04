"""Entry points: ``recommend`` for the functions framework, ``lambda_handler`` for AWS Lambda."""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

# Set before NumPy is imported: on a function's fraction of a core, BLAS threads would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Read by the functions framework after this module: most threads wait for the engine, and some must be left.
os.environ.setdefault("THREADS", "40")
# A thread gives the interpreter away in each call of NumPy, and waits for up to 5 ms by default to get it back.
sys.setswitchinterval(0.001)

from werkzeug.wrappers import Request, Response

from segue.config import Config
from segue.web import aws_lambda
from segue.web.gateway import Gateway, bound_framework, configure_logging
from segue.web.service import Service, preload

configure_logging()
bound_framework()
config = Config.from_environ(os.environ)
service = Service(config)
gateway = Gateway(service.handle)


def recommend(request: Request) -> Response:
    """Answer an HTTP request (functions framework, Cloud Run functions)."""
    return gateway.handle(request)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer an event of a function URL, API Gateway or load balancer (AWS Lambda)."""
    return aws_lambda.handle_event(_wsgi_adapter(), event, context)


@functools.cache
def _wsgi_adapter() -> Callable[[dict[str, Any], object], dict[str, Any]]:
    from apig_wsgi import make_lambda_handler

    handler: Callable[[dict[str, Any], object], dict[str, Any]] = make_lambda_handler(
        aws_lambda.strip_stage(Request.application(recommend)), binary_support=True
    )
    return handler


if config.preload:
    preload(service.handle)
